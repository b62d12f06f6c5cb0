package devicetotp_test

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// rotating is an account whose one device is in use: made on the PIN, its code
// accepted once.
type rotating struct {
	*devicetotptest.World
	account *devicetotptest.Account
	device  devicetotp.DeviceTOTP // its id is deviceID
	begun   int                   // rotations that were not given an id
}

func newRotating(t *testing.T, configure ...func(*devicetotp.Config)) *rotating {
	t.Helper()
	w := devicetotptest.New(t, configure...)
	r := &rotating{World: w, account: w.Account("acct").PIN("8299").Password("password")}
	r.device = r.create(t, devicetotp.CreateRequest{DeviceID: deviceID, PIN: secret("8299")})
	r.use(t, r.device)
	return r
}

func (r *rotating) create(t *testing.T, q devicetotp.CreateRequest) devicetotp.DeviceTOTP {
	t.Helper()
	q.AccountID = "acct"
	d, err := r.Issuer.Create(t.Context(), q)
	require.NoError(t, err)
	return d
}

// use has a code of d accepted, and waits until there is another.
func (r *rotating) use(t *testing.T, d devicetotp.DeviceTOTP) {
	t.Helper()
	_, err := verify(t, r.World, d.ID, r.Phone(d).Code())
	require.NoError(t, err)
	r.Clock.Advance(d.Period)
}

// rotate rotates the device, under a new id unless q has one.
func (r *rotating) rotate(t *testing.T, q devicetotp.RotateRequest) (devicetotp.DeviceTOTP, error) {
	t.Helper()
	q.AccountID, q.DeviceID = "acct", cmp.Or(q.DeviceID, deviceID)
	if q.RotationID == "" {
		r.begun++
		q.RotationID = rotationID(1000 + r.begun)
	}
	return r.Issuer.Rotate(t.Context(), q)
}

// rotated rotates the device on the PIN.
func (r *rotating) rotated(t *testing.T) devicetotp.DeviceTOTP {
	t.Helper()
	d, err := r.rotate(t, devicetotp.RotateRequest{PIN: secret("8299")})
	require.NoError(t, err)
	return d
}

func (r *rotating) stored() credential.Device {
	state := r.account.Stored().State
	return state.Devices[state.DeviceIndex(deviceID)]
}

func (r *rotating) shown(t *testing.T) devicetotp.DeviceOverview {
	t.Helper()
	view, err := r.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	for _, d := range view.Devices {
		if d.ID == deviceID {
			return d
		}
	}
	require.FailNow(t, "the device is not shown")
	return devicetotp.DeviceOverview{}
}

func (r *rotating) lastEvent() devicetotp.Event { return r.Events()[len(r.Events())-1] }

func TestRotate_GivesANewSecretBesideTheOld(t *testing.T) {
	r := newRotating(t)
	before := r.stored()
	now := r.Clock.Now().UTC()
	d := r.rotated(t)
	require.Equal(t, devicetotp.DeviceTOTP{
		ID: deviceID, Secret: d.Secret, Period: 30 * time.Second, Digits: 6, Algorithm: credential.AlgorithmSHA1,
		Basis: credential.BasisPIN, CreatedAt: now, ConfirmBy: now.Add(24 * time.Hour),
	}, d)
	require.NotEqual(t, r.device.Base32(), d.Base32())
	event := r.lastEvent()
	require.Equal(t, []any{devicetotp.OpRotate, deviceID, credential.BasisPIN, now, false, false, false},
		[]any{event.Op, event.DeviceID, event.Basis, event.CreatedAt, event.Replayed, event.Replaced, event.RestsOnGrace})
	require.Empty(t, event.RotationsConfirmed)

	after := r.stored()
	require.NotNil(t, after.Rotation)
	after.Rotation = nil
	require.Equal(t, before, after, "nothing else of the device changes")

	view, err := r.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	require.True(t, view.Devices[0].RotationPending)
	require.Equal(t, d.ConfirmBy, view.Devices[0].RotationUntil)
}

