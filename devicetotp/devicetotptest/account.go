package devicetotptest

import (
	"context"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// Account is an account of a [World]. Each method changes it in the store at
// once and returns it, so that a test reads like a sentence.
type Account struct {
	// ID is the account's id.
	ID string

	w *World
}

// Account adds an account of that id, or replaces it: nothing set, registered
// at an unknown time, so out of grace.
func (w *World) Account(id string) *Account {
	w.t.Helper()
	if err := w.Store.Accounts.Replace(context.Background(), credential.Account{ID: id}); err != nil {
		w.t.Fatalf("devicetotptest: %v", err)
	}
	return &Account{ID: id, w: w}
}

// RegisteredAgo sets the registration to d before now; a negative d is in the
// future.
func (a *Account) RegisteredAgo(d time.Duration) *Account {
	a.w.t.Helper()
	return a.update(func(stored *credential.Account) { stored.RegisteredAt = a.w.Clock.Now().Add(-d) })
}

// Password sets the password.
func (a *Account) Password(value string) *Account {
	a.w.t.Helper()
	hash := a.hash(value)
	return a.update(func(stored *credential.Account) { stored.PasswordHash = hash })
}

// PIN sets the PIN, sealed by the world's keyring.
func (a *Account) PIN(value string) *Account {
	a.w.t.Helper()
	sealed, err := a.w.Keys.SealPINHash(a.ID, a.hash(value))
	if err != nil {
		a.w.t.Fatalf("devicetotptest: sealing a PIN hash: %v", err)
	}
	return a.update(func(stored *credential.Account) { stored.PINHash = sealed })
}

// RecoveryCodes gives the account n recovery codes in place of those it had, and
// returns them. It does so through the Issuer, as OTP does. Create accepts them
// where Policy.OTPKinds has verifier.KindRecovery.
func (a *Account) RecoveryCodes(n int) []credential.Secret {
	a.w.t.Helper()
	codes, err := a.w.Issuer.ReplaceRecoveryCodes(context.Background(), devicetotp.RecoveryRequest{AccountID: a.ID, Count: n})
	if err != nil {
		a.w.t.Fatalf("devicetotptest: replacing recovery codes: %v", err)
	}
	return codes
}

// OTP announces a one-time code of kind "account" that is accepted for five
// minutes. It does so through the Issuer: the world's events begin with an
// "add-code", the policy must know the kind, and of a locked account it fails
// the test, so call it before Locked.
func (a *Account) OTP(code string) *Account {
	a.w.t.Helper()
	_, err := a.w.Issuer.AddCode(context.Background(), devicetotp.AddCodeRequest{
		AccountID: a.ID, Kind: verifier.KindAccount, Code: credential.NewSecret(code), TTL: 5 * time.Minute,
	})
	if err != nil {
		a.w.t.Fatalf("devicetotptest: adding a one-time code: %v", err)
	}
	return a
}

// Locked sets or lifts the host's lock.
func (a *Account) Locked(locked bool) *Account {
	a.w.t.Helper()
	return a.update(func(stored *credential.Account) { stored.Locked = locked })
}

// Stored returns the account as the store has it now.
func (a *Account) Stored() credential.Account {
	a.w.t.Helper()
	stored, err := a.w.Store.Accounts.Load(context.Background(), a.ID)
	if err != nil {
		a.w.t.Fatalf("devicetotptest: %v", err)
	}
	return stored
}

func (a *Account) update(change func(*credential.Account)) *Account {
	a.w.t.Helper()
	if err := a.w.Store.Accounts.Update(a.ID, change); err != nil {
		a.w.t.Fatalf("devicetotptest: %v", err)
	}
	return a
}

func (a *Account) hash(value string) string {
	a.w.t.Helper()
	hash, err := a.w.Hasher.Hash(context.Background(), credential.NewSecret(value))
	if err != nil {
		a.w.t.Fatalf("devicetotptest: hashing: %v", err)
	}
	return hash
}
