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

// AddCode announces a one-time code that the host has sent to the user, or is
// about to send, so that Create accepts it as an OTP once. Only a digest under
// the keyring is stored. A new code of a kind replaces the old one; failures
// stay counted, so that asking for codes buys no guesses.
//
// Errors: invalid-argument with the field at fault (AccountID, wrapping
// credential.ErrNotFound, if there is no such account), account-locked,
// unavailable, internal-error.
func (i *Issuer) AddCode(ctx context.Context, r AddCodeRequest) error {
	return i.perform(ctx, OpAddCode, r.AccountID, func(c *call) outcome {
		if err := c.begin(); err != nil {
			return refused(err)
		}
		if err := c.checkCode(&r); err != nil {
			return refused(err)
		}
		code, err := c.digestCode(&r)
		if err != nil {
			return refused(c.internal(err))
		}
		return c.run(func(a credential.Account, known bool) round {
			if err := c.managed(a, known); err != nil {
				return round{answer: refused(err)}
			}
			a.State = a.State.Clone()
			dropExpired(&a.State, c.now)
			a.State.Codes = slices.DeleteFunc(a.State.Codes, func(old credential.OneTimeCode) bool { return old.Kind == r.Kind })
			a.State.Codes = append(a.State.Codes, code)
			return round{next: a, save: true}
		})
	}).err
}

// checkCode holds the request against its rules, without any I/O.
func (c *call) checkCode(r *AddCodeRequest) error {
	switch {
	case r.Kind == verifier.KindDeviceTOTP || !slices.Contains(c.issuer.policy.OTPKinds, r.Kind):
		// Without the kind itself: where the two were swapped it is the code.
		return c.argument(totperrors.FieldKind, errors.New("is not a kind of one-time code in Policy.OTPKinds"))
	case !credential.IsCode(r.Code):
		return c.argument(totperrors.FieldCode, fmt.Errorf("must be %d to %d ASCII digits", credential.MinCodeDigits, credential.MaxCodeDigits))
	case r.TTL <= 0 || r.TTL > MaxCodeTTL:
		return c.argument(totperrors.FieldTTL, fmt.Errorf("is %v, must be more than 0 and at most %v", r.TTL, MaxCodeTTL))
	default:
		return nil
	}
}

func (c *call) digestCode(r *AddCodeRequest) (credential.OneTimeCode, error) {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails: crypto/rand ends the process instead
	code := credential.OneTimeCode{ID: hex.EncodeToString(id[:]), Kind: r.Kind, ExpiresAt: c.now.Add(r.TTL).UTC()}
	var err error
	code.Digest, err = c.issuer.keys.Digest(credential.Scope{
		Purpose: credential.PurposeOneTimeCode, AccountID: c.accountID, Subject: code.ID,
	}, r.Code)
	return code, err
}

// managed answers for the accounts that the host cannot manage through the
// Issuer: unknown and locked ones.
func (c *call) managed(a credential.Account, known bool) error {
	switch {
	case !known:
		return c.argument(totperrors.FieldAccountID, credential.ErrNotFound)
	case a.Locked:
		return c.fail(totperrors.CodeAccountLocked, "", 0)
	default:
		return nil
	}
}

// argument is the error of a value that can never work.
func (c *call) argument(field string, cause error) error {
	return &Error{Op: c.op, Code: CodeInvalidArgument, Field: field, Err: cause}
}

// UnblockRequest names what is to be unblocked.
type UnblockRequest struct {
	// AccountID is the account that the host established.
	AccountID string
	// Factors are those whose failures are forgotten; none means all three.
	Factors []credential.Factor
}

// Unblock forgets the failures of the given factors, or of all three if none is
// given; with credential.FactorOTP also those of each device. It is the host's to
// call, after the user has proved to be the owner in some other way.
//
// Errors: invalid-argument (an unknown factor; or AccountID, wrapping
// credential.ErrNotFound), account-locked, unavailable, internal-error.
func (i *Issuer) Unblock(ctx context.Context, r UnblockRequest) error {
	return i.perform(ctx, OpUnblock, r.AccountID, func(c *call) outcome {
		all, factors := credential.Factors(), r.Factors
		for _, f := range factors {
			if !slices.Contains(all[:], f) {
				return refused(c.argument(totperrors.FieldFactors, fmt.Errorf("%v is not a factor", f)))
			}
		}
		if len(factors) == 0 {
			factors = all[:]
		}
		if err := c.begin(); err != nil {
			return refused(err)
		}
		return c.run(func(a credential.Account, known bool) round {
			if err := c.managed(a, known); err != nil {
				return round{answer: refused(err)}
			}
			a.State = a.State.Clone()
			clearFailures(&a.State, factors, c.now)
			return round{next: a, save: true}
		})
	}).err
}

func clearFailures(s *credential.State, factors []credential.Factor, now time.Time) {
	for _, f := range factors {
		s.SetAttempts(f, s.Attempts(f).Cleared())
		if f != credential.FactorOTP {
			continue
		}
		for i := range s.Devices {
			s.Devices[i].Attempts = s.Devices[i].Attempts.Cleared()
		}
	}
	dropExpired(s, now)
}