// The old secret works until the first accepted code of the new one, and not after.
func TestRotate_IsConfirmedByTheFirstCodeOfTheNewSecret(t *testing.T) {
	for _, named := range []string{"", deviceID} {
		r := newRotating(t)
		renewed := r.rotated(t)
		_, err := verify(t, r.World, named, r.Phone(r.device).Code())
		require.NoError(t, err, "the old secret works")
		require.Empty(t, r.lastEvent().RotationsConfirmed)
		r.Clock.Advance(30 * time.Second)

		old, code := r.Phone(r.device).Code(), r.Phone(renewed).Code()
		match, err := verify(t, r.World, named, code)
		require.NoError(t, err)
		require.Equal(t, deviceID, match.DeviceID)
		require.Equal(t, []string{deviceID}, r.lastEvent().RotationsConfirmed)
		require.Equal(t, deviceID, r.lastEvent().DeviceID)

		d := r.stored()
		require.Nil(t, d.Rotation)
		require.Equal(t, match.Step, d.LastStep)
		require.Equal(t, credential.BasisPIN, d.Basis)
		require.Equal(t, devicetotptest.Start, d.CreatedAt, "the device is as old as it was")
		_, err = verify(t, r.World, named, old)
		requireCode(t, devicetotp.CodeInvalidCredentials, err)
		_, err = verify(t, r.World, named, code)
		requireCode(t, devicetotp.CodeInvalidCredentials, err)
		r.Clock.Advance(30 * time.Second)
		_, err = verify(t, r.World, named, r.Phone(r.device).Code())
		requireCode(t, devicetotp.CodeInvalidCredentials, err)
		_, err = verify(t, r.World, named, r.Phone(renewed).Code())
		require.NoError(t, err)
		require.Empty(t, r.lastEvent().RotationsConfirmed)
	}
}

// If it is not confirmed in time the new secret is gone and the old one stays: at
// the very instant.
func TestRotate_IsOverWhenTheOverlapHasPassed(t *testing.T) {
	for _, c := range []struct {
		late time.Duration
		open bool
	}{{-1, true}, {0, false}, {time.Hour, false}} {
		r := newRotating(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.RotationOverlap = 30 * 24 * time.Hour }))
		renewed := r.rotated(t)
		r.Clock.Advance(30*24*time.Hour + c.late)
		view, err := r.Issuer.Inspect(t.Context(), "acct")
		require.NoError(t, err)
		require.Equal(t, c.open, view.Devices[0].RotationPending)
		_, err = verify(t, r.World, "", r.Phone(renewed).Code())
		if c.open {
			require.NoError(t, err)
			continue
		}
		requireCode(t, devicetotp.CodeInvalidCredentials, err)
		_, err = verify(t, r.World, "", r.Phone(r.device).Code())
		require.NoError(t, err, "the old one stays")
		require.Nil(t, r.stored().Rotation, "and the new one is forgotten")
		r.Clock.Advance(-2 * time.Hour)
		_, err = verify(t, r.World, "", r.Phone(renewed).Code())
		requireCode(t, devicetotp.CodeInvalidCredentials, err)
	}
}

// The new secret has the parameters of the policy of today, whatever those of the
// old one are: codes of both lengths are accepted beside each other.
func TestRotate_TakesTheParametersOfThePolicy(t *testing.T) {
	for _, digits := range []int{6, 8} {
		r := newRotating(t)
		policy := devicetotp.DefaultPolicy()
		policy.Algorithm, policy.Digits, policy.Period = credential.AlgorithmSHA256, digits, time.Minute
		r.Issuer = issuerOn(t, r.World, r.Store, func(c *devicetotp.Config) { c.Policy = &policy })
		renewed := r.rotated(t)
		require.Equal(t, []any{digits, time.Minute, credential.AlgorithmSHA256, 32},
			[]any{renewed.Digits, renewed.Period, renewed.Algorithm, len(renewed.Secret.Reveal())})

		_, err := verify(t, r.World, "", r.Phone(r.device).Code())
		require.NoError(t, err)
		before := r.stored().LastStep
		match, err := verify(t, r.World, "", r.Phone(renewed).Code())
		require.NoError(t, err, "%d digits", digits)
		require.Less(t, match.Step, before, "a minute is longer, so its steps have lower numbers")
		d := r.stored()
		require.Equal(t, []any{credential.AlgorithmSHA256, digits, time.Minute, match.Step}, []any{d.Algorithm, d.Digits, d.Period, d.LastStep})
		r.Clock.Advance(renewed.Period)
		r.use(t, renewed)
	}
}

// A device is a candidate for a code of either length while it is rotated: blocked
// for one, it is blocked for the other, and a step is spent for both.
func TestRotate_BothLengthsAreCandidates(t *testing.T) {
	r := newRotating(t)
	policy := devicetotp.DefaultPolicy()
	policy.Digits = 8
	r.Issuer = issuerOn(t, r.World, r.Store, func(c *devicetotp.Config) { c.Policy = &policy })
	renewed := r.rotated(t)
	blocked := func(code credential.Secret) devicetotp.Code {
		_, err := verify(t, r.World, "", code)
		return devicetotp.CodeOf(err)
	}
	changeState(t, r.World, func(s *credential.State) {
		s.Devices[0].Attempts = credential.Attempts{Failures: 80, LastAt: r.Clock.Now()}
	})
	require.Equal(t, devicetotp.CodeTooManyAttempts, blocked(r.Phone(r.device).Code()))
	require.Equal(t, devicetotp.CodeTooManyAttempts, blocked(r.Phone(renewed).Code()))
	require.Equal(t, devicetotp.CodeInvalidCredentials, blocked(secret("1234567")), "no device has so many digits")
	_, err := verify(t, r.World, deviceID, r.Phone(renewed).Code())
	require.NoError(t, err, "named, it is compared")

	twin := r.create(t, devicetotp.CreateRequest{DeviceID: otherID(1), PIN: secret("8299")})
	r.Secrets.Next(twin.Secret, nil)
	again := r.rotated(t)
	require.Equal(t, twin.Base32(), again.Base32())
	code := r.Phone(twin).Code()
	_, err = verify(t, r.World, twin.ID, code)
	require.NoError(t, err)
	_, err = verify(t, r.World, deviceID, code)
	requireCode(t, devicetotp.CodeInvalidCredentials, err)
}

