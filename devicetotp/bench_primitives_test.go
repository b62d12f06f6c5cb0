package devicetotp_test

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"

	"example.com/devicetotp/credential"
)

// primitives is what no device code is compared without, and nothing else: opening
// one sealed secret into memory that is there already, and generating codes with one
// keyed HMAC. What the library takes more is its own doing.
type primitives struct {
	aead               cipher.AEAD
	nonce, bound, box  []byte
	plain, sum         []byte
	counter            [8]byte
	current, wrongCode uint64
}

func newPrimitives(b *testing.B) *primitives {
	b.Helper()
	aead, err := chacha20poly1305.NewX(make([]byte, credential.KeySize))
	if err != nil {
		b.Fatal(err)
	}
	p := &primitives{
		aead: aead, nonce: make([]byte, aead.NonceSize()),
		bound: make([]byte, 100), // about what a Scope is long
		plain: make([]byte, 0, len(benchSecret)), sum: make([]byte, 0, sha1.Size),
		current: uint64(benchTime.Unix() / 30), wrongCode: 1e9, // of no six digits
	}
	p.box = aead.Seal(nil, p.nonce, []byte(benchSecret), p.bound)
	return p
}

// compare opens the secret and generates the codes of so many steps.
func (p *primitives) compare(b *testing.B, steps uint64) {
	key, err := p.aead.Open(p.plain, p.nonce, p.box, p.bound)
	if err != nil {
		b.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	for step := range steps {
		if step > 0 {
			mac.Reset()
		}
		binary.BigEndian.PutUint64(p.counter[:], p.current+step)
		mac.Write(p.counter[:])
		sum := mac.Sum(p.sum)
		if uint64(binary.BigEndian.Uint32(sum[sum[len(sum)-1]&0xf:])&0x7fffffff)%1e6 == p.wrongCode {
			b.Fatal("a code of more than six digits")
		}
	}
}
