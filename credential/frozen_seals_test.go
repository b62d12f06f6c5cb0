package credential_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

var frozenAt = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

// eachKey returns a shape under the older key and one under the newer one.
func eachKey(all map[string]shape, name string, write func(t *testing.T, keys *credential.Keyring) []byte, read func(t *testing.T, keys *credential.Keyring, stored []byte)) {
	for _, key := range []string{"old", "new"} {
		all[fmt.Sprintf("%s.key-%s", name, key)] = shape{
			func(t *testing.T) []byte { return write(t, frozenKeys(t, key)) },
			func(t *testing.T, stored []byte) { read(t, frozenKeys(t, "both"), stored) },
		}
	}
}

// sealedShapes are sealed values of every scope. What is sealed opens, says which
// key sealed it, and is sealed again with the newer one.
func sealedShapes() map[string]shape {
	all := map[string]shape{}
	add := func(name string, s credential.Scope, plain string) {
		eachKey(all, fmt.Sprintf("seal.%s.%s", s.Purpose, name), func(t *testing.T, keys *credential.Keyring) []byte {
			b, err := keys.Seal(s, credential.NewSecret(plain))
			require.NoError(t, err)
			return b
		}, func(t *testing.T, keys *credential.Keyring, stored []byte) {
			have, outdated, err := keys.Open(s, stored)
			require.NoError(t, err)
			require.True(t, have.Matches(credential.NewSecret(plain)))
			id, ok := credential.KeyID(stored)
			require.True(t, ok)
			require.Equal(t, id == "old", outdated)
			again, err := keys.Seal(s, have)
			require.NoError(t, err)
			have, outdated, err = frozenKeys(t, "new").Open(s, again)
			require.NoError(t, err)
			require.False(t, outdated)
			require.True(t, have.Matches(credential.NewSecret(plain)))
		})
	}
	const deviceID, rotationID, secret = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-9000-000000000001", "a secret of 20 bytes"
	device := func(alg credential.Algorithm, digits int, period time.Duration, basis credential.Basis, grace bool) *credential.Device {
		return &credential.Device{ID: deviceID, Algorithm: alg, Digits: digits, Period: period, Basis: basis, RestsOnGrace: grace, CreatedAt: frozenAt}
	}
	onGrace := device(credential.AlgorithmSHA1, 6, 30*time.Second, credential.BasisGrace, true)
	for name, d := range map[string]*credential.Device{
		"grace.sha1-6-30s":      onGrace,
		"otp.sha256-8-60s":      device(credential.AlgorithmSHA256, 8, time.Minute, credential.BasisOTP, false),
		"otp.rests-on-grace":    device(credential.AlgorithmSHA1, 6, 30*time.Second, credential.BasisOTP, true),
		"password.sha512-6-30s": device(credential.AlgorithmSHA512, 6, 30*time.Second, credential.BasisPassword, false),
		"pin.sha1-8-120s":       device(credential.AlgorithmSHA1, 8, 2*time.Minute, credential.BasisPIN, false),
		"imported.sha1-10-300s": device(credential.AlgorithmSHA1, 10, 5*time.Minute, credential.BasisImported, false),
	} {
		add(name, credential.DeviceScope("a", d), secret)
		rotation := &credential.Rotation{
			ID: rotationID, Algorithm: d.Algorithm, Digits: d.Digits, Period: d.Period, Basis: d.Basis, RestsOnGrace: d.RestsOnGrace,
			StartedAt: d.CreatedAt, Until: d.CreatedAt.Add(time.Hour),
		}
		if d.Basis == credential.BasisOTP || d.Basis == credential.BasisPassword || d.Basis == credential.BasisPIN {
			add("rotation-on-"+name, credential.RotationScope("a", onGrace, rotation), secret)
		}
	}
	add("hash", credential.RevokedScope("a", deviceID), "32 bytes of the hash of a secret")
	add("no-text", credential.RecoveryScope("a"), "")
	add("digests", credential.RecoveryScope("a"), "16 bytes or more")
	add("scope-of-any-text", credential.RevokedScope("\u00e9 \x00", "\u4e16"), "\x00\xff")
	return all
}

