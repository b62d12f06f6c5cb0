package verifier

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// A vector is a published value and its hash, written as a scheme would store it.
type vector struct{ source, value, stored string }

// The published vectors that do not take long.
func TestSchemesAgreeWithPublishedVectors(t *testing.T) {
	requireVectors(t, []vector{
		{"RFC 7914 section 11", "passwd", "pbkdf2:sha256:1$salt$55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"},
		{"RFC 6070 case 1", "password", "pbkdf2:sha1:1$salt$0c60c80f961f0e71f3a9b524af6012062fe037a6"},
		{"RFC 6070 case 2", "password", "pbkdf2:sha1:2$salt$ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"},
		{"RFC 6070 case 3", "password", "pbkdf2:sha1:4096$salt$4b007901b765489abead49d926f721d065a429c1"},
		{"RFC 7914 section 12", "password", "$scrypt$ln=10,r=8,p=16$TmFDbA$" + b64OfHex(t, "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"+"2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640")},
	})
}

func requireVectors(t *testing.T, vectors []vector) {
	t.Helper()
	h := smallHasher(t, 64, 1, 0)
	for _, v := range vectors {
		ok, outdated, err := h.Compare(t.Context(), v.stored, credential.NewSecret(v.value))
		require.NoError(t, err, v.source)
		require.True(t, ok, "%s: %s", v.source, v.stored)
		require.True(t, outdated)
		ok, outdated, err = h.Compare(t.Context(), v.stored, credential.NewSecret(v.value+"z"))
		require.NoError(t, err)
		require.False(t, ok || outdated)
	}
}

func b64OfHex(t *testing.T, text string) string {
	t.Helper()
	b, err := hex.DecodeString(text)
	require.NoError(t, err)
	return base64.RawStdEncoding.EncodeToString(b)
}

