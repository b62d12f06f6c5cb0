package payments

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

const changed = "another password"

// meanwhile are the users of the service, with something that happens between the
// proof of the old password and each write of the new one.
type meanwhile struct {
	*Store
	happens []func()
	writes  int
}

func (m *meanwhile) RotateHash(ctx context.Context, id string, f credential.Factor, from, to string) error {
	if m.writes < len(m.happens) {
		m.happens[m.writes]()
	}
	m.writes++
	return m.Store.RotateHash(ctx, id, f, from, to)
}

// change changes the password while these happen, and returns how often it was tried
// to write the new hash.
func (w *world) change(issuer *devicetotp.Issuer, id string, happens ...func()) (writes int, err error) {
	users := &meanwhile{Store: &Store{w.db}, happens: happens}
	err = ChangePassword(w.t.Context(), issuer, users, verifier.DefaultHasher(), id, credential.NewSecret(password), credential.NewSecret(changed))
	return users.writes, err
}

// fits requires this to be the password, at the login.
func (w *world) fits(id, want string) {
	w.t.Helper()
	a, err := (&Store{w.db}).Load(w.t.Context(), id)
	require.NoError(w.t, err)
	ok, _, err := verifier.DefaultHasher().Compare(w.t.Context(), a.PasswordHash, credential.NewSecret(want))
	require.NoError(w.t, err)
	require.True(w.t, ok, "%q is not the password", want)
}

// The proof of the old password starts a renewal of its hash, here stored before the
// change is.
func TestPasswordChangeThatARenewalOvertakes(t *testing.T) {
	w := newWorld(t)
	id, _ := w.user(time.Hour)
	renewed := make(chan error, 1)
	store := &Store{w.db}
	issuer, err := devicetotp.NewIssuer(store, w.options.Keys, devicetotp.Config{
		Limits: patient,
		OnRehash: func(ctx context.Context, id string, f credential.Factor, from, to string) error {
			err := store.RotateHash(ctx, id, f, from, to)
			renewed <- err
			return err
		},
	})
	require.NoError(t, err)
	writes, err := w.change(issuer, id, func() { require.NoError(t, <-renewed) })
	require.NoError(t, err)
	require.Equal(t, 2, writes, "the first was a conflict with the renewal")
	w.fits(id, changed)
}

// The other way round: the change is stored first, and the renewal must not undo it.
func TestPasswordChangeThatOvertakesARenewal(t *testing.T) {
	w := newWorld(t)
	id, _ := w.user(time.Hour)
	stored, renewed := make(chan struct{}), make(chan error, 1)
	store := &Store{w.db}
	issuer, err := devicetotp.NewIssuer(store, w.options.Keys, devicetotp.Config{
		Limits: patient,
		OnRehash: func(ctx context.Context, id string, f credential.Factor, from, to string) error {
			<-stored
			err := store.RotateHash(ctx, id, f, from, to)
			renewed <- err
			return err
		},
	})
	require.NoError(t, err)
	writes, err := w.change(issuer, id)
	close(stored)
	require.NoError(t, err)
	require.Equal(t, 1, writes)
	require.ErrorIs(t, <-renewed, credential.ErrConflict)
	w.fits(id, changed)
}

// Support, or another browser, replaces the password between the proof and the write:
// that stays, however often the old one's hash was renewed before.
func TestPasswordChangeYieldsToAnother(t *testing.T) {
	w := newWorld(t)
	reset := func(id, to string) func() {
		return func() {
			hash, err := bcrypt.GenerateFromPassword([]byte(to), bcrypt.MinCost)
			require.NoError(t, err)
			w.exec(`UPDATE users SET password_hash = $2 WHERE id = $1`, id, string(hash))
		}
	}
	quiet, err := devicetotp.NewIssuer(&Store{w.db}, w.options.Keys, devicetotp.Config{Limits: patient})
	require.NoError(t, err)
	for name, before := range map[string][]string{"at once": nil, "after a renewal": {password}, "after two": {password, password}} {
		t.Run(name, func(t *testing.T) {
			id, _ := w.user(time.Hour)
			var happens []func()
			for _, same := range before {
				happens = append(happens, reset(id, same))
			}
			_, err := w.change(quiet, id, append(happens, reset(id, "what support gave"))...)
			require.ErrorIs(t, err, ErrPasswordChanged)
			w.fits(id, "what support gave")
		})
	}
	t.Run("as soon as the proof is given", func(t *testing.T) { // and before anything is read for the write
		id, _ := w.user(time.Hour)
		issuer, err := devicetotp.NewIssuer(&Store{w.db}, w.options.Keys, devicetotp.Config{
			Limits: patient, Observer: func(context.Context, devicetotp.Event) { reset(id, "what support gave")() },
		})
		require.NoError(t, err)
		_, err = w.change(issuer, id)
		require.ErrorIs(t, err, ErrPasswordChanged)
		w.fits(id, "what support gave")
	})
	t.Run("renewed for ever", func(t *testing.T) {
		id, _ := w.user(time.Hour)
		again := reset(id, password)
		writes, err := w.change(quiet, id, again, again, again)
		require.ErrorIs(t, err, ErrPasswordChanged)
		require.Equal(t, 3, writes)
	})
}

