package devicetotp

import "time"

// Limits bound the work of one request. A zero field means its default, so that
// fields can be added.
type Limits struct {
	// MaxRounds is how often a request is decided while others keep changing
	// the account: at most 100, and at least the highest BackoffFrom of the
	// Policy + 3, so that parallel wrong values are refused for what they are.
	// Default: 16, or that least number.
	MaxRounds int
	// RoundsTimeout is how long it is decided again, hashing not counted. From
	// 1 ms to a minute. Default: 5 s.
	RoundsTimeout time.Duration
	// StoreTimeout bounds each call to the store. From 1 ms to a minute.
	// Default: 2 s.
	StoreTimeout time.Duration
	// VerifierTimeout bounds each call to a verifier, to the secret source or to
	// OnRehash, waiting to hash included. From 1 ms to a minute. Default: 10 s.
	VerifierTimeout time.Duration
	// MaxWaiting is how many requests for one account may queue in this
	// process; further ones are unavailable. Up to 1,048,576; a negative number
	// means none. Default: 64.
	MaxWaiting int
}

// complete returns l with its defaults, after reporting what is out of bounds.
func (l Limits) complete(p *Policy, m *mistakes) Limits {
	least := max(p.OTP.BackoffFrom, p.Password.BackoffFrom, p.PIN.BackoffFrom,
		p.Code.BackoffFrom, p.Recovery.BackoffFrom, p.Device.BackoffFrom, p.UnnamedDevice.BackoffFrom) + 3
	l.MaxRounds = or(l.MaxRounds, func() int { return max(16, least) })
	l.RoundsTimeout = or(l.RoundsTimeout, seconds(5))
	l.StoreTimeout = or(l.StoreTimeout, seconds(2))
	l.VerifierTimeout = or(l.VerifierTimeout, seconds(10))
	l.MaxWaiting = or(l.MaxWaiting, func() int { return 64 })

	m.number("MaxRounds", l.MaxRounds, least, 100)
	m.duration("RoundsTimeout", l.RoundsTimeout, time.Millisecond, time.Minute)
	m.duration("StoreTimeout", l.StoreTimeout, time.Millisecond, time.Minute)
	m.duration("VerifierTimeout", l.VerifierTimeout, time.Millisecond, time.Minute)
	m.number("MaxWaiting", l.MaxWaiting, -1<<20, 1<<20)
	l.MaxWaiting = max(0, l.MaxWaiting)
	return l
}

func seconds(n int) func() time.Duration {
	return func() time.Duration { return time.Duration(n) * time.Second }
}
