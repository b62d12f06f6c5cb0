package credential_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/chacha20poly1305"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/drawtest"
)

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

// What is opened for one use is erased after it, whatever its length, and also where
// that use panics.
func TestOpenedForOneUse(t *testing.T) {
	k := ring(t, "k", "j", "k")
	for _, size := range []int{0, 20, 128, 600, 5000} {
		want := strings.Repeat("x", size)
		sealed := seal(t, k, deviceScope, want)
		var kept []byte
		outdated, err := k.OpenFor(deviceScope, sealed, func(plain []byte) {
			require.Equal(t, want, string(plain))
			require.Equal(t, len(plain), cap(plain), "what is appended goes elsewhere")
			kept = plain
		})
		require.NoError(t, err)
		require.False(t, outdated)
		require.Empty(t, strings.Trim(string(kept), "\x00"), "%d bytes", size)

		require.PanicsWithValue(t, "of the caller", func() {
			_, _ = k.OpenFor(deviceScope, sealed, func(plain []byte) {
				kept = plain
				panic("of the caller")
			})
		})
		require.Empty(t, strings.Trim(string(kept), "\x00"), "%d bytes, and a panic", size)
	}
	outdated, err := k.OpenFor(deviceScope, seal(t, ring(t, "j", "j"), deviceScope, "old"), func([]byte) {})
	require.NoError(t, err)
	require.True(t, outdated)
}

// What is sealed opens for its own account, device and purpose only.
func TestSealedDoesNotOpenElsewhere(t *testing.T) {
	k := ring(t, "k", "k")
	pinScope := credential.Scope{Purpose: credential.PurposePINHash, AccountID: "alice"}
	for _, home := range []credential.Scope{deviceScope, pinScope} {
		sealed := seal(t, k, home, "plain")
		for name, alter := range map[string]func(*credential.Scope){
			"another account":           func(s *credential.Scope) { s.AccountID = "bob" },
			"no account":                func(s *credential.Scope) { s.AccountID = "" },
			"another subject":           func(s *credential.Scope) { s.Subject += "0" },
			"account and subject moved": func(s *credential.Scope) { s.AccountID, s.Subject = s.AccountID[:1], s.AccountID[1:]+s.Subject },
			"one-time code":             func(s *credential.Scope) { s.Purpose = credential.PurposeOneTimeCode },
			"no purpose":                func(s *credential.Scope) { s.Purpose = "" },
			"account too long":          func(s *credential.Scope) { s.AccountID = strings.Repeat("a", 1<<16) },
			"another sealed purpose": func(s *credential.Scope) {
				if s.Purpose = credential.PurposePINHash; home.Purpose == credential.PurposePINHash {
					s.Purpose = credential.PurposeDeviceSecret
				}
			},
		} {
			s := home
			alter(&s)
			requireShut(t, k, s, sealed, "%s %s", home.Purpose, name)
		}
		plain, _, err := k.Open(home, sealed)
		require.NoError(t, err)
		require.Equal(t, "plain", plain.Reveal())
	}
	// The border between account and subject is part of what is bound.
	sealed := seal(t, k, credential.Scope{Purpose: credential.PurposePINHash, AccountID: "ab", Subject: "c"}, "plain")
	requireShut(t, k, credential.Scope{Purpose: credential.PurposePINHash, AccountID: "a", Subject: "bc"}, sealed)
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
	k, err := credential.NewKeyring("a", same)
	require.NoError(t, err)
	renamed, err := credential.NewKeyring("b", twin)
	require.NoError(t, err)
	for name, stored := range map[string][]byte{"sealed": seal(t, k, deviceScope, "plain"), "digest": digest(t, k, codeScope, "12345678")} {
		require.Equal(t, []byte{stored[0], 1, 'a'}, stored[:3], name)
		patched := append([]byte{stored[0], 1, 'b'}, stored[3:]...)
		require.True(t, renamed.Has(patched), "the check is that of the key")
		if name == "sealed" {
			requireShut(t, renamed, deviceScope, patched)
		} else {
			ok, err := renamed.Matches(codeScope, patched, secret("12345678"))
			require.NoError(t, err)
			require.False(t, ok)
		}
	}
	for _, id := range []string{"", strings.Repeat("x", 22), "a b", "a\n", "\xff"} {
		_, _, err := k.Open(deviceScope, append(append([]byte{1, byte(len(id))}, id...), make([]byte, 60)...))
		require.ErrorIs(t, err, credential.ErrTampered, "%q", id)
	}
	longest := strings.Repeat("x", 21)
	_, _, err = k.Open(deviceScope, append(append([]byte{1, 21}, longest...), make([]byte, 60)...))
	require.ErrorIs(t, err, credential.ErrMissingKey)
	// A sealed value is no digest, and a digest is not sealed.
	for _, other := range []*credential.Keyring{k, renamed} {
		_, err = other.Matches(codeScope, seal(t, k, deviceScope, "plain"), secret("plain"))
		require.ErrorIs(t, err, credential.ErrTampered)
		_, _, err = other.Open(deviceScope, digest(t, k, codeScope, "plain"))
		require.ErrorIs(t, err, credential.ErrTampered)
	}
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
		require.ErrorContains(t, err, "cannot be sealed")
	}
	for _, p := range []credential.Purpose{credential.PurposeDeviceSecret, credential.PurposePINHash, "", "other"} {
		_, err := k.Digest(credential.Scope{Purpose: p, AccountID: "alice"}, secret("plain"))
		require.ErrorContains(t, err, "cannot be digested")
		_, err = k.Matches(credential.Scope{Purpose: p, AccountID: "alice"}, digest(t, k, codeScope, "1"), secret("1"))
		require.ErrorIs(t, err, credential.ErrTampered)
	}
	longest := credential.Scope{Purpose: credential.PurposePINHash, AccountID: strings.Repeat("a", 1<<16-1)}
	plain, _, err := k.Open(longest, seal(t, k, longest, "plain"))
	require.NoError(t, err)
	require.Equal(t, "plain", plain.Reveal())
	tooLong := credential.Scope{Purpose: credential.PurposePINHash, AccountID: strings.Repeat("a", 1<<16)}
	_, err = k.Seal(tooLong, secret("plain"))
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
	require.Len(t, sealed, 11+24+20+16, "header, nonce, secret, tag")
	require.Equal(t, goldenDigest, hex.EncodeToString(digest(t, k, codeScope, "12345678")))
	proof := credential.Scope{Purpose: credential.PurposeProof, AccountID: "alice", Subject: deviceScope.Subject}
	require.Equal(t, goldenProof, hex.EncodeToString(digest(t, k, proof, "12345678")))
	hash, outdated, err := k.OpenPINHash("alice", goldenPIN)
	require.NoError(t, err)
	require.False(t, outdated)
	require.Equal(t, "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", hash)
}

