package devicetotp_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// The address can be read back by the package that others read it with.
func TestURIIsReadBack(t *testing.T) {
	for _, label := range []string{"Example", "Exämple & Söhne", "a/b?c#d", "100% +1", "日本", `"quoted"`, "space  space"} {
		for _, algorithm := range []credential.Algorithm{credential.AlgorithmSHA1, credential.AlgorithmSHA256, credential.AlgorithmSHA512} {
			d := devicetotp.DeviceTOTP{
				Secret: secret(strings.Repeat("\xff\x00s", 7)), Algorithm: algorithm, Digits: 8, Period: time.Minute,
			}
			uri, err := d.URI(label, label+"@example.com")
			require.NoError(t, err)
			require.NotContains(t, uri, "+", "a space is %%20")
			require.NotContains(t, uri, " ")
			_, err = url.Parse(uri)
			require.NoError(t, err)
			key, err := otp.NewKeyFromURL(uri)
			require.NoError(t, err)
			require.Equal(t, label, key.Issuer())
			require.Equal(t, label+"@example.com", key.AccountName())
			require.Equal(t, d.Base32(), key.Secret())
			require.Equal(t, algorithm.String(), key.Algorithm().String())
			require.EqualValues(t, 8, key.Digits())
			require.EqualValues(t, 60, key.Period())
		}
	}
}

func TestAnIncompleteDeviceHasNoAddress(t *testing.T) {
	whole := devicetotp.DeviceTOTP{Secret: secret("12345678901234567890"), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second}
	quickest, shortest, longest := whole, whole, whole
	quickest.Period = time.Second
	shortest.Secret, longest.Secret = secret("s"), secret(strings.Repeat("s", 128))
	for _, d := range []devicetotp.DeviceTOTP{whole, quickest, shortest, longest} {
		_, err := d.URI("Example", "alice")
		require.NoError(t, err)
	}
	for what, remove := range map[string]func(*devicetotp.DeviceTOTP){
		"everything": func(d *devicetotp.DeviceTOTP) { *d = devicetotp.DeviceTOTP{} },
		"secret":     func(d *devicetotp.DeviceTOTP) { d.Secret = secret("") },
		"bound":      func(d *devicetotp.DeviceTOTP) { d.Secret = secret(strings.Repeat("s", 129)) },
		"digits":     func(d *devicetotp.DeviceTOTP) { d.Digits = 0 },
		"period":     func(d *devicetotp.DeviceTOTP) { d.Period = time.Second - 1 },
		"seconds":    func(d *devicetotp.DeviceTOTP) { d.Period = 30*time.Second + 1 },
		"algorithm":  func(d *devicetotp.DeviceTOTP) { d.Algorithm = 0 },
	} {
		d := whole
		remove(&d)
		uri, err := d.URI("Example", "alice")
		require.Error(t, err, "without %s", what)
		require.Empty(t, uri)
		_, err = d.QRCode("Example", "alice", 256)
		require.Error(t, err)
	}
}
