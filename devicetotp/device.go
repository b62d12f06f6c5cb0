package devicetotp

import (
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

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
	// Basis is what the device was created on, or its new secret made on.
	Basis credential.Basis
	// CreatedAt is when it was created, or its new secret made.
	CreatedAt time.Time
	// ConfirmBy is set by [Issuer.Rotate]: if no code of the new secret is
	// accepted before then, it is gone. It is zero for a device that was created.
	ConfirmBy time.Time
	// Replayed reports that this is what an earlier request made, with nothing
	// changed. Replaced reports that it took the place of a device of the same id
	// that was never used, or of a rotation that was pending.
	Replayed, Replaced bool
}

// Base32 returns the secret in base32, upper case, without padding (RFC 4648;
// Key URI format).
func (d DeviceTOTP) Base32() string { return secretEncoding.EncodeToString([]byte(d.Secret.Reveal())) }

var secretEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// maxSecretSize is the length in bytes of the longest secret of a device, which
// only an imported one can have.
const maxSecretSize = 128

// URI returns the otpauth:// provisioning address (Key URI format) that
// authenticator apps read from a QR code. The address contains the secret; an
// error of URI or [DeviceTOTP.QRCode] never contains the secret or a label.
//
// issuer and account label the device in the app. An issuer has at most 128
// bytes of UTF-8, an account at most 254 (the longest e-mail address, RFC 5321),
// so that every address can be drawn. A label must not be empty, begin or end
// with a space, or contain ":", which separates the two, a control character or
// line break, a bidirectional override, or U+FFFD, which stands for what was
// lost. Some apps show a label wrongly, or refuse it, if "?", "&", "#", "%" or
// "+" is in it, although the address escapes them; avoid those.
//
// Check labels before Create: a device whose address cannot be written exists
// all the same. A DeviceTOTP that is not complete, such as the zero value, is
// an error too.
func (d DeviceTOTP) URI(issuer, account string) (string, error) {
	if err := d.check(); err != nil {
		return "", err
	}
	if err := errors.Join(checkLabel("issuer", issuer, maxIssuerSize), checkLabel("account", account, maxAccountSize)); err != nil {
		return "", err
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

// check returns an error if there is no address of d, or not one of a bounded
// length.
func (d DeviceTOTP) check() error {
	if d.Digits <= 0 || d.Period < time.Second || d.Period%time.Second != 0 || d.Algorithm.SecretSize() == 0 {
		return errors.New("devicetotp: the device has no digits, period in whole seconds or algorithm")
	}
	if n := len(d.Secret.Reveal()); n < 1 || n > maxSecretSize {
		return fmt.Errorf("devicetotp: the device has a secret of %d bytes, must have from 1 to %d", n, maxSecretSize)
	}
	return nil
}

// escape percent-encodes everything but the unreserved characters of RFC 3986:
// a query escape would write "+" for a space, which authenticators show.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
