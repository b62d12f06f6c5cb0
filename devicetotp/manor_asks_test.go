package devicetotp_test

import (
	"context"
	"fmt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// ask is a request that presents a value. The answer is what a caller sees of a
// success but for the secret.
type ask struct {
	name string
	do   func(m *manor, i *devicetotp.Issuer, value credential.Secret) (answer string, err error)
}

// asksOf are all requests that present a value for f, alone and beside each of the
// PINs.
func asksOf(f credential.Factor, pins ...string) (all []ask) {
	for _, pin := range append([]string{""}, pins...) {
		for _, id := range []string{newID, onMailedCodeID, onGraceCodeID, onPINID, revokedID, "target"} {
			all = append(all, createAsk(f, id, credential.Optional(pin)))
		}
		for _, kinds := range [][]string{nil, {verifier.KindAccount}, {"sms"}, {verifier.KindDeviceTOTP}, {verifier.KindRecovery}, {verifier.KindAccount, verifier.KindDeviceTOTP}} {
			all = append(all, proveAsk(f, kinds, credential.Optional(pin)))
		}
		for n, id := range []string{"turning", "turning", "target", "own", "grace"} { // the first is pending
			all = append(all, rotateAsk(f, id, rotationID(n), credential.Optional(pin)))
		}
	}
	if f == byOTP {
		for _, id := range []string{"", "target", "turning", "own", "grace", onMailedCodeID, newID} {
			all = append(all, verifyAsk(id))
		}
	}
	return all
}

// presenting has the value for f, and the PIN beside it.
func presenting(f credential.Factor, value, pin credential.Secret) devicetotp.CreateRequest {
	r := devicetotp.CreateRequest{AccountID: "acct", PIN: pin}
	present(&r, f, value.Reveal())
	return r
}

func createAsk(f credential.Factor, id string, pin credential.Secret) ask {
	return ask{fmt.Sprintf("Create %s, PIN %q", id, pin.Reveal()), func(m *manor, i *devicetotp.Issuer, value credential.Secret) (string, error) {
		r := presenting(f, value, pin)
		r.DeviceID = m.id(id)
		d, err := i.Create(context.Background(), r)
		return "create" + issued(d), err
	}}
}

func rotateAsk(f credential.Factor, id, rotation string, pin credential.Secret) ask {
	return ask{fmt.Sprintf("Rotate %s by %s, PIN %q", id, rotation, pin.Reveal()), func(m *manor, i *devicetotp.Issuer, value credential.Secret) (string, error) {
		r := presenting(f, value, pin)
		d, err := i.Rotate(context.Background(), devicetotp.RotateRequest{
			AccountID: "acct", DeviceID: m.id(id), RotationID: rotation, OTP: r.OTP, Password: r.Password, PIN: r.PIN,
		})
		return "rotate" + issued(d), err
	}}
}

func issued(d devicetotp.DeviceTOTP) string {
	return fmt.Sprint(" ", d.ID, " ", d.Basis, words(d.Replayed, " replayed"), words(d.Replaced, " replaced"))
}

func words(is bool, words string) string {
	if is {
		return words
	}
	return ""
}

func proveAsk(f credential.Factor, kinds []string, pin credential.Secret) ask {
	return ask{fmt.Sprintf("Prove of %v, PIN %q", kinds, pin.Reveal()), func(_ *manor, i *devicetotp.Issuer, value credential.Secret) (string, error) {
		r := presenting(f, value, pin)
		p, err := i.Prove(context.Background(), devicetotp.ProveRequest{AccountID: "acct", OTP: r.OTP, Password: r.Password, PIN: r.PIN, Kinds: kinds})
		return fmt.Sprint("prove ", p.Basis, " ", p.Kind, " ", p.DeviceID, words(p.RestsOnGrace, " on grace")), err
	}}
}

func verifyAsk(id string) ask {
	return ask{"Verify " + id, func(m *manor, i *devicetotp.Issuer, value credential.Secret) (string, error) {
		match, err := i.Verify(context.Background(), devicetotp.VerifyRequest{AccountID: "acct", DeviceID: m.id(id), Code: value})
		return fmt.Sprint("verify ", match.DeviceID, " ", match.Step, " ", match.Drift, words(match.RestsOnGrace, " on grace")), err
	}}
}

func (m *manor) id(of string) string {
	switch of {
	case "turning":
		return m.turning
	case "target":
		return m.target.DeviceID
	case "own":
		return m.own.DeviceID
	case "grace":
		return m.grace.DeviceID
	default:
		return of
	}
}

// What is presented: right codes of devices that the attacker has, what the target
// shows, and wrong values.
const (
	ownCode     = "a code of an own device"
	graceCode   = "a code of a device on grace"
	targetCode  = "the code of the target"
	sixDigits   = "six digits"
	eightDigits = "eight digits"
	someText    = "a text"
)

var everyValue = []string{ownCode, graceCode, targetCode, sixDigits, eightDigits, someText}

func (m *manor) value(name string) credential.Secret {
	switch name {
	case ownCode:
		return m.own.Code()
	case graceCode:
		return m.grace.Code()
	case targetCode:
		return m.target.Code()
	case sixDigits:
		return wrong6(m.own, m.grace, m.target)
	case eightDigits:
		return secret(wrongCode)
	default:
		return secret("3333-3333-3333-3333")
	}
}
