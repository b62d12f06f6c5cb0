package devicetotp

import (
	"context"

	"example.com/devicetotp/devicetotp/internal/rounds"
	"example.com/devicetotp/verifier"
)

// maxRenewals is how many hashes an Issuer renews at a time. Beyond that a
// renewal is left to the next success.
const maxRenewals = 4

// renewHash makes a new hash of the value that was just found valid, if the
// stored one is outdated, and hands it to the host. Neither the Observer nor the
// caller waits for it. If it fails, the old hash stays, and the next success
// retries.
func (p *proofs) renewHash(ctx context.Context) {
	i := p.call.issuer
	if p.stale == nil {
		return
	}
	rehasher, ok := i.verifiers[p.stale.factor].(verifier.Rehasher)
	if !ok {
		return
	}
	if i.renewals.Add(1) > maxRenewals {
		i.renewals.Add(-1)
		return
	}
	stale, factor := p.stale.query, p.stale.factor
	go func() {
		defer i.renewals.Add(-1)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), i.limits.VerifierTimeout)
		defer cancel()
		var err error
		defer rounds.Contain("OnRehash", &err)
		renewed, err := rehasher.Rehash(ctx, stale)
		if err == nil {
			err = i.onRehash(ctx, stale.AccountID, factor, stale.Hash.Reveal(), renewed)
		}
	}()
}