// Both ends of every limit are inside, and what lies one beyond is refused before
// any work, with the name of the form and without the hash.
func TestSchemeLimits(t *testing.T) {
	std, hexa := base64.StdEncoding.EncodeToString, hex.EncodeToString
	tag := func(n int) []byte { return []byte(strings.Repeat("\xfb\xff\xbf", 30))[:n] }
	django := func(iterations string, salt string, tag []byte) string {
		return "pbkdf2_sha256$" + iterations + "$" + salt + "$" + std(tag)
	}
	cost := func(n, r, p any, tag []byte) string {
		return fmt.Sprintf("scrypt:%v:%v:%v$salt$%s", n, r, p, hexa(tag))
	}
	ln := func(cost string, salt, tag []byte) string {
		return "$scrypt$" + cost + "$" + base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(tag)
	}
	adaptedSalt := adapted.EncodeToString(tag(16))
	for _, c := range []struct {
		name, stored string
		want         string // "": accepted
	}{
		{"one iteration", django("1", "s", tag(32)), ""},
		{"most iterations", django("2000000", strings.Repeat("s", 64), tag(32)), ""},
		{"no iterations", django("0", "s", tag(32)), "pbkdf2_sha256$...: iterations are not a number from 1 to 2000000"},
		{"too many", django("2000001", "s", tag(32)), "iterations are not"},
		{"beyond 32 bits", django("4294967297", "s", tag(32)), "iterations are not"},
		{"a leading zero", django("01", "s", tag(32)), "iterations are not"},
		{"a sign", django("+1", "s", tag(32)), "iterations are not"},
		{"negative", django("-1", "s", tag(32)), "iterations are not"},
		{"no salt", django("1", "", tag(32)), "salt is not text of 1 to 64 bytes"},
		{"a long salt", django("1", strings.Repeat("s", 65), tag(32)), "salt is not"},
		{"two blocks", django("1", "s", tag(64)), "tag is not base64 of 32 to 32 bytes"},
		{"a short tag", django("1", "s", tag(31)), "tag is not"},
		{"no tag", django("1", "s", nil), "tag is not"},
		{"a tag without its padding", strings.TrimSuffix(django("1", "s", tag(32)), "="), "tag is not"},
		{"a tag with a line feed", django("1", "s", tag(32)) + "\n", "tag is not"},
		{"more parts", django("1", "s", tag(32)) + "$", "not iterations$salt$tag"},
		{"fewer parts", "pbkdf2_sha256$1$s", "not iterations$salt$tag"},
		{"SHA-1", "pbkdf2_sha1$1$s$" + std(tag(20)), ""},
		{"SHA-1 with another size", "pbkdf2_sha1$1$s$" + std(tag(32)), "pbkdf2_sha1$...: tag is not base64 of 20 to 20 bytes"},
		{"SHA-512", "pbkdf2:sha512:1$s$" + hexa(tag(64)), ""},
		{"SHA-512 with another size", "pbkdf2:sha512:1$s$" + hexa(tag(63)), "tag is not lower-case hex of 64 to 64 bytes"},
		{"upper-case hex", "pbkdf2:sha256:1$s$" + strings.ToUpper(hexa(tag(32))), "tag is not lower-case hex"},
		{"passlib", "$pbkdf2-sha256$1$" + adaptedSalt + "$" + adapted.EncodeToString(tag(32)), ""},
		{"passlib, a plus", "$pbkdf2-sha256$1$" + base64.RawStdEncoding.EncodeToString(tag(16)) + "$" + adapted.EncodeToString(tag(32)), "salt is not base64 with . for +"},

		{"least of scrypt", cost(2, 1, 1, tag(16)), ""},
		{"most work", cost(1<<18, 8, 1, tag(64)), ""},
		{"most r and p", cost(1<<11, 32, 32, tag(64)), ""},
		{"N of 1", cost(1, 8, 1, tag(64)), "scrypt:...: N, r and p are not"},
		{"N of 3", cost(3, 8, 1, tag(64)), "N, r and p are not"},
		{"too much memory", cost(1<<19, 8, 1, tag(64)), "of a product up to 2097152"},
		{"too much work", cost(1<<18, 8, 2, tag(64)), "N, r and p are not"},
		{"a product beyond 32 bits", cost(1<<21, 32, 32, tag(64)), "N, r and p are not"},
		{"r above", cost(2, 33, 1, tag(64)), "N, r and p are not"},
		{"p above", cost(2, 1, 33, tag(64)), "N, r and p are not"},
		{"r of 0", cost(2, 0, 1, tag(64)), "N, r and p are not"},
		{"p of 0", cost(2, 1, 0, tag(64)), "N, r and p are not"},
		{"N beyond 64 bits", cost("36893488147419103232", 1, 1, tag(64)), "N, r and p are not"},
		{"a short tag", cost(2, 1, 1, tag(15)), "tag is not"},
		{"a long tag", cost(2, 1, 1, tag(65)), "tag is not"},
		{"fewer parts", "scrypt:2:1$salt$" + hexa(tag(64)), "not N:r:p$salt$tag"},
		{"Django's", "scrypt$16384$seasalt$8$1$" + std(tag(64)), ""},
		{"Django's, fewer parts", "scrypt$16384$seasalt$8$" + std(tag(64)), "not N$salt$r$p$tag"},
		{"ln", ln("ln=1,r=1,p=1", tag(1), tag(16)), ""},
		{"ln of 0", ln("ln=0,r=1,p=1", tag(1), tag(16)), "$scrypt$...: ln is not a number from 1 to 21"},
		{"ln of 22", ln("ln=22,r=1,p=1", tag(1), tag(16)), "ln is not"},
		{"ln of 64", ln("ln=64,r=1,p=1", tag(1), tag(16)), "ln is not"},
		{"another order", ln("r=1,ln=1,p=1", tag(1), tag(16)), "not ln=...,r=...,p=...$salt$tag"},
		{"fewer numbers", ln("ln=1,r=1", tag(1), tag(16)), "not ln="},
		{"a salt of none", ln("ln=1,r=1,p=1", nil, tag(16)), "salt is not"},
		{"the third vector of RFC 7914", ln("ln=20,r=8,p=1", []byte("SodiumChloride"), tag(64)), "N, r and p are not"}, // 1 GiB
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := parseScheme(c.stored)
			if c.want == "" {
				require.NoError(t, err)
				require.NotEmpty(t, d.tag)
				return
			}
			require.ErrorIs(t, err, ErrHash)
			require.ErrorContains(t, err, c.want)
			require.Nil(t, d.derive)
			if i := strings.LastIndexByte(c.stored, '$'); len(c.stored) > i+8 {
				require.NotContains(t, err.Error(), c.stored[i:])
			}
		})
	}
}

// HMAC cannot tell a value from the same with NULs behind it, nor a long one from
// its digest. What it cannot tell apart does not match here.
func TestSchemeTraps(t *testing.T) {
	h := smallHasher(t, 64, 1, 0)
	stored := func(value string) string {
		d, err := parseScheme("pbkdf2_sha256$1$salt$" + base64.StdEncoding.EncodeToString(make([]byte, 32)))
		require.NoError(t, err)
		tag, err := d.derive(value)
		require.NoError(t, err)
		return "pbkdf2_sha256$1$salt$" + base64.StdEncoding.EncodeToString(tag)
	}
	long := strings.Repeat("long", 20)
	for _, c := range []struct {
		name, hashed, presented string
		ok                      bool
	}{
		{"itself", "secret", "secret", true},
		{"with a NUL behind it", "secret", "secret\x00", false},
		{"a value with a NUL against itself", "a\x00b", "a\x00b", false},
		{"a long value", long, long, true},
		{"its digest", long, sha256Of(long), false},
		{"32 bytes of text", strings.Repeat("\u00e4", 16), strings.Repeat("\u00e4", 16), true},
		{"empty against the hash of empty", "", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.Contains(c.name, "digest") || strings.Contains(c.name, "NUL") {
				require.Equal(t, stored(c.hashed), stored(c.presented), "PBKDF2 alone says yes")
			}
			ok, outdated, err := h.Compare(t.Context(), stored(c.hashed), credential.NewSecret(c.presented))
			require.NoError(t, err)
			require.Equal(t, c.ok, ok)
			require.Equal(t, c.ok, outdated)
		})
	}
}

