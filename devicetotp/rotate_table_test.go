package devicetotp_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// The truth table of Rotate: what was rotated before, against everything that can
// be presented.

// rotateCase is a row. OTP, password and PIN are "" for absent, "right", "wrong" or
// "empty"; the OTP may also be "first", a right one that was spent: on the rotation
// before, if that was made on an OTP, and on another device if not.
type rotateCase struct {
	pending            credential.Basis // of the rotation before; 0 for none
	age                string           // of that rotation: "recent", "old" or "over"
	id                 string           // "new", "same" as the rotation before, or "past": of one that was confirmed before it
	otp, password, pin string
}

// rotateOutcome is what a row comes to.
type rotateOutcome struct {
	code               devicetotp.Code
	replayed, replaced bool
	failures           [3]int // new ones of OTP, password and PIN
}

// expected says the rules of Rotate in other words than the code: which ids are
// taken, then the values in order, and which of them are looked at.
func (c rotateCase) expected() rotateOutcome {
	values := []string{c.otp, c.password, c.pin}
	absent := values[0]+values[1]+values[2] == ""
	position := map[credential.Basis]int{credential.BasisOTP: 0, credential.BasisPassword: 1, credential.BasisPIN: 2}[c.pending]
	right, spent := "right", "first"
	if c.id == "same" && position == 0 {
		right, spent = spent, right // the first OTP is meant, and no other
	}
	switch {
	case c.id == "past", c.id == "same" && c.age != "recent":
		return rotateOutcome{code: "id-in-use"}
	case absent:
		return rotateOutcome{code: "credentials-required"}
	case c.id == "same" && values[position] == "":
		return rotateOutcome{code: "id-in-use"}
	case c.id == "same":
		values = slices.Replace(make([]string, 3), position, position+1, values[position]) // only what it was made on
	}
	out := rotateOutcome{code: "invalid-credentials"}
	for i, value := range values {
		switch value {
		case "":
		case right:
			out.code, out.replayed = "", c.id == "same"
			out.replaced = c.id == "new" && c.pending != 0 && c.age != "over"
			return out
		case "wrong", "empty", spent:
			out.failures[i]++
		}
	}
	return out
}

func rotateCases() (all []rotateCase) {
	words := []string{"", "right", "wrong", "empty"}
	for _, otp := range append(words, "first") {
		for _, password := range words {
			for _, pin := range words {
				for _, id := range []string{"new", "past"} {
					all = append(all, rotateCase{id: id, otp: otp, password: password, pin: pin})
				}
				for _, pending := range []credential.Basis{credential.BasisOTP, credential.BasisPassword, credential.BasisPIN} {
					for _, age := range []string{"recent", "old", "over"} {
						for _, id := range []string{"new", "same", "past"} {
							all = append(all, rotateCase{pending, age, id, otp, password, pin})
						}
					}
				}
			}
		}
	}
	return all
}

func TestRotate_TruthTable(t *testing.T) {
	all := rotateCases()
	require.Len(t, all, 5*4*4*(2+3*3*3))
	for _, c := range all {
		t.Run(fmt.Sprintf("%v %s %s %q %q %q", c.pending, c.age, c.id, c.otp, c.password, c.pin), func(t *testing.T) { c.check(t) })
	}
}

func (c rotateCase) check(t *testing.T) {
	r, first := c.world(t)
	before := r.account.Stored().State
	id := rotationID(map[string]int{"past": 1, "same": 2, "new": 3}[c.id])
	got, err := r.rotate(t, devicetotp.RotateRequest{RotationID: id, OTP: c.value(c.otp, "22222222"), Password: c.value(c.password, "password"), PIN: c.value(c.pin, "8299")})
	want, after := c.expected(), r.account.Stored().State
	outcome := rotateOutcome{devicetotp.CodeOf(err), got.Replayed, got.Replaced, [3]int{
		after.OTP.Failures - before.OTP.Failures, after.Password.Failures - before.Password.Failures, after.PIN.Failures - before.PIN.Failures,
	}}
	require.Equal(t, want, outcome)
	event := r.lastEvent()
	require.Equal(t, []any{want.code, want.replayed, want.replaced}, []any{event.Code, event.Replayed, event.Replaced})

	old, now := before.Devices[before.DeviceIndex(deviceID)], after.Devices[after.DeviceIndex(deviceID)]
	require.Equal(t, old.Sealed, now.Sealed, "the old secret stays")
	switch {
	case want.replayed:
		require.Equal(t, first.Base32(), got.Base32())
		require.Equal(t, old.Rotation, now.Rotation)
	case want.code == "":
		require.NotEqual(t, first.Base32(), got.Base32())
		require.NotEqual(t, old.Rotation, now.Rotation)
		require.Equal(t, got.Basis, now.Rotation.Basis)
	default:
		require.Equal(t, old.Rotation, now.Rotation)
	}
}

