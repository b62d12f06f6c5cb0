package credential_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/drawtest"
)

// A code is 16 characters of an alphabet without look-alikes, in groups, and every
// character comes about equally often.
func TestRecoveryCodesArePlainAndRandom(t *testing.T) {
	const alphabet = "23456789abcdefghjkmnpqrstuvwxyz" // 31 of them: 16 are 79 bits
	form := regexp.MustCompile(`^[2-9a-hjkmnp-z]{4}(-[2-9a-hjkmnp-z]{4}){3}$`)
	seen := map[string]bool{}
	require.NoError(t, drawtest.Digits(20000, len(alphabet), 16, func() ([]int, error) {
		code := credential.NewRecoveryCode().Reveal()
		require.True(t, form.MatchString(code))
		require.False(t, seen[code])
		seen[code] = true
		var drawn []int
		for _, r := range strings.ReplaceAll(code, "-", "") {
			drawn = append(drawn, strings.IndexRune(alphabet, r))
		}
		return drawn, nil
	}))
}

func TestRecoveryTextIgnoresHowPeopleType(t *testing.T) {
	const code = "k7pd-2mxa-w9rf-4hbq"
	for _, typed := range []string{
		code, strings.ToUpper(code), "k7pd2mxaw9rf4hbq", "K7PD 2MXA W9RF 4HBQ", "  k7pd-2mxa-w9rf-4hbq\r\n", "k7pd\t2mxa\u00a0w9rf\u20134hbq",
		"k-7-p-d-2-m-x-a-w-9-r-f-4-h-b-q", "k7pd\u20112mxa\u2212w9rf\u20144hbq",
	} {
		text, ok := credential.RecoveryText(secret(typed))
		require.True(t, ok, "%q", typed)
		require.Equal(t, "k7pd2mxaw9rf4hbq", text.Reveal(), "%q", typed)
	}
	for typed, want := range map[string]bool{
		"": false, "123456": false, "1234567890": false, strings.Repeat("x", 65): false, // compared with other things, or with nothing
		"123 456": false, " 12-34-56-78\n": false, "123\u2011456": false, // one-time codes as people type them
		"12345": true, "12345678901": true, "12345 678901": true, "１２３４５６": true, strings.Repeat("x", 64): true, "\xff": true,
	} {
		_, ok := credential.RecoveryText(secret(typed))
		require.Equal(t, want, ok, "%q", typed)
	}
	_, ok := credential.RecoveryText(credential.Secret{})
	require.False(t, ok)
}

// recoveryAt is when the codes of these tests are made.
var recoveryAt = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func recoveryCodes(n int) (out []credential.Secret) {
	for range n {
		out = append(out, credential.NewRecoveryCode())
	}
	return out
}

// Each code is good once, in any order, and the last one leaves nothing behind.
func TestRecoveryCodesAreSpentOnceEach(t *testing.T) {
	keys := ring(t, "k", "k")
	for _, n := range []int{1, 2, 10, credential.MaxRecoveryCodes} {
		var set credential.RecoveryCodes
		codes := recoveryCodes(n)
		require.NoError(t, set.Replace(keys, "acct", codes, recoveryAt))
		require.Equal(t, n, set.Left)
		require.Equal(t, recoveryAt, set.CreatedAt)
		for i, next := range []int{n - 1, 0, n / 2} {
			code := codes[next%len(codes)]
			codes = slices.Delete(codes, next%len(codes), next%len(codes)+1)
			has, err := set.Has(keys, "acct", code)
			require.NoError(t, err)
			require.True(t, has)
			spent, err := set.Spend(keys, "acct", code)
			require.NoError(t, err)
			require.True(t, spent)
			require.Equal(t, n-i-1, set.Left)
			before := set
			spent, err = set.Spend(keys, "acct", code)
			require.NoError(t, err)
			require.False(t, spent, "good once")
			require.Equal(t, before, set, "and nothing is changed")
			for _, other := range codes {
				has, err = set.Has(keys, "acct", other)
				require.NoError(t, err)
				require.True(t, has, "the others are good")
			}
			if len(codes) == 0 {
				require.Empty(t, set.Sealed)
				break
			}
		}
	}
}

func TestRecoveryCodesKeepOnlySealedDigests(t *testing.T) {
	keys := ring(t, "k", "k")
	var set credential.RecoveryCodes
	codes := recoveryCodes(3)
	require.NoError(t, set.Replace(keys, "acct", codes, recoveryAt))
	for _, code := range codes {
		text, _ := credential.RecoveryText(code)
		require.NotContains(t, string(set.Sealed), text.Reveal())
		plain, _, err := keys.Open(credential.RecoveryScope("acct"), set.Sealed)
		require.NoError(t, err)
		require.NotContains(t, plain.Reveal(), text.Reveal(), "not even under the seal")
	}
}

