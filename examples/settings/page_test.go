package settings

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
)

// nobody is an id that no account of these tests has a device of.
const nobody = "00000000-0000-4000-8000-000000000000"

func TestPageSaysWhenADeviceWasMadeAndUsed(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("alice").Password("hunter2")
	imported := bringIn(t, w, "alice", "3132333435363738393031323334353637383930")
	fresh := create(t, w, "alice", "laptop")
	phone := w.Phone(create(t, w, "alice", "phone"))
	w.Clock.Advance(time.Hour)
	verify(t, w, "alice", phone)

	now := w.Clock.Now()
	want := []Device{
		{ID: imported, Name: "brought in", Added: devicetotptest.Start, Used: "unknown"},
		{ID: fresh.ID, Name: "laptop", Added: devicetotptest.Start, Used: "never"},
		// not at the end of the time step, which is still to come
		{ID: phone.DeviceID, Name: "phone", Added: devicetotptest.Start, Used: "at", LastUsed: now},
	}
	require.Equal(t, want, list(t, w, "alice"))

	w.Clock.Advance(24 * time.Hour)
	require.WithinDuration(t, now, list(t, w, "alice")[2].LastUsed, 30*time.Second, "a day later")
}

// A form of another site is sent by the user's browser with the user's cookie, and is
// not what the user wanted.
func TestPageRefusesFormsOfOtherSites(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("alice").Password("hunter2")
	phone := create(t, w, "alice", "phone")
	for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"} {
		r := httptest.NewRequest(http.MethodPost, "/settings/devices/"+phone.ID+"/name", strings.NewReader("name=tablet"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(header, value)
		require.Equal(t, http.StatusForbidden, serve(w, "alice", r).Code, header)
	}
	require.Equal(t, "phone", list(t, w, "alice")[0].Name)
}

// Whoever has the session in the first minutes after a registration could have the
// secret of such a device for its id, and nothing else.
func TestPageKeepsTheIDOfADeviceThatIsGivenForNothing(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("alice").RegisteredAgo(0)
	phone, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "alice", Name: "phone"})
	require.NoError(t, err)
	want := Device{Name: "phone", Added: devicetotptest.Start, Used: "never"}
	require.Equal(t, []Device{want}, list(t, w, "alice"))

	w.Clock.Advance(devicetotp.DefaultPolicy().RetryWindow + devicetotp.DefaultPolicy().ClockTolerance + time.Second)
	want.ID = phone.ID
	require.Equal(t, []Device{want}, list(t, w, "alice"))
}

func TestPageSaysWhatIsBlocked(t *testing.T) {
	t.Run("for codes that name it", func(t *testing.T) { wantBlocked(t, true, 20) })
	t.Run("for codes that do not", func(t *testing.T) { wantBlocked(t, false, 80) })
}

// wantBlocked looks at the page after wrong codes, as many as block a device.
func wantBlocked(t *testing.T, named bool, failures int) {
	w := devicetotptest.New(t)
	phone := w.Account("alice").Device("phone", time.Hour)
	guess := func(n int) {
		for range n {
			r := devicetotp.VerifyRequest{AccountID: "alice", Code: credential.NewSecret("000000")}
			if named {
				r.DeviceID = phone.DeviceID
			}
			_, err := w.Issuer.Verify(t.Context(), r)
			require.Equal(t, devicetotp.CodeInvalidCredentials, devicetotp.CodeOf(err))
			w.Clock.Advance(time.Second)
		}
	}
	guess(5) // the default policy waits from the fifth failure on
	d := list(t, w, "alice")[0]
	require.True(t, d.Blocked)
	require.True(t, d.BlockedUntil.After(w.Clock.Now()))

	w.Clock.Advance(time.Minute)
	d = list(t, w, "alice")[0]
	require.False(t, d.Blocked, "the wait is over")
	require.Zero(t, d.BlockedUntil)

	for range failures - 5 {
		w.Clock.Advance(2 * time.Hour)
		guess(1)
	}
	d = list(t, w, "alice")[0]
	require.True(t, d.Blocked)
	require.Zero(t, d.BlockedUntil, "only the service can end that")
}

func TestPageRenames(t *testing.T) {
	w := devicetotptest.New(t)
	phone := w.Account("alice").Device("phone", time.Hour)
	w.Account("bob").Device("bob's", time.Hour)
	for _, row := range []struct {
		account, id, name string
		status            int
		answer            string
	}{
		{"alice", phone.DeviceID, "work phone", http.StatusNoContent, ""},
		{"alice", strings.ToUpper(phone.DeviceID), "spare", http.StatusNoContent, ""},
		{"alice", phone.DeviceID, "two\nlines", http.StatusUnprocessableEntity, "invalid-argument"},
		{"alice", nobody, "x", http.StatusNotFound, "not-found"},
		{"bob", phone.DeviceID, "x", http.StatusNotFound, "not-found"}, // not bob's
		{"alice", "7", "x", http.StatusUnprocessableEntity, "invalid-id"},
		{"", phone.DeviceID, "x", http.StatusUnauthorized, "unauthorized"},
	} {
		got := post(w, row.account, row.id+"/name", url.Values{"name": {row.name}})
		require.Equal(t, row.status, got.Code, "%+v", row)
		require.Equal(t, row.answer, strings.TrimSpace(got.Body.String()), "%+v", row)
	}
	require.Equal(t, "spare", list(t, w, "alice")[0].Name, "the last name that was accepted")
}

// create gives the account a device on its password.
func create(t *testing.T, w *devicetotptest.World, account, name string) devicetotp.DeviceTOTP {
	t.Helper()
	d, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{
		AccountID: account, Name: name, Password: credential.NewSecret("hunter2"),
	})
	require.NoError(t, err)
	return d
}

// bringIn gives the account a device of another service that was last used
// nobody knows when.
func bringIn(t *testing.T, w *devicetotptest.World, account, secret string) string {
	t.Helper()
	d, err := w.Issuer.Import(t.Context(), devicetotp.ImportRequest{
		AccountID: account, DeviceID: "11111111-1111-4111-8111-111111111111", Name: "brought in",
		Secret: credential.NewSecret(secret), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
	})
	require.NoError(t, err)
	return d.DeviceID
}

func verify(t *testing.T, w *devicetotptest.World, account string, phone *devicetotptest.Phone) {
	t.Helper()
	_, err := w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: account, Code: phone.Code()})
	require.NoError(t, err)
}

// serve sends a request to the page, as somebody who is signed in to account.
func serve(w *devicetotptest.World, account string, r *http.Request) *httptest.ResponseRecorder {
	page := Page{
		Issuer:  w.Issuer,
		Account: func(*http.Request) string { return account },
	}
	recorder := httptest.NewRecorder()
	page.Handler().ServeHTTP(recorder, r)
	return recorder
}

func list(t *testing.T, w *devicetotptest.World, account string) []Device {
	t.Helper()
	got := serve(w, account, httptest.NewRequest(http.MethodGet, "/settings/devices", nil))
	var page struct{ Devices []Device }
	require.Equal(t, http.StatusOK, got.Code, got.Body)
	require.NoError(t, json.Unmarshal(got.Body.Bytes(), &page))
	return page.Devices
}

func post(w *devicetotptest.World, account, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/settings/devices/"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return serve(w, account, r)
}