// lost is a store whose writes take effect and are reported as conflicts, as a driver
// does that sends a statement again.
type lost struct{ *Store }

func (l lost) RotateHash(ctx context.Context, id string, f credential.Factor, from, to string) error {
	if err := l.Store.RotateHash(ctx, id, f, from, to); err != nil {
		return err
	}
	return conflict(id)
}

func TestPasswordChangeThatTookEffect(t *testing.T) {
	w := newWorld(t)
	id, _ := w.user(time.Hour)
	quiet, err := devicetotp.NewIssuer(&Store{w.db}, w.options.Keys, devicetotp.Config{Limits: patient})
	require.NoError(t, err)
	require.NoError(t, ChangePassword(t.Context(), quiet, lost{&Store{w.db}}, verifier.DefaultHasher(), id, credential.NewSecret(password), credential.NewSecret(changed)))
	w.fits(id, changed)
}

// cut is a store whose connection breaks while the new hash is written, before or after
// it is there.
type cut struct {
	*Store
	written bool
}

var errCut = errors.New("the connection broke")

func (c cut) RotateHash(ctx context.Context, id string, f credential.Factor, from, to string) error {
	if c.written {
		if err := c.Store.RotateHash(ctx, id, f, from, to); err != nil {
			return err
		}
	}
	return errCut
}

// Where the response to the write was lost, the change has taken effect, and the sessions
// must end: the old password, which the request has, is good for nothing any more.
func TestPasswordChangeWhoseResponseWasLost(t *testing.T) {
	w := newWorld(t)
	quiet, err := devicetotp.NewIssuer(&Store{w.db}, w.options.Keys, devicetotp.Config{Limits: patient})
	require.NoError(t, err)
	change := func(id string, users Users) error {
		return ChangePassword(t.Context(), quiet, users, verifier.DefaultHasher(), id, credential.NewSecret(password), credential.NewSecret(changed))
	}
	id, _ := w.user(time.Hour)
	require.ErrorIs(t, change(id, cut{&Store{w.db}, false}), errCut)
	w.fits(id, password)
	require.NoError(t, change(id, cut{&Store{w.db}, true}))
	w.fits(id, changed)
}

// Guesses at the old password count with all others, and what the old one opened ends.
func TestPasswordChangeOfAUser(t *testing.T) {
	w := newWorld(t)
	id, token := w.user(time.Hour)
	thief := w.signIn(id)
	body := func(old, fresh, more string) string { return `{"old":"` + old + `","new":"` + fresh + `"` + more + `}` }
	byPassword := w.create(token, `"password":"`+password+`"`)
	madeOnIt := w.create(token, `"otp":"`+w.code(byPassword)+`"`)
	_, err := w.service.Issuer.AddCode(t.Context(), devicetotp.AddCodeRequest{AccountID: id, Kind: verifier.KindAccount, Code: credential.NewSecret("52627100"), TTL: time.Minute})
	require.NoError(t, err)
	byCode := w.create(token, `"otp":"52627100"`)

	w.post("/settings/password", token, body(password, "", "")).refused(t, http.StatusUnprocessableEntity, "invalid-password")
	for range 5 {
		w.post("/settings/password", token, body("wrong", changed, "")).refused(t, http.StatusForbidden, "invalid-credentials")
	}
	w.post("/settings/password", token, body(password, changed, "")).refused(t, http.StatusTooManyRequests, "too-many-attempts")
	w.Clock.Advance(30 * time.Second)
	got := w.post("/settings/password", token, body(password, changed, `,"leaked":true`))
	require.Equal(t, http.StatusOK, got.status, got.text)
	require.JSONEq(t, `{"removed":["`+byPassword.DeviceID+`","`+madeOnIt.DeviceID+`"]}`, got.text)
	w.fits(id, changed)

	page := w.get("/settings/devices", token).text
	require.Equal(t, 1, strings.Count(page, `"id"`), page)
	require.Contains(t, page, byCode.DeviceID)
	w.get("/settings/devices", thief).refused(t, http.StatusUnauthorized, "unauthorized")
	w.post("/settings/password", token, body(password, "again", "")).refused(t, http.StatusForbidden, "invalid-credentials")
}

