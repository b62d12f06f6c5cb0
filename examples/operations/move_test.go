package operations

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
)

// A shaky store fails at the call that a test chooses, before or after that call has
// taken effect.
type shaky struct {
	*memstore.Store
	before, after map[string]int // how often, by call
}

var errShaky = errors.New("the connection was closed")

func (s *shaky) fail(in map[string]int, call string) bool {
	in[call]--
	return in[call] >= 0
}

func (s *shaky) Insert(ctx context.Context, a credential.Account) (bool, error) {
	if s.fail(s.before, "insert") {
		return false, errShaky
	}
	inserted, err := s.Store.Insert(ctx, a)
	if s.fail(s.after, "insert") {
		return false, errShaky
	}
	if s.fail(s.after, "resend") { // as some drivers do, silently
		return s.Store.Insert(ctx, a)
	}
	return inserted, err
}

func (s *shaky) Delete(ctx context.Context, id string) (bool, error) {
	if s.fail(s.before, "delete") {
		return false, errShaky
	}
	if s.fail(s.before, "somebody else") {
		_, _ = s.Store.Delete(ctx, id)
	}
	deleted, err := s.Store.Delete(ctx, id)
	if s.fail(s.after, "delete") {
		return false, errShaky
	}
	return deleted, err
}

func (s *shaky) SetLocked(ctx context.Context, id string, locked bool) error {
	if !locked && s.fail(s.before, "unlock") {
		return errShaky
	}
	return s.Store.SetLocked(ctx, id, locked)
}

func newMove(t *testing.T) (*devicetotptest.World, *devicetotptest.Phone, *shaky) {
	t.Helper()
	w := devicetotptest.New(t)
	phone := w.Account("ada").PIN("8299").Device("phone", time.Hour)
	return w, phone, &shaky{Store: w.Store.Accounts, before: map[string]int{}, after: map[string]int{}}
}

// requireMoved: the account is there once, under the new id, and its device and PIN
// work.
func requireMoved(t *testing.T, w *devicetotptest.World, phone *devicetotptest.Phone) {
	t.Helper()
	_, err := w.Store.Accounts.Load(t.Context(), "ada")
	require.ErrorIs(t, err, credential.ErrNotFound)
	_, err = w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "u-7", Code: phone.Code()})
	require.NoError(t, err)
	_, err = w.Issuer.Prove(t.Context(), devicetotp.ProveRequest{AccountID: "u-7", PIN: credential.NewSecret("8299")})
	require.NoError(t, err)
}

func TestMove(t *testing.T) {
	w, phone, store := newMove(t)
	locked, err := Move(t.Context(), store, w.Keys, "ada", "u-7")
	require.NoError(t, err)
	require.False(t, locked)
	requireMoved(t, w, phone)
	_, err = Move(t.Context(), store, w.Keys, "ada", "u-8")
	require.ErrorIs(t, err, credential.ErrNotFound)
}

func TestMove_KeepsALock(t *testing.T) {
	w, _, store := newMove(t)
	require.NoError(t, store.SetLocked(t.Context(), "ada", true))
	locked, err := Move(t.Context(), store, w.Keys, "ada", "u-7")
	require.NoError(t, err)
	require.True(t, locked)
	a, err := store.Load(t.Context(), "u-7")
	require.NoError(t, err)
	require.True(t, a.Locked)
}

// Where the new id is somebody else's, both accounts stay as they are.
func TestMove_ToAnIDThatIsTaken(t *testing.T) {
	w, phone, store := newMove(t)
	w.Account("u-7").PIN("1234")
	ada, err := store.Load(t.Context(), "ada")
	require.NoError(t, err)
	other, err := store.Load(t.Context(), "u-7")
	require.NoError(t, err)
	for _, after := range []string{"", "insert", "resend"} {
		store.after[after] = 1
		_, err = Move(t.Context(), store, w.Keys, "ada", "u-7")
		require.Error(t, err)
		require.Equal(t, after != "insert", errors.Is(err, ErrTaken), "%v", err)
		still, err := store.Load(t.Context(), "u-7")
		require.NoError(t, err)
		require.Equal(t, other, still)
		require.NoError(t, store.SetLocked(t.Context(), "ada", false)) // as after a lost response it stays locked
	}
	still, err := store.Load(t.Context(), "ada")
	require.NoError(t, err)
	require.Equal(t, ada, still)
	_, err = w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "ada", Code: phone.Code()})
	require.NoError(t, err)
}

// What cannot be moved stays as it is, unlocked.
func TestMove_OfWhatCannotBeMoved(t *testing.T) {
	w, _, store := newMove(t)
	ada, err := store.Load(t.Context(), "ada")
	require.NoError(t, err)
	for _, to := range []string{"ada", "", "a\xff", "a\x00", strings.Repeat("a", 1025)} {
		_, err = Move(t.Context(), store, w.Keys, "ada", to)
		require.ErrorIs(t, err, ErrID)
	}
	other, err := credential.NewKeyring("other", credential.NewKey("other"))
	require.NoError(t, err)
	_, err = Move(t.Context(), store, other, "ada", "u-7")
	require.ErrorIs(t, err, credential.ErrMissingKey)
	require.ErrorIs(t, err, ErrSealed)
	still, err := store.Load(t.Context(), "ada")
	require.NoError(t, err)
	require.Equal(t, ada, still)
}

