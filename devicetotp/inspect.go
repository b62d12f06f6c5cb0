package devicetotp

import (
	"context"
	"time"

	"example.com/devicetotp/credential"
)

// Overview is what an account looks like, for a settings page and for support.
// It holds no secret, no digest and no hash.
type Overview struct {
	// Devices are the account's devices, oldest first.
	Devices []DeviceOverview
	// Factors are the OTP, the password and the PIN, in that order.
	Factors [3]FactorOverview
	// Codes are the pending one-time codes, one of a kind.
	Codes []CodeOverview
	// Recovery describes the recovery codes.
	Recovery RecoveryOverview
	// Room reports whether the next Create finds room for a device.
	Room bool
	// GraceUntil is the last instant at which the next Create needs no
	// credential; zero if it needs one now.
	GraceUntil time.Time
	// Keys are the ids of the keys that the account needs now, oldest first, then
	// those that the keyring does not have. The PIN hash is included.
	Keys []string
	// Unreadable are the values that do not open, and which key made them.
	Unreadable []StoredValue
}

// DeviceOverview describes one device.
type DeviceOverview struct {
	ID string
	// Name is what the user calls it; "" for none.
	Name string
	// Basis is what it was created on; credential.BasisImported if another service
	// issued it. A rotation does not change it, nor CreatedAt.
	Basis credential.Basis
	// Algorithm, Digits and Period are those of RFC 6238.
	Algorithm credential.Algorithm
	Digits    int
	Period    time.Duration
	// CreatedAt is when it was created, or imported.
	CreatedAt time.Time
	// MadeBy is the id of the device whose code this one was created on; "" if
	// there is none. That device may have been revoked since.
	MadeBy string
	// LastUsedAt is the end of the last accepted time step. That is up to two
	// Periods after the code was accepted, so it may be in the future: show the
	// earlier of it and the current time. If zero, the device was never used or, if
	// Basis is credential.BasisImported, nobody knows when it was.
	LastUsedAt time.Time
	// Blocked reports that its codes are not compared where a request names it,
	// after too many failures, until BlockedUntil; zero if only Unblock helps.
	Blocked      bool
	BlockedUntil time.Time
	// UnnamedBlocked reports the same of codes that come without its id, as the
	// code of Verify or as an OTP. If UnnamedBlockedUntil is zero, a success of the
	// device under its id helps, too. Such codes also wait for Factors[0].
	UnnamedBlocked      bool
	UnnamedBlockedUntil time.Time
	// Opens reports that its secret opens. If it does not, no code of the device
	// is accepted.
	Opens bool
	// KeyID is the id of the key that its secret is sealed with; "" if what is
	// stored does not have the form of a sealed secret.
	KeyID string
	// RotationPending reports that the device has a new secret beside this one,
	// which goes if no code of it is accepted before RotationUntil.
	RotationPending bool
	RotationUntil   time.Time
}

// FactorOverview describes the failures of one factor.
type FactorOverview struct {
	Factor credential.Factor
	// Failures is the number of failures in a row.
	Failures int
	// Blocked reports that the factor is not checked until BlockedUntil; zero if
	// only Unblock or a new hash helps.
	Blocked      bool
	BlockedUntil time.Time
}

// CodeOverview describes one pending one-time code.
type CodeOverview struct {
	Kind      string
	ExpiresAt time.Time
	// Blocked reports that it is not compared, after too many failures of its
	// kind, until BlockedUntil; zero if only Unblock helps.
	Blocked      bool
	BlockedUntil time.Time
}

// RecoveryOverview describes the recovery codes of an account.
type RecoveryOverview struct {
	// Left is the number of codes that are left.
	Left int
	// CreatedAt is when the last ones were made; zero if there were never any.
	CreatedAt time.Time
	// Failures is the number of failures in a row.
	Failures int
	// Blocked reports that they are not compared until BlockedUntil; zero if only
	// Unblock helps.
	Blocked      bool
	BlockedUntil time.Time
}

