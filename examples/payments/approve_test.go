package payments

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

func TestACodeApprovesOnePayment(t *testing.T) {
	w := newWorld(t)
	id, token := w.user(time.Hour)
	phone := w.create(token, `"password":"`+password+`"`)
	first, second := w.payment(id), w.payment(id)
	code := w.code(phone)
	got := w.approve(token, first, code[:3]+" "+code[3:], phone.DeviceID) // as it is typed
	require.Equal(t, http.StatusOK, got.status, got.text)
	require.JSONEq(t, `{"id":"`+first+`","device_id":"`+phone.DeviceID+`"}`, got.text)

	w.approve(token, first, w.code(phone), phone.DeviceID).refused(t, http.StatusConflict, "already-approved")
	got = w.approve(token, second, phone.Code().Reveal(), phone.DeviceID)
	require.Equal(t, http.StatusOK, got.status, "nothing was spent on the payment that was approved: %s", got.text)
}

// What is approved is the amount that was shown, also if it changes while the code is
// being verified. A change that is there already spends no code.
func TestAnAmountThatHasChangedIsNotApproved(t *testing.T) {
	w := newWorld(t)
	id, token := w.user(time.Hour)
	phone := w.create(token, `"password":"`+password+`"`)
	payment := w.payment(id)
	w.exec(`UPDATE payments SET cents = 900 WHERE id = $1`, payment)
	code := w.code(phone)
	w.approve(token, payment, code, phone.DeviceID).refused(t, http.StatusConflict, "amount-changed")
	w.exec(`UPDATE payments SET cents = 100 WHERE id = $1`, payment)
	require.Equal(t, http.StatusOK, w.approve(token, payment, code, phone.DeviceID).status)

	payment = w.payment(id)
	w.exec(`CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE payments SET cents = 900 WHERE approved_by IS NULL; RETURN NULL; END $$`)
	w.exec(`CREATE TRIGGER changes AFTER INSERT OR UPDATE ON device_totp_states EXECUTE FUNCTION change()`)
	w.approve(token, payment, w.code(phone), phone.DeviceID).refused(t, http.StatusConflict, "amount-changed")
	var approved int
	require.NoError(t, w.db.QueryRowContext(t.Context(), `SELECT count(*) FROM payments WHERE cents = 900 AND approved_by IS NOT NULL`).Scan(&approved))
	require.Zero(t, approved)
}

// Thirty requests at once bring one code for thirty payments.
func TestACodeApprovesOnePaymentOfMany(t *testing.T) {
	w := newWorld(t)
	id, token := w.user(time.Hour)
	phone := w.create(token, `"password":"`+password+`"`)
	code := w.code(phone)
	var requests sync.WaitGroup
	statuses := make(chan int, 30)
	for range cap(statuses) {
		payment := w.payment(id)
		requests.Go(func() { statuses <- w.approve(token, payment, code, phone.DeviceID).status })
	}
	requests.Wait()
	close(statuses)
	accepted := 0
	for status := range statuses {
		if status == http.StatusOK {
			accepted++
		}
	}
	require.Equal(t, 1, accepted)
	var approved int
	require.NoError(t, w.db.QueryRowContext(t.Context(), `SELECT count(*) FROM payments WHERE approved_by = $1`, phone.DeviceID).Scan(&approved))
	require.Equal(t, 1, approved)
}

// A payment that another device approves while a code is being verified stays with that
// one.
func TestAPaymentIsApprovedByOneDevice(t *testing.T) {
	w := newWorld(t)
	id, token := w.user(time.Hour)
	phone := w.create(token, `"password":"`+password+`"`)
	payment := w.payment(id)
	w.exec(`CREATE FUNCTION overtake() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE payments SET approved_by = 'another'; RETURN NULL; END $$`)
	w.exec(`CREATE TRIGGER overtakes AFTER INSERT OR UPDATE ON device_totp_states EXECUTE FUNCTION overtake()`)
	w.approve(token, payment, w.code(phone), phone.DeviceID).refused(t, http.StatusConflict, "already-approved")
	var by string
	require.NoError(t, w.db.QueryRowContext(t.Context(), `SELECT approved_by FROM payments WHERE id = $1`, payment).Scan(&by))
	require.Equal(t, "another", by)
}

