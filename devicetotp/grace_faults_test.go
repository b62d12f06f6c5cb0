package devicetotp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
)

// The bug class: a limit that is walked round through another door. Whatever
// rests on grace alone stays within grace's limit.

// onGrace makes n devices without a credential on a new account with a PIN and a
// password.
func onGrace(t *testing.T, n int, configure ...func(*devicetotp.Config)) (*devicetotptest.World, *devicetotptest.Account, []devicetotp.DeviceTOTP) {
	t.Helper()
	w := devicetotptest.New(t, configure...)
	a := w.Account("acct").RegisteredAgo(0).PIN("8299").Password("password")
	var devices []devicetotp.DeviceTOTP
	for i := range n {
		d, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(i)})
		require.NoError(t, err)
		devices = append(devices, d)
	}
	return w, a, devices
}

// byCodes makes as many devices as it can from the codes of devices, and of those
// devices in turn, three time steps each, with the clock standing.
func byCodes(t *testing.T, w *devicetotptest.World, devices []devicetotp.DeviceTOTP) (made []devicetotp.DeviceTOTP) {
	t.Helper()
	id := 100
	for n := 0; n < len(devices) && n < 40; n++ {
		for drift := -1; drift <= 1; drift++ {
			id++
			d, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{
				AccountID: "acct", DeviceID: otherID(id), OTP: w.Phone(devices[n]).Drifted(drift),
			})
			if err == nil {
				made, devices = append(made, d), append(devices, d)
			}
		}
	}
	return made
}

// A token within grace takes 5 devices, and used to make 20 by their own codes;
// the owner's right password then got device-limit-reached for ever.
func TestCreate_CodesOfGraceDevicesBuyNoMoreThanGraceGives(t *testing.T) {
	for first := 1; first <= 5; first++ {
		w, a, devices := onGrace(t, first)
		made := byCodes(t, w, devices)
		require.Equal(t, 5-first, len(made), "with %d made without a credential", first)
		require.Len(t, a.Stored().State.Devices, 5)

		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID})
		requireCode(t, totperrors.CodeCredentialsRequired, err)
		_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, Password: secret("password")})
		require.NoError(t, err, "the owner is not locked out")
		require.Len(t, a.Stored().State.Devices, 6)
	}
}

// The same later, when grace is long over and the codes are fresh every day.
func TestCreate_CodesOfGraceDevicesBuyNoMoreAfterGraceEither(t *testing.T) {
	w, a, devices := onGrace(t, 2)
	for range 10 {
		w.Clock.Advance(24 * time.Hour)
		devices = append(devices, byCodes(t, w, devices)...)
	}
	require.Equal(t, 5, len(a.Stored().State.Devices))
}

// A right code of a device that rests on grace, where grace's limit is reached,
// grants nothing: the step is spent, the next factor is looked at, and if none
// grants, the limit is the answer and not a wrong OTP.
func TestCreate_ARightCodeAtGracesLimitIsSpentAndTheNextFactorDecides(t *testing.T) {
	for _, c := range []struct {
		name    string
		present devicetotp.CreateRequest
		code    devicetotp.Code
		basis   credential.Basis
	}{
		{"alone", devicetotp.CreateRequest{}, totperrors.CodeDeviceLimitReached, 0},
		{"beside a wrong PIN", devicetotp.CreateRequest{PIN: secret("0000")}, totperrors.CodeDeviceLimitReached, 0},
		{"beside a right PIN", devicetotp.CreateRequest{PIN: secret("8299")}, "", credential.BasisPIN},
		{"beside a right password", devicetotp.CreateRequest{Password: secret("password"), PIN: secret("0000")}, "", credential.BasisPassword},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, a, devices := onGrace(t, 5)
			phones := make([]*devicetotptest.Phone, len(devices))
			for i := range devices {
				phones[i] = w.Phone(devices[i])
			}
			guess := func(times int) {
				for range times {
					_, err := w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", Code: wrong6(phones...)})
					requireCode(t, totperrors.CodeInvalidCredentials, err)
				}
			}
			guess(4) // the right code below clears them
			code := w.Phone(devices[0]).Code()
			r := c.present
			r.AccountID, r.DeviceID, r.OTP = "acct", deviceID, code
			d, err := w.Issuer.Create(t.Context(), r)
			require.Equal(t, c.code, devicetotp.CodeOf(err), "%v", err)
			require.Equal(t, c.basis, d.Basis)
			_, err = w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", DeviceID: otherID(0), Code: code})
			requireCode(t, totperrors.CodeInvalidCredentials, err)
			require.Equal(t, w.Clock.Now().Unix()/30, a.Stored().State.Devices[0].LastStep, "the step is spent")
			guess(3)
			_, err = w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", Code: w.Phone(devices[0]).Drifted(1)})
			require.NoError(t, err, "the counters of the OTP and of its device are cleared")
		})
	}
}

