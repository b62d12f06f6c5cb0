package credential_test

import (
	"encoding/base32"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

const plainSecret = "12345678901234567890"

func TestParseURI(t *testing.T) {
	usual := credential.URI{
		Secret: credential.NewSecret(plainSecret), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
		Issuer: "Old Service", Account: "alice@example.com",
	}
	with := func(change func(*credential.URI)) credential.URI {
		u := usual
		change(&u)
		return u
	}
	for address, want := range map[string]credential.URI{
		"otpauth://totp/Old%20Service:alice@example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Old%20Service":                                   usual,
		"otpauth://totp/Old%20Service:alice@example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Old%20Service&algorithm=SHA1&digits=6&period=30": usual,
		"\n otpauth://totp/Old%20Service%3A%20alice@example.com?secret=gezd-gnbv-gy3t-qojq-gezd-gnbv-gy3t-qojq ":                                        usual,
		"OTPAUTH://TOTP/Old%20Service:alice@example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&image=https%3A%2F%2Fexample.com":                        usual,
		"otpauth://totp/?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ":                                                                                       with(func(u *credential.URI) { u.Issuer, u.Account = "", "" }),
		"otpauth://totp/alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=sha-256&digits=8&period=300": with(func(u *credential.URI) {
			u.Issuer, u.Account, u.Algorithm, u.Digits, u.Period = "", "alice", credential.AlgorithmSHA256, 8, 5*time.Minute
		}),
		"otpauth://totp/a:b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=c": with(func(u *credential.URI) { u.Issuer, u.Account = "c", "b" }),
	} {
		got, err := credential.ParseURI(address)
		require.NoError(t, err, "%s", address)
		require.Equal(t, want, got, "%s", address)
		require.Equal(t, plainSecret, got.Secret.Reveal())
	}
}

// What pquerna/otp takes for a default, or for the first of two, is an error. No
// error shows the address.
func TestParseURI_GuessesNothing(t *testing.T) {
	const secret = "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for what, address := range map[string]string{
		"not an address":           "otpauth://totp/\x00?" + secret,
		"an escape that is none":   "otpauth://totp/%zz?" + secret,
		"parameters torn apart":    "otpauth://totp/a?" + secret + ";digits=8",
		"a bad escape inside":      "otpauth://totp/a?" + secret + "&digits=%zz",
		"of the web":               "https://totp/a?" + secret,
		"the secret alone":         "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
		"empty":                    "",
		"of a HOTP":                "otpauth://hotp/a?" + secret + "&counter=1",
		"of neither":               "otpauth:///a?" + secret,
		"a migration":              "otpauth-migration://offline?data=GEZDGNBVGY3TQOJQ",
		"Steam":                    "otpauth://totp/a?" + secret + "&encoder=steam",
		"MD5":                      "otpauth://totp/a?" + secret + "&algorithm=MD5",
		"an unknown algorithm":     "otpauth://totp/a?" + secret + "&algorithm=SHA3",
		"an empty algorithm":       "otpauth://totp/a?" + secret + "&algorithm=",
		"words for digits":         "otpauth://totp/a?" + secret + "&digits=six",
		"no digits":                "otpauth://totp/a?" + secret + "&digits=0",
		"empty digits":             "otpauth://totp/a?" + secret + "&digits=",
		"negative digits":          "otpauth://totp/a?" + secret + "&digits=-6",
		"digits beyond 63 bits":    "otpauth://totp/a?" + secret + "&digits=18446744073709551610",
		"a negative period":        "otpauth://totp/a?" + secret + "&period=-30",
		"a period of no length":    "otpauth://totp/a?" + secret + "&period=0",
		"a period with a unit":     "otpauth://totp/a?" + secret + "&period=30s",
		"a period beyond all time": "otpauth://totp/a?" + secret + "&period=18446744073709551615",
		"two secrets":              "otpauth://totp/a?" + secret + "&secret=AAAAAAAAAAAAAAAA",
		"two periods":              "otpauth://totp/a?" + secret + "&period=30&period=60",
		"no secret":                "otpauth://totp/a?issuer=x",
		"an empty secret":          "otpauth://totp/a?secret=",
		"a secret of padding":      "otpauth://totp/a?secret====",
		"a secret not in base32":   "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1",
	} {
		u, err := credential.ParseURI(address)
		require.Error(t, err, what)
		require.Zero(t, u, what)
		for _, part := range []string{"GEZD", "AAAA", "otpauth://", "%zz", "18446744073709551610"} {
			require.NotContains(t, err.Error(), part, what)
		}
	}
}

