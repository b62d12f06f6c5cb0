package verifier

import (
	"context"

	"example.com/devicetotp/credential"
)

// Normalized returns v, usually [Password], for a service that normalizes passwords.
// The same password typed on two machines can be different bytes: "é" is one
// character on one, and on another an "e" and an accent. NIST SP 800-63B-4 section
// 3.1.1.2 asks for a normal form, NFC or NFKC, before hashing. normalize makes it, for
// instance norm.NFC.String of golang.org/x/text/unicode/norm; it must be safe for
// concurrent use, and return the same for what it returned.
//
// Give normalize the new passwords too, before they are hashed:
//
//	hash, err := hasher.Hash(ctx, credential.NewSecret(norm.NFC.String(password)))
//
// Hashes that were made without it go on working. A presented value is compared in
// its normal form; if that is wrong, and only if it differs from what was presented,
// also as it was presented. A hash that the latter fits is Outdated, and Rehash makes
// the new one of the normal form. That is two comparisons for one failure that
// counts: leave v out where every hash has been renewed, and normalize what is
// presented instead.
//
// Values of more than [MaxPasswordSize] bytes are not normalized.
func Normalized(v Rehasher, normalize func(string) string) Rehasher {
	return normalized{v, normalize}
}

type normalized struct {
	inner     Rehasher
	normalize func(string) string
}

// Verify implements [Verifier].
func (n normalized) Verify(ctx context.Context, q Query) (Verdict, error) {
	normal := n.query(q)
	verdict, err := n.inner.Verify(ctx, normal)
	if err != nil || verdict.Status == StatusValid || normal.Presented.Reveal() == q.Presented.Reveal() {
		return verdict, err
	}
	verdict, err = n.inner.Verify(ctx, q)
	verdict.Outdated = verdict.Outdated || verdict.Status == StatusValid
	return verdict, err
}

// Rehash implements [Rehasher].
func (n normalized) Rehash(ctx context.Context, q Query) (string, error) {
	return n.inner.Rehash(ctx, n.query(q))
}

// query returns q with what is presented in its normal form, if it has one.
func (n normalized) query(q Query) Query {
	text := q.Presented.Reveal()
	if len(text) > MaxPasswordSize {
		return q
	}
	if normal := n.normalize(text); normal != "" {
		q.Presented = credential.NewSecret(normal)
	}
	return q
}
