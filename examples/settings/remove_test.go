package settings

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

func TestRemovalAsksForAProof(t *testing.T) {
	type proof func(w *devicetotptest.World, own *devicetotptest.Phone, recovery credential.Secret) (field, value string)
	present := func(field, value string) proof {
		return func(*devicetotptest.World, *devicetotptest.Phone, credential.Secret) (string, string) {
			return field, value
		}
	}
	ownCode := func(_ *devicetotptest.World, own *devicetotptest.Phone, _ credential.Secret) (string, string) {
		return "otp", own.Code().Reveal()
	}
	recoveryCode := func(_ *devicetotptest.World, _ *devicetotptest.Phone, recovery credential.Secret) (string, string) {
		return "otp", recovery.Reveal()
	}
	for name, row := range map[string]struct {
		proof  proof
		status int
		answer string
	}{
		"nothing":           {present("", ""), http.StatusForbidden, "credentials-required"},
		"a wrong PIN":       {present("pin", "0000"), http.StatusForbidden, "invalid-credentials"},
		"the PIN":           {present("pin", "8299"), http.StatusOK, ""},
		"the password":      {present("password", "hunter2"), http.StatusOK, ""},
		"a code we sent":    {present("otp", "526271"), http.StatusOK, ""},
		"a pasted code":     {present("otp", " 526-271"), http.StatusOK, ""},
		"a pasted PIN":      {present("pin", "8299 "), http.StatusOK, ""},
		"a device's code":   {ownCode, http.StatusOK, ""},
		"a recovery code":   {recoveryCode, http.StatusOK, ""},
		"a password as OTP": {present("otp", "hunter2"), http.StatusForbidden, "invalid-credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) {
				p.OTPKinds = append(p.OTPKinds, verifier.KindRecovery)
			}))
			alice := w.Account("alice").Password("hunter2").PIN("8299").OTP("526271")
			recovery := alice.RecoveryCodes(1)[0]
			phone := alice.Device("phone", time.Hour)
			field, value := row.proof(w, phone, recovery)

			got := remove(t, w, phone.DeviceID, field, value)
			require.Equal(t, row.status, got.status)
			require.Equal(t, row.answer, got.text)
			require.Equal(t, row.status == http.StatusOK, len(list(t, w, "alice")) == 0)
		})
	}
}

func TestRemovalOfNoDeviceIsA404AndSpendsNothing(t *testing.T) {
	w := devicetotptest.New(t)
	alice := w.Account("alice").OTP("526271")
	phone := alice.Device("phone", time.Hour)
	bobs := w.Account("bob").Device("bob's", time.Hour)
	for _, id := range []string{nobody, bobs.DeviceID, "7"} {
		got := remove(t, w, id, "otp", "526271")
		require.Equal(t, answered{status: http.StatusNotFound, text: "not-found"}, got, id)
	}
	require.Equal(t, http.StatusOK, remove(t, w, phone.DeviceID, "otp", "526271").status, "the code is good still")
	require.Equal(t, http.StatusNotFound, remove(t, w, phone.DeviceID, "otp", "526271").status, "the device is gone")
}

func TestRemovalSaysHowLongToWait(t *testing.T) {
	w := devicetotptest.New(t)
	phone := w.Account("alice").PIN("8299").Device("phone", time.Hour)
	for range 5 {
		remove(t, w, phone.DeviceID, "pin", "0000")
	}
	got := remove(t, w, phone.DeviceID, "pin", "8299")
	require.Equal(t, answered{status: http.StatusForbidden, text: "too-many-attempts", wait: "30"}, got)
	w.Clock.Advance(30 * time.Second)
	require.Equal(t, http.StatusOK, remove(t, w, phone.DeviceID, "pin", "8299").status)
}

func TestRemovalOnACodeOfAnUnprovedDeviceIsRefused(t *testing.T) {
	w := devicetotptest.New(t)
	alice := w.Account("alice").RegisteredAgo(time.Minute).Password("hunter2")
	grace, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "alice"})
	require.NoError(t, err)
	phone := alice.Device("phone", 0)
	w.Clock.Advance(time.Hour)
	code := w.Phone(grace).Code().Reveal()
	require.Equal(t, http.StatusForbidden, remove(t, w, phone.DeviceID, "otp", code).status)
	require.Len(t, list(t, w, "alice"), 2)
}

func TestRemovalOfALostDeviceTakesWhatWasMadeOnItsCodes(t *testing.T) {
	w := devicetotptest.New(t)
	phone := w.Account("alice").Password("hunter2").Device("phone", time.Hour)
	finder, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "alice", OTP: phone.Code()})
	require.NoError(t, err)
	got := remove(t, w, phone.DeviceID, "password", "hunter2", "lost", "yes")
	require.Equal(t, []string{phone.DeviceID, finder.ID}, got.removed)
}

// TestRemovalFromAnOldPage is of a page that shows a device which was removed
// elsewhere, and whose id another device has now.
func TestRemovalFromAnOldPage(t *testing.T) {
	w := devicetotptest.New(t)
	phone := w.Account("alice").Password("hunter2").Device("phone", time.Hour)
	page := list(t, w, "alice")[0].Added.Format(time.RFC3339Nano)
	remove(t, w, phone.DeviceID, "password", "hunter2")
	w.Clock.Advance(time.Hour)
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{
		AccountID: "alice", DeviceID: phone.DeviceID, Password: credential.NewSecret("hunter2"),
	})
	require.NoError(t, err)
	got := remove(t, w, phone.DeviceID, "password", "hunter2", "added", page)
	require.Equal(t, http.StatusNotFound, got.status)
	require.Len(t, list(t, w, "alice"), 1)
}

// answered is what the page said to a removal.
type answered struct {
	status  int
	text    string
	wait    string
	removed []string
}

// remove presses the button of alice's page, which was loaded just now, with the
// fields of the form in pairs.
func remove(t *testing.T, w *devicetotptest.World, id string, fields ...string) answered {
	t.Helper()
	form := url.Values{"added": {w.Clock.Now().Format(time.RFC3339Nano)}}
	for _, d := range list(t, w, "alice") {
		if d.ID == id {
			form.Set("added", d.Added.Format(time.RFC3339Nano))
		}
	}
	for pair := range slices.Chunk(fields, 2) {
		form.Set(pair[0], pair[1])
	}
	got := post(w, "alice", id+"/remove", form)
	a := answered{status: got.Code, wait: got.Header().Get("Retry-After")}
	if got.Code != http.StatusOK {
		a.text = strings.TrimSpace(got.Body.String())
		return a
	}
	var body struct{ Removed []string }
	require.NoError(t, json.Unmarshal(got.Body.Bytes(), &body))
	a.removed = body.Removed
	return a
}
