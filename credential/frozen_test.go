package credential_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// writeFrozen adds the shapes that the file has not. What stands in it was stored
// by somebody: it is never written again, so that this flag cannot hide a change.
var writeFrozen = flag.Bool("write-frozen", false, "add new shapes to testdata/frozen.json")

const frozenFile = "testdata/frozen.json"

// The keys that made the frozen values: the text of a key file is a format, too.
// The bytes are 32 times the letter o and 32 times the letter n.
const (
	frozenOldKey = "old:b29vb29vb29vb29vb29vb29vb29vb29vb29vb29vb28="
	frozenNewKey = "new:bm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm4="
)

var frozenAt = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

// A shape is something that is stored, made under a key, and what shows that it
// is still understood.
type shape struct {
	write func(t *testing.T, keys *credential.Keyring) []byte
	read  func(t *testing.T, keys *credential.Keyring, stored []byte)
}

func sealed(s credential.Scope, plain string) shape {
	return shape{
		func(t *testing.T, keys *credential.Keyring) []byte {
			b, err := keys.Seal(s, credential.NewSecret(plain))
			require.NoError(t, err)
			return b
		},
		func(t *testing.T, keys *credential.Keyring, stored []byte) {
			have, _, err := keys.Open(s, stored)
			require.NoError(t, err)
			require.True(t, have.Matches(credential.NewSecret(plain)))
		},
	}
}

func digested(s credential.Scope, value string) shape {
	return shape{
		func(t *testing.T, keys *credential.Keyring) []byte {
			b, err := keys.Digest(s, credential.NewSecret(value))
			require.NoError(t, err)
			return b
		},
		func(t *testing.T, keys *credential.Keyring, stored []byte) {
			for presented, want := range map[string]bool{value: true, value + "0": false} {
				same, err := keys.Matches(s, stored, credential.NewSecret(presented))
				require.NoError(t, err)
				require.Equal(t, want, same)
			}
		},
	}
}

func pinned(pin string) shape {
	return shape{
		func(t *testing.T, keys *credential.Keyring) []byte {
			hash, err := verifier.DefaultHasher().HashPIN(t.Context(), credential.NewSecret(pin))
			require.NoError(t, err)
			stored, err := keys.SealPINHash("a", hash)
			require.NoError(t, err)
			return []byte(stored)
		},
		func(t *testing.T, keys *credential.Keyring, stored []byte) {
			account := credential.Account{ID: "a", PINHash: string(stored)}
			for presented, want := range map[string]verifier.Status{pin: verifier.StatusValid, "0000": verifier.StatusWrong} {
				verdict, err := verifier.PIN(keys, nil).Verify(context.Background(),
					verifier.NewQuery(account, credential.FactorPIN, credential.NewSecret(presented), frozenAt))
				require.NoError(t, err)
				require.Equal(t, want, verdict.Status)
			}
		},
	}
}

func recovered(codes ...string) shape {
	return shape{
		func(t *testing.T, keys *credential.Keyring) []byte {
			var s credential.State
			var secrets []credential.Secret
			for _, code := range codes {
				secrets = append(secrets, credential.NewSecret(code))
			}
			require.NoError(t, s.Recovery.Replace(keys, "a", secrets, frozenAt))
			b, err := s.MarshalBinary()
			require.NoError(t, err)
			return b
		},
		func(t *testing.T, keys *credential.Keyring, stored []byte) {
			var s credential.State
			require.NoError(t, s.UnmarshalBinary(stored))
			for _, code := range codes {
				for presented, want := range map[string]bool{code: true, code[1:] + code[:1]: false} {
					has, err := s.Recovery.Has(keys, "a", credential.NewSecret(presented))
					require.NoError(t, err)
					require.Equal(t, want, has)
				}
			}
		},
	}
}

