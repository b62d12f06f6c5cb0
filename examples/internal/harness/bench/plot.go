package main

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"
)

// A line of a plot. Its points are evenly spaced, because both things that grow
// do so by factors.
type line struct {
	label  string
	colour string
	dashed bool
	values []time.Duration
}

// A plot is drawn with the names of its points below, and milliseconds to the
// left from zero on.
type plot struct {
	title  string
	points []string
	lines  []line
}

const (
	plotWidth, plotHeight = 400, 260
	plotLeft, plotRight   = 56, 16
	plotTop, plotBottom   = 32, 36
	legendHeight          = 62
)

// drawGrowth writes the picture, if one is wanted.
func (b *bench) drawGrowth(byAccounts, byDevices []*growthPoint) error {
	if b.plot == "" {
		return nil
	}
	left := plotOf("Time of a request, by accounts", byAccounts, func(p *growthPoint) int { return p.accounts })
	right := plotOf("Time of a request, by devices of an account", byDevices, func(p *growthPoint) int { return p.devices })
	if err := os.WriteFile(b.plot, []byte(drawSVG(left, right)), 0o644); err != nil { //nolint:gosec // a picture for everybody
		return err
	}
	b.say("\nThe picture is in %s.", b.plot)
	return nil
}

func plotOf(title string, points []*growthPoint, grows func(*growthPoint) int) plot {
	p := plot{title: title}
	colours := map[string]string{"PostgreSQL": "#1f5fa8", "SQLite": "#c2571a", "MariaDB": "#2e7d32"}
	for _, point := range points {
		if name := count(grows(point)); !slices.Contains(p.points, name) {
			p.points = append(p.points, name)
		}
		for _, op := range []struct{ label, name string }{{"Verify", opVerify}, {"Create", opCreate}} {
			at := p.line(point.store+", "+op.label, colours[point.store], op.name == opCreate)
			at.values = append(at.values, point.each(op.name))
		}
	}
	return p
}

// line returns the line of that label, and makes it if need be.
func (p *plot) line(label, colour string, dashed bool) *line {
	for i := range p.lines {
		if p.lines[i].label == label {
			return &p.lines[i]
		}
	}
	p.lines = append(p.lines, line{label: label, colour: colour, dashed: dashed})
	return &p.lines[len(p.lines)-1]
}

// drawSVG puts the plots side by side, the legend of the first below them.
func drawSVG(plots ...plot) string {
	var s strings.Builder
	width, height := plotWidth*len(plots), plotHeight+legendHeight
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height, width, height)
	fmt.Fprintf(&s, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", width, height)
	for i, p := range plots {
		fmt.Fprintf(&s, `<g transform="translate(%d,0)">`+"\n", i*plotWidth)
		p.draw(&s)
		s.WriteString("</g>\n")
	}
	for i, l := range plots[0].lines {
		x, y := plotLeft+(i%2)*200, plotHeight+14+(i/2)*18
		fmt.Fprintf(&s, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s" stroke-width="2"%s/>`+"\n", x, y-4, x+28, y-4, l.colour, l.dashes())
		fmt.Fprintf(&s, `<text x="%d" y="%d" fill="#222222">%s</text>`+"\n", x+36, y, l.label)
	}
	s.WriteString("</svg>\n")
	return s.String()
}

func (l line) dashes() string {
	if l.dashed {
		return ` stroke-dasharray="5,4"`
	}
	return ""
}

func (p plot) draw(s *strings.Builder) {
	top := p.top()
	y := func(ms float64) float64 {
		return plotTop + (plotHeight-plotTop-plotBottom)*(1-ms/top)
	}
	x := func(i int) float64 {
		return plotLeft + 20 + float64(plotWidth-plotLeft-plotRight-40)*float64(i)/math.Max(1, float64(len(p.points)-1))
	}
	fmt.Fprintf(s, `<text x="%d" y="18" font-weight="bold" fill="#222222">%s</text>`+"\n", plotLeft, p.title)
	for i := range 5 {
		ms := top * float64(i) / 4
		fmt.Fprintf(s, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#dddddd"/>`+"\n", plotLeft, y(ms), plotWidth-plotRight, y(ms))
		fmt.Fprintf(s, `<text x="%d" y="%.1f" text-anchor="end" fill="#555555">%.2g ms</text>`+"\n", plotLeft-6, y(ms)+4, ms)
	}
	for i, name := range p.points {
		fmt.Fprintf(s, `<text x="%.1f" y="%d" text-anchor="middle" fill="#555555">%s</text>`+"\n", x(i), plotHeight-plotBottom+18, name)
	}
	for _, l := range p.lines {
		var at []string
		for i, v := range l.values {
			at = append(at, fmt.Sprintf("%.1f,%.1f", x(i), y(inMillis(v))))
			fmt.Fprintf(s, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x(i), y(inMillis(v)), l.colour)
		}
		fmt.Fprintf(s, `<polyline fill="none" stroke="%s" stroke-width="2"%s points="%s"/>`+"\n", l.colour, l.dashes(), strings.Join(at, " "))
	}
}

// top is the end of the scale: a round number above every value.
func (p plot) top() float64 {
	most := 0.0
	for _, l := range p.lines {
		for _, v := range l.values {
			most = math.Max(most, inMillis(v))
		}
	}
	if most == 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(most)))
	for _, factor := range []float64{1, 2, 4, 6, 8, 10} {
		if most <= factor*unit {
			return factor * unit
		}
	}
	return 10 * unit
}

func inMillis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
