package devicetotp

import (
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// staleHash is a stored hash that should be renewed.
type staleHash struct {
	account credential.Account
	factor  credential.Factor
}

// renewHash makes a new hash and hands it to the host. Nothing depends on it.
func (c *call) renewHash(r *CreateRequest, stale *staleHash) {
	if stale == nil || c.issuer.onRehash == nil {
		return
	}
	rehasher, ok := c.issuer.verifiers[stale.factor].(verifier.Rehasher)
	if !ok {
		return
	}
	c.callRehash(rehasher, stale, r.presented(stale.factor))
}

// callRehash has nobody to tell of a failure: the hash stays as it is, and the
// next success tries again.
func (c *call) callRehash(rehasher verifier.Rehasher, stale *staleHash, presented credential.Secret) {
	ctx := c.until(true, time.Now().Add(c.issuer.limits.VerifierTimeout))
	defer ctx.End()
	var err error
	defer contain("OnRehash", &err)
	renewed, err := rehasher.Rehash(ctx, verifier.NewQuery(stale.account, stale.factor, presented, c.now))
	if err == nil {
		err = c.issuer.onRehash(ctx, c.accountID, stale.factor, stale.account.Hash(stale.factor), renewed)
	}
}
