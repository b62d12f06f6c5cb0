package devicetotp

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/devicetotp/credential"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// AddCodeRequest announces a one-time code that the host has sent to the user,
// or is about to send.
type AddCodeRequest struct {
	// AccountID is the account that the code is for.
	AccountID string
	// Kind is one of Policy.OTPKinds, but not verifier.KindDeviceTOTP. A new
	// code of a kind replaces the old one; failures stay counted.
	Kind string
	// Code is 6 to 10 ASCII digits; credential.NewCode makes one.
	Code credential.Secret
	// TTL is how long the code is accepted: more than 0, at most 10 minutes
	// (NIST SP 800-63B-4 section 3.1.3.2).
	TTL time.Duration
}

// MaxCodeTTL is the longest that a one-time code may be accepted (NIST SP
// 800-63B-4 section 3.1.3.2). Five minutes are a good choice.
const MaxCodeTTL = 10 * time.Minute

// AddCode announces a one-time code that the host has sent to the user, or is
// about to send, so that Create accepts it as an OTP once. Only a digest under
// the keyring is stored. A new code of a kind replaces the old one; failures
// stay counted, so that asking for codes buys no guesses.
//
// Errors: invalid-argument with the field at fault (AccountID, wrapping
// credential.ErrNotFound, if there is no such account), account-locked,
// unavailable, internal-error.
func (i *Issuer) AddCode(ctx context.Context, r AddCodeRequest) error {
	o := &addCode{request: r}
	o.start(ctx, i, OpAddCode, r.AccountID)
	_, err := perform(o)
	return err
}

// addCode is one AddCode.
type addCode struct {
	call
	request AddCodeRequest
}

func (o *addCode) check() error {
	r := &o.request
	switch {
	case r.Kind == verifier.KindDeviceTOTP || !slices.Contains(o.issuer.policy.OTPKinds, r.Kind):
		// Without the kind itself: where the two were swapped, it is the code.
		return o.Argument(totperrors.FieldKind, errors.New("is not a kind of one-time code in Policy.OTPKinds"))
	case !credential.IsCode(r.Code):
		return o.Argument(totperrors.FieldCode, fmt.Errorf("must be %d to %d ASCII digits", credential.MinCodeDigits, credential.MaxCodeDigits))
	case r.TTL <= 0 || r.TTL > MaxCodeTTL:
		return o.Argument(totperrors.FieldTTL, fmt.Errorf("is %v, must be more than 0 and at most %v", r.TTL, MaxCodeTTL))
	default:
		return nil
	}
}

func (o *addCode) decide(a *credential.Account) (answer[struct{}], bool) {
	if err := o.managed(a); err != nil {
		return answer[struct{}]{err: err}, false
	}
	code, err := o.digest()
	if err != nil {
		return answer[struct{}]{err: o.Internal(err)}, false
	}
	dropExpired(&a.State, o.Now)
	a.State.Codes = slices.DeleteFunc(a.State.Codes, func(old credential.OneTimeCode) bool { return old.Kind == o.request.Kind })
	a.State.Codes = append(a.State.Codes, code)
	return answer[struct{}]{}, true
}

func (o *addCode) digest() (credential.OneTimeCode, error) {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails: crypto/rand ends the process instead
	code := credential.OneTimeCode{ID: hex.EncodeToString(id[:]), Kind: o.request.Kind, ExpiresAt: o.Now.Add(o.request.TTL).UTC()}
	var err error
	code.Digest, err = o.issuer.keys.Digest(credential.Scope{
		Purpose: credential.PurposeOneTimeCode, AccountID: o.accountID, Subject: code.ID,
	}, o.request.Code)
	return code, err
}
