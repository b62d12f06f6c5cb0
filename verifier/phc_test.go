package verifier

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func b64(n int) string { return base64.RawStdEncoding.EncodeToString(make([]byte, n)) }

func phc(m, t, p string, salt, tag int) string {
	return fmt.Sprintf("$argon2id$v=19$m=%s,t=%s,p=%s$%s$%s", m, t, p, b64(salt), b64(tag))
}

// Both ends of every limit are inside, and what lies one beyond is refused.
func TestArgonLimits(t *testing.T) {
	for _, tc := range []struct {
		name, stored string
		want         string // "": accepted
	}{
		{"the default cost", phc("19456", "2", "1", 16, 32), ""},
		{"least of everything", phc("8", "1", "1", 8, 16), ""},
		{"most of everything", phc("262144", "10", "255", 48, 64), ""},
		{"m of 0", phc("0", "1", "1", 16, 32), "m is not a number from 1 to 262144"},
		{"m above", phc("262145", "1", "1", 16, 32), "m is not"},
		{"m beyond 32 bits", phc("4294967304", "1", "1", 16, 32), "m is not"},
		{"m below 8 p", phc("15", "1", "2", 16, 32), "m is below 8*p"},
		{"m of 8 p", phc("16", "1", "2", 16, 32), ""},
		{"t of 0", phc("64", "0", "1", 16, 32), "t is not a number from 1 to 10"},
		{"t above", phc("64", "11", "1", 16, 32), "t is not"},
		{"p of 0", phc("64", "1", "0", 16, 32), "p is not a number from 1 to 255"},
		{"p of many processors", phc("2040", "1", "255", 16, 32), ""},
		{"m below 8 p of many", phc("2039", "1", "255", 16, 32), "m is below 8*p"},
		{"p above", phc("262144", "1", "256", 16, 32), "p is not"},
		{"p that is 1 in a byte", phc("262144", "1", "257", 16, 32), "p is not"},
		{"salt of 7", phc("64", "1", "1", 7, 32), "salt is not base64 of 8 to 48 bytes"},
		{"salt of 49", phc("64", "1", "1", 49, 32), "salt is not"},
		{"no salt", phc("64", "1", "1", 0, 32), "salt is not"},
		{"tag of 15", phc("64", "1", "1", 16, 15), "tag is not base64 of 16 to 64 bytes"},
		{"tag of 65", phc("64", "1", "1", 16, 65), "tag is not"},
		{"no tag", phc("64", "1", "1", 16, 0), "tag is not"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h, err := parseArgon(tc.stored)
			if tc.want == "" {
				require.NoError(t, err)
				require.Equal(t, tc.stored, h.String())
				return
			}
			require.ErrorIs(t, err, ErrHash)
			require.ErrorContains(t, err, tc.want)
			require.Zero(t, h)
		})
	}
}

// A hash has one text. Whatever else a lenient parser would take is refused.
func TestArgonTakesTheCanonicalFormOnly(t *testing.T) {
	good := phc("64", "1", "1", 16, 32)
	replace := func(old, with string) string { return strings.Replace(good, old, with, 1) }
	for name, stored := range map[string]string{
		"empty":                 "",
		"a dollar":              "$",
		"nothing in front":      good[1:],
		"something in front":    "x" + good,
		"space in front":        " " + good,
		"line feed behind":      good + "\n",
		"a part behind":         good + "$",
		"upper case name":       replace("argon2id", "Argon2id"),
		"argon2i":               replace("argon2id", "argon2i"),
		"no version":            replace("$v=19", ""),
		"version 16":            replace("v=19", "v=16"),
		"version 019":           replace("v=19", "v=019"),
		"parameters turned":     replace("m=64,t=1,p=1", "t=1,m=64,p=1"),
		"a parameter missing":   replace(",p=1", ""),
		"a parameter behind":    replace(",p=1", ",p=1,data=AA"),
		"a parameter twice":     replace("t=1", "t=1,t=1"),
		"leading zero":          replace("m=64", "m=064"),
		"plus sign":             replace("m=64", "m=+64"),
		"minus sign":            replace("t=1", "t=-1"),
		"underscore":            replace("m=64", "m=6_4"),
		"hexadecimal":           replace("m=64", "m=0x40"),
		"space in a number":     replace("m=64", "m= 64"),
		"no number":             replace("m=64", "m="),
		"no name":               replace("m=64", "64"),
		"full-width digit":      replace("t=1", "t=\uff11"),
		"padded salt":           replace(b64(16), b64(16)+"=="),
		"padded tag":            good + "=",
		"trailing bits of salt": replace(b64(16), b64(16)[:21]+"B"),
		"trailing bits of tag":  good[:len(good)-1] + "B",
		"URL alphabet":          replace(b64(16), "-"+b64(16)[1:]),
		"line feed in salt":     replace(b64(16), b64(16)[:4]+"\n"+b64(16)[4:]),
		"return in tag":         good[:len(good)-4] + "\r" + good[len(good)-4:],
		"NUL in salt":           replace(b64(16), b64(16)[:4]+"\x00"+b64(16)[5:]),
		"scrypt":                "$scrypt$ln=15,r=8,p=1$c2FsdHNhbHRzYWx0$" + b64(32),
		"plain text":            "superSecret12345!",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseArgon(stored)
			require.ErrorIs(t, err, ErrHash)
			if len(stored) > 1 {
				require.NotContains(t, err.Error(), stored, "the hash is not in the error")
			}
		})
	}
}

