package devicetotp_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// largest is a device whose address is as long as any: the longest secret that
// is imported, and two-digit digits and a three-digit period.
func largest(a credential.Algorithm) devicetotp.DeviceTOTP {
	return devicetotp.DeviceTOTP{
		Secret: secret(strings.Repeat("\xff\x00sec", 26)[:128]), Algorithm: a, Digits: 10, Period: 300 * time.Second,
	}
}

func TestLabelsThatAreNoTextAreRefused(t *testing.T) {
	d := largest(credential.AlgorithmSHA1)
	for name, c := range map[string]struct{ label, rule string }{
		"empty":                {"", "is empty"},
		"a colon":              {"a:b", `":"`},
		"not UTF-8":            {"a\xffb", "UTF-8"},
		"a cut character":      {"caf\xc3", "UTF-8"},
		"a surrogate":          {"a\xed\xa0\x80", "UTF-8"},
		"NUL":                  {"a\x00b", "U+0000"},
		"NUL at the beginning": {"\x00ab", "U+0000, at byte 0"},
		"LF":                   {"a\nb", "U+000A"},
		"CR at the end":        {"a\r", "U+000D"},
		"TAB":                  {"a\tb", "U+0009"},
		"DEL":                  {"a\x7fb", "U+007F"},
		"C1":                   {"a\u0085b", "U+0085"},
		"line separator":       {"a\u2028b", "U+2028"},
		"paragraph separator":  {"a\u2029b", "U+2029"},
		"embedding":            {"a\u202ab", "U+202A"},
		"override":             {"moc.elpmaxe\u202e", "U+202E"},
		"isolate":              {"a\u2066b", "U+2066"},
		"replacement":          {"a\ufffdb", "U+FFFD"},
		"noncharacter":         {"a\uffffb", "U+FFFF"},
		"leading space":        {" a", "space"},
		"trailing space":       {"a\u00a0", "space"},
		"only space":           {"  ", "space"},
	} {
		for field, labels := range map[string][2]string{"issuer": {c.label, "alice"}, "account": {"Example", c.label}} {
			uri, err := d.URI(labels[0], labels[1])
			require.ErrorContains(t, err, "devicetotp: "+field, name)
			require.ErrorContains(t, err, c.rule, name)
			require.Empty(t, uri, name)
			picture, err := d.QRCode(labels[0], labels[1], 1024)
			require.ErrorContains(t, err, "devicetotp: "+field, name)
			require.Empty(t, picture, name)
		}
	}
	for _, label := range []string{
		"a", "Ünï cödé", "日本語", "עברית", "\u200fעברית", "👩‍👩‍👧", "نام\u200cها", "?&#%+/\\\"'<>", strings.Repeat("a", 128),
	} {
		_, err := d.URI(label, label)
		require.NoError(t, err, "%q", label)
	}
}

// Whatever is within the bounds is drawn, for every algorithm, and one byte more
// is refused with the bound. A byte that is escaped takes three.
func TestEveryLabelWithinTheBoundsIsDrawn(t *testing.T) {
	const issuer, account = 128, 254
	for _, algorithm := range []credential.Algorithm{credential.AlgorithmSHA1, credential.AlgorithmSHA256, credential.AlgorithmSHA512} {
		d := largest(algorithm)
		for _, unit := range []string{"x", "%", "é", "日", "🔑"} {
			fill := func(size int) string {
				return strings.Repeat(unit, size/len(unit)) + strings.Repeat("%", size%len(unit))
			}
			if algorithm != credential.AlgorithmSHA512 && unit != "é" {
				continue // the same length, or less
			}
			_, err := d.QRCode(fill(issuer), fill(account), 256)
			require.NoError(t, err, "%v %q", algorithm, unit)
			_, err = d.QRCode(fill(issuer+1), fill(account), 256)
			require.EqualError(t, err, "devicetotp: issuer has 129 bytes, must have at most 128")
			_, err = d.QRCode(fill(issuer), fill(account+1), 256)
			require.EqualError(t, err, "devicetotp: account has 255 bytes, must have at most 254")
		}
	}
	// What was seen to be quoted, secret included.
	for _, label := range []string{strings.Repeat("🔑", 185), strings.Repeat("x", 2220), strings.Repeat("\n", 1<<20)} {
		_, err := largest(credential.AlgorithmSHA1).QRCode(label, "alice", 256)
		require.Less(t, len(err.Error()), 200)
	}
}

// No text of an error has a part of the secret in it, in any form that URI and
// QRCode handle it in, nor of what it was given; and what they answer says what
// it was asked to.
func FuzzProvisioning(f *testing.F) {
	f.Add("Example", "alice@example.com", 256, uint8(20), uint8(1))
	f.Add("bad:issuer", "alice", 256, uint8(20), uint8(2))
	f.Add(strings.Repeat("🔑", 185), "alice", 256, uint8(64), uint8(3))
	f.Add("x", strings.Repeat("x", 2220), -1, uint8(128), uint8(1))
	f.Add("a\x00b", "a\u202eb", 1<<30, uint8(129), uint8(0))
	f.Add("{secret}:", "{raw}\xff", 49, uint8(32), uint8(2))
	f.Fuzz(func(t *testing.T, issuer, account string, size int, length, algorithm uint8) {
		raw := strings.Repeat("q\xf7Zk\x01w~8\x90V", 26)[:length]
		d := devicetotp.DeviceTOTP{Secret: secret(raw), Algorithm: credential.Algorithm(algorithm % 5), Digits: 6, Period: 30 * time.Second}
		// A host may mix its arguments up.
		mixed := strings.NewReplacer("{secret}", d.Base32(), "{raw}", raw)
		issuer, account = mixed.Replace(issuer), mixed.Replace(account)

		uri, err := d.URI(issuer, account)
		requireTellsNothing(t, d, err)
		picture, drawErr := d.QRCode(issuer, account, size)
		requireTellsNothing(t, d, drawErr)
		if err != nil {
			require.Empty(t, uri)
			require.Empty(t, picture)
			require.Equal(t, err, drawErr)
			return
		}
		key, err := otp.NewKeyFromURL(uri)
		require.NoError(t, err)
		require.Equal(t, issuer, key.Issuer())
		require.Equal(t, account, key.AccountName())
		require.Equal(t, d.Base32(), key.Secret())
		back, err := credential.ParseURI(uri)
		require.NoError(t, err)
		require.Equal(t, credential.URI{
			Secret: d.Secret, Algorithm: d.Algorithm, Digits: d.Digits, Period: d.Period, Issuer: issuer, Account: account,
		}, back)
		if drawErr != nil {
			require.Empty(t, picture)
			require.ErrorContains(t, drawErr, "devicetotp: size is")
			return
		}
		s := readSymbol(t, picture, size)
		require.GreaterOrEqual(t, s.leastMargin(), 4*s.scale)
	})
}

// requireTellsNothing looks for any eight bytes of the secret in err.
func requireTellsNothing(t *testing.T, d devicetotp.DeviceTOTP, err error) {
	t.Helper()
	if err == nil {
		return
	}
	text := fmt.Sprintf("%v %+v %#v", err, err, err)
	require.Less(t, len(text), 1000)
	raw := d.Secret.Reveal()
	for _, form := range []string{raw, d.Base32(), hex.EncodeToString([]byte(raw))} {
		for at := 0; at+8 <= len(form); at++ {
			require.NotContains(t, text, form[at:at+8])
		}
	}
	require.NotContains(t, text, "otpauth")
	require.NotContains(t, text, "secret=")
}
