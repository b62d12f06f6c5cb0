package verifier

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// maxSchemeSalt is the longest salt, in bytes, of a scheme. None is too short: the
// hash is renewed at the next success.
const maxSchemeSalt = 64

// An encoding is how a scheme writes bytes.
type encoding struct {
	name   string
	decode func(string) ([]byte, error)
	encode func([]byte) string
}

var (
	inText          = encoding{"text", func(s string) ([]byte, error) { return []byte(s), nil }, func(b []byte) string { return string(b) }}
	inHex           = encoding{"lower-case hex", hex.DecodeString, hex.EncodeToString}
	inBase64        = encoding{"base64", base64.StdEncoding.DecodeString, base64.StdEncoding.EncodeToString}
	inRawBase64     = encoding{"base64 without padding", base64.RawStdEncoding.DecodeString, base64.RawStdEncoding.EncodeToString}
	inAdaptedBase64 = encoding{"base64 with . for + and without padding", adapted.DecodeString, adapted.EncodeToString}

	adapted = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./").WithPadding(base64.NoPadding)
)

// read returns the least to most bytes of text, which must be as it is written:
// one value has one text. The error names what is read and does not quote it.
func (e encoding) read(name, text string, least, most int) ([]byte, error) {
	if len(text) <= 2*most { // hex takes the most characters
		if b, err := e.decode(text); err == nil && len(b) >= least && len(b) <= most && e.encode(b) == text {
			return b, nil
		}
	}
	return nil, fmt.Errorf("%s is not %s of %d to %d bytes", name, e.name, least, most)
}

// number reads a decimal number from 1 to limit without a sign or a leading zero.
func number(text string, limit int) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err == nil && n >= 1 && n <= uint64(limit) && strings.TrimLeft(text, "0") == text
}
