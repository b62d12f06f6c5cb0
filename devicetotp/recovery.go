package devicetotp

import (
	"context"
	"fmt"

	"example.com/devicetotp/credential"
	totperrors "example.com/devicetotp/errors"
)

// RecoveryRequest asks for new recovery codes.
type RecoveryRequest struct {
	// AccountID is the account that the host established.
	AccountID string
	// Count is how many codes are made: from 1 to credential.MaxRecoveryCodes; 0
	// means DefaultRecoveryCodes.
	Count int
}

// DefaultRecoveryCodes is how many recovery codes are made by default.
const DefaultRecoveryCodes = 10

// ReplaceRecoveryCodes makes recovery codes, for the day when the user's devices
// are lost: show them once, to be printed or written down. They replace all that
// the account had. Only sealed digests are stored, so no code is ever shown again.
//
// A code is 16 letters and digits in groups of four, such as k7pd-2mxa-w9rf-4hbq,
// with 79 random bits (NIST SP 800-63B-4 section 4.2.1.1 asks for 64). It is an OTP
// of the kind verifier.KindRecovery: Create, Prove and Rotate accept it where
// Policy.OTPKinds has that kind, which it does not by default. Upper case, spaces and
// dashes make no difference, each code is good once, and none expires. Wrong ones are
// counted in Policy.Recovery; new codes do not reset that, so that replacing them buys
// no guesses.
//
// It is the host's to decide who may: check a credential first, and not one that
// rests on grace alone. Tell the user by another channel when codes were replaced
// and when one was used, see [Event], and give out new ones while some are left,
// see Overview.Recovery.
//
// Repeating it is a new act: the codes of the last request that took effect are
// good. After an unavailable error it is unknown which those are, so request new
// ones.
//
// Errors: invalid-argument with the field at fault (Count; or AccountID, wrapping
// credential.ErrNotFound, if there is no such account), account-locked,
// unavailable, internal-error.
func (i *Issuer) ReplaceRecoveryCodes(ctx context.Context, r RecoveryRequest) ([]credential.Secret, error) {
	o := &replaceRecoveryCodes{count: r.Count}
	o.start(ctx, i, OpReplaceRecoveryCodes, r.AccountID)
	return perform(o)
}

// replaceRecoveryCodes is one ReplaceRecoveryCodes.
type replaceRecoveryCodes struct {
	call
	count int
	codes []credential.Secret // once they are made
}

func (o *replaceRecoveryCodes) check() error {
	if o.count < 0 || o.count > credential.MaxRecoveryCodes {
		return o.Argument(totperrors.FieldCount, fmt.Errorf("is %d, must be from 1 to %d, or 0 for %d", o.count, credential.MaxRecoveryCodes, DefaultRecoveryCodes))
	}
	if o.count == 0 {
		o.count = DefaultRecoveryCodes
	}
	return nil
}

func (o *replaceRecoveryCodes) decide(a *credential.Account) (answer[[]credential.Secret], bool) {
	if err := o.managed(a); err != nil {
		return answer[[]credential.Secret]{err: err}, false
	}
	for len(o.codes) < o.count {
		o.codes = append(o.codes, credential.NewRecoveryCode())
	}
	if err := a.State.Recovery.Replace(o.issuer.keys, o.accountID, o.codes, o.Now.UTC()); err != nil {
		return answer[[]credential.Secret]{err: o.Internal(err)}, false
	}
	if err := o.disputed(&a.State); err != nil { // which a new set lifts, if it is the set's
		return answer[[]credential.Secret]{err: err}, false
	}
	return answer[[]credential.Secret]{value: o.codes}, true
}
