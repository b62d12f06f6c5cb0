package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// account is what the harness knows of one account. One client at a time has it.
type account struct {
	id      string
	hasPIN  bool
	devices []device
}

// device is a device that the account must have.
type device struct {
	id     string
	secret credential.Secret
}

// hasher makes hashes that guard nothing and take microseconds, so that the
// database is what is loaded.
func hasher() (*verifier.Hasher, error) {
	return verifier.NewHasher(verifier.HasherConfig{Memory: 8, Time: 1, Threads: 1, Parallel: 64, Queue: 1 << 16})
}

// fill adds the accounts.
func (s *stage) fill(ctx context.Context) error {
	h, err := hasher()
	if err != nil {
		return err
	}
	if s.pinHash, err = h.Hash(ctx, s.pin); err != nil {
		return err
	}
	return eachShare(len(s.accounts), func(i int) error {
		a, err := s.newAccount(i)
		if err != nil {
			return err
		}
		_, err = s.store.Insert(ctx, a)
		return err
	})
}

// eachShare calls f for 0 to n-1, in as many goroutines as there are clients.
func eachShare(n int, f func(i int) error) error {
	var all sync.WaitGroup
	errs := make([]error, clients)
	for c := range clients {
		all.Go(func() {
			for i := c; i < n && errs[c] == nil; i += clients {
				errs[c] = f(i)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// newAccount makes the account of that number, with everything sealed with the old
// key.
func (s *stage) newAccount(i int) (credential.Account, error) {
	known := &s.accounts[i]
	known.id, known.hasPIN = fmt.Sprintf("account-%06d", i), i%2 == 0
	sum := sha256.Sum256([]byte(known.id))
	first := device{deviceID(0), credential.NewSecret(string(sum[:20]))}
	known.devices = []device{first}

	a := credential.Account{ID: known.id, Version: int64(i) + 1}
	d := credential.Device{
		ID: first.id, Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
		Basis: credential.BasisOTP, CreatedAt: time.Now().Add(-time.Hour).UTC(), LastStep: 1,
	}
	f := sealer{keys: s.old, account: a.ID}
	d.Sealed = f.seal(credential.DeviceScope(a.ID, &d), first.secret.Reveal())
	d.ProofDigest = f.digest(d.ID)
	if i%10 == 0 {
		r := &credential.Rotation{
			ID: deviceID(998), Algorithm: d.Algorithm, Digits: 6, Period: d.Period, Basis: credential.BasisPIN,
			StartedAt: d.CreatedAt, Until: d.CreatedAt.Add(365 * 24 * time.Hour),
		}
		r.Sealed = f.seal(credential.RotationScope(a.ID, &d, r), "the new secret of it")
		d.Rotation = r
	}
	a.State.Devices = []credential.Device{d}
	if i%7 == 0 {
		a.State.Revoked = []credential.RevokedDevice{{ID: deviceID(999), At: d.CreatedAt, Sealed: f.seal(credential.RevokedScope(a.ID, deviceID(999)), "sum")}}
	}
	if i%5 == 0 {
		a.State.Recovery = credential.RecoveryCodes{Left: 1, CreatedAt: d.CreatedAt, Sealed: f.seal(credential.RecoveryScope(a.ID), "digests")}
	}
	if known.hasPIN && f.err == nil {
		a.PINHash, f.err = s.old.SealPINHash(a.ID, s.pinHash)
	}
	a.State.Password = credential.Attempts{Failures: 3, LastAt: d.CreatedAt}
	return a, f.err
}

func deviceID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// sealer keeps its first error.
type sealer struct {
	keys    *credential.Keyring
	account string
	err     error
}

func (f *sealer) seal(scope credential.Scope, plain string) []byte {
	out, err := f.keys.Seal(scope, credential.NewSecret(plain))
	f.err = errors.Join(f.err, err)
	return out
}

func (f *sealer) digest(subject string) []byte {
	out, err := f.keys.Digest(credential.Scope{Purpose: credential.PurposeProof, AccountID: f.account, Subject: subject}, credential.NewSecret("12345678"))
	f.err = errors.Join(f.err, err)
	return out
}