// A device of the first five minutes approves nothing, nor does one that was made on
// its codes, until it was rotated on a password. The page says so.
func TestADeviceOnGraceApprovesNothing(t *testing.T) {
	w := newWorld(t)
	id, token := w.user(time.Minute)
	payment := w.payment(id)
	onGrace := w.create(token, ``)
	w.Clock.Advance(time.Hour)
	madeOnIt := w.create(token, `"otp":"`+w.code(onGrace)+`"`)
	w.approve(token, payment, w.code(onGrace), onGrace.DeviceID).refused(t, http.StatusForbidden, "unproved-device")
	w.approve(token, payment, w.code(madeOnIt), madeOnIt.DeviceID).refused(t, http.StatusForbidden, "unproved-device")
	w.approve(token, payment, w.code(madeOnIt), "").refused(t, http.StatusForbidden, "unproved-device")
	require.Contains(t, w.get("/settings/devices", token).text, `"approves":false`)

	rotated, err := w.service.Issuer.Rotate(t.Context(), devicetotp.RotateRequest{
		AccountID: id, DeviceID: onGrace.DeviceID, RotationID: uuid.NewString(), Password: credential.NewSecret(password),
	})
	require.NoError(t, err)
	got := w.approve(token, payment, w.code(w.Phone(rotated)), onGrace.DeviceID)
	require.Equal(t, http.StatusOK, got.status, got.text)
	require.Contains(t, w.get("/settings/devices", token).text, `"approves":true`)
}

func TestApprovalsAreRefused(t *testing.T) {
	w := newWorld(t)
	id, token := w.user(time.Hour)
	other, _ := w.user(time.Hour)
	phone := w.create(token, `"password":"`+password+`"`)
	payment, another := w.payment(id), w.payment(other)
	for name, c := range map[string]struct {
		payment, body string
		status        int
		code, field   string
	}{
		"no code":                {payment, `{"cents":100}`, 403, "credentials-required", "Code"},
		"a wrong code":           {payment, `{"code":"12345","cents":100}`, 403, "invalid-credentials", "Code"},
		"a device that is no id": {payment, `{"code":"123456","device_id":"x","cents":100}`, 422, "invalid-id", "DeviceID"},
		"no payment":             {uuid.NewString(), `{"code":"123456","cents":100}`, 404, "not-found", ""},
		"a payment of another":   {another, `{"code":"123456","cents":100}`, 404, "not-found", ""},
		"a payment that is none": {"x", `{"code":"123456","cents":100}`, 404, "not-found", ""},
		"a payment spelled odd":  {"urn:uuid:" + payment, `{"code":"123456","cents":100}`, 404, "not-found", ""},
		"another member":         {payment, `{"cents":100,"to":1}`, 422, "invalid-body", ""},
		"no JSON":                {payment, `{`, 422, "invalid-body", ""},
		"something after it":     {payment, `{"cents":100} {}`, 422, "invalid-body", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.post("/payments/"+c.payment+"/approve", token, c.body).refused(t, c.status, c.code)
			require.Equal(t, c.field, got.Field)
		})
	}
	require.Contains(t, w.post("/payments/"+payment+"/approve", "nonsense", `{}`).header.Get("WWW-Authenticate"), `realm="payments"`)
	w.post("/payments/"+payment+"/approve", "nonsense", `{}`).refused(t, http.StatusUnauthorized, "unauthorized")

	for range 5 {
		w.approve(token, payment, "12345", phone.DeviceID).refused(t, http.StatusForbidden, "invalid-credentials")
	}
	w.approve(token, payment, phone.Code().Reveal(), uuid.NewString()).refused(t, http.StatusForbidden, "invalid-credentials")
	blocked := w.approve(token, payment, phone.Code().Reveal(), phone.DeviceID)
	require.Equal(t, 30, blocked.refused(t, http.StatusTooManyRequests, "too-many-attempts").RetryAfter)
	require.Equal(t, "30", blocked.header.Get("Retry-After"))

	w.exec(`UPDATE users SET locked = true WHERE id = $1`, id)
	w.approve(token, payment, w.code(phone), phone.DeviceID).refused(t, http.StatusForbidden, "account-locked")
	w.exec(`UPDATE users SET locked = false WHERE id = $1`, id)
	require.Equal(t, http.StatusOK, w.approve(token, payment, w.code(phone), phone.DeviceID).status)
}
