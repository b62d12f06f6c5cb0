package devicetotptest

import (
	"context"
	"crypto/sha256"
	"slices"
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
	// Keys is the keyring: of one key, of the id "test", until [World.RollKey].
	Keys *credential.Keyring
	// Hasher makes and compares hashes at the lowest cost there is.
	Hasher *verifier.Hasher

	t         testing.TB
	configure []func(*devicetotp.Config)
	keys      []credential.Key
	policy    devicetotp.Policy // of Issuer
	mu        sync.Mutex
	events    []devicetotp.Event
	devices   int // put on accounts without the Issuer
}

// New returns a world with the default policy. Each configure function may
// change the configuration before an Issuer of the world is made, this one or a
// later one; a mistake in it fails the test. The Observer it sets is called too.
func New(t testing.TB, configure ...func(*devicetotp.Config)) *World {
	t.Helper()
	w := &World{
		Clock: clocktest.New(Start), Store: NewStore(), Secrets: &Secrets{}, Hasher: CheapHasher(t), t: t, configure: configure,
	}
	w.useKeys(credential.Key{ID: "test", Secret: credential.NewSecret(strings.Repeat("k", credential.KeySize))})
	return w
}

// NewIssuer returns one more Issuer on the world's store, which is what another
// process is: it has the world's clock, secrets, hashes and keys as they are now,
// and its events are the world's too. It is configured like the world's own, and
// then by configure.
func (w *World) NewIssuer(configure ...func(*devicetotp.Config)) *devicetotp.Issuer {
	w.t.Helper()
	cfg := w.config()
	for _, c := range configure {
		c(&cfg)
	}
	return w.issuer(cfg)
}

// issuer returns an Issuer whose events are the world's too.
func (w *World) issuer(cfg devicetotp.Config) *devicetotp.Issuer {
	w.t.Helper()
	observer := cfg.Observer
	cfg.Observer = func(ctx context.Context, e devicetotp.Event) {
		w.mu.Lock()
		w.events = append(w.events, e)
		w.mu.Unlock()
		if observer != nil {
			observer(ctx, e)
		}
	}
	issuer, err := devicetotp.NewIssuer(w.Store, w.Keys, cfg)
	if err != nil {
		w.t.Fatalf("devicetotptest: %v", err)
	}
	return issuer
}

// config returns the configuration of the world's own Issuer.
func (w *World) config() devicetotp.Config {
	cfg := devicetotp.Config{
		Clock:    w.Clock,
		Secrets:  w.Secrets,
		Password: verifier.Password(w.Hasher),
		PIN:      verifier.PIN(w.Keys, w.Hasher),
	}
	for _, c := range w.configure {
		c(&cfg)
	}
	return cfg
}

// RollKey makes a new key of that id the primary, beside those that there are,
// and gives the world an Issuer on them: [World.Keys] and [World.Issuer] change.
// An Issuer that was kept from before has the old keys only. These are both steps
// of a roll-out at once, see credential.Keyring: a process of the first step, which
// has the new key and seals with the old one, is made with devicetotp.NewIssuer.
func (w *World) RollKey(id string) {
	w.t.Helper()
	secret := sha256.Sum256([]byte(id))
	w.useKeys(append(slices.Clone(w.keys), credential.Key{ID: id, Secret: credential.NewSecret(string(secret[:]))})...)
}

// DropKey removes the key of that id, and gives the world an Issuer without it.
func (w *World) DropKey(id string) {
	w.t.Helper()
	w.useKeys(slices.DeleteFunc(slices.Clone(w.keys), func(k credential.Key) bool { return k.ID == id })...)
}

// useKeys gives the world an Issuer on keys, the last of them primary.
func (w *World) useKeys(keys ...credential.Key) {
	w.t.Helper()
	primary := ""
	if len(keys) > 0 {
		primary = keys[len(keys)-1].ID
	}
	ring, err := credential.NewKeyring(primary, keys...)
	if err != nil {
		w.t.Fatalf("devicetotptest: keyring: %v", err)
	}
	w.keys, w.Keys = keys, ring
	cfg := w.config()
	if w.policy = devicetotp.DefaultPolicy(); cfg.Policy != nil {
		w.policy = *cfg.Policy
	}
	w.Issuer = w.issuer(cfg)
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