// Each secret has its own steps. A thief of the old secret who is ahead does not
// keep the new one from being confirmed.
func TestRotate_HasStepsOfItsOwn(t *testing.T) {
	r := newRotating(t)
	renewed := r.rotated(t)
	for _, drift := range []int{0, 1} {
		_, err := verify(t, r.World, "", r.Phone(r.device).Drifted(drift))
		require.NoError(t, err)
	}
	_, err := verify(t, r.World, "", r.Phone(renewed).Drifted(-1))
	require.NoError(t, err, "an older step, of the other secret")
	require.Equal(t, []string{deviceID}, r.lastEvent().RotationsConfirmed)
}

// A wrong value is one failure of the device, although it is compared with two
// secrets, and a rotation forgives nothing.
func TestRotate_CountsAWrongCodeOnce(t *testing.T) {
	r := newRotating(t)
	renewed := r.rotated(t)
	for failures := 1; failures <= 4; failures += 2 {
		wrong := wrong6(r.Phone(r.device), r.Phone(renewed))
		_, err := verify(t, r.World, "", wrong)
		requireCode(t, devicetotp.CodeInvalidCredentials, err)
		require.Equal(t, failures, r.stored().Attempts.Failures)
		renewed, err = r.rotate(t, devicetotp.RotateRequest{Password: secret("password"), OTP: wrong})
		require.NoError(t, err)
		require.Equal(t, failures+1, r.stored().Attempts.Failures)
		r.Clock.Advance(time.Hour)
	}
}

// At most 100 wrong values in a row are compared with a rotating device, whatever
// path they come by, and whatever is rotated in between.
func TestRotate_BuysNoGuesses(t *testing.T) {
	r := newRotating(t)
	compared := 0
	for range 400 {
		r.Clock.Advance(time.Hour)
		before := r.stored().Attempts.Failures
		renewed := r.rotated(t) // the attacker knows the PIN, and no secret
		wrong := wrong6(r.Phone(r.device), r.Phone(renewed))
		_, err := verify(t, r.World, map[bool]string{true: deviceID}[compared%5 == 0], wrong)
		require.Error(t, err)
		_, err = r.rotate(t, devicetotp.RotateRequest{OTP: wrong})
		require.Error(t, err)
		compared += r.stored().Attempts.Failures - before
	}
	require.LessOrEqual(t, compared, verifier.MaxFailures)
	require.GreaterOrEqual(t, compared, 80)
}

// A code of another device does not rotate this one, and is not spent by the
// attempt.
func TestRotate_OnACodeOfAnotherDevice(t *testing.T) {
	r := newRotating(t)
	other := r.create(t, devicetotp.CreateRequest{DeviceID: otherID(1), PIN: secret("8299")})
	r.use(t, other)
	code := r.Phone(other).Code()
	_, err := r.rotate(t, devicetotp.RotateRequest{OTP: code})
	requireCode(t, devicetotp.CodeInvalidCredentials, err)
	require.Nil(t, r.stored().Rotation)
	require.Equal(t, 1, r.stored().Attempts.Failures)
	state := r.account.Stored().State
	require.Equal(t, 0, state.Devices[state.DeviceIndex(other.ID)].Attempts.Failures, "it was not compared")
	renewed, err := r.rotate(t, devicetotp.RotateRequest{DeviceID: other.ID, OTP: code})
	require.NoError(t, err)
	require.Equal(t, credential.BasisOTP, renewed.Basis)
}

// A verifier of the host's own that names another device is not believed.
func TestRotate_OnACodeThatTheHostSaysIsOfAnotherDevice(t *testing.T) {
	for _, named := range []string{deviceID, otherID(1)} {
		r := newRotating(t, func(c *devicetotp.Config) {
			c.OTP = says(verifier.Verdict{
				Status: verifier.StatusValid, ProofID: "p", Until: devicetotptest.Start.Add(time.Hour), DeviceID: named, Step: 1 << 40,
			}, nil)
		})
		r.create(t, devicetotp.CreateRequest{DeviceID: otherID(1), PIN: secret("8299")})
		_, err := r.rotate(t, devicetotp.RotateRequest{OTP: secret("letmein")})
		if named == deviceID {
			require.NoError(t, err)
			require.Equal(t, int64(1<<40), r.stored().LastStep)
		} else {
			requireCode(t, devicetotp.CodeInvalidCredentials, err)
		}
	}
}

