package credential_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// What is read can be written again, and is then the same; what is not read
// leaves the State as it was.
func FuzzUnmarshalState(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte{2})
	newer, err := credential.FrozenStates()["with-records-of-a-newer-release"].MarshalBinary()
	require.NoError(f, err)
	f.Add(newer)
	f.Add([]byte("\x02\xc8\x00\x05later"))
	f.Add([]byte("\x02\x01\x00\x0b\x01\x00\x01d\x04\x00\x04abcd"))
	f.Add([]byte("\x02\x06\x00\x0b\x01\x00\x08\x00\x00\x00\x00\x00\x00\x00\x05"))
	f.Add([]byte("\x02" + strings.Repeat("\x01\x00\x00", credential.MaxDevices+1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		kept := credential.State{OTP: credential.Attempts{Failures: 7}}
		s := kept.Clone()
		given := bytes.Clone(data)
		err := s.UnmarshalBinary(data)
		require.Equal(t, given, data, "the bytes are left alone")
		if err != nil {
			require.True(t, errors.Is(err, credential.ErrStateFormat) || errors.Is(err, credential.ErrStateSize), "%v", err)
			require.Equal(t, kept, s)
			return
		}
		require.LessOrEqual(t, len(data), credential.MaxStateBytes)
		for _, at := range []credential.Attempts{s.OTP, s.Password, s.PIN} {
			require.GreaterOrEqual(t, at.Failures, 0)
		}
		require.NoError(t, s.Check(), "what is read is within the bounds")
		written, err := s.MarshalBinary()
		require.NoError(t, err)
		require.LessOrEqual(t, len(written), max(1, len(data)))
		var back credential.State
		require.NoError(t, back.UnmarshalBinary(written))
		require.Equal(t, s, back)
		again, err := back.Clone().MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, written, again)
	})
}

var codeForm = regexp.MustCompile(`\A[0-9]{6,10}\z`)

// A code is six to ten ASCII digits and nothing else.
func FuzzIsCode(f *testing.F) {
	for _, seed := range []string{"123456", "1234567890", "12345", "12345678901", "１２３４５６", "123456\n", " 123456", "12345\x00", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		require.Equal(t, codeForm.MatchString(value), credential.IsCode(credential.NewSecret(value)), "%q", value)
	})
}

// What is read seals with the primary and opens again; what is not read names
// no key in the error.
func FuzzParseKeyring(f *testing.F) {
	one, two := credential.KeyText(key("a")), credential.KeyText(key("b"))
	for _, seed := range []string{
		one, one + "\n*" + two, "*" + one + "," + two, "# a, b\n" + one, one + "\n" + one, one[2:] + ":a", "a:" + one[2:20], "", "*", ":", "\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		k, err := credential.ParseKeyring(text)
		if err != nil {
			require.Nil(t, k)
			requireNoKeyOf(t, text, err)
			return
		}
		require.True(t, k.Valid())
		sealed, err := k.Seal(deviceScope, secret("plain"))
		require.NoError(t, err)
		plain, outdated, err := k.Open(deviceScope, sealed)
		require.NoError(t, err)
		require.False(t, outdated)
		require.Equal(t, "plain", plain.Reveal())
		again, err := credential.ParseKeyring("# again\n\n" + strings.ReplaceAll(text, "\n", "\r\n"))
		require.NoError(t, err)
		require.Equal(t, k.String(), again.String())
		_, _, err = again.Open(deviceScope, sealed)
		require.NoError(t, err)
	})
}

// requireNoKeyOf looks in err for everything in text that may be a key: 16
// characters or more of base64 in a row, wherever they stand.
func requireNoKeyOf(t *testing.T, text string, err error) {
	t.Helper()
	for _, word := range base64Word.FindAllString(text, -1) {
		require.NotContains(t, err.Error(), word)
	}
}

var base64Word = regexp.MustCompile(`[A-Za-z0-9+/_-]{16,}`)

// Nothing but what was sealed opens, and nothing but what was digested matches.
// The sealed value is a fixed one, because fuzzing runs in several processes.
func FuzzOpen(f *testing.F) {
	k := ring(f, "k", "j", "k")
	sealed, err := hex.DecodeString(goldenSealed)
	require.NoError(f, err)
	digested, err := hex.DecodeString(goldenDigest)
	require.NoError(f, err)
	f.Add(sealed)
	f.Add(sealed[:len(sealed)-1])
	f.Add(append([]byte("\x01\x01j"), sealed[3:]...))
	f.Add(append([]byte("\x01\x01k12345678"), sealed[11:]...))
	f.Add(digested)
	f.Add([]byte{1, 0})
	f.Add([]byte{2, 255})
	f.Fuzz(func(t *testing.T, stored []byte) {
		if !bytes.Equal(stored, sealed) {
			requireShut(t, k, deviceScope, stored)
		}
		ok, err := k.Matches(codeScope, stored, secret("12345678"))
		require.True(t, err == nil || isRefusal(err), "%v", err)
		require.Equal(t, bytes.Equal(stored, digested), ok)
		hash, _, err := k.OpenPINHash("alice", "$sealed$"+base64.RawStdEncoding.EncodeToString(stored))
		require.True(t, isRefusal(err), "%v", err)
		require.Empty(t, hash)
	})
}
