package credential_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/drawtest"
)

// key returns a fixed key of that id.
func key(id string) credential.Key {
	secret := make([]byte, credential.KeySize)
	copy(secret, "key of "+id)
	return credential.Key{ID: id, Secret: credential.NewSecret(string(secret))}
}

func ring(t testing.TB, primary string, ids ...string) *credential.Keyring {
	t.Helper()
	keys := make([]credential.Key, len(ids))
	for i, id := range ids {
		keys[i] = key(id)
	}
	out, err := credential.NewKeyring(primary, keys...)
	require.NoError(t, err)
	return out
}

func secret(v string) credential.Secret { return credential.NewSecret(v) }

var (
	device = credential.Device{
		ID: "738e379f-fe30-45ab-819c-ba88804b6368", Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
		Basis: credential.BasisPassword, CreatedAt: time.Date(2026, 5, 4, 12, 0, 0, 123456789, time.UTC),
	}
	deviceScope = credential.DeviceScope("alice", &device)
	codeScope   = credential.Scope{Purpose: credential.PurposeOneTimeCode, AccountID: "alice", Subject: "00c0ffee00c0ffee"}
)

func seal(t testing.TB, k *credential.Keyring, s credential.Scope, plain string) []byte {
	t.Helper()
	sealed, err := k.Seal(s, secret(plain))
	require.NoError(t, err)
	return sealed
}

func digest(t testing.TB, k *credential.Keyring, s credential.Scope, value string) []byte {
	t.Helper()
	out, err := k.Digest(s, secret(value))
	require.NoError(t, err)
	return out
}

// requireShut holds that sealed does not open, and that the error is one of the
// two that there are.
func requireShut(t testing.TB, k *credential.Keyring, s credential.Scope, sealed []byte, msg ...any) {
	t.Helper()
	plain, outdated, err := k.Open(s, sealed)
	require.Error(t, err, msg...)
	require.True(t, isRefusal(err), "%v", err)
	require.False(t, plain.Present() || outdated)
	_, err = k.OpenFor(s, sealed, func([]byte) { require.Fail(t, "used though it does not open", msg...) })
	require.True(t, isRefusal(err), "%v", err)
}

// Roll-out: an old key opens and is outdated; a key newer than the primary
// opens and is not, so that nothing is ever sealed again with an older key.
func TestKeysOfEveryAge(t *testing.T) {
	all := []string{"k1", "k2", "k3"}
	for sealedBy := range all {
		sealed := seal(t, ring(t, all[sealedBy], all...), deviceScope, "plain")
		for primary := range all {
			plain, outdated, err := ring(t, all[primary], all...).Open(deviceScope, sealed)
			require.NoError(t, err)
			require.Equal(t, "plain", plain.Reveal())
			require.Equal(t, sealedBy < primary, outdated, "sealed by %d, primary %d", sealedBy, primary)
		}
	}
	digested := digest(t, ring(t, "k1", all...), codeScope, "12345678")
	ok, err := ring(t, "k3", all...).Matches(codeScope, digested, secret("12345678"))
	require.NoError(t, err)
	require.True(t, ok, "an old key matches what it digested")
}

// A missing key is an error that names the key's id and nothing else.
func TestMissingKeyNamesItsIDOnly(t *testing.T) {
	old, current := ring(t, "k1", "k1"), ring(t, "k2", "k2")
	_, _, err := current.Open(deviceScope, seal(t, old, deviceScope, "plain"))
	require.ErrorIs(t, err, credential.ErrMissingKey)
	require.EqualError(t, err, `credential: key not in the keyring: "k1"`)
	_, err = current.Matches(codeScope, digest(t, old, codeScope, "12345678"), secret("12345678"))
	require.EqualError(t, err, `credential: key not in the keyring: "k1"`)
	stored, err := old.SealPINHash("alice", "hash")
	require.NoError(t, err)
	hash, outdated, err := current.OpenPINHash("alice", stored)
	require.EqualError(t, err, `credential: key not in the keyring: "k1"`)
	require.Empty(t, hash)
	require.False(t, outdated)
}