// A code of the device itself rotates it, and is spent.
func TestRotate_OnItsOwnCode(t *testing.T) {
	r := newRotating(t)
	request := devicetotp.RotateRequest{RotationID: rotationID(0), OTP: r.Phone(r.device).Code()}
	first, err := r.rotate(t, request)
	require.NoError(t, err)
	_, err = verify(t, r.World, "", request.OTP)
	requireCode(t, devicetotp.CodeInvalidCredentials, err)
	again, err := r.rotate(t, request)
	require.NoError(t, err)
	require.True(t, again.Replayed)
	require.Equal(t, first.Base32(), again.Base32())
}

// A code of the new secret confirms the rotation and is good for another one.
func TestRotate_OnACodeOfTheNewSecret(t *testing.T) {
	r := newRotating(t)
	second := r.rotated(t)
	third, err := r.rotate(t, devicetotp.RotateRequest{OTP: r.Phone(second).Code()})
	require.NoError(t, err)
	require.False(t, third.Replaced, "the one before is confirmed, not replaced")
	require.Equal(t, []string{deviceID}, r.lastEvent().RotationsConfirmed)
	_, err = verify(t, r.World, "", r.Phone(r.device).Code())
	requireCode(t, devicetotp.CodeInvalidCredentials, err)
	r.Clock.Advance(30 * time.Second)
	_, err = verify(t, r.World, "", r.Phone(second).Code())
	require.NoError(t, err)
	_, err = verify(t, r.World, "", r.Phone(third).Code())
	require.NoError(t, err)
	require.Equal(t, []string{deviceID}, r.lastEvent().RotationsConfirmed)
}

// Whatever accepts a code of the new secret confirms the rotation.
func TestRotate_IsConfirmedByCreateToo(t *testing.T) {
	r := newRotating(t)
	renewed := r.rotated(t)
	code := r.Phone(renewed).Code()
	r.create(t, devicetotp.CreateRequest{DeviceID: otherID(1), OTP: code})
	require.Equal(t, []string{deviceID}, r.lastEvent().RotationsConfirmed)
	require.Equal(t, otherID(1), r.lastEvent().DeviceID)
	require.Nil(t, r.stored().Rotation)
	_, err := r.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: code})
	requireCode(t, devicetotp.CodeInvalidCredentials, err)
}

// So does Prove, whose Event tells it.
func TestRotate_IsConfirmedByProveToo(t *testing.T) {
	r := newRotating(t)
	renewed := r.rotated(t)
	proof, err := r.Issuer.Prove(t.Context(), devicetotp.ProveRequest{AccountID: "acct", OTP: r.Phone(renewed).Code()})
	require.NoError(t, err)
	require.Equal(t, []any{deviceID, verifier.KindDeviceTOTP}, []any{proof.DeviceID, proof.Kind})
	require.Equal(t, []string{deviceID}, r.lastEvent().RotationsConfirmed)
	_, err = verify(t, r.World, "", r.Phone(r.device).Code())
	requireCode(t, devicetotp.CodeInvalidCredentials, err)
}

// A recovery code rotates a device once, and a retry is recognized however it is
// typed.
func TestRotate_OnARecoveryCode(t *testing.T) {
	r := newRotating(t, withRecovery)
	codes := r.account.RecoveryCodes(3)
	first, err := r.rotate(t, devicetotp.RotateRequest{RotationID: rotationID(0), OTP: codes[0]})
	require.NoError(t, err)
	require.Equal(t, 2, r.account.Stored().State.Recovery.Left)
	again, err := r.rotate(t, devicetotp.RotateRequest{RotationID: rotationID(0), OTP: secret(strings.ToLower(codes[0].Reveal()) + " ")})
	require.NoError(t, err)
	require.True(t, again.Replayed)
	require.Equal(t, first.Base32(), again.Base32())
	require.Equal(t, verifier.KindRecovery, r.lastEvent().Factors[0].Kind)
	require.Equal(t, 2, r.account.Stored().State.Recovery.Left)
	second, err := r.rotate(t, devicetotp.RotateRequest{OTP: codes[1]})
	require.NoError(t, err)
	require.True(t, second.Replaced)
	_, err = r.rotate(t, devicetotp.RotateRequest{RotationID: rotationID(0), OTP: codes[0]})
	requireCode(t, devicetotp.CodeIDInUse, err)
	require.Equal(t, 1, r.account.Stored().State.Recovery.Left)
}

