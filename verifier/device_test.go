package verifier_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// newTOTP is the TOTP of a rotation: nothing of it is that of rfcTOTP.
func newTOTP(digits int) verifier.TOTP {
	return verifier.TOTP{
		Secret: secret("abcdefghijklmnopqrstuvwxyz012345"), Algorithm: credential.AlgorithmSHA256, Digits: digits, Period: 60 * time.Second,
	}
}

// rotating returns d with a pending rotation to p that ends at until.
func rotating(t testing.TB, keys *credential.Keyring, d credential.Device, p verifier.TOTP, until time.Time) credential.Device {
	t.Helper()
	r := &credential.Rotation{
		Algorithm: p.Algorithm, Digits: p.Digits, Period: p.Period,
		Basis: credential.BasisPIN, StartedAt: until.Add(-time.Hour), Until: until,
	}
	var err error
	r.Sealed, err = keys.Seal(credential.RotationScope(account, &d, r), p.Secret)
	require.NoError(t, err)
	d.Rotation = r
	return d
}

// Both secrets of a rotating device are compared, each with its own parameters and
// its own last step, until the rotation is over.
func TestCompareDevices_WithBothSecretsOfARotation(t *testing.T) {
	keys := ring(t, "k1", "k1")
	old, renewed := rfcTOTP(), newTOTP(6)
	for _, c := range []struct {
		name                      string
		presented                 credential.Secret
		oldSpent, newSpent        bool
		until                     time.Time
		compared                  int
		oldRight, newRight, match bool
	}{
		{"the old one", codeOf(t, old, old.Step(noon)), false, false, noon.Add(1), 2, true, false, true},
		{"the new one", codeOf(t, renewed, renewed.Step(noon)), false, false, noon.Add(1), 2, false, true, true},
		{"neither", secret("000000"), false, false, noon.Add(1), 2, false, false, false},
		{"the old one is spent", codeOf(t, old, old.Step(noon)), true, false, noon.Add(1), 2, false, false, false},
		{"the new one is spent", codeOf(t, renewed, renewed.Step(noon)), false, true, noon.Add(1), 2, false, false, false},
		{"the new one while the old one is spent", codeOf(t, renewed, renewed.Step(noon)), true, false, noon.Add(1), 2, false, true, true},
		{"the old one while the new one is spent", codeOf(t, old, old.Step(noon)), false, true, noon.Add(1), 2, true, false, true},
		{"the new one when it is over", codeOf(t, renewed, renewed.Step(noon)), false, false, noon, 1, false, false, false},
		{"the old one when it is over", codeOf(t, old, old.Step(noon)), false, false, noon, 1, true, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := rotating(t, keys, issue(t, keys, deviceID, old), renewed, c.until)
			if c.oldSpent {
				d.LastStep = old.Step(noon) + 1
			}
			if c.newSpent {
				d.Rotation.LastStep = renewed.Step(noon) + 1
			}
			got := verifier.CompareDevices(keys, account, []credential.Device{d}, c.presented, noon)
			require.Len(t, got, c.compared)
			require.Equal(t, c.oldRight, got[0].Right)
			require.False(t, got[0].Match.Rotated)
			if c.compared == 2 {
				require.Equal(t, c.newRight, got[1].Right)
				require.Equal(t, c.newRight, got[1].Match.Rotated)
			}
			m, ok, err := verifier.MatchDevice(keys, account, &d, c.presented, noon)
			require.NoError(t, err)
			require.Equal(t, c.match, ok)
			require.Equal(t, c.newRight, m.Rotated)
			if c.newRight {
				require.Equal(t, renewed.Step(noon), m.Step, "a step of the new period")
			}
		})
	}
}

// Old and new codes may differ in length: each is compared with the secret that
// generates its length and with no other.
func TestCompareDevices_WithTwoLengths(t *testing.T) {
	keys := ring(t, "k1", "k1")
	old, renewed := rfcTOTP(), newTOTP(8)
	d := rotating(t, keys, issue(t, keys, deviceID, old), renewed, noon.Add(time.Hour))
	for digits, want := range map[int]int{6: 1, 7: 0, 8: 1} {
		require.Len(t, verifier.CompareDevices(keys, account, []credential.Device{d}, secret(fmt.Sprintf("%0*d", digits, 0)), noon), want)
	}
	got := verifier.CompareDevices(keys, account, []credential.Device{d}, codeOf(t, renewed, renewed.Step(noon)), noon)
	require.True(t, got[0].Right && got[0].Match.Rotated)
}

// A secret that does not open leaves the other one usable.
func TestCompareDevices_WithOneOfTwoSecretsThatOpens(t *testing.T) {
	keys, others := ring(t, "k1", "k1"), ring(t, "k2", "k2")
	old, renewed := rfcTOTP(), newTOTP(6)
	for _, c := range []struct {
		oldKeys, newKeys *credential.Keyring
		good             verifier.TOTP
		broken           int
		text             string
	}{
		{keys, others, old, 1, "device " + deviceID + ", the new secret of its rotation: "},
		{others, keys, renewed, 0, "device " + deviceID + ": "},
	} {
		d := rotating(t, c.newKeys, issue(t, c.oldKeys, deviceID, old), renewed, noon.Add(time.Hour))
		code := codeOf(t, c.good, c.good.Step(noon))
		got := verifier.CompareDevices(keys, account, []credential.Device{d}, code, noon)
		require.Len(t, got, 2)
		require.ErrorIs(t, got[c.broken].Err, credential.ErrMissingKey)
		require.ErrorContains(t, got[c.broken].Err, c.text)
		require.True(t, got[1-c.broken].Right)
		m, ok, err := verifier.MatchDevice(keys, account, &d, code, noon)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, c.broken == 0, m.Rotated)
		_, ok, err = verifier.MatchDevice(keys, account, &d, secret("000000"), noon)
		require.ErrorIs(t, err, credential.ErrMissingKey)
		require.False(t, ok)
	}
}

// A rotation's step has a proof of its own: it is spent apart from the old one of
// the same number.
func TestOTP_NamesTheSecretOfARotatingDevice(t *testing.T) {
	keys := ring(t, "k1", "k1")
	old, renewed := rfcTOTP(), newTOTP(6)
	renewed.Period = old.Period
	a := credential.Account{ID: account}
	a.State.Devices = []credential.Device{rotating(t, keys, issue(t, keys, deviceID, old), renewed, noon.Add(time.Hour))}
	v := verifier.OTP(keys, verifier.KindDeviceTOTP)
	first := verify(t, v, a, codeOf(t, old, old.Step(noon)).Reveal(), noon)
	second := verify(t, v, a, codeOf(t, renewed, renewed.Step(noon)).Reveal(), noon)
	require.Equal(t, verifier.StatusValid, first.Status)
	require.Equal(t, verifier.StatusValid, second.Status)
	require.Equal(t, []bool{false, true}, []bool{first.Rotated, second.Rotated})
	require.Equal(t, first.Step, second.Step)
	require.NotEqual(t, first.ProofID, second.ProofID)
}
