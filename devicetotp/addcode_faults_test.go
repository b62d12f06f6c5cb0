package devicetotp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// The bug class: "send it again" is not harmless. The host was told to repeat an
// AddCode whose answer was lost; others have acted in between.

// codes is an account without anything but one-time codes.
type codes struct {
	*devicetotptest.World
	account *devicetotptest.Account
	issuer  *devicetotp.Issuer
	devices int
}

func newCodes(t *testing.T, configure ...func(*devicetotp.Config)) *codes {
	t.Helper()
	w := devicetotptest.New(t, configure...)
	return &codes{World: w, account: w.Account("acct"), issuer: w.Issuer}
}

func (c *codes) announce(t *testing.T, kind, code string) error {
	t.Helper()
	_, err := c.issuer.AddCode(t.Context(), devicetotp.AddCodeRequest{AccountID: "acct", Kind: kind, Code: secret(code), TTL: 5 * time.Minute})
	return err
}

// spend presents the code with an id of its own.
func (c *codes) spend(t *testing.T, code string) error {
	t.Helper()
	c.devices++
	_, err := c.issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(c.devices), OTP: secret(code)})
	return err
}

// AddCode was saved, the answer was unavailable, the user spent the code, and the
// host repeats as told: the code came alive again and made a second device.
func TestAddCode_ARepetitionRevivesNoSpentCode(t *testing.T) {
	for name, script := range map[string][]devicetotptest.Fault{
		"answer lost, load fails": {{}, {Err: errUnclear, Applied: true}, {Err: errUnclear}},
		"nothing went wrong":      nil,
	} {
		for _, later := range []time.Duration{0, time.Minute, 5*time.Minute - 1} {
			t.Run(name+"/"+later.String(), func(t *testing.T) {
				c := newCodes(t)
				c.Store.Script(script...)
				err := c.announce(t, verifier.KindAccount, rightCode)
				c.Store.Script()
				require.Equal(t, script != nil, isUnavailable(err), "%v", err)
				require.NoError(t, c.spend(t, rightCode))
				c.Clock.Advance(later)
				for range 3 {
					require.NoError(t, c.announce(t, verifier.KindAccount, rightCode), "the repetition says that it is done")
				}
				requireCode(t, totperrors.CodeInvalidCredentials, c.spend(t, rightCode))
				require.Equal(t, 1, len(c.account.Stored().State.Devices))
			})
		}
	}
}

// AddCode(1), AddCode(2), AddCode(1) again: the newer code was gone.
func TestAddCode_ARepetitionDisplacesNoNewerCode(t *testing.T) {
	for spent := range 3 { // which codes were spent meanwhile: none, the newer one, the older one before it was replaced
		c := newCodes(t)
		require.NoError(t, c.announce(t, verifier.KindAccount, "11111111"))
		if spent == 2 {
			require.NoError(t, c.spend(t, "11111111"))
		}
		require.NoError(t, c.announce(t, verifier.KindAccount, "22222222"))
		if spent == 1 {
			require.NoError(t, c.spend(t, "22222222"))
		}
		require.NoError(t, c.announce(t, verifier.KindAccount, "11111111"), "the repetition says that it is done")
		requireCode(t, totperrors.CodeInvalidCredentials, c.spend(t, "11111111"))
		if spent == 1 {
			requireCode(t, totperrors.CodeInvalidCredentials, c.spend(t, "22222222"))
		} else {
			require.NoError(t, c.spend(t, "22222222"))
		}
	}
}

// A chain of codes, each repeated late: only the newest is good, as if nothing
// had been repeated.
func TestAddCode_LateRepetitionsOfAChain(t *testing.T) {
	c := newCodes(t)
	chain := []string{"11111111", "22222222", "33333333", "44444444"}
	for _, code := range chain {
		require.NoError(t, c.announce(t, verifier.KindAccount, code))
		c.Clock.Advance(10 * time.Second)
	}
	for _, code := range chain[:3] {
		require.NoError(t, c.announce(t, verifier.KindAccount, code))
	}
	for _, code := range chain[:3] {
		requireCode(t, totperrors.CodeInvalidCredentials, c.spend(t, code))
	}
	require.NoError(t, c.spend(t, "44444444"))
}

