package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestThePictureIsWellFormedAndHasEveryPoint(t *testing.T) {
	point := func(store string, accounts int, verify, create float64) *growthPoint {
		return &growthPoint{store: store, accounts: accounts, rates: map[string][]float64{opVerify: {verify}, opCreate: {create}}}
	}
	points := []*growthPoint{
		point("PostgreSQL", 100, 2500, 2000), point("PostgreSQL", 10_000, 2200, 1900),
		point("SQLite", 100, 1400, 1100), point("SQLite", 10_000, 1400, 900),
	}
	p := plotOf("by accounts", points, func(p *growthPoint) int { return p.accounts })
	require.Equal(t, []string{"100", "10,000"}, p.points)
	require.InDelta(t, 2, p.top(), 1e-9, "the next round number above 1.1 ms")

	picture := drawSVG(p, p)
	decoder := xml.NewDecoder(strings.NewReader(picture))
	seen := map[string]int{}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if start, ok := token.(xml.StartElement); ok {
			seen[start.Name.Local]++
		}
	}
	require.Equal(t, 2*4, seen["polyline"], "a line each store and operation, in both plots")
	require.Equal(t, 2*8, seen["circle"])
	for _, label := range []string{"PostgreSQL, Verify", "PostgreSQL, Create", "SQLite, Verify", "SQLite, Create"} {
		require.Equal(t, 1, strings.Count(picture, ">"+label+"<"), label)
	}
}

func TestTheScaleEndsAtARoundNumber(t *testing.T) {
	for most, want := range map[time.Duration]float64{
		0:                       1,
		300 * time.Microsecond:  0.4,
		time.Millisecond:        1,
		1100 * time.Microsecond: 2,
		7 * time.Millisecond:    8,
		95 * time.Millisecond:   100,
	} {
		p := plot{lines: []line{{values: []time.Duration{most}}}}
		require.InDelta(t, want, p.top(), 1e-9, most)
	}
}
