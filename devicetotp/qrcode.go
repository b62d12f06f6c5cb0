package devicetotp

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"

	"github.com/pquerna/otp"
)

const (
	// quietZone is the least width, in modules, of the light margin on every
	// side of a QR code (ISO/IEC 18004). Without it a code on a dark page is
	// not found.
	quietZone = 4
	// leastModules and mostModules are the sides of version 1 and 40; each
	// version has four more than the one before.
	leastModules, mostModules = 21, 177
	// maxPicture is the largest side of a picture in pixels, so that a size
	// that came from a caller does not take all memory.
	maxPicture = 4096
)

// errDrawing stands for whatever the drawing library says, which quotes the
// address, secret included.
var errDrawing = errors.New("devicetotp: the address could not be drawn as a QR code")

// QRCode returns the provisioning address of [DeviceTOTP.URI], with its bounds
// and errors, as a PNG picture of size by size pixels, black on white. The code
// is as large as fits with the white margin of four modules that ISO/IEC 18004
// asks for. A size that is too small for that is an error, which names the
// least size; it depends on the length of the address and is at most 185. At
// most 4096; 256 is a good size for an address of up to about 200 bytes, twice
// that for any. The picture contains the secret.
func (d DeviceTOTP) QRCode(issuer, account string, size int) ([]byte, error) {
	uri, err := d.URI(issuer, account)
	if err != nil {
		return nil, err
	}
	code, err := encodeQR(uri)
	if err != nil {
		return nil, err
	}
	if least := code.side + 2*quietZone; size < least || size > maxPicture {
		return nil, fmt.Errorf("devicetotp: size is %d pixels, must be at least %d for this address and at most %d", size, least, maxPicture)
	}
	var file bytes.Buffer
	if err := png.Encode(&file, code.draw(size)); err != nil {
		return nil, errDrawing
	}
	return file.Bytes(), nil
}

// modules are the dark and light squares of a QR code, side by side.
type modules struct {
	side int
	dark func(x, y int) bool
}

// encodeQR returns the QR code of uri.
func encodeQR(uri string) (modules, error) {
	key, err := otp.NewKeyFromURL(uri)
	if err != nil {
		return modules{}, errDrawing
	}
	picture, err := key.Image(mostModules, mostModules)
	if err != nil {
		return modules{}, errDrawing
	}
	return modulesOf(picture)
}

// modulesOf finds the code in a picture of mostModules by mostModules pixels,
// which is the only form that github.com/pquerna/otp has it in. There it is in
// the middle, enlarged by the largest whole number that fits. The finder
// pattern in the upper left corner, seven modules wide, shows that number.
func modulesOf(picture image.Image) (modules, error) {
	dark := func(x, y int) bool {
		return x < mostModules && color.GrayModel.Convert(picture.At(x, y)).(color.Gray).Y < 128
	}
	offset := 0
	for offset < mostModules && !dark(offset, offset) {
		offset++
	}
	run := 0
	for dark(offset+run, offset) {
		run++
	}
	scale := run / 7
	if scale == 0 {
		return modules{}, errDrawing
	}
	side := (mostModules - 2*offset) / scale
	if side < leastModules || (side-leastModules)%4 != 0 {
		return modules{}, errDrawing
	}
	return modules{side, func(x, y int) bool { return dark(offset+x*scale, offset+y*scale) }}, nil
}

// draw returns a picture of size by size pixels with the code in its middle. Of
// a Paletted image every pixel is the first colour until it is set.
func (m modules) draw(size int) image.Image {
	picture := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.White, color.Black})
	scale := size / (m.side + 2*quietZone)
	margin := (size - m.side*scale) / 2
	for y := range m.side {
		for x := range m.side {
			if !m.dark(x, y) {
				continue
			}
			for i := range scale * scale {
				picture.SetColorIndex(margin+x*scale+i%scale, margin+y*scale+i/scale, 1)
			}
		}
	}
	return picture
}