// The other sessions end also if the devices of a leaked password could not be revoked:
// the password is changed by then, and the same request cannot be sent again.
func TestPasswordChangeEndsSessionsWhateverElseFails(t *testing.T) {
	w := newWorld(t)
	id, token := w.user(time.Hour)
	thief := w.signIn(id)
	w.renew(id)
	w.create(token, `"password":"`+password+`"`)
	w.exec(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no more'; END $$`)
	w.exec(`CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		CREATE TRIGGER no_more BEFORE INSERT ON device_totp_states EXECUTE FUNCTION refuse(); RETURN NULL; END $$`)
	w.exec(`CREATE TRIGGER breaks AFTER UPDATE ON users EXECUTE FUNCTION break()`)
	got := w.post("/settings/password", token, `{"old":"`+password+`","new":"`+changed+`","leaked":true}`)
	got.refused(t, http.StatusServiceUnavailable, "unavailable")
	w.fits(id, changed)
	w.get("/settings/devices", thief).refused(t, http.StatusUnauthorized, "unauthorized")
}

// A client that is gone stops nothing halfway.
func TestPasswordChangeOfAClientThatIsGone(t *testing.T) {
	w := newWorld(t)
	id, token := w.user(time.Hour)
	thief := w.signIn(id)
	handler, err := w.service.Handler()
	require.NoError(t, err)
	ctx, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/settings/password", strings.NewReader(`{"old":"`+password+`","new":"`+changed+`"}`))
	r.Header.Set("Authorization", "Bearer "+token)
	handler.ServeHTTP(httptest.NewRecorder(), r)
	w.fits(id, changed)
	w.get("/settings/devices", thief).refused(t, http.StatusUnauthorized, "unauthorized")
}

// Whoever made a device on the password and another one on its codes may have removed
// the first one: nobody knows any more what that was made on.
func TestPasswordChangeTakesWhatAGoneDeviceHasMade(t *testing.T) {
	w := newWorld(t)
	id, token := w.user(time.Hour)
	byPassword := w.create(token, `"password":"`+password+`"`)
	madeOnIt := w.create(token, `"otp":"`+w.code(byPassword)+`"`)
	madeOnThat := w.create(token, `"otp":"`+w.code(madeOnIt)+`"`)
	_, err := w.service.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: id, DeviceIDs: []string{byPassword.DeviceID}})
	require.NoError(t, err)
	gone, err := RevokeMadeOnPassword(t.Context(), w.service.Issuer, id)
	require.NoError(t, err)
	require.Equal(t, []string{madeOnIt.DeviceID, madeOnThat.DeviceID}, gone)
}

// A rotation does not change what a device was made on, so one that is pending goes,
// and one that was confirmed is in the log.
func TestPasswordChangeEndsRotations(t *testing.T) {
	w := newWorld(t)
	id, token := w.user(time.Hour)
	_, err := w.service.Issuer.AddCode(t.Context(), devicetotp.AddCodeRequest{AccountID: id, Kind: verifier.KindAccount, Code: credential.NewSecret("52627100"), TTL: time.Minute})
	require.NoError(t, err)
	phone := w.create(token, `"otp":"52627100"`)
	_, err = w.service.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: id, Code: credential.NewSecret(w.code(phone))})
	require.NoError(t, err)
	gone, err := RevokeMadeOnPassword(t.Context(), w.service.Issuer, id)
	require.NoError(t, err)
	require.Empty(t, gone)
	_, err = w.service.Issuer.Rotate(t.Context(), devicetotp.RotateRequest{
		AccountID: id, DeviceID: phone.DeviceID, RotationID: uuid.NewString(), Password: credential.NewSecret(password),
	})
	require.NoError(t, err)
	gone, err = RevokeMadeOnPassword(t.Context(), w.service.Issuer, id)
	require.NoError(t, err)
	require.Equal(t, []string{phone.DeviceID}, gone)
}