// Revoke takes both secrets of a device, and Reseal seals both again.
func TestRotate_BesideRevokeAndReseal(t *testing.T) {
	r := newRotating(t)
	renewed := r.rotated(t)
	ring, err := credential.NewKeyring("newer", worldKey(), credential.NewKey("newer"))
	require.NoError(t, err)
	r.Issuer = issuerUnder(t, r.World, ring)
	resealed, err := r.Issuer.Reseal(t.Context(), "acct")
	require.NoError(t, err)
	require.Equal(t, []int{1, 1}, []int{resealed.Devices, resealed.Rotations})
	_, err = r.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: []string{deviceID}})
	require.NoError(t, err)
	for _, d := range []devicetotp.DeviceTOTP{r.device, renewed} {
		_, err = verify(t, r.World, "", r.Phone(d).Code())
		requireCode(t, devicetotp.CodeInvalidCredentials, err)
	}
	_, err = r.rotate(t, devicetotp.RotateRequest{PIN: secret("8299")})
	requireCode(t, devicetotp.CodeNotFound, err)
}

// One secret may be in two devices, and be the new one of a rotation: its steps are
// spent everywhere.
func TestRotate_SpendsStepsOfADuplicateSecret(t *testing.T) {
	r := newRotating(t)
	twin := r.create(t, devicetotp.CreateRequest{DeviceID: otherID(1), PIN: secret("8299")})
	r.Secrets.Next(twin.Secret, nil)
	renewed := r.rotated(t)
	require.Equal(t, twin.Base32(), renewed.Base32())
	code := r.Phone(twin).Code()
	_, err := verify(t, r.World, twin.ID, code)
	require.NoError(t, err)
	require.Empty(t, r.lastEvent().RotationsConfirmed, "the device was not asked about")
	_, err = verify(t, r.World, deviceID, code)
	requireCode(t, devicetotp.CodeInvalidCredentials, err)
	r.Clock.Advance(30 * time.Second)
	_, err = verify(t, r.World, deviceID, r.Phone(renewed).Code())
	require.NoError(t, err)
	require.Equal(t, []string{deviceID}, r.lastEvent().RotationsConfirmed)
	_, err = verify(t, r.World, twin.ID, r.Phone(renewed).Code())
	requireCode(t, devicetotp.CodeInvalidCredentials, err)
}

// A code that both secrets generate is spent for both and confirms nothing: the
// user may not have the new secret yet.
func TestRotate_IsNotConfirmedByACodeOfBothSecrets(t *testing.T) {
	r := newRotating(t)
	r.Secrets.Next(r.device.Secret, nil)
	r.rotated(t)
	code := r.Phone(r.device).Code()
	_, err := verify(t, r.World, "", code)
	require.NoError(t, err)
	require.Empty(t, r.lastEvent().RotationsConfirmed)
	d := r.stored()
	require.Equal(t, d.LastStep, d.Rotation.LastStep)
	_, err = verify(t, r.World, "", code)
	requireCode(t, devicetotp.CodeInvalidCredentials, err)
}

// Only a rotation on something that does not rest on grace lifts grace, and only
// once it is confirmed.
func TestRotate_AndGrace(t *testing.T) {
	for _, c := range []struct {
		on    string
		rests bool
	}{{"PIN", false}, {"one-time code", false}, {"own code", true}} {
		t.Run(c.on, func(t *testing.T) {
			w := devicetotptest.New(t)
			r := &rotating{World: w, account: w.Account("acct").RegisteredAgo(0).PIN("8299").OTP("526271")}
			r.device = r.create(t, devicetotp.CreateRequest{DeviceID: deviceID})
			r.use(t, r.device)
			renewed, err := r.rotate(t, map[string]devicetotp.RotateRequest{
				"PIN": {PIN: secret("8299")}, "one-time code": {OTP: secret("526271")}, "own code": {OTP: r.Phone(r.device).Code()},
			}[c.on])
			require.NoError(t, err)
			require.Equal(t, c.rests, r.lastEvent().RestsOnGrace)
			require.True(t, r.stored().RestsOnGrace, "not before it is confirmed")
			r.Clock.Advance(30 * time.Second)
			match, err := verify(t, r.World, "", r.Phone(r.device).Code())
			require.NoError(t, err)
			require.True(t, match.RestsOnGrace && r.lastEvent().RestsOnGrace, "a code of the old secret")
			require.True(t, r.shown(t).RestsOnGrace)

			r.create(t, devicetotp.CreateRequest{DeviceID: otherID(1), OTP: r.Phone(renewed).Code()})
			require.Equal(t, c.rests, r.lastEvent().RestsOnGrace, "made on a code of the new secret")
			require.Equal(t, c.rests, r.stored().RestsOnGrace)
			r.Clock.Advance(30 * time.Second)
			match, err = verify(t, r.World, deviceID, r.Phone(renewed).Code())
			require.NoError(t, err)
			require.Equal(t, c.rests, match.RestsOnGrace)
			require.Equal(t, c.rests, r.shown(t).RestsOnGrace)
		})
	}
}

