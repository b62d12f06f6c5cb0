package credential_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"

	"example.com/devicetotp/credential"
)

// What a Keyring adds to the primitives it stands on: the same secret, the same
// length of additional data.

func BenchmarkOpen(b *testing.B) {
	k := ring(b, "k", "k")
	sealed := seal(b, k, deviceScope, "12345678901234567890")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := k.Open(deviceScope, sealed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenAlone(b *testing.B) {
	aead, err := chacha20poly1305.NewX(make([]byte, credential.KeySize))
	if err != nil {
		b.Fatal(err)
	}
	nonce, aad := make([]byte, aead.NonceSize()), make([]byte, 100)
	sealed := aead.Seal(nil, nonce, []byte("12345678901234567890"), aad)
	buffer := make([]byte, 0, len(sealed))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := aead.Open(buffer, nonce, sealed, aad); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	k, plain := ring(b, "k", "k"), secret("12345678901234567890")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Seal(deviceScope, plain); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatches(b *testing.B) {
	k, value := ring(b, "k", "k"), secret("12345678")
	digested := digest(b, k, codeScope, "12345678")
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := k.Matches(codeScope, digested, value); err != nil || !ok {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkMatchesAlone(b *testing.B) {
	mac := hmac.New(sha256.New, make([]byte, credential.KeySize))
	bound := make([]byte, 60)
	out := make([]byte, 0, sha256.Size)
	b.ReportAllocs()
	for b.Loop() {
		mac.Reset()
		mac.Write(bound)
		mac.Sum(out)
	}
}