// A set opens for its own account, under its own key, and as it was written.
func TestRecoveryCodesThatDoNotOpen(t *testing.T) {
	keys, other := ring(t, "k", "k"), ring(t, "o", "o")
	code := credential.NewRecoveryCode()
	for name, c := range map[string]struct {
		spoil   func(*credential.RecoveryCodes)
		keys    *credential.Keyring
		account string
		want    error
	}{
		"another account": {func(*credential.RecoveryCodes) {}, keys, "other", credential.ErrTampered},
		"a missing key":   {func(*credential.RecoveryCodes) {}, other, "acct", credential.ErrMissingKey},
		"altered":         {func(r *credential.RecoveryCodes) { r.Sealed[len(r.Sealed)-1] ^= 1 }, keys, "acct", credential.ErrTampered},
		"torn":            {func(r *credential.RecoveryCodes) { r.Sealed = r.Sealed[:9] }, keys, "acct", credential.ErrTampered},
		"half a digest":   {func(r *credential.RecoveryCodes) { sealText(t, keys, r, 24) }, keys, "acct", credential.ErrTampered},
		"too many":        {func(r *credential.RecoveryCodes) { sealText(t, keys, r, 21*16) }, keys, "acct", credential.ErrTampered},
	} {
		var set credential.RecoveryCodes
		require.NoError(t, set.Replace(keys, "acct", []credential.Secret{code}, recoveryAt), name)
		c.spoil(&set)
		has, err := set.Has(c.keys, c.account, code)
		require.ErrorIs(t, err, c.want, name)
		require.False(t, has, name)
		before := fmt.Sprint(set)
		spent, err := set.Spend(c.keys, c.account, code)
		require.ErrorIs(t, err, c.want, name)
		require.False(t, spent, name)
		require.Equal(t, before, fmt.Sprint(set), name)
	}
}

func sealText(t *testing.T, keys *credential.Keyring, r *credential.RecoveryCodes, size int) {
	t.Helper()
	var err error
	r.Sealed, err = keys.Seal(credential.RecoveryScope("acct"), secret(strings.Repeat("d", size)))
	require.NoError(t, err)
}

func TestRecoveryCodesReplaceIsBounded(t *testing.T) {
	keys := ring(t, "k", "k")
	set := credential.RecoveryCodes{Attempts: credential.Attempts{Failures: 7, LastAt: recoveryAt}}
	for _, codes := range [][]credential.Secret{nil, recoveryCodes(21), {secret("123456")}, {secret("")}, {secret(strings.Repeat("x", 65))}} {
		before := set
		require.Error(t, set.Replace(keys, "acct", codes, recoveryAt))
		require.Equal(t, before, set)
	}
	require.EqualError(t, set.Replace(keys, "acct", []credential.Secret{secret("k7pd-2mxa-w9rf-4hbq"), secret("123456")}, recoveryAt),
		"credential: recovery code 2 has the form of a one-time code, or is not 1 to 64 bytes long")
	require.Error(t, set.Replace(nil, "acct", recoveryCodes(1), recoveryAt))
	require.NoError(t, set.Replace(keys, "acct", recoveryCodes(1), recoveryAt))
	require.Equal(t, 7, set.Attempts.Failures, "a new set resets no failures")
	for _, otp := range []credential.Secret{{}, secret(""), secret("123456"), secret("nonsense")} {
		has, err := set.Has(keys, "acct", otp)
		require.NoError(t, err)
		require.False(t, has)
		has, err = new(credential.RecoveryCodes).Has(nil, "acct", otp)
		require.NoError(t, err, "no set")
		require.False(t, has)
	}
}

// Whatever is typed, its text is stable, and a code that is typed is found only if
// its text is that of one of the set.
func FuzzRecoveryText(f *testing.F) {
	const code = "k7pd-2mxa-w9rf-4hbq"
	keys := ring(f, "k", "k")
	var set credential.RecoveryCodes
	require.NoError(f, set.Replace(keys, "acct", []credential.Secret{secret(code)}, time.Unix(1, 0)))
	for _, seed := range []string{code, strings.ToUpper(code), "k7pd 2mxa w9rf 4hbq", "123456", "123 456", "12-34-56-78", "123\u00a0456", "\xff", "k7pd2mxaw9rf4hbq\u212a", "---"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		text, ok := credential.RecoveryText(secret(typed))
		bare := strings.Join(strings.FieldsFunc(typed, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Dash, r) }), "")
		require.Equal(t, len(typed) > 0 && len(typed) <= 64 && !credential.IsCode(secret(bare)), ok)
		has, err := set.Has(keys, "acct", secret(typed))
		require.NoError(t, err)
		require.Equal(t, ok && text.Reveal() == "k7pd2mxaw9rf4hbq", has)
		if again, ok := credential.RecoveryText(text); ok {
			require.Equal(t, text.Reveal(), again.Reveal())
		}
	})
}
