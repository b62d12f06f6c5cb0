package payments

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/devicetotp"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// What sqlstore refuses, a service with a store of its own does not start on either.
func TestWrongSettingsAreRefusedAtStart(t *testing.T) {
	dsn := newDatabase(t)
	keys, err := credential.NewKeyring("k", credential.NewKey("k"))
	require.NoError(t, err)
	_, err = New(t.Context(), Options{DB: opened(t, dsn), Keys: keys})
	require.NoError(t, err, "without a table of sqlstore")
	_, err = New(t.Context(), Options{DB: opened(t, pgtest.With(dsn, "synchronous_commit", "off")), Keys: keys})
	require.ErrorContains(t, err, "synchronous_commit")
}

// A keyring of other keys is refused at start, also if they have the right ids; a row
// that was edited is no reason not to start.
func TestAnotherKeyringIsRefusedAtStart(t *testing.T) {
	w := newWorld(t)
	id, token := w.user(time.Hour)
	w.renew(id)
	start := func(canary string, keys *credential.Keyring) error {
		options := w.options
		options.Canary, options.Keys = canary, keys
		service, err := New(t.Context(), options)
		require.Equal(t, err == nil, service != nil)
		return err
	}
	require.ErrorContains(t, start(id, w.options.Keys), "has no device")
	require.ErrorIs(t, start(uuid.NewString(), w.options.Keys), credential.ErrNotFound)
	w.create(token, `"password":"`+password+`"`)
	require.NoError(t, start(id, w.options.Keys))
	for _, name := range []string{"test", "another"} {
		keys, err := credential.NewKeyring(name, credential.NewKey(name))
		require.NoError(t, err)
		require.NoError(t, start("", keys), "nothing else notices")
		require.ErrorIs(t, start(id, keys), credential.ErrMissingKey)
	}

	a, err := (&Store{w.db}).Load(t.Context(), id)
	require.NoError(t, err)
	a.State.Devices[0].Sealed[len(a.State.Devices[0].Sealed)-1] ^= 1
	a.Next = 7
	require.NoError(t, (&Store{w.db}).Save(t.Context(), a))
	view, err := w.service.Issuer.Inspect(t.Context(), id)
	require.NoError(t, err)
	require.Len(t, view.Unreadable, 1)
	require.NoError(t, start(id, w.options.Keys))
}

// Each new device has one notice, however often its request was retried.
func TestEachNewDeviceIsNoticed(t *testing.T) {
	w := newWorld(t)
	id, token := w.user(time.Minute)
	body := `{"data":{"type":"deviceTOTP","id":"` + uuid.NewString() + `"}}`
	first := w.post("/user/devices/totp", token, body)
	require.Equal(t, http.StatusCreated, first.status, first.text)
	require.Equal(t, first.text, w.post("/user/devices/totp", token, body).text)
	w.create(token, `"password":"`+password+`"`)
	rows, err := w.db.QueryContext(t.Context(), `SELECT basis FROM device_notices WHERE user_id = $1 AND sent_at IS NULL ORDER BY basis`, id)
	require.NoError(t, err)
	defer rows.Close()
	var bases []string
	for rows.Next() {
		var basis string
		require.NoError(t, rows.Scan(&basis))
		bases = append(bases, basis)
	}
	require.NoError(t, rows.Err())
	require.Equal(t, []string{"grace", "password"}, bases)

	require.Contains(t, w.log.String(), `"op":"create"`)
	require.NotContains(t, w.log.String(), password)
}

// While a request that presents nothing would be given a device again, the page does
// not show its id.
func TestThePageHidesIDsThatAreAsGoodAsSecrets(t *testing.T) {
	w := newWorld(t)
	_, token := w.user(time.Minute)
	phone := w.create(token, ``)
	require.NotContains(t, w.get("/settings/devices", token).text, phone.DeviceID)
	w.Clock.Advance(time.Hour)
	require.Contains(t, w.get("/settings/devices", token).text, phone.DeviceID)
}

