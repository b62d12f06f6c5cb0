package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// progressEvery is how often loading tells how far it is.
const progressEvery = 2 * time.Second

// A loader brings the accounts of the file into the store. What the file says
// about an account that is there already is a matter of hashes only: a restart
// neither revives a spent code, nor opens grace again, nor unlocks what was locked.
type loader struct {
	store  accountStore
	keys   *credential.Keyring
	logger *slog.Logger
	every  time.Duration

	done, inserted, renewed atomic.Int64
}

func newLoader(store accountStore, keys *credential.Keyring, logger *slog.Logger) *loader {
	return &loader{store: store, keys: keys, logger: logger, every: progressEvery}
}

// load returns when all accounts are in the store, or at the first error. now
// is what the durations of the file count from.
func (l *loader) load(ctx context.Context, accounts []fileAccount, now time.Time) error {
	workers := runtime.GOMAXPROCS(0)
	cost := verifier.DefaultHasherConfig()
	cost.Parallel = workers // nobody else is waiting for the machine yet
	hasher, err := verifier.NewHasher(cost)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stopProgress := l.progress(ctx, len(accounts))
	work := make(chan fileAccount)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for a := range work {
				if err := l.one(ctx, hasher, a, now); err != nil {
					cancel(fmt.Errorf("account %q: %w", a.id, err))
				}
				l.done.Add(1)
			}
		})
	}
feeding:
	for _, a := range accounts {
		select {
		case work <- a:
		case <-ctx.Done():
			break feeding
		}
	}
	close(work)
	group.Wait()
	stopProgress()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	l.logger.Info("accounts loaded", "total", len(accounts), "inserted", l.inserted.Load(), "hashes_renewed", l.renewed.Load())
	return nil
}

// progress logs how far loading is until the returned function is called.
func (l *loader) progress(ctx context.Context, total int) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var ended sync.WaitGroup
	ended.Go(func() {
		ticker := time.NewTicker(l.every)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				l.logger.Info("loading accounts", "done", l.done.Load(), "total", total)
			}
		}
	})
	return func() { cancel(); ended.Wait() }
}

// tries is how often an account is begun again that another process changes at the
// same time, because it has been started too.
const tries = 5

func (l *loader) one(ctx context.Context, hasher *verifier.Hasher, a fileAccount, now time.Time) (err error) {
	for range tries {
		if err = l.once(ctx, hasher, a, now); !errors.Is(err, credential.ErrConflict) {
			return err
		}
	}
	return err
}

func (l *loader) once(ctx context.Context, hasher *verifier.Hasher, a fileAccount, now time.Time) error {
	stored, err := l.store.Load(ctx, a.id)
	if errors.Is(err, credential.ErrNotFound) {
		inserted, err := l.insert(ctx, hasher, a, now)
		if err != nil || inserted {
			return err
		}
		stored, err = l.store.Load(ctx, a.id) // another process was faster
		if err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	return l.refresh(ctx, hasher, a, stored)
}

// insert builds the account with its devices and codes, so that it is there
// whole or not at all.
func (l *loader) insert(ctx context.Context, hasher *verifier.Hasher, a fileAccount, now time.Time) (bool, error) {
	account := credential.Account{ID: a.id, Locked: a.locked, Version: 1}
	if a.registeredAgo != nil {
		account.RegisteredAt = now.Add(-*a.registeredAgo).UTC()
	}
	var err error
	if account.PasswordHash, err = hashed(ctx, hasher, a.password); err != nil {
		return false, err
	}
	if account.PINHash, err = l.sealedPIN(ctx, hasher, a); err != nil {
		return false, err
	}
	if account.State, err = l.state(a, now); err != nil {
		return false, err
	}
	inserted, err := l.store.Insert(ctx, account)
	if inserted {
		l.inserted.Add(1)
	}
	return inserted, err
}

// refresh renews the hashes that are not those of the file's values any more.
func (l *loader) refresh(ctx context.Context, hasher *verifier.Hasher, a fileAccount, stored credential.Account) error {
	if ok, err := same(ctx, hasher, stored.PasswordHash, a.password); err != nil {
		return err
	} else if !ok {
		next, err := hashed(ctx, hasher, a.password)
		if err != nil {
			return err
		}
		if err := l.renew(ctx, credential.FactorPassword, stored, next); err != nil {
			return err
		}
	}
	bare, _, err := l.keys.OpenPINHash(a.id, stored.PINHash)
	if err != nil {
		return fmt.Errorf("the stored PIN does not open with this key file: %w", err)
	}
	if ok, err := same(ctx, hasher, bare, a.pin); err != nil {
		return err
	} else if !ok {
		next, err := l.sealedPIN(ctx, hasher, a)
		if err != nil {
			return err
		}
		if err := l.renew(ctx, credential.FactorPIN, stored, next); err != nil {
			return err
		}
	}
	if stored.Locked != a.locked {
		l.logger.Warn("the lock of an account stays as it is in the database; the accounts file differs", "account", a.id, "locked", stored.Locked)
	}
	return nil
}

func (l *loader) renew(ctx context.Context, f credential.Factor, stored credential.Account, next string) error {
	if err := l.store.RotateHash(ctx, stored.ID, f, stored.Hash(f), next); err != nil {
		return err
	}
	l.renewed.Add(1)
	return nil
}

func (l *loader) sealedPIN(ctx context.Context, hasher *verifier.Hasher, a fileAccount) (string, error) {
	hash, err := hashed(ctx, hasher, a.pin)
	if err != nil || hash == "" {
		return "", err
	}
	return l.keys.SealPINHash(a.id, hash)
}

// hashed returns the hash of value, or "" for none.
func hashed(ctx context.Context, hasher *verifier.Hasher, value credential.Secret) (string, error) {
	if !value.Present() {
		return "", nil
	}
	return hasher.Hash(ctx, value)
}

// same reports whether stored is a hash of value; none is the same as none. A
// stored hash that nothing can verify is not.
func same(ctx context.Context, hasher *verifier.Hasher, stored string, value credential.Secret) (bool, error) {
	if stored == "" || !value.Present() {
		return stored == "" && !value.Present(), nil
	}
	ok, _, err := hasher.Compare(ctx, stored, value)
	if errors.Is(err, verifier.ErrHash) {
		return false, nil
	}
	return ok, err
}
