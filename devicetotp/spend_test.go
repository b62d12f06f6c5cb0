package devicetotp_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// proveBy presents an OTP of the kinds to Prove; of every kind if there are none.
func (h *house) proveBy(t *testing.T, otp credential.Secret, kinds ...string) error {
	t.Helper()
	_, err := h.Issuer.Prove(t.Context(), devicetotp.ProveRequest{AccountID: "acct", OTP: otp, Kinds: kinds})
	return err
}

// A host may send one value by mail and by text message, and announce it for both. It
// is one OTP: whatever accepts it, whichever kind that asks for and whatever kind is
// blocked meanwhile, it is spent as both.
func TestOneValueOfTwoKindsIsSpentOnce(t *testing.T) {
	for name, accept := range map[string]func(*testing.T, *house) error{
		"by Create": func(t *testing.T, h *house) error { return h.create(t, secret(rightCode)) },
		"by Prove":  func(t *testing.T, h *house) error { return h.proveBy(t, secret(rightCode)) },
		"by Prove, of one kind": func(t *testing.T, h *house) error {
			return h.proveBy(t, secret(rightCode), verifier.KindAccount)
		},
		"by Prove, of the other kind": func(t *testing.T, h *house) error { return h.proveBy(t, secret(rightCode), "sms") },
		"by Rotate": func(t *testing.T, h *house) error {
			return rotationOf(rotationID(0), byOTP, ownID)(t, h.Issuer, secret(rightCode))
		},
		"while the other kind is blocked": func(t *testing.T, h *house) error {
			for range 5 {
				requireCode(t, totperrors.CodeInvalidCredentials, h.proveBy(t, secret(wrongCode), "sms"))
			}
			require.NoError(t, h.verify(t, ownID, h.own.Code()), "the pace of the account is reset")
			return h.create(t, secret(rightCode))
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, twoKinds)
			require.NoError(t, h.verify(t, ownID, h.own.Drifted(-1)), "a device that was used can be rotated")
			for _, kind := range []string{verifier.KindAccount, "sms"} {
				h.addCode(t, kind, rightCode)
			}
			require.NoError(t, accept(t, h))
			view, err := h.Issuer.Inspect(t.Context(), "acct")
			require.NoError(t, err)
			require.Empty(t, view.Codes, "none is pending")
			require.NoError(t, h.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
			requireCode(t, totperrors.CodeInvalidCredentials, h.create(t, secret(rightCode)))
			for _, kind := range []string{verifier.KindAccount, "sms"} {
				requireCode(t, totperrors.CodeInvalidCredentials, h.proveBy(t, secret(rightCode), kind))
				h.addCode(t, kind, rightCode) // a repetition, which revives nothing
			}
			requireCode(t, totperrors.CodeInvalidCredentials, h.create(t, secret(rightCode)))
		})
	}
}

// The announcement for the other kind may be late, or be tried again.
func TestOneValueIsSpentBeforeItIsAnnouncedForAnotherKind(t *testing.T) {
	for name, accept := range map[string]func(*testing.T, *house) error{
		"by Create": func(t *testing.T, h *house) error { return h.create(t, secret(rightCode)) },
		"by Prove":  func(t *testing.T, h *house) error { return h.proveBy(t, secret(rightCode)) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, twoKinds)
			h.addCode(t, verifier.KindAccount, rightCode)
			require.NoError(t, accept(t, h))
			for range 2 {
				h.addCode(t, "sms", rightCode)
				requireCode(t, totperrors.CodeInvalidCredentials, h.create(t, secret(rightCode)))
				requireCode(t, totperrors.CodeInvalidCredentials, h.proveBy(t, secret(rightCode), "sms"))
			}
			h.addCode(t, "sms", "22222222")
			require.NoError(t, h.create(t, secret("22222222")))
		})
	}
}

// The oldest codes that are not pending go first, and what was accepted may be among them.
func TestAnAnnouncementThatForgetsAnAcceptedCodeRevivesItNot(t *testing.T) {
	h := newHouse(t, twoKinds)
	h.addCode(t, verifier.KindAccount, rightCode)
	h.addCode(t, "sms", "22222222")
	require.NoError(t, h.create(t, secret(rightCode)))
	for n := range 8 {
		h.addCode(t, verifier.KindAccount, fmt.Sprintf("3333333%d", n))
	}
	h.addCode(t, "sms", rightCode)
	requireCode(t, totperrors.CodeInvalidCredentials, h.create(t, secret(rightCode)))
}

// The answers are lost, and the request is sent to two servers at once.
func TestOneValueOfTwoKindsIsRecognizedByRetriesAtOnce(t *testing.T) {
	for range 30 {
		h := newHouse(t, twoKinds)
		h.addCode(t, verifier.KindAccount, rightCode)
		h.addCode(t, "sms", rightCode)
		other := h.NewIssuer(twoKinds)
		var wg sync.WaitGroup
		got := make([]devicetotp.DeviceTOTP, 4)
		errs := make([]error, 4)
		for i, is := range []*devicetotp.Issuer{h.Issuer, other, h.Issuer, other} {
			wg.Go(func() {
				got[i], errs[i] = is.Create(context.Background(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(5), OTP: secret(rightCode)})
			})
		}
		wg.Wait()
		for i := range got {
			require.NoError(t, errs[i])
			require.True(t, got[0].Secret.Matches(got[i].Secret))
		}
		h.addCode(t, "sms", rightCode)
		h.addCode(t, verifier.KindAccount, rightCode)
		d, err := other.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(5), OTP: secret(rightCode)})
		require.NoError(t, err)
		require.True(t, got[0].Secret.Matches(d.Secret))
		_, err = other.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(6), OTP: secret(rightCode)})
		require.Error(t, err)
		require.Len(t, h.account.Stored().State.Devices, 3)
	}
}

// Another code that is pending stays good.
func TestAnAcceptedOTPSpendsNoOtherCode(t *testing.T) {
	h := newHouse(t, twoKinds)
	h.addCode(t, verifier.KindAccount, rightCode)
	h.addCode(t, "sms", "22222222")
	require.NoError(t, h.create(t, secret(rightCode)))
	require.NoError(t, h.create(t, secret("22222222")))
}

// A code that does not open is no match, and in nobody's way.
func TestAnAcceptedOTPLeavesACodeThatDoesNotOpen(t *testing.T) {
	h := newHouse(t, twoKinds)
	h.addCode(t, verifier.KindAccount, rightCode)
	h.addCode(t, "sms", rightCode)
	changeState(t, h.World, func(s *credential.State) { s.Codes[1].Digest = []byte("nonsense") })
	require.NoError(t, h.create(t, secret(rightCode)))
	require.False(t, h.account.Stored().State.Codes[1].Withdrawn)
}

// A code that a device approved something with is not also good as a one-time code
// that happens to have its value.
func TestVerify_SpendsAOneTimeCodeOfThatValue(t *testing.T) {
	for name, device := range map[string]string{"the device is named": ownID, "it is not": ""} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			code := h.own.Code()
			h.addCode(t, verifier.KindAccount, code.Reveal())
			require.NoError(t, h.verify(t, device, code))
			requireCode(t, totperrors.CodeInvalidCredentials, h.create(t, code))
			requireCode(t, totperrors.CodeInvalidCredentials, h.proveBy(t, code, verifier.KindAccount))
		})
	}
}
