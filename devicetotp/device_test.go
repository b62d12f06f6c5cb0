package devicetotp_test

import (
	"bytes"
	"image/png"
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

func TestLabelsThatCannotBeToldApartAreRefused(t *testing.T) {
	d := devicetotp.DeviceTOTP{Secret: secret("12345678901234567890"), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second}
	for _, labels := range [][2]string{{"", "a"}, {"a", ""}, {"a:b", "c"}, {"a", "b:c"}} {
		_, err := d.URI(labels[0], labels[1])
		require.ErrorContains(t, err, "must not be empty or contain")
		_, err = d.QRCode(labels[0], labels[1], 256)
		require.Error(t, err)
		require.NotContains(t, err.Error(), d.Base32())
	}
}

func TestAnIncompleteDeviceHasNoAddress(t *testing.T) {
	whole := devicetotp.DeviceTOTP{Secret: secret("12345678901234567890"), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second}
	quickest := whole
	quickest.Period = time.Second
	for _, d := range []devicetotp.DeviceTOTP{whole, quickest} {
		_, err := d.URI("Example", "alice")
		require.NoError(t, err)
	}
	for what, remove := range map[string]func(*devicetotp.DeviceTOTP){
		"everything": func(d *devicetotp.DeviceTOTP) { *d = devicetotp.DeviceTOTP{} },
		"secret":     func(d *devicetotp.DeviceTOTP) { d.Secret = secret("") },
		"digits":     func(d *devicetotp.DeviceTOTP) { d.Digits = 0 },
		"period":     func(d *devicetotp.DeviceTOTP) { d.Period = time.Second - 1 },
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

func TestQRCodeHasTheSizeAskedFor(t *testing.T) {
	d := devicetotp.DeviceTOTP{Secret: secret("12345678901234567890"), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second}
	file, err := d.QRCode("Example", "alice", 300)
	require.NoError(t, err)
	picture, err := png.Decode(bytes.NewReader(file))
	require.NoError(t, err)
	require.Equal(t, 300, picture.Bounds().Dx())
	require.Equal(t, 300, picture.Bounds().Dy())
}