func shapes() map[string]shape {
	device := func(alg credential.Algorithm, digits int, period time.Duration, basis credential.Basis, grace bool) *credential.Device {
		return &credential.Device{
			ID: "00000000-0000-4000-8000-000000000001", Algorithm: alg, Digits: digits, Period: period,
			Basis: basis, RestsOnGrace: grace, CreatedAt: frozenAt,
		}
	}
	plain := device(credential.AlgorithmSHA1, 6, 30*time.Second, credential.BasisGrace, true)
	rotation := &credential.Rotation{
		ID: "00000000-0000-4000-8000-000000000002", Algorithm: credential.AlgorithmSHA256, Digits: 8, Period: time.Minute, Basis: credential.BasisPIN,
		StartedAt: frozenAt, Until: frozenAt.Add(time.Hour),
	}
	const secret = "a secret of 20 bytes"
	return map[string]shape{
		"secret of a device on grace, SHA1, 6 digits, 30 s":    sealed(credential.DeviceScope("a", plain), secret),
		"secret of a device on an OTP, SHA256, 8 digits, 60 s": sealed(credential.DeviceScope("a", device(credential.AlgorithmSHA256, 8, time.Minute, credential.BasisOTP, false)), secret),
		"secret of a device on a password, SHA512, 6 digits":   sealed(credential.DeviceScope("a", device(credential.AlgorithmSHA512, 6, 30*time.Second, credential.BasisPassword, false)), secret),
		"secret of an imported device, SHA1, 10 digits, 300 s": sealed(credential.DeviceScope("a", device(credential.AlgorithmSHA1, 10, 5*time.Minute, credential.BasisImported, false)), secret),
		"secret of a rotation":                                 sealed(credential.RotationScope("a", plain, rotation), secret),
		"hash of an imported secret whose device was revoked":  sealed(credential.RevokedScope("a", plain.ID), secret),
		"digest of a one-time code":                            digested(credential.Scope{Purpose: credential.PurposeOneTimeCode, AccountID: "a", Subject: "c0de"}, "12345678"),
		"digest of the OTP that a device was made on":          digested(credential.Scope{Purpose: credential.PurposeProof, AccountID: "a", Subject: plain.ID}, "123456"),
		"State with two recovery codes":                        recovered("ABCDEFGHJKLMNPQR", "STUVWXYZ23456789"),
		"sealed hash of a PIN":                                 pinned("2580"),
	}
}

// What this version stores is read by every later one. If this fails, do not write
// the file again: mend the code, or give the change a format of its own.
func TestFrozenShapesAreReadForEver(t *testing.T) {
	keyring := func(text string) *credential.Keyring {
		keys, err := credential.ParseKeyring(text)
		require.NoError(t, err)
		return keys
	}
	both := keyring("# oldest first\n" + frozenOldKey + "\n*" + frozenNewKey + "\n")
	each := map[string]*credential.Keyring{"old": keyring(frozenOldKey), "new": keyring(frozenNewKey)}
	text, err := os.ReadFile(frozenFile)
	if !*writeFrozen {
		require.NoError(t, err)
	}
	frozen := map[string]map[string][]byte{} // by the shape, and the key
	if err == nil {
		require.NoError(t, json.Unmarshal(text, &frozen))
	}
	all := shapes()
	for name, s := range all {
		if frozen[name] == nil && *writeFrozen {
			frozen[name] = map[string][]byte{}
			for id, keys := range each {
				frozen[name][id] = s.write(t, keys)
			}
		}
		require.Len(t, frozen[name], len(each), "%s is not in %s: run this test with -write-frozen", name, frozenFile)
	}
	for name, byKey := range frozen {
		require.Contains(t, all, name, "what was ever frozen stays")
		for id, stored := range byKey {
			t.Run(name+", key "+id, func(t *testing.T) { all[name].read(t, both, slices.Clone(stored)) })
		}
	}
	if *writeFrozen {
		text, err := json.MarshalIndent(frozen, "", "\t")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(frozenFile, append(text, '\n'), 0o600))
	}
}