// A nonce is 24 random bytes.
func TestEveryByteOfANonceVaries(t *testing.T) {
	k := ring(t, "k", "k")
	require.NoError(t, drawtest.Bits(chacha20poly1305.NonceSizeX, 0, func() ([]byte, error) {
		sealed, err := k.Seal(credential.RecoveryScope("acct"), credential.NewSecret("x"))
		require.NoError(t, err)
		end := len(sealed) - len("x") - chacha20poly1305.Overhead
		return sealed[end-chacha20poly1305.NonceSizeX : end], nil
	}))
}

// The buffers that secrets are sealed and opened in are used again, empty.
func TestAReleasedBufferHasNoSecret(t *testing.T) {
	text := strings.Repeat("s", 512)
	require.Equal(t, strings.Repeat("\x00", len(text)), credential.ReleasedBuffer(text))
}

// An account id may be longer than such a buffer.
func TestALongAccountIDIsSealedAndDigested(t *testing.T) {
	k := ring(t, "k", "k")
	for _, length := range []int{400, 500, 512, 1024} {
		account, plain := strings.Repeat("a", length), secret(strings.Repeat("p", 128))
		scope := credential.DeviceScope(account, &credential.Device{ID: deviceScope.Subject})
		sealed, err := k.Seal(scope, plain)
		require.NoError(t, err)
		opened, _, err := k.Open(scope, sealed)
		require.NoError(t, err)
		require.Equal(t, plain.Reveal(), opened.Reveal())
		code := credential.Scope{Purpose: credential.PurposeOneTimeCode, AccountID: account, Subject: "c"}
		made, err := k.Digest(code, plain)
		require.NoError(t, err)
		for value, want := range map[credential.Secret]bool{plain: true, secret(strings.Repeat("p", 127)): false} {
			ok, err := k.Matches(code, made, value)
			require.NoError(t, err)
			require.Equal(t, want, ok)
		}
	}
}
