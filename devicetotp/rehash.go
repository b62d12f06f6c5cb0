package devicetotp

import (
	"context"

	"example.com/devicetotp/devicetotp/internal/rounds"
	"example.com/devicetotp/verifier"
)

// renewHash makes a new hash of the value that was just found valid, if the
// stored one is outdated, and hands it to the host. If it fails, the old hash
// stays, and the next success retries.
func (p *proofs) renewHash(ctx context.Context) {
	i := p.call.issuer
	if p.staleFactor == 0 || i.onRehash == nil {
		return
	}
	rehasher, ok := i.verifiers[p.staleFactor].(verifier.Rehasher)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), i.limits.VerifierTimeout)
	defer cancel()
	var err error
	defer rounds.Contain("OnRehash", &err)
	renewed, err := rehasher.Rehash(ctx, p.stale)
	if err == nil {
		err = i.onRehash(ctx, p.stale.AccountID, p.staleFactor, p.stale.Hash.Reveal(), renewed)
	}
}
