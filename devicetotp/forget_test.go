package devicetotp_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// hostOTP accepts every OTP, once each, for as long as it is told.
func hostOTP(remember *time.Duration) func(*devicetotp.Config) {
	return func(c *devicetotp.Config) {
		c.OTP = verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
			return verifier.Verdict{
				Status: verifier.StatusValid, ProofID: "host:" + q.Presented.Reveal(), Until: q.Now.Add(*remember),
			}, nil
		})
	}
}

// Where no spent proof may be forgotten and there is no room for another, nothing
// is checked: neither for a new device nor for one that would be replaced.
func TestCreate_IsRefusedWhereNoProofMayBeForgotten(t *testing.T) {
	remember := 24 * time.Hour
	w := devicetotptest.New(t, hostOTP(&remember))
	a := w.Account("acct").PIN("8299")
	stored := a.Stored()
	for i := range credential.MaxSpent {
		stored.State.Spent = append(stored.State.Spent, credential.SpentProof{
			ProofID: fmt.Sprint("host:", i), Until: w.Clock.Now().Add(time.Hour),
		})
	}
	require.NoError(t, w.Store.Accounts.Replace(t.Context(), stored))
	r := devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, OTP: secret("one")}
	_, err := w.Issuer.Create(t.Context(), r)
	requireCode(t, devicetotp.CodeDeviceLimitReached, err)
	require.Equal(t, stored.Version, a.Stored().Version)

	// One that was never used, and is asked for again with another OTP.
	stored.State.Spent = stored.State.Spent[:credential.MaxSpent-1]
	require.NoError(t, w.Store.Accounts.Replace(t.Context(), stored))
	_, err = w.Issuer.Create(t.Context(), r)
	require.NoError(t, err)
	r.OTP = secret("two")
	_, err = w.Issuer.Create(t.Context(), r)
	requireCode(t, devicetotp.CodeDeviceLimitReached, err)

	w.Clock.Advance(time.Hour + 1)
	d, err := w.Issuer.Create(t.Context(), r)
	require.NoError(t, err, "what has expired makes room")
	require.True(t, d.Replaced)
}

// Spent proofs are forgotten when newer ones need the room, and not by time.
func TestCreate_ForgetsSpentProofsForRoomOnly(t *testing.T) {
	remember := time.Minute
	w := devicetotptest.New(t, hostOTP(&remember), devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.MaxDevices = 100 }))
	a := w.Account("acct")
	create := func(i int) error {
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{
			AccountID: "acct", DeviceID: otherID(i), OTP: secret(fmt.Sprint("otp-", i)),
		})
		return err
	}
	for i := range 30 {
		require.NoError(t, create(i))
		w.Clock.Advance(time.Hour)
	}
	spent := a.Stored().State.Spent
	require.Len(t, spent, 20)
	require.Equal(t, "host:otp-10", spent[0].ProofID, "the oldest went first")
}

// Of one-time codes that are not pending any more, the last eight are kept.
func TestAddCode_ForgetsCodesForRoomOnly(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct")
	for i := range 20 {
		_, err := w.Issuer.AddCode(t.Context(), devicetotp.AddCodeRequest{
			AccountID: "acct", Kind: verifier.KindAccount, Code: secret(fmt.Sprint(100000 + i)), TTL: time.Minute,
		})
		require.NoError(t, err)
		w.Clock.Advance(time.Hour)
	}
	require.Len(t, a.Stored().State.Codes, 9)
}

// A code that the library makes is returned with its expiry, and works.
func TestAddCode_MakesACode(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("acct")
	added, err := w.Issuer.AddCode(t.Context(), devicetotp.AddCodeRequest{AccountID: "acct", Kind: verifier.KindAccount, TTL: time.Minute})
	require.NoError(t, err)
	require.Len(t, added.Code.Reveal(), credential.DefaultCodeDigits)
	require.Equal(t, w.Clock.Now().Add(time.Minute), added.ExpiresAt)
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: added.Code})
	require.NoError(t, err)
}