// Inspect returns what an account looks like. It loads the account once, saves
// nothing, does not wait for other requests, and works on a locked account.
//
// Errors: invalid-argument (AccountID, wrapping credential.ErrNotFound, if there
// is no such account), unavailable, internal-error.
func (i *Issuer) Inspect(ctx context.Context, accountID string) (Overview, error) {
	o := &inspect{}
	o.start(ctx, i, OpInspect, accountID)
	o.ReadOnly = true
	return perform(o)
}

// inspect is one Inspect.
type inspect struct{ call }

func (o *inspect) check() error { return nil }

func (o *inspect) decide(a *credential.Account) (answer[Overview], bool) {
	if !o.Known {
		return answer[Overview]{err: o.managed(a)}, false
	}
	view := Overview{Room: o.hasRoom(a, false)}
	if o.graceOpen(a) && !a.Locked {
		view.GraceUntil = a.RegisteredAt.Add(o.issuer.policy.GraceWindow)
	}
	for i := range a.State.Devices {
		view.Devices = append(view.Devices, o.device(&a.State.Devices[i]))
	}
	for i, f := range credential.Factors() {
		view.Factors[i] = o.factor(f, a)
	}
	for _, c := range a.State.Codes {
		if !done(&c, o.Now) {
			view.Codes = append(view.Codes, o.code(&c, &a.State))
		}
	}
	view.Recovery = o.recovery(&a.State.Recovery)
	report := o.keyReport(a)
	view.Keys, view.Unreadable = report.keys, report.unreadable
	return answer[Overview]{value: view}, false
}

func (o *inspect) device(d *credential.Device) DeviceOverview {
	view := DeviceOverview{
		ID: d.ID, Name: d.Name, Basis: d.Basis, Algorithm: d.Algorithm, Digits: d.Digits, Period: d.Period, CreatedAt: d.CreatedAt,
		MadeBy: d.MadeBy,
	}
	if d.LastStep > 0 {
		view.LastUsedAt = time.Unix((d.LastStep+1)*int64(d.Period/time.Second), 0).UTC()
	}
	view.Blocked, view.BlockedUntil = o.until(o.blockNamed(d))
	view.UnnamedBlocked, view.UnnamedBlockedUntil = o.until(o.issuer.policy.UnnamedDevice.Blocked(d.Attempts, o.Now))
	view.KeyID, _ = credential.KeyID(d.Sealed)
	_, err := o.open(d)
	view.Opens = err == nil
	if d.Rotation.Pending(o.Now) {
		view.RotationPending, view.RotationUntil = true, d.Rotation.Until
	}
	return view
}

func (o *inspect) factor(f credential.Factor, a *credential.Account) FactorOverview {
	at := a.Attempts(f)
	wait, blocked := o.issuer.policy.attempts(f).Blocked(at, o.Now)
	if f == credential.FactorOTP { // and what a verifier that does not say what it compared got wrong
		other, stopped := o.issuer.policy.Code.Blocked(a.State.KindAttempts(""), o.Now)
		wait, blocked = both(wait, blocked, other, stopped)
	}
	view := FactorOverview{Factor: f, Failures: at.Failures}
	view.Blocked, view.BlockedUntil = o.until(wait, blocked)
	return view
}

func (o *inspect) code(c *credential.OneTimeCode, s *credential.State) CodeOverview {
	view := CodeOverview{Kind: c.Kind, ExpiresAt: c.ExpiresAt}
	view.Blocked, view.BlockedUntil = o.until(o.issuer.policy.Code.Blocked(s.KindAttempts(c.Kind), o.Now))
	return view
}

func (o *inspect) recovery(r *credential.RecoveryCodes) RecoveryOverview {
	view := RecoveryOverview{Left: r.Left, CreatedAt: r.CreatedAt, Failures: r.Attempts.Failures}
	view.Blocked, view.BlockedUntil = o.until(o.issuer.policy.Recovery.Blocked(r.Attempts, o.Now))
	return view
}

// until returns when a block ends; zero if no wait ends it.
func (o *inspect) until(wait time.Duration, blocked bool) (bool, time.Time) {
	if wait <= 0 {
		return blocked, time.Time{}
	}
	return blocked, o.Now.Add(wait)
}
