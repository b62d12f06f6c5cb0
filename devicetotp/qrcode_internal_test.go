package devicetotp

import (
	"image"
	"image/color"
	"image/draw"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the drawing library says when it cannot draw has the whole address in
// it; what it draws is not trusted to be a code either.
func TestWhatCannotBeDrawnIsNotQuoted(t *testing.T) {
	for name, uri := range map[string]string{
		"no address": "otpauth://totp/%zz?secret=GEZDGNBVGY3TQOJQ",
		"too long":   "otpauth://totp/a:b?secret=" + strings.Repeat("GEZDGNBVGY3TQOJQ", 200),
	} {
		_, err := encodeQR(uri)
		require.Equal(t, errDrawing, err, name)
	}
	for name, dark := range map[string]image.Rectangle{
		"nothing":             {},
		"less than a pattern": image.Rect(0, 0, 6, 6),
		"a side of no code":   image.Rect(1, 1, 8, 8),
		"too few modules":     image.Rect(80, 80, 87, 87),
		"all dark":            image.Rect(0, 0, mostModules, mostModules),
	} {
		picture := image.NewGray(image.Rect(0, 0, mostModules, mostModules))
		draw.Draw(picture, picture.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
		draw.Draw(picture, dark, image.NewUniform(color.Black), image.Point{}, draw.Src)
		_, err := modulesOf(picture)
		require.Equal(t, errDrawing, err, name)
	}
}

// The smallest code has 21 modules. It is found although no address is that short.
func TestTheSmallestCodeIsFound(t *testing.T) {
	picture := image.NewGray(image.Rect(0, 0, mostModules, mostModules))
	draw.Draw(picture, picture.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(picture, image.Rect(4, 4, 4+7*8, 4+7*8), image.NewUniform(color.Black), image.Point{}, draw.Src)
	code, err := modulesOf(picture)
	require.NoError(t, err)
	require.Equal(t, leastModules, code.side)
}

// The longest address fits, whatever is in it.
func TestTheLongestAddressIsWithinTheCode(t *testing.T) {
	require.Equal(t, 1838, len("otpauth://totp/:?secret=&issuer=&algorithm=SHA512&digits=&period=")+
		3*(2*maxIssuerSize+maxAccountSize)+secretEncoding.EncodedLen(maxSecretSize)+2*len("9223372036854775807"))
}