// The code that confirms a rotation is one of the new secret.
func TestRotate_TheFirstCodeOfTheNewSecretRestsOnWhatTheRotationDoes(t *testing.T) {
	w := devicetotptest.New(t)
	r := &rotating{World: w, account: w.Account("acct").RegisteredAgo(0).PIN("8299")}
	r.device = r.create(t, devicetotp.CreateRequest{DeviceID: deviceID})
	r.use(t, r.device)
	renewed, err := r.rotate(t, devicetotp.RotateRequest{PIN: secret("8299")})
	require.NoError(t, err)
	match, err := verify(t, r.World, "", r.Phone(renewed).Code())
	require.NoError(t, err)
	require.Equal(t, []string{deviceID}, r.lastEvent().RotationsConfirmed)
	require.False(t, match.RestsOnGrace || r.lastEvent().RestsOnGrace)
}

// A rotation never makes a proved device rest on grace.
func TestRotate_OfAProvedDevice(t *testing.T) {
	w := devicetotptest.New(t)
	r := &rotating{World: w, account: w.Account("acct").RegisteredAgo(0).PIN("8299")}
	grace := r.create(t, devicetotp.CreateRequest{DeviceID: otherID(1)})
	w.Secrets.Next(grace.Secret, nil) // so that a code of the device that rests on grace is one of this one
	r.device = r.create(t, devicetotp.CreateRequest{DeviceID: deviceID, PIN: secret("8299")})
	r.use(t, r.device)
	renewed, err := r.rotate(t, devicetotp.RotateRequest{OTP: r.Phone(r.device).Code()})
	require.NoError(t, err)
	_, err = verify(t, r.World, deviceID, r.Phone(renewed).Code())
	require.NoError(t, err)
	require.False(t, r.stored().RestsOnGrace)
}

func TestRotate_RefusesBeforeItLooks(t *testing.T) {
	const noID = "none at all"
	r := newRotating(t)
	r.create(t, devicetotp.CreateRequest{DeviceID: otherID(1), PIN: secret("8299")})
	r.World.Account("locked").PIN("8299").Locked(true)
	for name, c := range map[string]struct {
		request devicetotp.RotateRequest
		code    devicetotp.Code
		field   string
	}{
		"no id of the rotation":    {devicetotp.RotateRequest{AccountID: "acct", DeviceID: deviceID, RotationID: noID}, devicetotp.CodeInvalidID, "RotationID"},
		"no UUID of the rotation":  {devicetotp.RotateRequest{AccountID: "acct", DeviceID: deviceID, RotationID: "1"}, devicetotp.CodeInvalidID, "RotationID"},
		"no id":                    {devicetotp.RotateRequest{AccountID: "acct"}, devicetotp.CodeInvalidID, "DeviceID"},
		"no UUID":                  {devicetotp.RotateRequest{AccountID: "acct", DeviceID: "phone"}, devicetotp.CodeInvalidID, "DeviceID"},
		"a device it has not":      {devicetotp.RotateRequest{AccountID: "acct", DeviceID: otherID(9)}, devicetotp.CodeNotFound, "DeviceID"},
		"an account there is not":  {devicetotp.RotateRequest{AccountID: "nobody", DeviceID: deviceID}, devicetotp.CodeNotFound, "DeviceID"},
		"a device never used":      {devicetotp.RotateRequest{AccountID: "acct", DeviceID: otherID(1)}, devicetotp.CodeInvalidArgument, "DeviceID"},
		"a locked account":         {devicetotp.RotateRequest{AccountID: "locked", DeviceID: deviceID}, devicetotp.CodeAccountLocked, ""},
		"no account":               {devicetotp.RotateRequest{DeviceID: deviceID}, devicetotp.CodeInternal, ""},
		"nothing but the device":   {devicetotp.RotateRequest{AccountID: "acct", DeviceID: deviceID}, devicetotp.CodeCredentialsRequired, ""},
		"an id in upper case only": {devicetotp.RotateRequest{AccountID: "acct", DeviceID: "738E379F-FE30-45AB-819C-BA88804B6369"}, devicetotp.CodeNotFound, "DeviceID"},
	} {
		t.Run(name, func(t *testing.T) {
			before := r.account.Stored()
			if c.code != devicetotp.CodeCredentialsRequired {
				c.request.PIN = secret("8299")
			}
			if c.request.RotationID = cmp.Or(c.request.RotationID, rotationID(0)); c.request.RotationID == noID {
				c.request.RotationID = ""
			}
			hashed := len(r.Events())
			_, err := r.Issuer.Rotate(t.Context(), c.request)
			require.Equal(t, c.field, requireCode(t, c.code, err).Field)
			require.Equal(t, before, r.account.Stored())
			require.Empty(t, r.Events()[hashed].Factors)
		})
	}
	_, err := r.rotate(t, devicetotp.RotateRequest{DeviceID: "738E379F-FE30-45AB-819C-BA88804B6368", PIN: secret("8299")})
	require.NoError(t, err, "any case of the id")
}

