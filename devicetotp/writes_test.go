package devicetotp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// A save that was reported as a conflict and took effect all the same is found
// again, however often another process saves before the account is loaded.
func TestManySavesOfAnotherProcessHideNoSave(t *testing.T) {
	w := devicetotptest.New(t)
	_, devices := enrol(t, w, "acct", 1)
	other, err := devicetotp.NewIssuer(w.Store.Accounts, w.Keys, devicetotp.Config{Clock: w.Clock})
	require.NoError(t, err)
	saves := 0
	w.Store.Script(devicetotptest.Fault{}, devicetotptest.Fault{Err: credential.ErrConflict, Applied: true}, devicetotptest.Fault{Before: func() {
		for range 2 * credential.MaxWrites {
			_, err := other.AddCode(t.Context(), devicetotp.AddCodeRequest{
				AccountID: "acct", Kind: verifier.KindAccount, Code: secret("12345678"), TTL: time.Minute,
			})
			require.NoError(t, err)
			saves++
		}
	}})
	match, err := w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", Code: w.Phone(devices[0]).Code()})
	require.NoError(t, err)
	require.Equal(t, devices[0].ID, match.DeviceID)
	require.Equal(t, 2*credential.MaxWrites, saves)
}

// Each Issuer has one place among the write ids of an account.
func TestAnIssuerHasOneWriteID(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("acct").PIN("8299")
	for range 3 {
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("8299")})
		require.NoError(t, err)
	}
	a, err := w.Store.Load(t.Context(), "acct")
	require.NoError(t, err)
	require.Len(t, a.State.Writes, 1)
	other, err := devicetotp.NewIssuer(w.Store, w.Keys, devicetotp.Config{Clock: w.Clock})
	require.NoError(t, err)
	require.NoError(t, other.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
	a, err = w.Store.Load(t.Context(), "acct")
	require.NoError(t, err)
	require.Len(t, a.State.Writes, 2)
}
