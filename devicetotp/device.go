package devicetotp

import (
	"bytes"
	"encoding/base32"
	"errors"
	"fmt"
	"image/png"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp"

	"example.com/devicetotp/credential"
)

// DeviceTOTP is an issued device: what the device needs to generate codes.
// Hand Secret to the device once and keep it nowhere else.
type DeviceTOTP struct {
	// ID is the lower-case UUID of the device.
	ID string
	// Secret is the shared secret, as raw bytes. [DeviceTOTP.Base32] is the
	// form that authenticators read.
	Secret credential.Secret
	// Period, Digits and Algorithm are the TOTP parameters of RFC 6238.
	Period    time.Duration
	Digits    int
	Algorithm credential.Algorithm
	// Basis is what the device was created on.
	Basis credential.Basis
	// CreatedAt is when it was created.
	CreatedAt time.Time
	// Replayed tells that this is the repetition of an earlier request: the
	// same device again, with nothing changed.
	Replayed bool
}

// Base32 returns the secret in base32, upper case, without padding (RFC 4648;
// Key URI format).
func (d DeviceTOTP) Base32() string { return secretEncoding.EncodeToString([]byte(d.Secret.Reveal())) }

var secretEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// URI returns the otpauth:// provisioning address (Key URI format) that
// authenticator apps read from a QR code. issuer and account label it and must
// not be empty or contain ":", which separates them; see to that before Create,
// for a device whose address cannot be written exists all the same. A DeviceTOTP
// that is not complete, such as the zero value, is an error too. The address
// contains the secret.
func (d DeviceTOTP) URI(issuer, account string) (string, error) {
	if d.Secret.Reveal() == "" || d.Digits <= 0 || d.Period < time.Second || d.Algorithm.SecretSize() == 0 {
		return "", errors.New("devicetotp: the device has no secret, digits, period or algorithm")
	}
	for _, label := range []struct{ field, value string }{{"issuer", issuer}, {"account", account}} {
		if label.value == "" || strings.Contains(label.value, ":") {
			return "", fmt.Errorf("devicetotp: %s %q must not be empty or contain \":\"", label.field, label.value)
		}
	}
	// Key URI format: the label is "issuer:account"; spaces are %20, never +.
	query := []string{
		"secret=" + d.Base32(),
		"issuer=" + escape(issuer),
		"algorithm=" + d.Algorithm.String(),
		"digits=" + strconv.Itoa(d.Digits),
		"period=" + strconv.FormatInt(int64(d.Period/time.Second), 10),
	}
	return "otpauth://totp/" + escape(issuer) + ":" + escape(account) + "?" + strings.Join(query, "&"), nil
}

// QRCode returns the provisioning address of [DeviceTOTP.URI] as a PNG picture
// of size by size pixels; 256 is a good size. It contains the secret.
func (d DeviceTOTP) QRCode(issuer, account string, size int) ([]byte, error) {
	uri, err := d.URI(issuer, account)
	if err != nil {
		return nil, err
	}
	key, err := otp.NewKeyFromURL(uri)
	if err != nil {
		return nil, fmt.Errorf("devicetotp: drawing a QR code: %w", err)
	}
	picture, err := key.Image(size, size)
	if err != nil {
		return nil, fmt.Errorf("devicetotp: drawing a QR code: %w", err)
	}
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		return nil, fmt.Errorf("devicetotp: drawing a QR code: %w", err)
	}
	return file.Bytes(), nil
}

// escape percent-encodes everything but the unreserved characters of RFC 3986:
// a query escape would write "+" for a space, which authenticators show.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
