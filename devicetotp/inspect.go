package devicetotp

import (
	"context"
	"time"

	"example.com/devicetotp/credential"
)

// Overview is what an account looks like, for a settings page and for support.
// It holds no secret, no digest and no hash, but do not send it whole: the id of a
// device that is OpenToRetry is as good as its secret.
type Overview struct {
	// Devices are the account's devices, oldest first.
	Devices []DeviceOverview
	// Factors are the OTP, the password and the PIN, in that order.
	Factors [3]FactorOverview
	// Codes are the pending one-time codes, one of a kind. Whether they are
	// compared is in Kinds.
	Codes []CodeOverview
	// Kinds describes the kinds of one-time code that were guessed at since one of
	// them was last accepted, in no order.
	Kinds []KindOverview
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
	// RestsOnGrace reports that the device was created on grace, or on a code of a
	// device that rests on grace, and was not rotated on anything better since. Its
	// codes are accepted. Whether they approve a payment is for the host to decide:
	// see Match.RestsOnGrace.
	RestsOnGrace bool
	// Algorithm, Digits and Period are the parameters of RFC 6238.
	Algorithm credential.Algorithm
	Digits    int
	Period    time.Duration
	// CreatedAt is when it was created, or imported.
	CreatedAt time.Time
	// MadeBy is the id of the device whose code this one was created on; "" if
	// there is none. If that device was revoked, or made room for this one, it is the
	// id of the device that had made that one, if there is one. The device of this id
	// may be gone too.
	MadeBy string
	// OpenToRetry reports that a Create with this id that presents nothing may be
	// given the device again, with its secret: it was created on grace, was never
	// used, and is no older than Policy.RetryWindow, and Policy.ClockTolerance, by
	// which the clock of another process may be behind. Its id is then as good as
	// the secret, so do not hand the id out.
	OpenToRetry bool
	// LastUsedAt is when a code of it was last accepted, give or take two time
	// steps: the end of the step of that code, or now if that has not come yet. It is
	// zero if the device was never used or, where Basis is credential.BasisImported,
	// if nobody knows when it was.
	LastUsedAt time.Time
	// Failures is the number of wrong codes in a row that were compared with it.
	Failures int
	// Blocked reports that codes which name it are not compared, after too many
	// failures, until BlockedUntil; zero if only Unblock helps.
	Blocked      bool
	BlockedUntil time.Time
	// Skipped reports the same of codes that do not name it, the OTP of Create
	// included; until SkippedUntil, or zero if only a right code that names it or
	// Unblock helps.
	Skipped      bool
	SkippedUntil time.Time
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

// CodeOverview describes one pending one-time code: it has neither expired, nor
// was it spent, nor replaced by a newer one. While its kind is blocked it is not
// compared.
type CodeOverview struct {
	Kind      string
	ExpiresAt time.Time
}

// KindOverview describes the failures of one kind of one-time code.
type KindOverview struct {
	// Kind is the kind of the codes; "" for a Config.OTP of the host's own that
	// does not say what it compared.
	Kind string
	// Failures is the number of failures in a row.
	Failures int
	// Blocked reports that codes of the kind are not compared, and none is
	// announced, until BlockedUntil; zero if only Unblock helps.
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
	for i := range a.State.Codes {
		if c := &a.State.Codes[i]; !done(c, o.Now) && !a.State.IsSpent(c.ProofID()) {
			view.Codes = append(view.Codes, CodeOverview{Kind: c.Kind, ExpiresAt: c.ExpiresAt})
		}
	}
	for _, k := range a.State.Kinds {
		if k.Attempts.Failures > 0 && (k.Kind != "" || o.issuer.ownOTP) {
			view.Kinds = append(view.Kinds, o.kind(&k))
		}
	}
	view.Recovery = o.recovery(&a.State.Recovery)
	report := o.keyReport(a)
	view.Keys, view.Unreadable = report.keys, report.unreadable
	return answer[Overview]{value: view}, false
}

func (o *inspect) device(d *credential.Device) DeviceOverview {
	view := DeviceOverview{
		ID: d.ID, Name: d.Name, Basis: d.Basis, RestsOnGrace: d.RestsOnGrace, Algorithm: d.Algorithm, Digits: d.Digits, Period: d.Period, CreatedAt: d.CreatedAt,
		MadeBy: d.MadeBy, OpenToRetry: o.openToRetry(d), Failures: d.Attempts.Failures,
	}
	if d.LastStep > 0 {
		view.LastUsedAt = time.Unix((d.LastStep+1)*int64(d.Period/time.Second), 0).UTC()
		if o.Now.Before(view.LastUsedAt) {
			view.LastUsedAt = o.Now.UTC()
		}
	}
	view.Blocked, view.BlockedUntil = o.until(o.blockNamed(d))
	view.Skipped, view.SkippedUntil = o.until(o.issuer.policy.UnnamedDevice.Blocked(d.Attempts, o.Now))
	view.KeyID, _ = credential.KeyID(d.Sealed)
	_, err := o.open(d)
	view.Opens = err == nil
	if d.Rotation.Pending(o.Now) {
		view.RotationPending, view.RotationUntil = true, d.Rotation.Until
	}
	return view
}

// openToRetry has the rule by which [create.retry] gives a device again for nothing.
// Whether the account is locked does not matter: that may change. The clock of the
// process that is asked may be behind this one.
func (o *inspect) openToRetry(d *credential.Device) bool {
	policy := &o.issuer.policy
	return d.Basis == credential.BasisGrace && !d.Used() && policy.RetryWindow > 0 &&
		o.Now.Sub(d.CreatedAt) <= policy.RetryWindow+policy.ClockTolerance
}

func (o *inspect) factor(f credential.Factor, a *credential.Account) FactorOverview {
	at := a.Attempts(f)
	wait, blocked := o.issuer.policy.attempts(f).Blocked(at, o.Now)
	if f == credential.FactorOTP { // and what a verifier that does not say what it compared got wrong
		other, stopped := o.silentBlocked(a)
		wait, blocked = both(wait, blocked, other, stopped)
	}
	view := FactorOverview{Factor: f, Failures: at.Failures}
	view.Blocked, view.BlockedUntil = o.until(wait, blocked)
	return view
}

func (o *inspect) kind(k *credential.KindAttempts) KindOverview {
	view := KindOverview{Kind: k.Kind, Failures: k.Attempts.Failures}
	view.Blocked, view.BlockedUntil = o.until(o.issuer.policy.Code.Blocked(k.Attempts, o.Now))
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
