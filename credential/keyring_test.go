package credential_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
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
	deviceScope = credential.Scope{Purpose: credential.PurposeDeviceSecret, AccountID: "alice", Subject: "738e379f-fe30-45ab-819c-ba88804b6368"}
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
}

func TestSealedOpens(t *testing.T) {
	k := ring(t, "k", "k")
	seen := map[string]bool{}
	for size := range 100 {
		plain := strings.Repeat("\x00\xffx", size)[:size]
		sealed := seal(t, k, deviceScope, plain)
		require.False(t, seen[string(sealed)])
		seen[string(sealed)] = true
		got, outdated, err := k.Open(deviceScope, sealed)
		require.NoError(t, err)
		require.False(t, outdated)
		require.True(t, got.Present())
		require.Equal(t, plain, got.Reveal())
	}
	first, second := seal(t, k, deviceScope, "the same"), seal(t, k, deviceScope, "the same")
	require.NotEqual(t, first, second, "every nonce is new")
	require.NotContains(t, string(first), "the same")
}

// What is sealed opens for its own account, device and purpose only.
func TestSealedDoesNotOpenElsewhere(t *testing.T) {
	k := ring(t, "k", "k")
	pinScope := credential.Scope{Purpose: credential.PurposePINHash, AccountID: "alice"}
	for _, home := range []credential.Scope{deviceScope, pinScope} {
		sealed := seal(t, k, home, "plain")
		for name, s := range map[string]credential.Scope{
			"another account":           {Purpose: home.Purpose, AccountID: "bob", Subject: home.Subject},
			"no account":                {Purpose: home.Purpose, Subject: home.Subject},
			"another subject":           {Purpose: home.Purpose, AccountID: home.AccountID, Subject: home.Subject + "0"},
			"account and subject moved": {Purpose: home.Purpose, AccountID: home.AccountID + home.Subject[:min(1, len(home.Subject))], Subject: strings.TrimPrefix(home.Subject, "7") + "x"},
			"one-time code":             {Purpose: credential.PurposeOneTimeCode, AccountID: home.AccountID, Subject: home.Subject},
			"no purpose":                {AccountID: home.AccountID, Subject: home.Subject},
			"account too long":          {Purpose: home.Purpose, AccountID: strings.Repeat("a", 1<<16), Subject: home.Subject},
		} {
			requireShut(t, k, s, sealed, "%s %s", home.Purpose, name)
		}
		for _, purpose := range []credential.Purpose{credential.PurposeDeviceSecret, credential.PurposePINHash} {
			if purpose != home.Purpose {
				requireShut(t, k, credential.Scope{Purpose: purpose, AccountID: home.AccountID, Subject: home.Subject}, sealed)
			}
		}
	}
	// The border between account and subject is part of what is bound.
	sealed := seal(t, k, credential.Scope{Purpose: credential.PurposeDeviceSecret, AccountID: "ab", Subject: "c"}, "plain")
	requireShut(t, k, credential.Scope{Purpose: credential.PurposeDeviceSecret, AccountID: "a", Subject: "bc"}, sealed)
}

// Altered in any bit, cut at any length or made longer, it does not open.
func TestAlteredDoesNotOpen(t *testing.T) {
	k := ring(t, "k", "j", "k")
	sealed := seal(t, k, deviceScope, "12345678901234567890")
	for i := range sealed {
		for bit := range 8 {
			altered := append([]byte{}, sealed...)
			altered[i] ^= 1 << bit
			requireShut(t, k, deviceScope, altered, "bit %d of byte %d", bit, i)
		}
		requireShut(t, k, deviceScope, sealed[:i], "cut to %d bytes", i)
	}
	for _, longer := range [][]byte{append(append([]byte{}, sealed...), 0), append([]byte{1}, sealed...), nil} {
		requireShut(t, k, deviceScope, longer)
	}
}

