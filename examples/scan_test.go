package examples

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// A reader of another author finds the code on a black page, where only its own
// margin sets it off, from the least size on and with the longest labels.
func TestQRCodesAreScannedOnADarkPage(t *testing.T) {
	for name, c := range map[string]struct{ secret, issuer, account string }{
		"usual":   {strings.Repeat("s", 20), "Example", "alice@example.com"},
		"unicode": {strings.Repeat("\xfe", 32), "Beispiel & Söhne", "アリス"},
		"longest": {strings.Repeat("\xff", 128), strings.Repeat("é", 64), strings.Repeat("é", 127)},
	} {
		t.Run(name, func(t *testing.T) {
			d := devicetotp.DeviceTOTP{
				Secret: credential.NewSecret(c.secret), Algorithm: credential.AlgorithmSHA512, Digits: 6, Period: 30 * time.Second,
			}
			want, err := d.URI(c.issuer, c.account)
			require.NoError(t, err)
			_, err = d.QRCode(c.issuer, c.account, 0)
			var least int
			_, scanErr := fmt.Sscanf(err.Error(), "devicetotp: size is 0 pixels, must be at least %d", &least)
			require.NoError(t, scanErr)
			for _, size := range []int{least, least + 1, 2*least - 1, 2 * least, 512, 1024} {
				file, err := d.QRCode(c.issuer, c.account, size)
				require.NoError(t, err)
				got, err := scan(file)
				require.NoError(t, err, "%d pixels", size)
				require.Equal(t, want, got, "%d pixels", size)
			}
		})
	}
}

// scan reads the code in a PNG that lies on a black page.
func scan(file []byte) (string, error) {
	picture, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return "", err
	}
	const border = 40
	page := image.NewGray(picture.Bounds().Inset(-border))
	draw.Draw(page, page.Rect, image.NewUniform(color.Black), image.Point{}, draw.Src)
	draw.Draw(page, picture.Bounds(), picture, image.Point{}, draw.Src)
	bitmap, err := gozxing.NewBinaryBitmapFromImage(page)
	if err != nil {
		return "", err
	}
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, hints)
	if err != nil {
		return "", err
	}
	return result.GetText(), nil
}

// The same reader does not find a code without a margin.
func TestTheScanNeedsAMargin(t *testing.T) {
	d := devicetotp.DeviceTOTP{
		Secret: credential.NewSecret(strings.Repeat("s", 20)), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
	}
	file, err := d.QRCode("Example", "alice@example.com", 57*4)
	require.NoError(t, err)
	_, err = scan(file)
	require.NoError(t, err)
	picture, err := png.Decode(bytes.NewReader(file))
	require.NoError(t, err)
	cropped := picture.(*image.Paletted).SubImage(picture.Bounds().Inset(4 * 4))
	var bare bytes.Buffer
	require.NoError(t, png.Encode(&bare, cropped))
	_, err = scan(bare.Bytes())
	require.Error(t, err)
}
