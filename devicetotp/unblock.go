package devicetotp

import (
	"context"
	"fmt"
	"slices"

	"example.com/devicetotp/credential"
	totperrors "example.com/devicetotp/errors"
)

// UnblockRequest names what is to be unblocked.
type UnblockRequest struct {
	// AccountID is the account that the host established.
	AccountID string
	// Factors are those whose failures are forgotten; none means all three.
	Factors []credential.Factor
}

// Unblock forgets the failures of the given factors, or of all three if none is
// given; with credential.FactorOTP also those of each device, of each kind of
// one-time code and of the recovery codes. It is the host's to call, after the user has
// proved to be the owner in some other way. Repeating it is a new act: it forgives what
// failed up to now.
//
// Errors: invalid-argument (an unknown factor; or AccountID, wrapping
// credential.ErrNotFound, if there is no such account), account-locked, unavailable,
// internal-error.
func (i *Issuer) Unblock(ctx context.Context, r UnblockRequest) error {
	o := &unblock{factors: slices.Clone(r.Factors)}
	o.start(ctx, i, OpUnblock, r.AccountID)
	_, err := perform(o)
	return err
}

// unblock is one Unblock.
type unblock struct {
	call
	factors []credential.Factor
}

func (o *unblock) check() error {
	all := credential.Factors()
	for _, f := range o.factors {
		if !slices.Contains(all[:], f) {
			return o.Argument(totperrors.FieldFactors, fmt.Errorf("%v is not a factor", f))
		}
	}
	if len(o.factors) == 0 {
		o.factors = all[:]
	}
	return nil
}

func (o *unblock) decide(a *credential.Account) (answer[struct{}], bool) {
	if err := o.managed(a); err != nil {
		return answer[struct{}]{err: err}, false
	}
	state := &a.State
	for _, f := range o.factors {
		state.SetAttempts(f, state.Attempts(f).Cleared())
		if f != credential.FactorOTP {
			continue
		}
		for i := range state.Devices {
			d := &state.Devices[i]
			d.Attempts, d.Named = d.Attempts.Cleared(), d.Named.Cleared()
		}
		state.Kinds = nil
		state.Recovery.Attempts = state.Recovery.Attempts.Cleared()
	}
	return answer[struct{}]{}, true
}