// The header is bound too: naming another key that has the same bytes, or an id
// that is none, opens nothing.
func TestHeaderIsBound(t *testing.T) {
	same := key("a")
	twin := credential.Key{ID: "b", Secret: same.Secret}
	k, err := credential.NewKeyring("a", same, twin)
	require.NoError(t, err)
	for name, stored := range map[string][]byte{"sealed": seal(t, k, deviceScope, "plain"), "digest": digest(t, k, codeScope, "12345678")} {
		require.Equal(t, []byte{stored[0], 1, 'a'}, stored[:3], name)
		patched := append([]byte{stored[0], 1, 'b'}, stored[3:]...)
		if name == "sealed" {
			requireShut(t, k, deviceScope, patched)
		} else {
			ok, err := k.Matches(codeScope, patched, secret("12345678"))
			require.NoError(t, err)
			require.False(t, ok)
		}
	}
	for _, id := range []string{"", strings.Repeat("x", 33), "a b", "a\n", "\xff"} {
		_, _, err := k.Open(deviceScope, append(append([]byte{1, byte(len(id))}, id...), make([]byte, 60)...))
		require.ErrorIs(t, err, credential.ErrTampered, "%q", id)
	}
	longest := strings.Repeat("x", 32)
	_, _, err = k.Open(deviceScope, append(append([]byte{1, 32}, longest...), make([]byte, 60)...))
	require.ErrorIs(t, err, credential.ErrMissingKey)
	// A sealed value is no digest, and a digest is not sealed.
	_, err = k.Matches(codeScope, seal(t, k, deviceScope, "plain"), secret("plain"))
	require.ErrorIs(t, err, credential.ErrTampered)
	_, _, err = k.Open(deviceScope, digest(t, k, codeScope, "plain"))
	require.ErrorIs(t, err, credential.ErrTampered)
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

// A digest matches its own value, account, subject and purpose only, and not
// when any bit of it was altered.
func TestDigests(t *testing.T) {
	k := ring(t, "k", "k")
	d := digest(t, k, codeScope, "12345678")
	require.Equal(t, d, digest(t, k, codeScope, "12345678"))
	matches := func(s credential.Scope, d []byte, value string) bool {
		ok, err := k.Matches(s, d, secret(value))
		return ok && err == nil
	}
	require.True(t, matches(codeScope, d, "12345678"))
	for _, value := range []string{"", "12345679", "1234567", "123456789", "12345678\x00", " 12345678"} {
		require.False(t, matches(codeScope, d, value), "%q", value)
	}
	for _, s := range []credential.Scope{
		{Purpose: credential.PurposeProof, AccountID: codeScope.AccountID, Subject: codeScope.Subject},
		{Purpose: codeScope.Purpose, AccountID: "bob", Subject: codeScope.Subject},
		{Purpose: codeScope.Purpose, AccountID: codeScope.AccountID, Subject: "another"},
		{Purpose: codeScope.Purpose, AccountID: codeScope.AccountID, Subject: codeScope.Subject + "1"},
	} {
		require.False(t, matches(s, d, "12345678"), "%+v", s)
	}
	require.False(t, matches(credential.Scope{Purpose: codeScope.Purpose, AccountID: codeScope.AccountID, Subject: codeScope.Subject + "1"},
		digest(t, k, codeScope, "12345678"), "2345678"), "the border to the value is part of what is bound")
	for i := range d {
		for bit := range 8 {
			altered := append([]byte{}, d...)
			altered[i] ^= 1 << bit
			require.False(t, matches(codeScope, altered, "12345678"), "bit %d of byte %d", bit, i)
		}
		require.False(t, matches(codeScope, d[:i], "12345678"), "cut to %d bytes", i)
	}
	require.False(t, matches(codeScope, append(append([]byte{}, d...), 0), "12345678"))
}

// A purpose that is sealed cannot be digested, nor the other way round.
func TestPurposesAreKeptApart(t *testing.T) {
	k := ring(t, "k", "k")
	for _, p := range []credential.Purpose{credential.PurposeOneTimeCode, credential.PurposeProof, "", "other"} {
		_, err := k.Seal(credential.Scope{Purpose: p, AccountID: "alice"}, secret("plain"))
		require.ErrorContains(t, err, "not one that seals")
	}
	for _, p := range []credential.Purpose{credential.PurposeDeviceSecret, credential.PurposePINHash, "", "other"} {
		_, err := k.Digest(credential.Scope{Purpose: p, AccountID: "alice"}, secret("plain"))
		require.ErrorContains(t, err, "not one that digests")
		_, err = k.Matches(credential.Scope{Purpose: p, AccountID: "alice"}, digest(t, k, codeScope, "1"), secret("1"))
		require.ErrorIs(t, err, credential.ErrTampered)
	}
	tooLong := credential.Scope{Purpose: credential.PurposePINHash, AccountID: strings.Repeat("a", 1<<16)}
	_, err := k.Seal(tooLong, secret("plain"))
	require.Error(t, err)
	tooLong.Purpose = credential.PurposeProof
	_, err = k.Digest(tooLong, secret("plain"))
	require.Error(t, err)
}

// Values that an earlier release stored. If this fails, an upgrade would shut
// users out.
func TestStoredFormatsStay(t *testing.T) {
	k := ring(t, "k", "k")
	sealed, err := hex.DecodeString(goldenSealed)
	require.NoError(t, err)
	plain, outdated, err := k.Open(deviceScope, sealed)
	require.NoError(t, err)
	require.False(t, outdated)
	require.Equal(t, "12345678901234567890", plain.Reveal())
	require.Len(t, sealed, 3+24+20+16, "header, nonce, secret, tag")
	require.Equal(t, goldenDigest, hex.EncodeToString(digest(t, k, codeScope, "12345678")))
	proof := credential.Scope{Purpose: credential.PurposeProof, AccountID: "alice", Subject: deviceScope.Subject}
	require.Equal(t, goldenProof, hex.EncodeToString(digest(t, k, proof, "12345678")))
	hash, outdated, err := k.OpenPINHash("alice", goldenPIN)
	require.NoError(t, err)
	require.False(t, outdated)
	require.Equal(t, "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", hash)
}

func TestPINHashes(t *testing.T) {
	k, newer := ring(t, "k1", "k1", "k2"), ring(t, "k2", "k1", "k2")
	stored, err := k.SealPINHash("alice", "hash")
	require.NoError(t, err)
	require.Regexp(t, `^\$sealed\$[A-Za-z0-9+/]+$`, stored)
	for _, tc := range []struct {
		name     string
		ring     *credential.Keyring
		stored   string
		hash     string
		outdated bool
	}{
		{"sealed", k, stored, "hash", false},
		{"sealed by an old key", newer, stored, "hash", true},
		{"bare", k, "$2a$05$x", "$2a$05$x", true},
		{"bare, without a keyring", nil, "$2a$05$x", "$2a$05$x", true},
		{"none set", k, "", "", false},
	} {
		hash, outdated, err := tc.ring.OpenPINHash("alice", tc.stored)
		require.NoError(t, err, tc.name)
		require.Equal(t, tc.hash, hash, tc.name)
		require.Equal(t, tc.outdated, outdated, tc.name)
	}
	for _, altered := range []string{stored + "\n", stored[:20] + "\r\n" + stored[20:], stored + "=", stored[:len(stored)-1], "$sealed$", "$sealed$AQ", stored + "A"} {
		hash, outdated, err := k.OpenPINHash("alice", altered)
		require.ErrorIs(t, err, credential.ErrTampered, "%q", altered)
		require.Empty(t, hash)
		require.False(t, outdated)
	}
	_, _, err = k.OpenPINHash("bob", stored)
	require.ErrorIs(t, err, credential.ErrTampered)
	for i := range len(stored) {
		for bit := range 8 {
			altered := []byte(stored)
			altered[i] ^= 1 << bit
			hash, _, err := k.OpenPINHash("alice", string(altered))
			require.True(t, err != nil || hash == string(altered), "altered, it is refused, or is a bare hash of no known form")
		}
	}
}

func TestKeyringMistakesAreReportedAtOnce(t *testing.T) {
	short := credential.Key{ID: "short", Secret: secret("fifteen bytes..")}
	long := credential.Key{ID: "long", Secret: secret(strings.Repeat("x", 33))}
	_, err := credential.NewKeyring("nowhere", credential.Key{}, short, long, key("twice"), key("twice"), credential.Key{ID: "none"})
	for _, want := range []string{
		"key 1: the id is not 1 to 32 characters", `key 2: key "short" has 15 bytes, not 32`, `key 3: key "long" has 33 bytes`,
		`key 5: id "twice" is there twice`, `key 6: key "none" has 0 bytes`, "the primary key nowhere is not among the keys",
	} {
		require.ErrorContains(t, err, want)
	}
	_, err = credential.NewKeyring("k")
	require.EqualError(t, err, "credential: a keyring needs at least one key")
	for id, ok := range map[string]bool{
		"": false, "k": true, "A.b_C-9": true, strings.Repeat("x", 32): true, strings.Repeat("x", 33): false,
		"a b": false, "a:b": false, "a,b": false, "*a": false, "ä": false, "a\n": false, "a/b": false, "a+b": false,
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
	a, b := credential.NewKey("a"), credential.NewKey("a")
	require.Equal(t, "a", a.ID)
	require.Len(t, a.Secret.Reveal(), credential.KeySize)
	require.False(t, a.Secret.Equal(b.Secret))
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
