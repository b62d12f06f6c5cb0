package devicetotp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
)

// late holds that the requests are refused, before a value is looked at: nothing is
// counted, and nothing saved.
func (r *rotating) late(t *testing.T, requests ...devicetotp.RotateRequest) {
	t.Helper()
	for _, q := range requests {
		before := r.account.Stored()
		_, err := r.rotate(t, q)
		require.Equal(t, "RotationID", requireCode(t, devicetotp.CodeIDInUse, err).Field)
		require.Equal(t, before, r.account.Stored())
		require.Empty(t, r.lastEvent().Factors)
	}
}

// A retry that comes after its rotation was replaced, confirmed or not confirmed in
// time undoes nothing, whatever it presents.
func TestRotate_LateRetriesAreRecognized(t *testing.T) {
	r := newRotating(t)
	r.account.OTP("11111111")
	onOTP := devicetotp.RotateRequest{RotationID: rotationID(1), OTP: secret("11111111")}
	onPassword := devicetotp.RotateRequest{RotationID: rotationID(2), Password: secret("password")}
	onPIN := devicetotp.RotateRequest{RotationID: rotationID(3), PIN: secret("8299")}
	wrong := devicetotp.RotateRequest{RotationID: rotationID(3), PIN: secret("0000")}
	for _, q := range []devicetotp.RotateRequest{onOTP, onPassword} {
		_, err := r.rotate(t, q)
		require.NoError(t, err)
	}
	r.late(t, onOTP) // replaced

	renewed, err := r.rotate(t, onPIN)
	require.NoError(t, err)
	require.True(t, renewed.Replaced)
	r.late(t, onOTP, onPassword)
	r.use(t, renewed)
	r.late(t, onOTP, onPassword, onPIN, wrong) // confirmed
	require.Nil(t, r.stored().Rotation)

	unconfirmed := devicetotp.RotateRequest{RotationID: rotationID(4), PIN: secret("8299")}
	_, err = r.rotate(t, unconfirmed)
	require.NoError(t, err)
	r.Clock.Advance(24 * time.Hour)
	r.late(t, onPIN, unconfirmed) // over
	r.use(t, renewed)
	require.Nil(t, r.stored().Rotation)
	r.late(t, onPIN, unconfirmed)
	r.Clock.Advance(1000 * time.Hour)
	r.late(t, onPIN, unconfirmed) // however long ago
}

// An id means the same in any case, and nothing for another device.
func TestRotate_IDs(t *testing.T) {
	r := newRotating(t)
	other := r.create(t, devicetotp.CreateRequest{DeviceID: otherID(1), PIN: secret("8299")})
	r.use(t, other)
	const id = "AAAAAAAA-0000-4000-8000-00000000000A"
	first, err := r.rotate(t, devicetotp.RotateRequest{RotationID: id, PIN: secret("8299")})
	require.NoError(t, err)
	require.Equal(t, strings.ToLower(id), r.stored().Rotation.ID)
	again, err := r.rotate(t, devicetotp.RotateRequest{RotationID: strings.ToLower(id), PIN: secret("8299")})
	require.NoError(t, err)
	require.True(t, again.Replayed)
	require.Equal(t, first.Base32(), again.Base32())
	ofOther, err := r.rotate(t, devicetotp.RotateRequest{DeviceID: other.ID, RotationID: id, PIN: secret("8299")})
	require.NoError(t, err)
	require.False(t, ofOther.Replayed)
	require.NotEqual(t, first.Base32(), ofOther.Base32())
}

// A retry with another right value than the rotation was made on gives nothing, and
// says nothing about the value.
func TestRotate_ARetryPresentsWhatItWasMadeOn(t *testing.T) {
	r := newRotating(t)
	_, err := r.rotate(t, devicetotp.RotateRequest{RotationID: rotationID(0), PIN: secret("8299")})
	require.NoError(t, err)
	for _, password := range []string{"password", "wrong"} {
		r.late(t, devicetotp.RotateRequest{RotationID: rotationID(0), Password: secret(password)})
	}
}

