package verifier

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // G505: what authenticator apps can do; HMAC does not need its collision resistance
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash"
	"sync"

	"example.com/devicetotp/credential"
)

// A generator computes the codes of one secret. Its HMAC is keyed once and reset
// for each time step.
type generator struct {
	mac     hash.Hash
	hashes  [2]hash.Hash     // what mac consists of
	taken   int              // how many of them mac has
	take    func() hash.Hash // gives mac its hashes
	fresh   bool             // mac is keyed and has not been used since
	keySize int
	modulus uint64 // 10 to the number of digits

	// What is passed to mac would be allocated if it were not here.
	key     [MaxSecretSize]byte
	counter [8]byte
	sum     [sha512.Size]byte
}

// generators has the unused generators of each algorithm. Allocating one, with
// its hashes, takes as long as computing a code.
var generators = [...]*sync.Pool{
	credential.AlgorithmSHA1:   newGenerators(newKeyedSHA1),
	credential.AlgorithmSHA256: newGenerators(sha256.New),
	credential.AlgorithmSHA512: newGenerators(sha512.New),
}

var moduli = [...]uint64{6: 1e6, 7: 1e7, 8: 1e8, 9: 1e9, 10: 1e10}

func newGenerators(newHash func() hash.Hash) *sync.Pool {
	return &sync.Pool{New: func() any {
		g := &generator{hashes: [2]hash.Hash{newHash(), newHash()}}
		g.take = func() hash.Hash {
			if g.taken == len(g.hashes) { // hmac.New must get a different one each time
				return newHash()
			}
			g.taken++
			return g.hashes[g.taken-1]
		}
		return g
	}}
}

// newGenerator returns a generator of codes of p for the secret, all of which must
// be within their bounds. It must be released.
func newGenerator[S string | []byte](p TOTP, secret S) *generator {
	g := generators[p.Algorithm].Get().(*generator)
	g.modulus, g.taken = moduli[p.Digits], 0
	g.keySize = copy(g.key[:], secret)
	g.mac, g.fresh = hmac.New(g.take, g.key[:g.keySize]), true
	return g
}

// code returns the code of a time step as a number (RFC 4226 section 5.3).
func (g *generator) code(step int64) uint64 {
	binary.BigEndian.PutUint64(g.counter[:], uint64(step))
	if !g.fresh {
		g.mac.Reset()
	}
	g.fresh = false
	g.mac.Write(g.counter[:])
	sum := g.mac.Sum(g.sum[:0])
	offset := sum[len(sum)-1] & 0xf
	return uint64(binary.BigEndian.Uint32(sum[offset:])&0x7fffffff) % g.modulus
}

// release gives g back, for another secret.
func (p TOTP) release(g *generator) {
	if g.erase() {
		generators[p.Algorithm].Put(g)
	}
}

// erase takes the secret out of g. It reports false if it cannot: a secret that
// is longer than a block of the hash leaves its end in the hash's buffer.
func (g *generator) erase() bool {
	if g.keySize > g.mac.BlockSize() {
		return false
	}
	g.mac = nil
	clear(g.key[:g.keySize])
	for _, h := range g.hashes {
		h.Reset()
		if keyed, ok := h.(*keyedSHA1); ok {
			keyed.erase()
		}
	}
	return true
}

// keyedSHA1 is one of the two hashes of an HMAC. The HMAC, as of Go 1.26, asks each for
// its state with the key in it, and goes back to that for every code. The state is
// kept here: SHA-1 itself would allocate it for each secret, and leave it behind. An
// HMAC that did not ask would only take longer.
//
// The other algorithms are rare, and stay as they are: where Go is in its FIPS
// 140-only mode, an HMAC takes no hash but those of the standard library.
type keyedSHA1 struct {
	savedHash
	keyed [sha1StateSize]byte
	given bool // keyed belongs to the HMAC
}

// savedHash is what a hash of the standard library is.
type savedHash interface {
	hash.Hash
	AppendBinary(b []byte) ([]byte, error)
	UnmarshalBinary(state []byte) error
}

// sha1StateSize is how long the state of SHA-1 is: its name, five words, a block
// and the length.
const sha1StateSize = 4 + sha1.Size + sha1.BlockSize + 8

func newKeyedSHA1() hash.Hash {
	return &keyedSHA1{savedHash: sha1.New().(savedHash)} //nolint:gosec // G401: as for the import
}

// MarshalBinary is how the HMAC asks for the state. What it was given stays as it
// is until it is erased, should it ever ask twice.
func (h *keyedSHA1) MarshalBinary() ([]byte, error) {
	if h.given {
		return h.AppendBinary(nil)
	}
	h.given = true
	return h.AppendBinary(h.keyed[:0])
}

// erase takes the state out of h, which no HMAC may use any more.
func (h *keyedSHA1) erase() {
	clear(h.keyed[:])
	h.given = false
}
