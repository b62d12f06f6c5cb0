package devicetotp_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
)

// saving records what its Save was given.
type saving struct {
	credential.Store
	saved []credential.Account
}

func (s *saving) Save(ctx context.Context, a credential.Account) error {
	s.saved = append(s.saved, a)
	return s.Store.Save(ctx, a)
}

// Every save has a version that was never seen, those of one request included.
func TestEverySaveHasAVersionOfItsOwn(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("acct").PIN("8299")
	store := &saving{Store: w.Store}
	issuer, err := devicetotp.NewIssuer(store, w.Keys, devicetotp.Config{Clock: w.Clock})
	require.NoError(t, err)
	const requests = 3
	conflict := devicetotptest.Fault{Err: credential.ErrConflict}
	w.Store.Script(devicetotptest.Fault{}, conflict, devicetotptest.Fault{}, conflict) // two saves of the first request
	for range requests {
		_, err := issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("0000")})
		requireCode(t, totperrors.CodeInvalidCredentials, err)
	}
	require.Len(t, store.saved, requests+2)
	seen := map[int64]bool{0: true}
	for _, a := range store.saved {
		require.NoError(t, a.CheckNext())
		require.False(t, seen[a.Next], "version %d comes twice", a.Next)
		require.False(t, seen[a.Next-1], "version %d follows another: it is counted", a.Next)
		seen[a.Next] = true
	}
}

// A save that was visible is lost in a fail-over. A request that had loaded it
// must not overwrite what another has saved since, under any version.
func TestAVersionFromBeforeAFailOverMatchesNothingAfterIt(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct").PIN("8299")
	kept := a.Stored()
	request := func(n int) devicetotp.CreateRequest {
		return devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(n), PIN: secret("8299")}
	}
	_, err := w.Issuer.Create(t.Context(), request(1))
	require.NoError(t, err)

	after, err := devicetotp.NewIssuer(w.Store.Accounts, w.Keys, devicetotp.Config{Clock: w.Clock})
	require.NoError(t, err)
	failOver := func() {
		require.NoError(t, w.Store.Accounts.Replace(t.Context(), kept))
		_, err := after.Create(t.Context(), request(2))
		require.NoError(t, err)
	}
	w.Store.Script(devicetotptest.Fault{}, devicetotptest.Fault{Before: failOver}) // at the Save
	_, err = w.Issuer.Create(t.Context(), request(3))
	require.NoError(t, err)

	state := a.Stored().State
	require.Len(t, state.Devices, 2, "what was lost is gone, and nothing else")
	require.Equal(t, 0, state.DeviceIndex(otherID(2)), "a device that was given")
	require.Equal(t, 1, state.DeviceIndex(otherID(3)))
}