// An account that changes between two calls is not deleted: the copy is older.
func TestMove_OfAnAccountThatHasChanged(t *testing.T) {
	w, phone, store := newMove(t)
	store.before["delete"] = 1
	_, err := Move(t.Context(), store, w.Keys, "ada", "u-7")
	require.ErrorIs(t, err, errShaky)
	_, err = w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "ada", DeviceIDs: []string{phone.DeviceID}})
	require.NoError(t, err)
	_, err = Move(t.Context(), store, w.Keys, "ada", "u-7")
	require.ErrorIs(t, err, ErrTaken)
	for _, id := range []string{"ada", "u-7"} {
		a, err := store.Load(t.Context(), id)
		require.NoError(t, err)
		require.True(t, a.Locked, id)
	}
	_, err = store.Delete(t.Context(), "u-7")
	require.NoError(t, err)
	_, err = Move(t.Context(), store, w.Keys, "ada", "u-7")
	require.NoError(t, err)
	a, err := store.Load(t.Context(), "u-7")
	require.NoError(t, err)
	require.Empty(t, a.State.Devices)
}

// If it stays locked, "nothing has moved" is not all that there is to say.
func TestMove_ThatCannotUnlockAgain(t *testing.T) {
	w, _, store := newMove(t)
	w.Account("u-7")
	store.before["unlock"] = 1
	_, err := Move(t.Context(), store, w.Keys, "ada", "u-7")
	require.ErrorIs(t, err, errShaky)
	require.NotErrorIs(t, err, ErrTaken)
}

// A password or PIN that is set between two calls is not lost: the copy has the old one.
func TestMove_OfAnAccountWithANewPassword(t *testing.T) {
	for _, f := range []credential.Factor{credential.FactorPassword, credential.FactorPIN} {
		w, _, store := newMove(t)
		store.before["delete"] = 1
		_, err := Move(t.Context(), store, w.Keys, "ada", "u-7")
		require.ErrorIs(t, err, errShaky)
		old, err := store.Load(t.Context(), "ada")
		require.NoError(t, err)
		from := map[credential.Factor]string{credential.FactorPassword: old.PasswordHash, credential.FactorPIN: old.PINHash}[f]
		require.NoError(t, store.RotateHash(t.Context(), "ada", f, from, "of a new one"))
		_, err = Move(t.Context(), store, w.Keys, "ada", "u-7")
		require.Error(t, err)
		still, err := store.Load(t.Context(), "ada")
		require.NoError(t, err)
		require.True(t, still.Locked)
	}
}

// After a fault the same call goes on, and the account was never lost. Two accounts
// with its secrets are never both unlocked.
func TestMove_GoesOnAfterAFault(t *testing.T) {
	for name, set := range map[string]func(*shaky){
		"the insert does not arrive":         func(s *shaky) { s.before["insert"] = 1 },
		"the insert's response is lost":      func(s *shaky) { s.after["insert"] = 1 },
		"the driver sends it again":          func(s *shaky) { s.after["resend"] = 1 },
		"the delete does not arrive":         func(s *shaky) { s.before["delete"] = 1 },
		"the delete does not arrive, thrice": func(s *shaky) { s.before["delete"] = 3 },
	} {
		t.Run(name, func(t *testing.T) {
			w, phone, store := newMove(t)
			set(store)
			locked, err := Move(t.Context(), store, w.Keys, "ada", "u-7")
			for range 5 {
				if err == nil {
					break
				}
				require.ErrorIs(t, err, errShaky)
				ada, adaErr := store.Load(t.Context(), "ada")
				require.NoError(t, adaErr)
				require.True(t, ada.Locked)
				locked, err = Move(t.Context(), store, w.Keys, "ada", "u-7")
			}
			require.NoError(t, err)
			if locked { // an earlier call had locked it
				require.NoError(t, store.SetLocked(t.Context(), "u-7", false))
			}
			requireMoved(t, w, phone)
		})
	}
}

// What cannot be decided is left for a person, with the new account locked.
func TestMove_LeavesTheNewAccountLocked(t *testing.T) {
	for name, set := range map[string]func(*shaky){
		"the delete's response is lost": func(s *shaky) { s.after["delete"] = 1 },
		"somebody else has deleted it":  func(s *shaky) { s.before["somebody else"] = 1 },
		"the unlock does not arrive":    func(s *shaky) { s.before["unlock"] = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			w, phone, store := newMove(t)
			set(store)
			_, err := Move(t.Context(), store, w.Keys, "ada", "u-7")
			require.Error(t, err)
			require.Equal(t, name == "somebody else has deleted it", errors.Is(err, ErrGone))
			a, err := store.Load(t.Context(), "u-7")
			require.NoError(t, err)
			require.True(t, a.Locked)
			require.NoError(t, store.SetLocked(t.Context(), "u-7", false))
			requireMoved(t, w, phone)
		})
	}
}