// digestShapes are digests of every scope. They match what they were made of, and
// nothing else.
func digestShapes() map[string]shape {
	all := map[string]shape{}
	for name, c := range map[string]struct {
		scope credential.Scope
		value string
	}{
		"code":     {credential.Scope{Purpose: credential.PurposeOneTimeCode, AccountID: "a", Subject: "00c0ffee00c0ffee"}, "12345678"},
		"otp":      {credential.Scope{Purpose: credential.PurposeProof, AccountID: "a", Subject: "00000000-0000-4000-8000-000000000001"}, "123456"},
		"recovery": {credential.Scope{Purpose: credential.PurposeProof, AccountID: "a", Subject: "00000000-0000-4000-8000-000000000001"}, "recovery:abcdefghjkmnpqrs"},
	} {
		eachKey(all, fmt.Sprintf("digest.%s.%s", c.scope.Purpose, name), func(t *testing.T, keys *credential.Keyring) []byte {
			b, err := keys.Digest(c.scope, credential.NewSecret(c.value))
			require.NoError(t, err)
			return b
		}, func(t *testing.T, keys *credential.Keyring, stored []byte) {
			for presented, want := range map[string]bool{c.value: true, c.value + "0": false} {
				same, err := keys.Matches(c.scope, stored, credential.NewSecret(presented))
				require.NoError(t, err)
				require.Equal(t, want, same)
			}
			id, ok := credential.KeyID(stored)
			require.True(t, ok)
			again, err := frozenKeys(t, id).Digest(c.scope, credential.NewSecret(c.value))
			require.NoError(t, err)
			require.Equal(t, stored, again, "a digest is made again byte for byte")
		})
	}
	return all
}

// hashShapes are hashes of passwords and PINs as the library makes them, and as
// bcrypt does; bare, and those of PINs sealed.
func hashShapes() map[string]shape {
	const value = "2580"
	makers := map[string]func(t *testing.T) string{
		"argon2id": func(t *testing.T) string {
			hash, err := verifier.DefaultHasher().HashPIN(t.Context(), credential.NewSecret(value))
			require.NoError(t, err)
			return hash
		},
		"bcrypt": func(t *testing.T) string {
			hash, err := bcrypt.GenerateFromPassword([]byte(value), bcrypt.MinCost)
			require.NoError(t, err)
			return string(hash)
		},
	}
	all := map[string]shape{}
	for name, hash := range makers {
		all["hash."+name] = shape{
			func(t *testing.T) []byte { return []byte(hash(t)) },
			func(t *testing.T, stored []byte) {
				account := credential.Account{ID: "a", PasswordHash: string(stored)}
				requireHashOf(t, value, func(presented credential.Secret) (verifier.Verdict, error) {
					return verifier.Password(nil).Verify(t.Context(), verifier.NewQuery(account, credential.FactorPassword, presented, frozenAt))
				})
			},
		}
		eachKey(all, "seal."+string(credential.PurposePINHash)+"."+name, func(t *testing.T, keys *credential.Keyring) []byte {
			stored, err := keys.SealPINHash("a", hash(t))
			require.NoError(t, err)
			return []byte(stored)
		}, func(t *testing.T, keys *credential.Keyring, stored []byte) {
			again, err := keys.ResealPINHash("a", string(stored))
			require.NoError(t, err)
			require.Equal(t, credential.Fingerprint(string(stored)), credential.Fingerprint(again), "failures stay counted against it")
			for _, at := range []struct {
				stored string
				keys   *credential.Keyring
			}{{string(stored), keys}, {again, frozenKeys(t, "new")}} {
				account := credential.Account{ID: "a", PINHash: at.stored}
				requireHashOf(t, value, func(presented credential.Secret) (verifier.Verdict, error) {
					return verifier.PIN(at.keys, nil).Verify(t.Context(), verifier.NewQuery(account, credential.FactorPIN, presented, frozenAt))
				})
			}
		})
	}
	all["fingerprint"] = shape{
		func(*testing.T) []byte { return []byte(credential.Fingerprint("a hash")) },
		func(t *testing.T, stored []byte) { require.Equal(t, string(stored), credential.Fingerprint("a hash")) },
	}
	return all
}

func requireHashOf(t *testing.T, value string, verify func(credential.Secret) (verifier.Verdict, error)) {
	t.Helper()
	for presented, want := range map[string]verifier.Status{value: verifier.StatusValid, "0000": verifier.StatusWrong} {
		verdict, err := verify(credential.NewSecret(presented))
		require.NoError(t, err)
		require.Equal(t, want, verdict.Status)
	}
}
