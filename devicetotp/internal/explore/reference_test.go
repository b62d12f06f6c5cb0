package explore

import (
	"context"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// reference tells what requests give if each runs whole, one after another. It
// asks the library itself, and remembers: a step is taken once.
type reference struct {
	*scenario
	issuer *devicetotp.Issuer
	first  *stage

	// of the step under way
	account credential.Account
	deleted bool
	step    step
}

// stage is the account between two steps.
type stage struct {
	account credential.Account
	deleted bool
	dump    string
	next    map[step]*outcome
}

// outcome is what a step came to.
type outcome struct {
	answer answer
	after  *stage
}

// step is a request with its reading of the clock, or a change by the host.
type step struct {
	client, request int
	now             int64 // ns
	change          int   // 1 + its index; 0 for none
}

func newReference(s *scenario) *reference {
	r := &reference{scenario: s}
	r.issuer = s.account.newIssuer(r, r, r, nobody{})
	r.first = r.newStage(s.account.Account, false)
	return r
}

func (r *reference) newStage(a credential.Account, deleted bool) *stage {
	return &stage{account: a, deleted: deleted, dump: r.scenario.account.dump(a.State), next: map[step]*outcome{}}
}

// request runs the request of rec at s.
func (r *reference) request(s *stage, rec *record) *outcome {
	return r.take(s, step{client: rec.client, request: rec.n, now: rec.now.UnixNano()}, func() answer {
		return rec.do(context.Background(), r.issuer)
	})
}

// change makes a change by the host at s.
func (r *reference) change(s *stage, index int) *stage {
	return r.take(s, step{change: index + 1}, func() answer {
		r.deleted = r.hostChanges[index].apply(&r.account) || s.deleted
		return answer{}
	}).after
}

func (r *reference) take(s *stage, at step, do func() answer) *outcome {
	o, taken := s.next[at]
	if !taken {
		r.account, r.deleted, r.step = s.account, s.deleted, at
		r.account.State = s.account.State.Clone()
		o = &outcome{answer: do()}
		o.after = r.newStage(r.account, r.deleted)
		s.next[at] = o
	}
	return o
}

// Now implements devicetotp.Clock.
func (r *reference) Now() time.Time { return time.Unix(0, r.step.now).UTC() }

// Load implements credential.Store.
func (r *reference) Load(context.Context, string) (credential.Account, error) {
	if r.deleted {
		return credential.Account{}, credential.ErrNotFound
	}
	a := r.account
	a.State = a.State.Clone()
	return a, nil
}

// Save implements credential.Store.
func (r *reference) Save(_ context.Context, a credential.Account) error {
	if a.Version != r.account.Version {
		return credential.ErrConflict
	}
	r.account.State, r.account.Version = a.State.Clone(), a.Next
	return nil
}

// NewSecret implements devicetotp.SecretSource.
func (r *reference) NewSecret(_ context.Context, size int) (credential.Secret, error) {
	return secretOf(r.step.client, r.step.request, size), nil
}