// world is the account of the row, and the new secret of the rotation before.
func (c rotateCase) world(t *testing.T) (*rotating, devicetotp.DeviceTOTP) {
	t.Helper()
	r := newRotating(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.RotationOverlap = time.Hour }))
	past, err := r.rotate(t, devicetotp.RotateRequest{RotationID: rotationID(1), PIN: secret("8299")})
	require.NoError(t, err)
	r.use(t, past)
	r.account.OTP("11111111")
	var first devicetotp.DeviceTOTP
	if c.pending != credential.BasisOTP {
		r.create(t, devicetotp.CreateRequest{DeviceID: otherID(1), OTP: secret("11111111")})
	}
	switch c.pending {
	case credential.BasisOTP:
		first, err = r.rotate(t, devicetotp.RotateRequest{RotationID: rotationID(2), OTP: secret("11111111")})
	case credential.BasisPassword:
		first, err = r.rotate(t, devicetotp.RotateRequest{RotationID: rotationID(2), Password: secret("password")})
	case credential.BasisPIN:
		first, err = r.rotate(t, devicetotp.RotateRequest{RotationID: rotationID(2), PIN: secret("8299")})
	}
	require.NoError(t, err)
	r.Clock.Advance(map[string]time.Duration{"recent": 5 * time.Minute, "old": 5*time.Minute + 1, "over": time.Hour}[c.age])
	r.account.OTP("22222222")
	return r, first
}

func (c rotateCase) value(word, right string) credential.Secret {
	switch word {
	case "":
		return credential.Secret{}
	case "right":
		return secret(right)
	case "wrong":
		return secret(wrongCode)
	case "empty":
		return secret("")
	default:
		return secret("11111111")
	}
}

// What is gone is given to no retry, however recent.
func TestRotate_RetriesAreNotGivenWhatIsGone(t *testing.T) {
	r := newRotating(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.RotationOverlap = time.Minute }))
	request := devicetotp.RotateRequest{RotationID: rotationID(0), PIN: secret("8299")}
	first, err := r.rotate(t, request)
	require.NoError(t, err)
	r.Clock.Advance(time.Minute - 1)
	again, err := r.rotate(t, request)
	require.NoError(t, err)
	require.True(t, again.Replayed)
	r.Clock.Advance(1)
	_, err = r.rotate(t, request)
	requireCode(t, devicetotp.CodeIDInUse, err)
	second := r.rotated(t)
	require.Equal(t, []bool{false, false}, []bool{second.Replayed, second.Replaced})
	require.NotEqual(t, first.Base32(), second.Base32())
	_, err = verify(t, r.World, "", r.Phone(second).Code())
	require.NoError(t, err)
}

// While the OTP is blocked, no digest is compared.
func TestRotate_RetriesAreNoWayRoundABlock(t *testing.T) {
	r := newRotating(t)
	r.account.OTP("11111111")
	_, err := r.rotate(t, devicetotp.RotateRequest{RotationID: rotationID(0), OTP: secret("11111111")})
	require.NoError(t, err)
	for range 5 {
		_, err = r.rotate(t, devicetotp.RotateRequest{RotationID: rotationID(0), OTP: secret(wrongCode)})
		requireCode(t, devicetotp.CodeInvalidCredentials, err)
	}
	before := r.account.Stored()
	for _, otp := range []string{"11111111", wrongCode} {
		_, err = r.rotate(t, devicetotp.RotateRequest{RotationID: rotationID(0), OTP: secret(otp)})
		require.Equal(t, 30*time.Second, requireCode(t, devicetotp.CodeTooManyAttempts, err).RetryAfter)
	}
	require.Equal(t, before, r.account.Stored())
}