// A source that fails is asked before a value is looked at.
func TestRotate_WithASourceThatFails(t *testing.T) {
	r := newRotating(t)
	for _, pin := range []string{"8299", "0000"} {
		before := r.account.Stored()
		r.Secrets.Next(credential.Secret{}, errHost)
		_, err := r.rotate(t, devicetotp.RotateRequest{PIN: secret(pin)})
		requireCode(t, devicetotp.CodeInternal, err)
		require.Equal(t, before, r.account.Stored())
	}
}

// What does not open takes down itself only.
func TestRotate_BesideWhatDoesNotOpen(t *testing.T) {
	for _, broken := range []string{"old", "new"} {
		t.Run(broken, func(t *testing.T) {
			r := newRotating(t)
			renewed := r.rotated(t)
			changeState(t, r.World, func(s *credential.State) {
				if broken == "old" {
					s.Devices[0].Sealed = []byte("junk")
				} else {
					s.Devices[0].Rotation.Sealed = []byte("junk")
				}
			})
			r.Clock.Advance(10 * time.Minute)
			_, err := verify(t, r.World, "", wrong6(r.Phone(r.device), r.Phone(renewed)))
			requireCode(t, devicetotp.CodeInvalidCredentials, err)
			require.Len(t, r.lastEvent().Unreadable, 1)
			require.Equal(t, 1, r.stored().Attempts.Failures, "it was compared with the other one")
			_, err = verify(t, r.World, "", r.Phone(map[string]devicetotp.DeviceTOTP{"old": renewed, "new": r.device}[broken]).Code())
			require.NoError(t, err)
			third := r.rotated(t)
			r.Clock.Advance(time.Minute)
			_, err = verify(t, r.World, "", r.Phone(third).Code())
			require.NoError(t, err, "a rotation mends the device")
		})
	}
}

// A wrong key under the primary's name seals nothing: Create, Import and Rotate say
// so, what opens still works and is not sealed with it, and taking the foreign
// device away lifts it.
func TestAWrongKeyUnderThePrimarysName(t *testing.T) {
	for _, where := range []string{"device", "rotation"} {
		t.Run(where, func(t *testing.T) {
			r := newRotating(t)
			theirs := r.create(t, devicetotp.CreateRequest{DeviceID: otherID(1), PIN: secret("8299")})
			r.use(t, theirs)
			wrong, err := credential.NewKeyring("new", worldKey(), credential.NewKey("new"))
			require.NoError(t, err)
			right, err := credential.NewKeyring("new", worldKey(), credential.NewKey("new"))
			require.NoError(t, err)
			r.Keys = right
			changeState(t, r.World, func(s *credential.State) {
				d := &s.Devices[1]
				if where == "rotation" {
					d.Rotation = &credential.Rotation{Algorithm: d.Algorithm, Digits: 6, Period: d.Period, StartedAt: d.CreatedAt, Until: r.Clock.Now().Add(time.Hour)}
					d.Rotation.Sealed, err = wrong.Seal(credential.RotationScope("acct", d, d.Rotation), theirs.Secret)
				} else {
					d.Sealed, err = wrong.Seal(credential.DeviceScope("acct", d), theirs.Secret)
				}
				require.NoError(t, err)
			})
			r.Issuer, err = devicetotp.NewIssuer(r.Store, right, devicetotp.Config{Clock: r.Clock, PIN: verifier.PIN(right, r.Hasher)})
			require.NoError(t, err)
			before := r.account.Stored()
			_, createErr := r.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(2), PIN: secret("8299")})
			_, rotateErr := r.rotate(t, devicetotp.RotateRequest{PIN: secret("8299")})
			_, importErr := r.Issuer.Import(t.Context(), importRequest())
			for _, err := range []error{createErr, rotateErr, importErr} {
				requireCode(t, devicetotp.CodeInternal, err)
				require.ErrorIs(t, err, credential.ErrMissingKey)
				require.ErrorContains(t, err, `a different key of the id "new"`)
				require.ErrorContains(t, err, otherID(1))
			}
			require.Equal(t, before, r.account.Stored(), "nothing is counted, spent or granted")

			_, err = verify(t, r.World, "", r.Phone(r.device).Code())
			require.NoError(t, err)
			require.Equal(t, before.State.Devices[0].Sealed, r.stored().Sealed, "nothing healthy is sealed with a key that others do not have")

			gone, err := r.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: []string{otherID(1)}})
			require.NoError(t, err)
			require.Equal(t, []string{otherID(1)}, gone.DeviceIDs)
			_, err = r.rotate(t, devicetotp.RotateRequest{PIN: secret("8299")})
			require.NoError(t, err)
			_, err = r.Issuer.Import(t.Context(), importRequest())
			require.NoError(t, err)
		})
	}
}

