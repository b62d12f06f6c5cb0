package devicetotp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
)

// These run in a bubble of time, which stands still while anything computes.

// stormy is a world whose account acct has a PIN, and whose every save comes to
// a conflict, after it has taken the given time.
func stormy(t *testing.T, took time.Duration) (*devicetotptest.World, *devicetotptest.Account) {
	t.Helper()
	w := devicetotptest.New(t)
	a := w.Account("acct").PIN("8299")
	var script []devicetotptest.Fault
	for range 100 {
		script = append(script, devicetotptest.Fault{}, devicetotptest.Fault{
			Before: func() { time.Sleep(took); foreignSave(w) }, Err: credential.ErrConflict,
		})
	}
	w.Store.Script(script...)
	return w, a
}

// After sixteen rounds the request is given up, and nothing was saved.
func TestAConflictStormIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a := stormy(t, 0)
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("8299")})
		require.ErrorIs(t, err, credential.ErrConflict)
		require.Positive(t, requireCode(t, totperrors.CodeUnavailable, err).RetryAfter)
		require.Zero(t, a.Stored().State, "nothing of it was saved")
		require.Equal(t, 16, w.Events()[0].Rounds)
	})
}

// After five seconds it is given up too, however few the rounds.
func TestRoundsEndAfterTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const took = time.Second
		w, a := stormy(t, took)
		start := time.Now()
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("8299")})
		spent := time.Since(start)
		require.ErrorIs(t, err, credential.ErrConflict)
		requireCode(t, totperrors.CodeUnavailable, err)
		require.Zero(t, a.Stored().State, "nothing of it was saved")
		require.GreaterOrEqual(t, spent, 5*time.Second)
		require.Less(t, spent, 5*time.Second+took+time.Second, "a pause is a second at most")
		require.LessOrEqual(t, w.Events()[0].Rounds, 5)
	})
}

// The time that a verifier takes is not time that the rounds have used up.
func TestHashingIsNotCountedAgainstTheRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := devicetotptest.New(t, func(c *devicetotp.Config) {
			c.PIN = hooked(c.PIN, func() { time.Sleep(5 * time.Second) }) // a slow hash
		})
		w.Account("acct").PIN("8299")
		w.Store.Script(devicetotptest.Fault{}, devicetotptest.Fault{Err: credential.ErrConflict})
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("8299")})
		require.NoError(t, err)
	})
}

// A build of another format may save between Load and Save. The conflict says that
// nothing was saved, so what the second Load finds is a fault, and not something that
// a retry can mend. After a Save whose outcome is unknown the request may have taken
// effect before it.
func TestAnAccountThatTurnsIntoAnotherFormat(t *testing.T) {
	for saveErr, code := range map[error]devicetotp.Code{
		credential.ErrConflict: totperrors.CodeInternal, credential.ErrSerialization: totperrors.CodeInternal, errHost: totperrors.CodeUnavailable,
	} {
		w := devicetotptest.New(t)
		a := w.Account("acct").PIN("8299")
		before := a.Stored()
		w.Store.Script(devicetotptest.Fault{}, devicetotptest.Fault{Err: saveErr}, devicetotptest.Fault{Err: credential.ErrStateFormat})
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("8299")})
		requireCode(t, code, err)
		require.ErrorIs(t, err, credential.ErrStateFormat)
		require.Equal(t, before, a.Stored())

		conflict := devicetotptest.Fault{Err: credential.ErrConflict}
		w.Store.Script(devicetotptest.Fault{}, conflict, devicetotptest.Fault{Err: errHost})
		_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("8299")})
		requireCode(t, totperrors.CodeUnavailable, err)
	}
}