func TestParseBase32(t *testing.T) {
	for _, text := range []string{
		"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "gezdgnbvgy3tqojqgezdgnbvgy3tqojq", "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ",
		"gezd-gnbv-gy3t-qojq-gezd-gnbv-gy3t-qojq", " GEZDGNBVGY3TQOJQ\tGEZDGNBVGY3TQOJQ\r\n", "GEZDGNBV\u00a0GY3TQOJQ\u2013GEZDGNBVGY3TQOJQ",
		"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ======",
	} {
		got, err := credential.ParseBase32(text)
		require.NoError(t, err, "%q", text)
		require.Equal(t, plainSecret, got.Reveal(), "%q", text)
	}
	_, err := credential.ParseBase32("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
	require.NoError(t, err, "every digit there is")
	for _, text := range []string{
		"", "=", " - ", "G", "GEZ", "GEZDGN", "GEZDGNBVG", // no number of bytes
		"GEZ=DGNB", "GEZDGNB1", "GEZDGNB0", "GEZDGNB8", "GEZDGNB!", "GEZDGNB\x00", "GEZDGNB\xff",
		"GEZDGNB\u017f", "GEZDGNB\u0131", "\uff27EZDGNBV", "GEZDGNBV\u0662", // letters and digits of other scripts
	} {
		got, err := credential.ParseBase32(text)
		require.Error(t, err, "%q", text)
		require.False(t, got.Present(), "%q", text)
		require.NotContains(t, err.Error(), "GEZ")
	}
}

func FuzzParseBase32(f *testing.F) {
	f.Add([]byte("12345678901234567890"), uint8(0))
	f.Add([]byte{0, 0xff}, uint8(7))
	f.Fuzz(func(t *testing.T, raw []byte, style uint8) {
		if len(raw) == 0 {
			return
		}
		text := base32.StdEncoding.EncodeToString(raw)
		if style&1 != 0 {
			text = strings.TrimRight(text, "=")
		}
		if style&2 != 0 {
			text = strings.ToLower(text)
		}
		if style&4 != 0 {
			text = text[:len(text)/2] + " - " + text[len(text)/2:]
		}
		got, err := credential.ParseBase32(text)
		require.NoError(t, err)
		require.Equal(t, string(raw), got.Reveal())
	})
}

func FuzzParseURI(f *testing.F) {
	f.Add("otpauth://totp/Old%20Service:alice?secret=GEZDGNBVGY3TQOJQ&issuer=Old%20Service&algorithm=SHA512&digits=8&period=60")
	f.Add("otpauth://hotp/a?secret=GEZDGNBVGY3TQOJQ")
	f.Fuzz(func(t *testing.T, address string) {
		u, err := credential.ParseURI(address)
		if err != nil {
			require.Zero(t, u)
			if parsed, broken := url.Parse(address); broken == nil && len(parsed.RawQuery) > 8 {
				require.NotContains(t, err.Error(), parsed.RawQuery)
			}
			return
		}
		require.NotEmpty(t, u.Secret.Reveal())
		require.NotZero(t, u.Algorithm.SecretSize())
		require.Positive(t, u.Digits)
		require.Positive(t, u.Period)
		require.Zero(t, u.Period%time.Second)
	})
}

func TestParseAlgorithm(t *testing.T) {
	for want, names := range map[credential.Algorithm][]string{
		credential.AlgorithmSHA1:   {"SHA1", "sha1", "SHA-1", "HmacSHA1", "HMAC-SHA1"},
		credential.AlgorithmSHA256: {"SHA256", "sha-256", "HmacSHA256"},
		credential.AlgorithmSHA512: {"SHA512", "SHA-512", "HmacSHA512"},
	} {
		for _, name := range names {
			got, err := credential.ParseAlgorithm(name)
			require.NoError(t, err, name)
			require.Equal(t, want, got, name)
		}
	}
	for _, name := range []string{"", "MD5", "SHA", "SHA3-256", "SHA2", "algorithm(4)", "SHA1 ", "Hmac", "GEZDGNBVGY3TQOJQ"} {
		_, err := credential.ParseAlgorithm(name)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "GEZD")
	}
}

func ExampleParseURI() {
	u, err := credential.ParseURI("otpauth://totp/Old%20Service:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Old%20Service&digits=8")
	fmt.Println(u.Issuer, u.Account, u.Algorithm, u.Digits, u.Period, u.Secret, err)
	_, err = credential.ParseURI("otpauth://totp/alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=MD5")
	fmt.Println(err)
	// Output:
	// Old Service alice SHA1 8 30s [redacted] <nil>
	// credential: the algorithm is not SHA1, SHA256 or SHA512
}

func ExampleParseBase32() {
	secret, err := credential.ParseBase32("gezd-gnbv gy3t-qojq gezd-gnbv gy3t-qojq")
	fmt.Println(len(secret.Reveal()), err)
	// Output: 20 <nil>
}

func ExampleParseAlgorithm() {
	algorithm, err := credential.ParseAlgorithm("HmacSHA256")
	fmt.Println(algorithm, err)
	// Output: SHA256 <nil>
}