func TestBcryptTakesTheCanonicalFormOnly(t *testing.T) {
	const tail = "CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
	for stored, want := range map[string]int{
		"$2a$05$" + tail: 5, "$2b$04$" + tail: 4, "$2y$14$" + tail: 14, "$2a$10$" + tail: 10,
		"$2a$03$" + tail: 0, "$2a$15$" + tail: 0, "$2a$31$" + tail: 0, "$2a$00$" + tail: 0,
		"$2x$05$" + tail: 0, "$2$05$" + tail: 0, "$2$$05$" + tail: 0, "$2A$05$" + tail: 0, "$2\xe1$05$" + tail: 0,
		"$2a$5$" + tail: 0, "$2a$ 5$" + tail: 0, "$2a$+5$" + tail: 0, "$2a$5 $" + tail: 0, "$2a$0x$" + tail: 0,
		"$2a$05$" + tail[1:]: 0, "$2a$05$" + tail + "C": 0, "$2a$05$" + tail[1:] + "\n": 0, "$2a$05$+" + tail[1:]: 0,
		"$2a$05." + tail: 0, "$2a.05$" + tail: 0, "$1a$05$" + tail: 0, ".2a$05$" + tail: 0,
		"$2a$05$" + tail[:20] + "$" + tail[21:]: 0, "": 0, "$2": 0, "$2a$05$": 0,
	} {
		cost, err := parseBcrypt(stored)
		require.Equal(t, want, cost, "%q", stored)
		if want == 0 {
			require.ErrorIs(t, err, ErrHash, "%q", stored)
		} else {
			require.NoError(t, err, "%q", stored)
			require.True(t, isBcrypt(stored))
		}
	}
	require.False(t, isBcrypt(phc("64", "1", "1", 16, 32)))
	require.False(t, isBcrypt(""))
}

// What is accepted is within the limits and has exactly one text, so that
// nothing beyond the limits reaches the code that allocates.
func FuzzParseArgon(f *testing.F) {
	for _, seed := range []string{
		phc("19456", "2", "1", 16, 32), phc("8", "1", "1", 8, 16), phc("262144", "10", "255", 48, 64),
		phc("262145", "11", "256", 49, 65), phc("064", "1", "1", 16, 32), phc("64", "1", "1", 16, 32) + "=", "", "$$$$$",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stored string) {
		h, err := parseArgon(stored)
		if err != nil {
			require.ErrorIs(t, err, ErrHash)
			require.Zero(t, h)
			return
		}
		require.Equal(t, stored, h.String())
		require.LessOrEqual(t, h.memory, uint32(262144))
		require.GreaterOrEqual(t, h.memory, 8*uint32(h.threads))
		require.True(t, h.time >= 1 && h.time <= 10, "t=%d", h.time)
		require.True(t, h.threads >= 1, "p=%d", h.threads)
		require.True(t, len(h.salt) >= 8 && len(h.salt) <= 48, "salt of %d", len(h.salt))
		require.True(t, len(h.tag) >= 16 && len(h.tag) <= 64, "tag of %d", len(h.tag))
	})
}

// What is accepted is of the one length, with a cost within the limits.
func FuzzParseBcrypt(f *testing.F) {
	const tail = "CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
	for _, seed := range []string{"$2a$05$" + tail, "$2y$14$" + tail, "$2b$15$" + tail, "$2x$05$" + tail, "$2a$+5$" + tail, ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stored string) {
		cost, err := parseBcrypt(stored)
		if err != nil {
			require.ErrorIs(t, err, ErrHash)
			return
		}
		require.True(t, isBcrypt(stored))
		require.Len(t, stored, 60)
		require.Equal(t, fmt.Sprintf("%02d", cost), stored[4:6])
		require.True(t, cost >= 4 && cost <= 14, "cost %d", cost)
		require.NotContains(t, stored[7:], "$")
	})
}