func sha256Of(value string) string {
	sum := sha256.Sum256([]byte(value))
	return string(sum[:])
}

// A prefix is taken off, and the hash behind it is renewed at the next success
// although it would do, so that the prefix goes.
func TestPrefixesAreTakenOff(t *testing.T) {
	h := smallHasher(t, 64, 1, 0)
	bare, err := h.Hash(t.Context(), credential.NewSecret("U*U"))
	require.NoError(t, err)
	v := Password(h)
	verdict := func(stored, presented string) (Verdict, error) {
		return v.Verify(t.Context(), Query{Presented: credential.NewSecret(presented), Hash: credential.NewSecret(stored)})
	}
	for _, p := range prefixes {
		for _, hash := range []string{bare, bcryptStored} {
			rest, ok := strings.CutPrefix(hash, p.instead)
			require.True(t, ok)
			got, err := verdict(p.prefix+rest, "U*U")
			require.NoError(t, err, p.prefix)
			require.Equal(t, Verdict{Status: StatusValid, Outdated: true}, got, p.prefix)
			got, err = verdict(p.prefix+rest, "U*V")
			require.NoError(t, err)
			require.Equal(t, Verdict{Status: StatusWrong}, got, p.prefix)
		}
	}
	got, err := verdict(bare, "U*U")
	require.NoError(t, err)
	require.False(t, got.Outdated)
}

// scrypt takes of the budget what it takes of memory, and none takes less than a
// new hash, because each keeps a processor busy.
func TestSchemesTakeATurn(t *testing.T) {
	h := smallHasher(t, 64, 2, 0)
	value := credential.NewSecret("x")
	tag := base64.StdEncoding.EncodeToString(make([]byte, 32))
	light, heavy := "pbkdf2_sha256$1$salt$"+tag, "scrypt$1024$salt$1$1$"+tag // 129 KiB
	d, err := parseScheme("scrypt$262144$salt$8$1$" + tag)
	require.NoError(t, err)
	require.EqualValues(t, 262145, d.memory, "KiB")
	release, err := h.budget.acquire(t.Context(), 64)
	require.NoError(t, err)
	_, _, err = h.Compare(t.Context(), heavy, value)
	require.ErrorIs(t, err, ErrBusy)
	_, _, err = h.Compare(t.Context(), light, value)
	require.NoError(t, err)
	more, err := h.budget.acquire(t.Context(), 1)
	require.NoError(t, err)
	_, _, err = h.Compare(t.Context(), light, value)
	require.ErrorIs(t, err, ErrBusy)
	_, _, err = h.Compare(t.Context(), "pbkdf2_sha256$2000001$salt$"+tag, value)
	require.ErrorIs(t, err, ErrHash, "refused before it would have waited")
	more()
	release()
	_, _, err = h.Compare(t.Context(), heavy, value)
	require.NoError(t, err)
	requireIdle(t, h.budget)
}

// What is accepted is within the limits, so that nothing beyond them reaches the
// code that works and allocates. No error has what follows the form.
func FuzzParseScheme(f *testing.F) {
	tag := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for _, seed := range []string{
		"pbkdf2_sha256$1000000$seasalt$" + tag, "pbkdf2_sha256$2000001$seasalt$" + tag, "scrypt$16384$seasalt$8$5$" + tag,
		"scrypt:32768:8:1$saltsalt$" + strings.Repeat("ab", 64), "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
		"$pbkdf2-sha256$29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF/Z5JZv.lfCIhXXN33N23OSgQYThBYRfk", "", "{bcrypt}x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stored string) {
		d, err := parseScheme(stored)
		if err != nil {
			require.ErrorIs(t, err, ErrHash)
			require.Nil(t, d.derive)
			if i := strings.LastIndexByte(stored, '$'); len(stored) > i+20 {
				require.NotContains(t, err.Error(), stored[i+1:])
			}
			return
		}
		require.True(t, len(d.tag) >= 16 && len(d.tag) <= 64, "tag of %d", len(d.tag))
		require.LessOrEqual(t, d.memory, uint32(262144+128), "KiB")
		if d.memory > 4096 || strings.Contains(stored, "pbkdf2") {
			return // not in each of many thousand inputs
		}
		got, err := d.derive("x")
		require.NoError(t, err)
		require.Len(t, got, len(d.tag))
	})
}