// A device that rests on grace takes only the place of one that does too: not
// that of the owner's, however long unused.
func TestCreate_GraceDisplacesNothingThatWasProved(t *testing.T) {
	long := devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.GraceWindow, p.MaxDevices, p.UnusedAfter = 24*time.Hour, 3, time.Hour })
	for _, name := range []string{"nothing presented", "a code of a grace device"} {
		t.Run(name, func(t *testing.T) {
			w, a, devices := onGrace(t, 1, long)
			for i := range 2 {
				_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(10 + i), Password: secret("password")})
				require.NoError(t, err)
			}
			_, err := w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", Code: w.Phone(devices[0]).Code()})
			require.NoError(t, err, "the grace device is in use: no place of its own kind is free")
			w.Clock.Advance(2 * time.Hour)
			r := devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID}
			if name != "nothing presented" {
				r.OTP = w.Phone(devices[0]).Code()
			}
			_, err = w.Issuer.Create(t.Context(), r)
			requireCode(t, totperrors.CodeDeviceLimitReached, err)
			require.Equal(t, []string{otherID(0), otherID(10), otherID(11)}, ids(a.Stored().State.Devices))

			_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, PIN: secret("8299")})
			require.NoError(t, err, "the owner may")
		})
	}
}

// What was issued on grace and made room since stays counted: time and evictions
// do not fill the limit up again.
func TestCreate_GraceCountsWhatMadeRoomSince(t *testing.T) {
	w, a, _ := onGrace(t, 2, devicetotptest.WithPolicy(func(p *devicetotp.Policy) {
		p.GraceWindow, p.GraceDevices, p.MaxDevices, p.UnusedAfter = 24*time.Hour, 2, 4, time.Hour
	}))
	w.Clock.Advance(2 * time.Hour)
	for i := range 4 { // the third and the fourth take the places of those on grace
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(10 + i), PIN: secret("8299")})
		require.NoError(t, err)
	}
	require.Equal(t, []string{otherID(10), otherID(11), otherID(12), otherID(13)}, ids(a.Stored().State.Devices))
	w.Clock.Advance(2 * time.Hour) // within grace, with room made by time
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID})
	require.Error(t, err)
	require.ErrorIs(t, err, devicetotp.ErrDenied)
	require.Equal(t, []string{otherID(10), otherID(11), otherID(12), otherID(13)}, ids(a.Stored().State.Devices))
}

// Grace devices in turn: each takes the place of the one before, which time made
// free. No more than GraceDevices are issued all the same.
func TestCreate_GraceInTurnIssuesNoMoreThanItsLimit(t *testing.T) {
	w, _, _ := onGrace(t, 0, devicetotptest.WithPolicy(func(p *devicetotp.Policy) {
		p.GraceWindow, p.GraceDevices, p.MaxDevices, p.UnusedAfter, p.RetryWindow = 24*time.Hour, 3, 2, time.Minute, time.Minute
	}))
	issued := 0
	for i := range 20 {
		r := devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(i)}
		if _, err := w.Issuer.Create(t.Context(), r); err == nil {
			issued++
		}
		w.Clock.Advance(2 * time.Minute)
	}
	require.Equal(t, 3, issued)
}

// The place of a device is kept by what it rests on, not by the word on it: a
// request that rests on grace does not replace a device that was proved.
func TestCreate_AGraceCodeReplacesNoProvedDevice(t *testing.T) {
	w, a, devices := onGrace(t, 1)
	for n, r := range []devicetotp.CreateRequest{{PIN: secret("8299")}, {Password: secret("password")}} {
		r.AccountID, r.DeviceID = "acct", otherID(10+n)
		proved, err := w.Issuer.Create(t.Context(), r)
		require.NoError(t, err)
		_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: proved.ID, OTP: w.Phone(devices[0]).Code()})
		require.Error(t, err)
		_, err = w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", DeviceID: proved.ID, Code: w.Phone(proved).Code()})
		require.NoError(t, err, "its secret is the one that was given")
		w.Clock.Advance(time.Minute)
	}
	require.Len(t, a.Stored().State.Devices, 3)
}

// A code of a device that rests on grace does not replace a proved device, and differs
// from the OTP that made it: it is a guess at that OTP, for which the device would be
// given, and counts as one although it is right elsewhere.
func TestCreate_AGraceCodeIsAGuessAtTheOTPOfAProvedDevice(t *testing.T) {
	w, a, devices := onGrace(t, 1)
	a.OTP("123456")
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, OTP: secret("123456")})
	require.NoError(t, err)
	phone := w.Phone(devices[0])
	for guesses := 1; guesses <= 5; guesses++ {
		w.Clock.Advance(30 * time.Second)
		_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, OTP: phone.Code()})
		requireCode(t, totperrors.CodeIDInUse, err)
		require.Equal(t, guesses, a.Stored().State.Devices[1].Named.Failures)
		require.Zero(t, a.Stored().State.Devices[0].Attempts.Failures)
		require.Equal(t, w.Clock.Now().Unix()/30, a.Stored().State.Devices[0].LastStep, "the step is spent")
	}
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, OTP: secret("123456")})
	requireCode(t, totperrors.CodeTooManyAttempts, err)
}