// A guess at the OTP that a rotation was made on counts for the account and for the
// device, also if it would be good for another rotation: nothing else is looked at.
func TestRotate_CountsAGuessAtItsOTP(t *testing.T) {
	r := newRotating(t)
	r.account.OTP("11111111")
	_, err := r.rotate(t, devicetotp.RotateRequest{RotationID: rotationID(0), OTP: secret("11111111")})
	require.NoError(t, err)
	r.account.OTP("22222222")
	for failures, otp := range []string{wrongCode, "22222222"} {
		before := r.stored().Rotation
		_, err = r.rotate(t, devicetotp.RotateRequest{RotationID: rotationID(0), OTP: secret(otp)})
		require.Equal(t, "OTP", requireCode(t, devicetotp.CodeInvalidCredentials, err).Field)
		require.Equal(t, []int{failures + 1, failures + 1, 0}, []int{r.account.Stored().State.OTP.Failures, r.stored().Named.Failures, r.stored().Attempts.Failures})
		require.Equal(t, before, r.stored().Rotation)
	}
	_, err = r.rotate(t, devicetotp.RotateRequest{OTP: secret("22222222")})
	require.NoError(t, err, "it was not spent")
}

// A digest that does not open matches nothing: the retry is an internal error, and
// another rotation can be made.
func TestRotate_ARetryWhoseDigestDoesNotOpen(t *testing.T) {
	r := newRotating(t)
	r.account.OTP("11111111")
	request := devicetotp.RotateRequest{RotationID: rotationID(0), OTP: secret("11111111")}
	_, err := r.rotate(t, request)
	require.NoError(t, err)
	changeState(t, r.World, func(s *credential.State) { s.Devices[0].Rotation.ProofDigest = []byte("junk") })
	before := r.account.Stored()
	_, err = r.rotate(t, request)
	requireCode(t, devicetotp.CodeInternal, err)
	require.ErrorIs(t, err, credential.ErrTampered)
	require.Equal(t, before, r.account.Stored(), "nothing is counted")
	require.Equal(t, deviceID, r.lastEvent().Unreadable[0].DeviceID)
	require.True(t, r.rotated(t).Replaced)

	changeState(t, r.World, func(s *credential.State) {
		s.Devices[0].Rotation.Basis, s.Devices[0].Rotation.ProofDigest = credential.BasisOTP, nil // as a move to another account leaves it
	})
	_, err = r.rotate(t, devicetotp.RotateRequest{RotationID: r.stored().Rotation.ID, OTP: secret("11111111")})
	requireCode(t, devicetotp.CodeIDInUse, err)
}

// A retry is given the secret that was sealed, not one that somebody put there.
func TestRotate_ARetryOfWhatDoesNotOpen(t *testing.T) {
	for _, spoil := range []func(*credential.Rotation){
		func(r *credential.Rotation) { r.Sealed[len(r.Sealed)-1] ^= 1 },
		func(r *credential.Rotation) { r.StartedAt = r.StartedAt.Add(time.Second) },
	} {
		r := newRotating(t)
		r.rotated(t)
		id := r.stored().Rotation.ID
		changeState(t, r.World, func(s *credential.State) { spoil(s.Devices[0].Rotation) })
		_, err := r.rotate(t, devicetotp.RotateRequest{RotationID: id, PIN: secret("8299")})
		require.ErrorIs(t, err, credential.ErrTampered)
		requireCode(t, devicetotp.CodeInternal, err)
		require.True(t, r.rotated(t).Replaced, "another one can be made")
	}
}

// An OTP is not looked at where its proof could not be remembered; another factor
// rotates all the same.
func TestRotate_WhereNoProofMayBeForgotten(t *testing.T) {
	r := newRotating(t)
	changeState(t, r.World, func(s *credential.State) {
		for i := range credential.MaxSpent {
			s.Spent = append(s.Spent, credential.SpentProof{ProofID: fmt.Sprint("host:", i), Until: r.Clock.Now().Add(time.Hour)})
		}
	})
	r.account.OTP("11111111")
	before := r.account.Stored()
	_, err := r.rotate(t, devicetotp.RotateRequest{OTP: secret("11111111")})
	requireCode(t, devicetotp.CodeTooManyAttempts, err)
	require.Equal(t, before, r.account.Stored())
	_, err = r.rotate(t, devicetotp.RotateRequest{OTP: secret("11111111"), PIN: secret("8299")})
	require.NoError(t, err)
}

