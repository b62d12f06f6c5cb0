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
	// Kind is one of Policy.OTPKinds, but neither verifier.KindDeviceTOTP nor
	// verifier.KindRecovery. A new code of a kind replaces the old one; failures
	// stay counted.
	Kind string
	// Code is 6 to 10 ASCII digits. If absent, the library makes one of
	// credential.DefaultCodeDigits digits. One that is announced for several kinds
	// is spent for all of them at once, also for those that are announced later.
	Code credential.Secret
	// TTL is how long the code is accepted: more than 0, at most 10 minutes
	// (NIST SP 800-63B-4 section 3.1.3.2).
	TTL time.Duration
}

// MaxCodeTTL is the longest that a one-time code may be accepted (NIST SP
// 800-63B-4 section 3.1.3.2). Five minutes are a good choice.
const MaxCodeTTL = 10 * time.Minute

// AddedCode is an announced one-time code.
type AddedCode struct {
	// Code is the code to send.
	Code credential.Secret
	// ExpiresAt is the first instant at which it is not accepted.
	ExpiresAt time.Time
}

// AddCode announces a one-time code that the host has sent to the user, or is
// about to send, so that Create, Prove or Rotate accepts it as an OTP once. Only a digest under
// the keyring is stored. A new code of a kind replaces the old one; failures
// stay counted, so that asking for codes buys no guesses.
//
// Announcing a code again before it expires changes nothing, whether it is
// pending, was replaced or is spent: repeat the request with the same Code after
// an unavailable error. Without a Code, each request makes a new one.
//
// Errors: invalid-argument with the field at fault (Kind, Code or TTL; or AccountID,
// wrapping credential.ErrNotFound, if there is no such account), account-locked,
// too-many-attempts (a code would not be accepted now: do not send it),
// unavailable, internal-error.
func (i *Issuer) AddCode(ctx context.Context, r AddCodeRequest) (AddedCode, error) {
	o := &addCode{request: r}
	o.start(ctx, i, OpAddCode, r.AccountID)
	return perform(o)
}

// addCode is one AddCode.
type addCode struct {
	call
	request AddCodeRequest
}

func (o *addCode) check() error {
	r := &o.request
	switch {
	case r.Kind == verifier.KindDeviceTOTP || r.Kind == verifier.KindRecovery || !slices.Contains(o.issuer.policy.OTPKinds, r.Kind):
		// Without the kind itself: where the two were swapped, it is the code.
		return o.Argument(totperrors.FieldKind, errors.New("is not a kind of one-time code in Policy.OTPKinds"))
	case r.Code.Present() && !credential.IsCode(r.Code):
		return o.Argument(totperrors.FieldCode, fmt.Errorf("must be %d to %d ASCII digits", credential.MinCodeDigits, credential.MaxCodeDigits))
	case r.TTL <= 0 || r.TTL > MaxCodeTTL:
		return o.Argument(totperrors.FieldTTL, fmt.Errorf("is %v, must be more than 0 and at most %v", r.TTL, MaxCodeTTL))
	default:
		return nil
	}
}

func (o *addCode) decide(a *credential.Account) (answer[AddedCode], bool) {
	if err := o.managed(a); err != nil {
		return answer[AddedCode]{err: err}, false
	}
	if known := o.announced(a); known != nil {
		return answer[AddedCode]{value: AddedCode{o.request.Code, known.ExpiresAt}}, true
	}
	if wait, blocked := o.blocked(a); blocked {
		return answer[AddedCode]{err: o.Fail(CodeTooManyAttempts, "", wait)}, false
	}
	code, err := o.digest()
	if err != nil {
		return answer[AddedCode]{err: o.Internal(err)}, false
	}
	code.Withdrawn = o.accepted(&a.State) // before that is forgotten
	for i := range a.State.Codes {
		old := &a.State.Codes[i]
		old.Withdrawn = old.Withdrawn || old.Kind == o.request.Kind
	}
	forgetCodes(&a.State, o.Now)
	a.State.Codes = append(a.State.Codes, code)
	return answer[AddedCode]{value: AddedCode{o.request.Code, code.ExpiresAt}}, true
}

// announced returns the code of an earlier request that is announced again; nil
// if there is none.
func (o *addCode) announced(a *credential.Account) *credential.OneTimeCode {
	for i := range a.State.Codes {
		c := &a.State.Codes[i]
		if c.Kind == o.request.Kind && o.again(c) {
			return c
		}
	}
	return nil
}

// accepted reports whether the value was accepted as a code of another kind, for which
// it was announced before. It is good once.
func (o *addCode) accepted(s *credential.State) bool {
	return slices.ContainsFunc(s.Codes, func(c credential.OneTimeCode) bool {
		return s.IsSpent(c.ProofID()) && o.again(&c)
	})
}

// again reports whether the request announces the value of c again before that
// expires. One that does not open is not recognized.
func (o *addCode) again(c *credential.OneTimeCode) bool {
	if !o.Now.Before(c.ExpiresAt) {
		return false
	}
	same, err := o.issuer.keys.Matches(codeScope(o.accountID, c.ID), c.Digest, o.request.Code)
	return err == nil && same
}

// blocked reports whether a code of the kind would not be compared now.
func (o *addCode) blocked(a *credential.Account) (wait time.Duration, blocked bool) {
	policy := &o.issuer.policy
	pace, paced := policy.OTP.Blocked(a.State.OTP, o.Now)
	kind, stopped := policy.Code.Blocked(a.State.KindAttempts(o.request.Kind), o.Now)
	return both(pace, paced, kind, stopped)
}

// digest makes the code, if the request has none, and its digest.
func (o *addCode) digest() (credential.OneTimeCode, error) {
	var err error
	if !o.request.Code.Present() {
		if o.request.Code, err = credential.NewCode(credential.DefaultCodeDigits); err != nil {
			return credential.OneTimeCode{}, err
		}
	}
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails: crypto/rand ends the process instead
	code := credential.OneTimeCode{ID: hex.EncodeToString(id[:]), Kind: o.request.Kind, ExpiresAt: o.Now.Add(o.request.TTL).UTC()}
	code.Digest, err = o.issuer.keys.Digest(codeScope(o.accountID, code.ID), o.request.Code)
	return code, err
}

func codeScope(accountID, codeID string) credential.Scope {
	return credential.Scope{Purpose: credential.PurposeOneTimeCode, AccountID: accountID, Subject: codeID}
}