// An id is not forgotten as long as its request may be retried: a device is rotated
// no more than credential.MaxRotations times within the retry window.
func TestRotate_ForgetsNoIDThatMayBeRetried(t *testing.T) {
	r := newRotating(t)
	first := devicetotp.RotateRequest{RotationID: rotationID(0), PIN: secret("8299")}
	_, err := r.rotate(t, first)
	require.NoError(t, err)
	r.Clock.Advance(90 * time.Second)
	var last devicetotp.DeviceTOTP
	for range credential.MaxRotations - 1 {
		last = r.rotated(t)
	}
	full := func() {
		t.Helper()
		before := r.account.Stored()
		for _, pin := range []string{"8299", "0000"} {
			_, err := r.rotate(t, devicetotp.RotateRequest{PIN: secret(pin)})
			require.Equal(t, 211*time.Second, requireCode(t, devicetotp.CodeTooManyAttempts, err).RetryAfter)
			require.Empty(t, r.lastEvent().Factors)
		}
		require.Equal(t, before, r.account.Stored(), "nothing is looked at")
	}
	full()
	r.late(t, first)
	_, err = verify(t, r.World, "", r.Phone(last).Code())
	require.NoError(t, err, "it can be confirmed")
	require.Len(t, r.stored().PastRotations, credential.MaxRotations)
	full()
	r.late(t, first)

	r.Clock.Advance(211 * time.Second)
	r.late(t, first)
	r.rotated(t)
	require.Len(t, r.stored().PastRotations, credential.MaxRotations-1)
	require.Equal(t, rotationID(1001), r.stored().PastRotations[0].ID, "the oldest is forgotten")
	again, err := r.rotate(t, first)
	require.Equal(t, devicetotp.CodeTooManyAttempts, devicetotp.CodeOf(err), "%v", again)
	r.Clock.Advance(5 * time.Minute)
	again, err = r.rotate(t, first)
	require.NoError(t, err)
	require.False(t, again.Replayed)
}

// A clock that was wrong does not keep an id for ever.
func TestRotate_IDsOfTheFuture(t *testing.T) {
	for ahead, full := range map[time.Duration]bool{24 * time.Hour: true, 24*time.Hour + time.Second: false} {
		r := newRotating(t)
		r.Clock.Advance(ahead)
		for range credential.MaxRotations {
			r.rotated(t)
		}
		r.Clock.Advance(-ahead)
		_, err := r.rotate(t, devicetotp.RotateRequest{PIN: secret("8299")})
		if full {
			require.Equal(t, 24*time.Hour+5*time.Minute+time.Second, requireCode(t, devicetotp.CodeTooManyAttempts, err).RetryAfter)
		} else {
			require.NoError(t, err)
		}
	}
}

// Where nothing may be retried, no retry is given anything, and no id is kept but
// the last ones.
func TestRotate_WithoutARetryWindow(t *testing.T) {
	r := newRotating(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.RetryWindow = 0 }))
	first := devicetotp.RotateRequest{RotationID: rotationID(0), PIN: secret("8299")}
	_, err := r.rotate(t, first)
	require.NoError(t, err)
	r.late(t, first)
	for range 2 * credential.MaxRotations {
		require.True(t, r.rotated(t).Replaced)
	}
	require.Len(t, r.stored().PastRotations, credential.MaxRotations-1)
	_, err = r.rotate(t, first)
	require.NoError(t, err)
}

// Requests at once under ids of their own begin a rotation each. Whatever their
// order, each retry of one that is over is refused, and the last one is given again.
func TestRotate_AtOnceUnderTheirOwnIDs(t *testing.T) {
	for _, processes := range []int{1, 4} {
		for range 20 {
			r := newRotating(t)
			all := issuers(t, r.World, processes)
			request := func(i int) devicetotp.RotateRequest {
				return devicetotp.RotateRequest{AccountID: "acct", DeviceID: deviceID, RotationID: rotationID(i % 4), PIN: secret("8299")}
			}
			codes := together(8, func(i int) error {
				_, err := all[i%processes].Rotate(t.Context(), request(i))
				return err
			})
			require.Equal(t, 8, codes[""]+codes[devicetotp.CodeIDInUse], "%v", codes)
			require.GreaterOrEqual(t, codes[""], 4, "%v", codes)
			require.Len(t, r.stored().PastRotations, 3)
			given := 0
			for i := range 4 {
				if d, err := r.Issuer.Rotate(t.Context(), request(i)); err == nil {
					require.True(t, d.Replayed)
					given++
				} else {
					requireCode(t, devicetotp.CodeIDInUse, err)
				}
			}
			require.Equal(t, 1, given)
		}
	}
}