// A code of a new secret under an old key is accepted where the primary is wrong,
// but the secret is not sealed with it: the rotation stays pending until the keys
// agree.
func TestRotate_IsNotConfirmedWithAWrongKey(t *testing.T) {
	r := newRotating(t)
	renewed := r.rotated(t)
	wrong, err := credential.NewKeyring("new", worldKey(), credential.NewKey("new"))
	require.NoError(t, err)
	right, err := credential.NewKeyring("new", worldKey(), credential.NewKey("new"))
	require.NoError(t, err)
	changeState(t, r.World, func(s *credential.State) {
		d := s.Devices[0]
		d.ID, d.Rotation = otherID(1), nil
		d.Sealed, err = wrong.Seal(credential.DeviceScope("acct", &d), secret("12345678901234567890"))
		s.Devices = append(s.Devices, d)
	})
	require.NoError(t, err)
	code := r.Phone(renewed).Code()
	r.Issuer, err = devicetotp.NewIssuer(r.Store, right, devicetotp.Config{Clock: r.Clock})
	require.NoError(t, err)
	_, err = verify(t, r.World, deviceID, code)
	require.NoError(t, err)
	require.NotNil(t, r.stored().Rotation)
	_, err = verify(t, r.World, deviceID, code)
	requireCode(t, devicetotp.CodeInvalidCredentials, err)

	changeState(t, r.World, func(s *credential.State) { s.Devices = s.Devices[:1] })
	r.Clock.Advance(30 * time.Second)
	_, err = verify(t, r.World, deviceID, r.Phone(renewed).Code())
	require.NoError(t, err)
	require.Nil(t, r.stored().Rotation)
}

func TestRotationOverlapIsChecked(t *testing.T) {
	for overlap, ok := range map[time.Duration]bool{
		0: false, time.Minute - 1: false, time.Minute: true, 30 * 24 * time.Hour: true, 30*24*time.Hour + 1: false,
	} {
		policy := devicetotp.DefaultPolicy()
		policy.RotationOverlap = overlap
		w := devicetotptest.New(t)
		_, err := devicetotp.NewIssuer(w.Store, w.Keys, devicetotp.Config{Policy: &policy})
		require.Equal(t, ok, err == nil, "%v", overlap)
		if !ok {
			require.Equal(t, "Config.Policy.RotationOverlap", requireCode(t, devicetotp.CodeInvalidArgument, err).Field)
		}
	}
	require.Equal(t, 24*time.Hour, devicetotp.DefaultPolicy().RotationOverlap)
}

// What is stored of a rotation is bound to it: nobody who can write the database
// makes the new secret that of the device, or keeps it pending with other
// parameters.
func TestRotate_IsBoundIntoTheSeal(t *testing.T) {
	for name, spoil := range map[string]func(d *credential.Device){
		"moved to the device": func(d *credential.Device) { d.Sealed, d.Rotation = d.Rotation.Sealed, nil },
		"fewer digits":        func(d *credential.Device) { d.Rotation.Digits = 7 },
		"another period":      func(d *credential.Device) { d.Rotation.Period = time.Minute },
		"another grace":       func(d *credential.Device) { d.Rotation.RestsOnGrace = true },
		"another basis":       func(d *credential.Device) { d.Rotation.Basis = credential.BasisPassword },
		"another time":        func(d *credential.Device) { d.Rotation.StartedAt = d.Rotation.StartedAt.Add(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRotating(t)
			renewed := r.rotated(t)
			changeState(t, r.World, func(s *credential.State) { spoil(&s.Devices[0]) })
			_, err := verify(t, r.World, deviceID, r.Phone(renewed).Code())
			require.Error(t, err)
		})
	}
}

func ExampleIssuer_Rotate() {
	issuer, clock := newExample()
	ctx := context.Background()
	device, _ := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice"})
	use := func(d devicetotp.DeviceTOTP) {
		code, _ := verifier.TOTP{Secret: d.Secret, Algorithm: d.Algorithm, Digits: d.Digits, Period: d.Period}.Code(clock.Now().Unix() / 30)
		_, err := issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: "alice", Code: code})
		fmt.Printf("%q\n", devicetotp.CodeOf(err))
		clock.Advance(30 * time.Second)
	}
	use(device)

	renewed, err := issuer.Rotate(ctx, devicetotp.RotateRequest{
		AccountID: "alice", DeviceID: device.ID, RotationID: "0190c3f2-7b1e-4c8a-9d3e-5f6a7b8c9d0e", PIN: credential.NewSecret("8299"),
	})
	fmt.Println(renewed.ID == device.ID, renewed.Basis, err)
	fmt.Println("confirm by", renewed.ConfirmBy.Format(time.DateTime))
	use(device)  // goes on working
	use(renewed) // confirms the new secret
	use(device)  // is gone
	// Output:
	// ""
	// true pin <nil>
	// confirm by 2026-01-03 03:04:35
	// ""
	// ""
	// "invalid-credentials"
}
