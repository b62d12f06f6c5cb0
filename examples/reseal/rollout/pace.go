package rollout

import (
	"context"
	"time"
)

// pace lets so many things begin in a second. It is for one goroutine.
type pace struct {
	interval time.Duration
	next     time.Time
}

func newPace(rate float64) pace {
	if rate <= 0 {
		return pace{}
	}
	return pace{interval: time.Duration(float64(time.Second) / rate)}
}

// wait waits for its turn, or until ctx ends. Turns that were missed are not made
// up for.
func (p *pace) wait(ctx context.Context) error {
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	sleep(ctx, p.next.Sub(now))
	p.next = p.next.Add(p.interval)
	return ctx.Err()
}