// Requests at once on one OTP begin one rotation: every success is the same secret.
func TestRotate_AtOnceOnOneProof(t *testing.T) {
	for _, processes := range []int{1, 4} {
		for range 20 {
			r := newRotating(t)
			r.account.OTP("11111111")
			all := issuers(t, r.World, processes)
			secrets := make([]string, 16)
			codes := together(16, func(i int) error {
				d, err := all[i%processes].Rotate(t.Context(), devicetotp.RotateRequest{AccountID: "acct", DeviceID: deviceID, RotationID: rotationID(0), OTP: secret("11111111")})
				if err == nil {
					secrets[i] = d.Base32()
				}
				return err
			})
			require.GreaterOrEqual(t, codes[""], 1, "%v", codes)
			require.Equal(t, 16, codes[""]+codes[devicetotp.CodeUnavailable], "%v", codes)
			made := map[string]bool{}
			for _, s := range secrets {
				if s != "" {
					made[s] = true
				}
			}
			require.Len(t, made, 1)
			require.Len(t, r.account.Stored().State.Spent, 1)
		}
	}
}

// A code of the new secret and codes of the old one, at once: the new one is
// accepted once, an old one not after it.
func TestRotate_ConfirmedAtOnceWithACodeOfTheOldSecret(t *testing.T) {
	for _, processes := range []int{1, 4} {
		for range 20 {
			r := newRotating(t)
			renewed := r.rotated(t)
			old, code := r.Phone(r.device).Code(), r.Phone(renewed).Code()
			all := issuers(t, r.World, processes)
			accepted := make([]bool, 8) // so few that the wrong ones do not block the device
			together(len(accepted), func(i int) error {
				q := devicetotp.VerifyRequest{AccountID: "acct", DeviceID: deviceID, Code: old}
				if i%2 == 0 {
					q.Code = code
				}
				_, err := all[i%processes].Verify(t.Context(), q)
				accepted[i] = err == nil
				return err
			})
			ofNew, ofOld := 0, 0
			for i, ok := range accepted {
				if ok && i%2 == 0 {
					ofNew++
				} else if ok {
					ofOld++
				}
			}
			require.Equal(t, 1, ofNew)
			require.LessOrEqual(t, ofOld, 1)
			require.Nil(t, r.stored().Rotation)
			_, err := verify(t, r.World, "", old)
			require.Error(t, err)
		}
	}
}

// A rotation that is under way when the device is used, rotated or gone: decided
// again on what there is then.
func TestRotate_DecidesAgain(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(t *testing.T, r *rotating)
		code      devicetotp.Code
	}{
		"another rotation": {func(t *testing.T, r *rotating) {
			_, err := r.rotate(t, devicetotp.RotateRequest{Password: secret("password")})
			require.NoError(t, err)
		}, ""},
		"the device is gone": {func(t *testing.T, r *rotating) {
			changeState(t, r.World, func(s *credential.State) { s.Devices = nil })
			foreignSave(r.World)
		}, devicetotp.CodeNotFound},
		"the account is locked": {func(_ *testing.T, r *rotating) { lock(r.World) }, devicetotp.CodeAccountLocked},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRotating(t)
			once := true
			other := issuerOn(t, r.World, r.Store, func(cfg *devicetotp.Config) {
				cfg.PIN = hooked(verifier.PIN(r.Keys, r.Hasher), func() {
					if once {
						once = false
						c.meanwhile(t, r)
					}
				})
			})
			d, err := other.Rotate(t.Context(), devicetotp.RotateRequest{AccountID: "acct", DeviceID: deviceID, RotationID: rotationID(0), PIN: secret("8299")})
			require.Equal(t, c.code, devicetotp.CodeOf(err))
			if err == nil {
				require.True(t, d.Replaced)
				_, err = verify(t, r.World, "", r.Phone(d).Code())
				require.NoError(t, err)
			}
		})
	}
}
