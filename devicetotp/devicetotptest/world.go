package devicetotptest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// Start is where the clock of a new [World] stands: 2026-01-02 03:04:05 UTC.
var Start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// World is an Issuer with everything around it under the test's control.
type World struct {
	// Issuer is what the test is about.
	Issuer *devicetotp.Issuer
	// Clock stands at [Start] until the test moves it.
	Clock *clocktest.Fake
	// Store keeps the accounts in memory and fails on command.
	Store *Store
	// Secrets is what new devices get.
	Secrets *Secrets
	// Keys is the keyring, of one key.
	Keys *credential.Keyring
	// Hasher makes and compares hashes at the lowest cost there is.
	Hasher *verifier.Hasher

	t      testing.TB
	mu     sync.Mutex
	events []devicetotp.Event
}

// New returns a world with the default policy. Each configure function may
// change the configuration before the Issuer is made; a mistake in it fails the
// test. The Observer it sets is called too.
func New(t testing.TB, configure ...func(*devicetotp.Config)) *World {
	t.Helper()
	keys, err := credential.NewKeyring("test", credential.Key{
		ID: "test", Secret: credential.NewSecret(strings.Repeat("k", credential.KeySize)),
	})
	if err != nil {
		t.Fatalf("devicetotptest: keyring: %v", err)
	}
	w := &World{
		Clock: clocktest.New(Start), Store: NewStore(), Secrets: &Secrets{}, Keys: keys, Hasher: CheapHasher(t), t: t,
	}
	cfg := devicetotp.Config{
		Clock:    w.Clock,
		Secrets:  w.Secrets,
		Password: verifier.Password(w.Hasher),
		PIN:      verifier.PIN(keys, w.Hasher),
	}
	for _, c := range configure {
		c(&cfg)
	}
	observer := cfg.Observer
	cfg.Observer = func(ctx context.Context, e devicetotp.Event) {
		w.mu.Lock()
		w.events = append(w.events, e)
		w.mu.Unlock()
		if observer != nil {
			observer(ctx, e)
		}
	}
	w.Issuer, err = devicetotp.NewIssuer(w.Store, keys, cfg)
	if err != nil {
		t.Fatalf("devicetotptest: %v", err)
	}
	return w
}

// WithPolicy returns a configure function for [New] that changes the default
// policy.
func WithPolicy(change func(*devicetotp.Policy)) func(*devicetotp.Config) {
	return func(cfg *devicetotp.Config) {
		policy := devicetotp.DefaultPolicy()
		if cfg.Policy != nil {
			policy = *cfg.Policy
		}
		change(&policy)
		cfg.Policy = &policy
	}
}

// Events returns the Events that the Observer received so far, oldest first.
func (w *World) Events() []devicetotp.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]devicetotp.Event(nil), w.events...)
}

// CheapHasher returns a hasher whose argon2id hashes have the real form and
// take microseconds: m=8 KiB, t=1, p=1. It guards nothing.
func CheapHasher(t testing.TB) *verifier.Hasher {
	t.Helper()
	h, err := verifier.NewHasher(verifier.HasherConfig{Memory: 8, Time: 1, Threads: 1, Parallel: 64, Queue: 1 << 16})
	if err != nil {
		t.Fatalf("devicetotptest: hasher: %v", err)
	}
	return h
}