// A repetition changes nothing: the pending code does not live longer by it.
func TestAddCode_ARepetitionExtendsNothing(t *testing.T) {
	c := newCodes(t)
	require.NoError(t, c.announce(t, verifier.KindAccount, rightCode))
	before := c.account.Stored().State
	c.Clock.Advance(4 * time.Minute)
	require.NoError(t, c.announce(t, verifier.KindAccount, rightCode))
	require.Equal(t, withoutWrites(t, before), withoutWrites(t, c.account.Stored().State))
	c.Clock.Advance(2 * time.Minute)
	requireCode(t, totperrors.CodeInvalidCredentials, c.spend(t, rightCode))

	require.NoError(t, c.announce(t, verifier.KindAccount, rightCode), "after its time, the same digits are a new code")
	require.NoError(t, c.spend(t, rightCode))
}

// The same digits of another kind are another code, and stay one.
func TestAddCode_ARepetitionIsOfAKind(t *testing.T) {
	c := newCodes(t, twoKinds)
	require.NoError(t, c.announce(t, verifier.KindAccount, rightCode))
	require.NoError(t, c.announce(t, verifier.KindAccount, "22222222"))
	require.NoError(t, c.announce(t, "sms", rightCode), "never announced as such")
	require.NoError(t, c.announce(t, verifier.KindAccount, rightCode), "repeated")
	require.NoError(t, c.spend(t, rightCode), "the one of the other kind")
	require.NoError(t, c.spend(t, "22222222"), "not displaced")
	requireCode(t, totperrors.CodeInvalidCredentials, c.spend(t, rightCode))
}

// Keys change between an announcement and its repetition: it is the same code.
func TestAddCode_ARepetitionIsRecognizedUnderANewerKey(t *testing.T) {
	for _, spent := range []bool{true, false} {
		c := newCodes(t)
		require.NoError(t, c.announce(t, verifier.KindAccount, rightCode))
		if spent {
			require.NoError(t, c.spend(t, rightCode))
		} else {
			require.NoError(t, c.announce(t, verifier.KindAccount, "22222222"))
		}
		c.issuer = underNewerKey(t, c.World)
		require.NoError(t, c.announce(t, verifier.KindAccount, rightCode))
		requireCode(t, totperrors.CodeInvalidCredentials, c.spend(t, rightCode))
		if !spent {
			require.NoError(t, c.spend(t, "22222222"))
		}
	}
}

// underNewerKey returns an Issuer of w's accounts whose primary is a newer key.
func underNewerKey(t *testing.T, w *devicetotptest.World) *devicetotp.Issuer {
	t.Helper()
	ring, err := credential.NewKeyring("newer", worldKey(), credential.NewKey("newer"))
	require.NoError(t, err)
	return issuerUnder(t, w, ring)
}

// A clock that is ahead for a moment forgets that a code was announced, and its
// late repetition revives it when the clock is right again.
func TestAddCode_AClockAheadForAMomentForgetsNoAnnouncement(t *testing.T) {
	for _, ahead := range []time.Duration{6 * time.Minute, 16 * time.Minute, time.Hour} {
		c := newCodes(t)
		require.NoError(t, c.announce(t, verifier.KindAccount, rightCode))
		require.NoError(t, c.spend(t, rightCode))
		c.Clock.Advance(ahead)
		require.Error(t, c.spend(t, wrongCode)) // saves
		require.NoError(t, c.issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
		c.Clock.Advance(-ahead)
		require.NoError(t, c.announce(t, verifier.KindAccount, rightCode))
		requireCode(t, totperrors.CodeInvalidCredentials, c.spend(t, rightCode))
		require.Equal(t, 1, len(c.account.Stored().State.Devices))
	}
}

// No host sends a code that cannot work: while codes of the kind are not looked
// at, none is announced. The wait is the one that Create would name.
func TestAddCode_IsRefusedWhileItsKindIsBlocked(t *testing.T) {
	c := newCodes(t, twoKinds)
	require.NoError(t, c.announce(t, verifier.KindAccount, rightCode))
	for range 5 {
		requireCode(t, totperrors.CodeInvalidCredentials, c.spend(t, wrongCode))
	}
	before := c.account.Stored()
	refusal := requireCode(t, totperrors.CodeTooManyAttempts, c.announce(t, verifier.KindAccount, "22222222"))
	require.Equal(t, 30*time.Second, refusal.RetryAfter)
	require.ErrorIs(t, refusal, devicetotp.ErrDenied)
	require.Equal(t, before.Version, c.account.Stored().Version, "nothing is written")
	c.Clock.Advance(30 * time.Second)
	require.NoError(t, c.announce(t, verifier.KindAccount, "22222222"))
	require.NoError(t, c.spend(t, "22222222"))
}
