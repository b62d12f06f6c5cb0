package devicetotp

import (
	"context"
	"errors"
	"slices"

	"example.com/devicetotp/credential"
	totperrors "example.com/devicetotp/errors"
)

// ProveRequest asks whether the caller can present one right value.
type ProveRequest struct {
	// AccountID is the account that the host established.
	AccountID string
	// OTP, Password and PIN are what the caller presents. The zero value is
	// "not presented"; a present but empty value is a wrong one. Codes and PINs of a
	// form, as people type them, go through credential.TypedCode first.
	OTP, Password, PIN credential.Secret
	// Kinds are the kinds of OTP that this request accepts, each one of
	// Policy.OTPKinds; none means all of those. An OTP of another kind is a wrong
	// one: it is not compared, stays good, and counts no failure of its kind. A
	// Config.OTP of the host's own must say what it compared for that, see
	// verifier.Verdict.
	Kinds []string
}

// Proof is one value that was presented and is right.
type Proof struct {
	// Basis is the factor: OTP, password or PIN.
	Basis credential.Basis
	// Kind is the kind of an OTP: of a one-time code, verifier.KindDeviceTOTP or
	// verifier.KindRecovery. It is "" for a password or PIN, and where a Config.OTP
	// of the host's own does not say. An OTP that is of several kinds by chance has
	// one of them here: where it matters which, name it in ProveRequest.Kinds.
	Kind string
	// DeviceID is the device that generated the OTP; "" if none did.
	DeviceID string
	// RestsOnGrace reports that the OTP is a code of a device that rests on grace
	// alone, whatever else it is besides: whoever had the access token within the
	// grace window may have made it. Ask for more before you set a PIN or revoke a
	// device on such a code.
	RestsOnGrace bool
}

// Prove reports what the caller has proved, before something else is done: a
// device removed, a PIN or a password changed. One valid OTP, password or PIN
// is enough. They are checked as by [Issuer.Create], in the same order, with the
// same counters and the same refusals, but grace proves nothing. An OTP is spent:
// it proves nothing again, and makes no device.
//
// Prove is for acts for which any proof will do; refuse a Proof that RestsOnGrace
// where that is not enough. To approve a payment with a device, call
// [Issuer.Verify], which can name it: wrong codes then slow down that device alone.
//
// Repeating it is a new act, which may find its OTP spent. After an unavailable
// error it is unknown whether the OTP was spent: ask for another one.
//
// Errors have these codes:
//
//	invalid-argument      Kinds has one that is not in Policy.OTPKinds  ErrInvalid
//	invalid-credentials   nothing presented was accepted                ErrDenied
//	credentials-required  nothing was presented                         ErrDenied
//	too-many-attempts     every presented factor is blocked             ErrDenied
//	account-locked        the host locked the account                   ErrDenied
//	unavailable           try again, with another OTP
//	internal-error        a fault; the cause is in the error
//
// An OTP is blocked, too, while credential.MaxSpent spent OTPs must be remembered
// and no other can be. An account that the store does not know is answered as if
// every credential were wrong.
func (i *Issuer) Prove(ctx context.Context, r ProveRequest) (Proof, error) {
	o := &prove{}
	o.start(ctx, i, OpProve, r.AccountID)
	o.proofs = proofs{call: &o.call, otp: r.OTP, password: r.Password, pin: r.PIN, kinds: slices.Clone(r.Kinds)}
	proof, err := perform(o)
	o.proofs.renewHash(ctx)
	return proof, err
}

// prove is one Prove.
type prove struct {
	call
	proofs proofs
}

func (o *prove) check() error {
	for _, kind := range o.proofs.kinds {
		if !slices.Contains(o.issuer.policy.OTPKinds, kind) {
			// Without the kind itself: where the two were swapped, it is the code.
			return o.Argument(totperrors.FieldKinds, errors.New("has a kind that is not in Policy.OTPKinds"))
		}
	}
	return nil
}

func (o *prove) decide(a *credential.Account) (answer[Proof], bool) {
	o.proofs.restart()
	switch {
	case a.Locked:
		return o.refused(o.Fail(CodeAccountLocked, "", 0))
	case o.proofs.none():
		return o.refused(o.Fail(CodeCredentialsRequired, "", 0))
	}
	factor, err := o.proofs.next(a, 0)
	if err != nil {
		return o.refused(err)
	}
	proof := Proof{Basis: credential.BasisOf(factor), RestsOnGrace: o.proofs.onGrace(a, factor)}
	if factor == credential.FactorOTP {
		proof.Kind, proof.DeviceID = o.proofs.otpSeen.verdict.Kind(), o.proofs.otpSeen.verdict.DeviceID
	}
	o.proofs.succeed(a, factor)
	event := o.event()
	event.Basis, event.DeviceID, event.RestsOnGrace = proof.Basis, proof.DeviceID, proof.RestsOnGrace
	return answer[Proof]{value: proof, event: event}, true
}

// refused answers with err, after a save if a value was checked.
func (o *prove) refused(err error) (answer[Proof], bool) {
	return answer[Proof]{err: err, event: o.event()}, o.proofs.counted
}

func (o *prove) event() Event {
	return Event{Factors: o.proofs.results, Unreadable: o.proofs.unreadable, RotationsConfirmed: o.proofs.confirmed}
}