func TestADeviceIsRemovedOnAProof(t *testing.T) {
	w := newWorld(t)
	_, token := w.user(time.Minute)
	onGrace := w.create(token, ``)
	w.Clock.Advance(time.Hour)
	added := w.Clock.Now().UTC().Format(time.RFC3339Nano)
	remove := func(proof string) reply {
		return w.post("/settings/devices/"+onGrace.DeviceID+"/remove", token, `{"added":"`+added+`",`+proof+`}`)
	}
	w.post("/settings/devices/"+onGrace.DeviceID+"/remove", token, `{"password":"`+password+`"}`).refused(t, http.StatusUnprocessableEntity, "invalid-body")
	remove(`"otp":"`+w.code(onGrace)+`"`).refused(t, http.StatusForbidden, "invalid-credentials")
	got := remove(`"password":"` + password + `"`)
	require.Equal(t, http.StatusOK, got.status, got.text)
	require.JSONEq(t, `{"removed":["`+onGrace.DeviceID+`"]}`, got.text)
	remove(`"password":"`+password+`"`).refused(t, http.StatusNotFound, "not-found")
}

// A user who is deleted while a request is on its way is not found.
func TestADeletedUserIsNotFound(t *testing.T) {
	w := newWorld(t)
	id, token := w.user(time.Hour)
	w.create(token, `"password":"`+password+`"`)
	w.exec(`DELETE FROM users WHERE id = $1`, id)
	w.get("/settings/devices", token).refused(t, http.StatusNotFound, "not-found")
	w.post("/settings/password", token, `{"old":"`+password+`","new":"x"}`).refused(t, http.StatusNotFound, "not-found")
	_, err := w.service.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: id, Code: credential.NewSecret("123456")})
	require.Equal(t, devicetotp.CodeInvalidCredentials, devicetotp.CodeOf(err))
	var left int
	require.NoError(t, w.db.QueryRowContext(t.Context(), `SELECT count(*) FROM device_totp_states WHERE user_id = $1`, id).Scan(&left))
	require.Zero(t, left)
}

// Each error has one answer in the service's own form, and a fault is logged.
func TestFaultsAreAnsweredAndLogged(t *testing.T) {
	w := newWorld(t)
	_, token := w.user(time.Hour)
	w.exec(`DROP TABLE device_totp_states`)
	w.get("/settings/devices", token).refused(t, http.StatusServiceUnavailable, "unavailable")
	require.Contains(t, w.log.String(), "request failed")
	require.Equal(t, http.StatusInternalServerError, refusalOf(errors.New("a fault")).Status)
	for _, code := range totperrors.Codes() {
		got := refusalOf(&devicetotp.Error{Code: code, Field: "Code", RetryAfter: 1500 * time.Millisecond})
		require.Equal(t, string(code), got.Code)
		require.NotEmpty(t, got.Message)
		require.Equal(t, code.Class() == totperrors.ClassInternal, got.Status >= 500, code)
	}
}

// A failure that may pass is 503, and one that will not is 500.
func TestWhatCanBeTriedAgainIsUnavailable(t *testing.T) {
	for _, err := range []error{verifier.ErrBusy, context.DeadlineExceeded, context.Canceled, driver.ErrBadConn, io.ErrUnexpectedEOF} {
		e := refusalOf(fmt.Errorf("hash: %w", err))
		require.Equal(t, http.StatusServiceUnavailable, e.Status, err)
		require.Equal(t, "unavailable", e.Code)
	}
	for state, status := range map[string]int{"08006": 503, "40001": 503, "53300": 503, "57P01": 503, "42P01": 500, "": 500} {
		require.Equal(t, status, refusalOf(fmt.Errorf("load: %w", postgresError(state))).Status, state)
	}
	down := opened(t, "postgres://nobody@127.0.0.1:1/none?sslmode=disable")
	require.Equal(t, http.StatusServiceUnavailable, refusalOf(down.PingContext(t.Context())).Status, "there is no server")
	for _, err := range []error{errors.New("anything else"), &devicetotp.Error{Code: devicetotp.CodeInternal, Err: context.DeadlineExceeded}} {
		require.Equal(t, http.StatusInternalServerError, refusalOf(err).Status, err)
	}
}

// postgresError is an error of PostgreSQL with that SQLSTATE.
type postgresError string

func (e postgresError) Error() string    { return "SQLSTATE " + string(e) }
func (e postgresError) SQLState() string { return string(e) }
