package devicetotp_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// symbol is a QR code found in a picture, measured in pixels.
type symbol struct {
	picture *image.Paletted
	dark    image.Rectangle // the smallest that holds every dark pixel
	scale   int             // the side of one module
}

func (s symbol) isDark(x, y int) bool { return s.picture.ColorIndexAt(x, y) == 1 }

// readSymbol measures the code in a PNG of size by size pixels, of two colours
// that are opaque white and black. The finder pattern in the upper left corner
// is seven modules wide.
func readSymbol(t testing.TB, file []byte, size int) symbol {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(file))
	require.NoError(t, err)
	require.Equal(t, image.Rect(0, 0, size, size), picture.Bounds())
	require.IsType(t, &image.Paletted{}, picture)
	s := symbol{picture: picture.(*image.Paletted)}
	require.Len(t, s.picture.Palette, 2)
	for i, want := range []uint32{0xffff, 0} {
		r, g, b, a := s.picture.Palette[i].RGBA()
		require.Equal(t, [4]uint32{want, want, want, 0xffff}, [4]uint32{r, g, b, a}, "white, then black")
	}
	for y := range size {
		for x := range size {
			if s.isDark(x, y) {
				s.dark = s.dark.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	run := 0
	for s.isDark(s.dark.Min.X+run, s.dark.Min.Y) {
		run++
	}
	require.Zero(t, run%7, "a finder pattern is seven modules wide")
	s.scale = run / 7
	require.Equal(t, s.dark.Dx(), s.dark.Dy())
	require.Zero(t, s.dark.Dx()%s.scale)
	require.Equal(t, 1, s.modules()%4, "17 and four for each version")
	return s
}

func (s symbol) modules() int { return s.dark.Dx() / s.scale }

// leastMargin returns the narrowest of the four margins in pixels.
func (s symbol) leastMargin() int {
	b := s.picture.Bounds()
	return min(s.dark.Min.X, s.dark.Min.Y, b.Max.X-s.dark.Max.X, b.Max.Y-s.dark.Max.Y)
}

func testDevice() devicetotp.DeviceTOTP {
	return devicetotp.DeviceTOTP{Secret: secret("12345678901234567890"), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second}
}

// Four light modules on every side, at every size (ISO/IEC 18004),
// and the largest whole scale that leaves them.
func TestEveryQRCodeHasItsMargin(t *testing.T) {
	short := strings.Repeat("s", 128)
	for _, c := range []struct {
		device          devicetotp.DeviceTOTP
		issuer, account string
		step            int
	}{
		{testDevice(), "Example", "alice@example.com", 7},
		{testDevice(), "日本", "アリス", 31},
		{largest(credential.AlgorithmSHA512), short, short + short[:126], 97},
	} {
		_, err := c.device.QRCode(c.issuer, c.account, 1)
		var least int
		_, scanErr := fmt.Sscanf(err.Error(), "devicetotp: size is 1 pixels, must be at least %d", &least)
		require.NoError(t, scanErr, "%v", err)
		_, err = c.device.QRCode(c.issuer, c.account, least-1)
		require.ErrorContains(t, err, fmt.Sprintf("must be at least %d", least))
		for size := least; size <= least+300; size += c.step {
			file, err := c.device.QRCode(c.issuer, c.account, size)
			require.NoError(t, err, "%d", size)
			s := readSymbol(t, file, size)
			require.Equal(t, least, s.modules()+8, "the least size has one pixel a module")
			require.Equal(t, size/(s.modules()+8), s.scale, "%d", size)
			require.GreaterOrEqual(t, s.leastMargin(), 4*s.scale, "%d", size)
		}
	}
}

// What is drawn is what github.com/pquerna/otp draws, module by module.
func TestTheQRCodeIsTheOneOfTheAddress(t *testing.T) {
	d := testDevice()
	for _, account := range []string{"a", "alice@example.com", strings.Repeat("é", 127)} {
		uri, err := d.URI("Example", account)
		require.NoError(t, err)
		key, err := otp.NewKeyFromURL(uri)
		require.NoError(t, err)
		file, err := d.QRCode("Example", account, 600)
		require.NoError(t, err)
		s := readSymbol(t, file, 600)
		want, err := key.Image(s.modules(), s.modules())
		require.NoError(t, err)
		for y := range s.modules() {
			for x := range s.modules() {
				at := s.dark.Min.Add(image.Pt(x*s.scale+(x+y)%s.scale, y*s.scale+x%s.scale))
				dark := color.GrayModel.Convert(want.At(x, y)).(color.Gray).Y < 128
				if dark != s.isDark(at.X, at.Y) {
					t.Fatalf("module %d,%d", x, y)
				}
			}
		}
	}
}

func TestSizesOfAQRCodeAreBounded(t *testing.T) {
	for _, size := range []int{math.MinInt, -1, 0, 20, 4097, math.MaxInt32, math.MaxInt} {
		_, err := testDevice().QRCode("Example", "alice", size)
		require.ErrorContains(t, err, fmt.Sprintf("devicetotp: size is %d pixels", size))
	}
	file, err := testDevice().QRCode("Example", "alice", 4096)
	require.NoError(t, err)
	require.Less(t, len(file), 64<<10, "one bit a pixel, packed")
}