// A nil Keyring and the zero one refuse everything.
func TestEmptyKeyringRefuses(t *testing.T) {
	for _, k := range []*credential.Keyring{nil, {}} {
		require.False(t, k.Valid())
		_, err := k.Seal(deviceScope, secret("plain"))
		require.ErrorIs(t, err, credential.ErrMissingKey)
		_, err = k.Digest(codeScope, secret("12345678"))
		require.ErrorIs(t, err, credential.ErrMissingKey)
		requireShut(t, k, deviceScope, []byte{1, 1, 'k'})
		_, err = k.Matches(codeScope, []byte{2, 1, 'k'}, secret("12345678"))
		require.ErrorIs(t, err, credential.ErrMissingKey)
		_, err = k.SealPINHash("alice", "hash")
		require.ErrorIs(t, err, credential.ErrMissingKey)
	}
	require.True(t, ring(t, "k", "k").Valid())
}

func TestKeyringMistakesAreReportedAtOnce(t *testing.T) {
	short := credential.Key{ID: "short", Secret: secret("fifteen bytes..")}
	long := credential.Key{ID: "long", Secret: secret(strings.Repeat("x", 33))}
	_, err := credential.NewKeyring("nowhere", credential.Key{}, short, long, key("twice"), key("twice"), credential.Key{ID: "none"})
	for _, want := range []string{
		"key 1: the id is not 1 to 21 characters", "key 2: the key has 15 bytes, not 32", "key 3: the key has 33 bytes",
		"key 5: duplicate id", "key 6: the key has 0 bytes", "none of the 6 keys has the id of the primary",
	} {
		require.ErrorContains(t, err, want)
	}
	_, err = credential.NewKeyring("k")
	require.EqualError(t, err, "credential: a keyring needs at least one key")
	for id, ok := range map[string]bool{
		"": false, "k": true, "A.b_C-9": true, "AZaz09._-": true, strings.Repeat("x", 21): true, strings.Repeat("x", 22): false,
		"a b": false, "a:b": false, "a,b": false, "*a": false, "ä": false, "a\n": false, "a/b": false, "a+b": false, "@": false, "[": false, "`": false, "{": false, "/": false,
	} {
		k, err := credential.NewKeyring(id, credential.Key{ID: id, Secret: key("k").Secret})
		require.Equal(t, ok, err == nil, "%q: %v", id, err)
		require.Equal(t, ok, k.Valid())
	}
	// What stands where an id should may be a key.
	text := credential.KeyText(key("k"))[2:]
	_, err = credential.NewKeyring(text, credential.Key{ID: text, Secret: secret("k")})
	require.Error(t, err)
	require.NotContains(t, err.Error(), text)
}

func TestNewKeyIsRandom(t *testing.T) {
	require.NoError(t, drawtest.Bits(credential.KeySize, 0, func() ([]byte, error) {
		key := credential.NewKey("a")
		require.Equal(t, "a", key.ID)
		return []byte(key.Secret.Reveal()), nil
	}))
}

func TestKeyringIsSafeForConcurrentUse(t *testing.T) {
	k := ring(t, "k", "j", "k")
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			plain := fmt.Sprint("plain ", i)
			sealed, err := k.Seal(deviceScope, secret(plain))
			if err != nil {
				t.Error(err)
			}
			if got, _, err := k.Open(deviceScope, sealed); err != nil || got.Reveal() != plain {
				t.Error(err)
			}
			if _, err := k.Digest(codeScope, secret(plain)); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}

func TestKeysThatAreNoneAreRefused(t *testing.T) {
	a, b := credential.NewKey("a"), credential.NewKey("b")
	b.Secret = a.Secret
	_, err := credential.NewKeyring("a", a, b)
	require.EqualError(t, err, "credential: key 2: the same key as one before it")
	a.Secret = credential.NewSecret(strings.Repeat("\x00", credential.KeySize))
	_, err = credential.NewKeyring("a", a)
	require.ErrorContains(t, err, "the key is all zeros")
}
