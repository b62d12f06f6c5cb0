// Command quickstart follows the devices of one account through their whole life,
// from registration to the day when the service changes its keys, and prints what
// happens.
//
// It is one file without a framework or a database: copy it and change it. The
// clock, the secrets and the ids are fixed, so that it prints the same each time.
// A service leaves the clock and the secrets out of the Config, which gives it the
// real ones, and takes the ids from its clients.
//
//	go -C examples run ./quickstart
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

const (
	account    = "acct-1"
	phoneID    = "738e379f-fe30-45ab-819c-ba88804b6368"
	rotationID = "0190c3f2-7b1e-4c8a-9d3e-5f6a7b8c9d0e"
	tabletID   = "0f0fbd0c-6c0e-4e0b-9d43-5c1f6f0a2b11"
	thiefID    = "c2b7a1de-93f4-4c55-8a6b-7e21d0c4f933"
	newPhoneID = "5d9a4c7e-1b62-4f08-b3a5-e86f2c917d40"
)

var (
	ctx      = context.Background()
	password = credential.NewSecret("superSecret12345!")
	pin      = credential.NewSecret("8299")
)

// service is what a service brings: a store and a keyring. The clock and the
// secrets are here only because they are fixed.
type service struct {
	store   *memstore.Store
	keys    *credential.Keyring
	issuer  *devicetotp.Issuer
	clock   *clocktest.Fake
	secrets fixedSecrets
}

func main() {
	s := &service{store: memstore.New(), clock: clocktest.New(time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC))}
	oldKey, newKey := credential.NewKey("2026"), credential.NewKey("2027")
	s.useKeys(must(credential.NewKeyring("2026", oldKey)))

	phone := s.register()
	s.setPIN()
	tablet := s.addTablet()
	s.useCode(phone)
	phone = s.rotate(phone)
	saved := must(s.recoveryCodes(s.codeOf(phone)))
	s.say("a code of the phone is enough now: the user is shown %d recovery codes, and prints them", len(saved))
	newPhone := s.losePhone(phone, saved[0])
	s.settingsPage()
	s.rollKey(oldKey, newKey)
	s.proveWithout(newPhone, tablet, saved[1])
}

// useKeys makes the Issuer with these keys. A service does that when it starts.
func (s *service) useKeys(keys *credential.Keyring) {
	policy := devicetotp.DefaultPolicy()
	policy.OTPKinds = append(policy.OTPKinds, verifier.KindRecovery) // not accepted by default
	s.keys = keys
	s.issuer = must(devicetotp.NewIssuer(s.store, keys, devicetotp.Config{Clock: s.clock, Secrets: &s.secrets, Policy: &policy}))
}

// For five minutes after registration, a device needs no proof. Afterwards it does.
func (s *service) register() devicetotp.DeviceTOTP {
	hash := must(verifier.DefaultHasher().Hash(ctx, password))
	check(s.store.Put(ctx, credential.Account{ID: account, RegisteredAt: s.clock.Now(), PasswordHash: hash}))
	s.say("the user registers, with a password")

	s.clock.Advance(time.Minute)
	phone := must(s.issuer.Create(ctx, devicetotp.CreateRequest{AccountID: account, DeviceID: phoneID, Name: "phone"}))
	s.say("the phone presents nothing, and gets a device on basis %q", phone.Basis)
	s.say("  id %s, secret %s", phone.ID, phone.Base32())
	s.say("  %s, %d digits, every %v", phone.Algorithm, phone.Digits, phone.Period)

	s.clock.Advance(5 * time.Minute)
	_, err := s.issuer.Create(ctx, devicetotp.CreateRequest{AccountID: account, DeviceID: tabletID})
	s.say("six minutes after registration a tablet presents nothing: %s", told(err))
	return phone
}

// The PIN is the service's own. It checks the rules, asks for a proof, and stores
// the hash sealed: a bare hash of four digits falls in minutes.
func (s *service) setPIN() {
	s.say("the PIN 1234: %v", verifier.CheckPIN(credential.NewSecret("1234")))
	check(verifier.CheckPIN(pin))
	proof := must(s.issuer.Prove(ctx, devicetotp.ProveRequest{AccountID: account, Password: password}))
	before := must(s.store.Load(ctx, account)).PINHash
	sealed := must(s.keys.SealPINHash(account, must(verifier.DefaultHasher().HashPIN(ctx, pin))))
	check(s.store.RotateHash(ctx, account, credential.FactorPIN, before, sealed))
	s.say("the PIN 8299 is set, after a proof on basis %q", proof.Basis)
}

// One right value is enough, whatever was presented before it.
func (s *service) addTablet() devicetotp.DeviceTOTP {
	tablet := must(s.issuer.Create(ctx, devicetotp.CreateRequest{
		AccountID: account, DeviceID: tabletID,
		OTP:      credential.NewSecret("000000"),    // checked first, and wrong
		Password: credential.NewSecret("let me in"), // checked next, and wrong
		PIN:      pin,                               // right
	}))
	s.say("a tablet presents a wrong OTP, a wrong password and the PIN: a device on basis %q", tablet.Basis)
	check(s.issuer.Rename(ctx, devicetotp.RenameRequest{AccountID: account, DeviceID: tabletID, Name: "kitchen tablet"}))
	s.say("the user names it %q", "kitchen tablet")
	return tablet
}

// A code is good once.
func (s *service) useCode(phone devicetotp.DeviceTOTP) {
	code := s.codeOf(phone)
	s.say("the phone shows %s: %s", code.Reveal(), s.verify(code))
	s.say("the same code again: %s", s.verify(code))
}

// The phone was added without a proof, so its codes are not enough for what is
// sensitive. A new secret that is made on the PIN mends that, once it is used.
func (s *service) rotate(phone devicetotp.DeviceTOTP) devicetotp.DeviceTOTP {
	s.clock.Advance(time.Minute)
	_, err := s.recoveryCodes(s.codeOf(phone))
	s.say("the phone presents a code and asks for recovery codes: %v", err)

	rotated := must(s.issuer.Rotate(ctx, devicetotp.RotateRequest{AccountID: account, DeviceID: phoneID, RotationID: rotationID, PIN: pin}))
	s.say("it presents the PIN and gets a new secret, to be used by %s", rotated.ConfirmBy.Format(layout))
	s.clock.Advance(time.Minute)
	s.say("the first code of the new secret: %s", s.verify(s.codeOf(rotated)))
	s.say("a code of the old secret: %s", s.verify(s.codeOf(phone)))

	s.clock.Advance(time.Minute)
	return rotated
}

// Step-up: the service asks for a proof before something sensitive.
func (s *service) recoveryCodes(otp credential.Secret) ([]credential.Secret, error) {
	proof, err := s.issuer.Prove(ctx, devicetotp.ProveRequest{AccountID: account, OTP: otp})
	if err != nil {
		return nil, err
	}
	if proof.RestsOnGrace {
		return nil, errors.New("present your password or PIN")
	}
	return s.issuer.ReplaceRecoveryCodes(ctx, devicetotp.RecoveryRequest{AccountID: account})
}

// The phone is lost, and somebody who found it adds a device with its code. The
// owner gets in with a recovery code, and removes both.
func (s *service) losePhone(lost devicetotp.DeviceTOTP, saved credential.Secret) devicetotp.DeviceTOTP {
	s.clock.Advance(24 * time.Hour)
	thief := must(s.issuer.Create(ctx, devicetotp.CreateRequest{AccountID: account, DeviceID: thiefID, OTP: s.codeOf(lost)}))
	s.say("the phone is lost, and who found it adds a device on basis %q", thief.Basis)

	s.clock.Advance(time.Hour)
	newPhone := must(s.issuer.Create(ctx, devicetotp.CreateRequest{AccountID: account, DeviceID: newPhoneID, Name: "new phone", OTP: saved}))
	s.say("a new phone presents a recovery code, and gets a device on basis %q", newPhone.Basis)
	_, err := s.issuer.Create(ctx, devicetotp.CreateRequest{AccountID: account, OTP: saved})
	s.say("the same recovery code for yet another device: %s", told(err))

	must(s.issuer.Prove(ctx, devicetotp.ProveRequest{AccountID: account, PIN: pin}))
	chosen := must(s.issuer.Inspect(ctx, account)).Devices[0] // the user chooses from the list
	gone := must(s.issuer.Revoke(ctx, devicetotp.RevokeRequest{
		AccountID: account, DeviceIDs: []string{chosen.ID}, WithMadeBy: true, CreatedUntil: chosen.CreatedAt,
	}))
	s.say("the user presents the PIN and removes the %s, and with it what was made on its codes:", chosen.Name)
	s.say("  %v, then %v", gone.DeviceIDs, gone.MadeBy)
	s.say("a code of the lost phone: %s", s.verify(s.codeOf(lost)))
	s.say("a code of the device that was made on it: %s", s.verify(s.codeOf(thief)))
	s.say("a code of the new phone: %s", s.verify(s.codeOf(newPhone)))
	return newPhone
}

// What a settings page shows. Inspect returns no secret.
func (s *service) settingsPage() {
	view := must(s.issuer.Inspect(ctx, account))
	s.say("the settings page:")
	for _, d := range view.Devices {
		used := "never used"
		if !d.LastUsedAt.IsZero() {
			used = "last used " + d.LastUsedAt.Format(layout)
		}
		s.say("  %s, on basis %q, %s", d.Name, d.Basis, used)
	}
	s.say("  %d recovery codes left; room for another device: %t", view.Recovery.Left, view.Room)
}

// A key is rolled out in steps: everywhere the new key is added, then it is made
// primary, then every account is sealed again. See examples/reseal for a command
// that does the last step.
func (s *service) rollKey(oldKey, newKey credential.Key) {
	s.clock.Advance(24 * time.Hour)
	s.useKeys(must(credential.NewKeyring("2026", oldKey, newKey))) // it opens, but seals nothing yet
	s.useKeys(must(credential.NewKeyring("2027", oldKey, newKey)))
	s.say("a new key seals from now on; the account needs %v", must(s.issuer.Inspect(ctx, account)).Keys)

	done := must(s.issuer.Reseal(ctx, account))
	s.say("sealed again: %d devices, %d set of recovery codes; needed: %v, the old one by the PIN hash", done.Devices, done.RecoveryCodes, done.Keys)
	before := must(s.store.Load(ctx, account)).PINHash
	check(s.store.RotateHash(ctx, account, credential.FactorPIN, before, must(s.keys.ResealPINHash(account, before))))
	s.say("sealed again: the PIN hash; needed: %v", must(s.issuer.Inspect(ctx, account)).Keys)

	s.useKeys(must(credential.NewKeyring("2027", newKey)))
}

// Nothing that the account has needs the old key, which is gone.
func (s *service) proveWithout(newPhone, tablet devicetotp.DeviceTOTP, saved credential.Secret) {
	s.say("without the old key, a code of the new phone: %s", s.verify(s.codeOf(newPhone)))
	s.say("a code of the tablet: %s", s.verify(s.codeOf(tablet)))
	_, err := s.issuer.Prove(ctx, devicetotp.ProveRequest{AccountID: account, PIN: pin})
	s.say("the PIN: %s", told(err))
	_, err = s.issuer.Prove(ctx, devicetotp.ProveRequest{AccountID: account, OTP: saved})
	s.say("another recovery code: %s", told(err))
	s.say("values that do not open: %d", len(must(s.issuer.Inspect(ctx, account)).Unreadable))
}

func (s *service) verify(code credential.Secret) string {
	_, err := s.issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: account, Code: code})
	return told(err)
}

// codeOf generates a code, as any authenticator does.
func (s *service) codeOf(d devicetotp.DeviceTOTP) credential.Secret {
	generator := verifier.TOTP{Secret: d.Secret, Algorithm: d.Algorithm, Digits: d.Digits, Period: d.Period}
	return must(generator.Code(generator.Step(s.clock.Now())))
}

const layout = "Jan 2 15:04"

func (s *service) say(format string, args ...any) {
	fmt.Printf("%s  %s\n", s.clock.Now().Format(layout), fmt.Sprintf(format, args...))
}

// told is what a service would answer.
func told(err error) string {
	switch code := devicetotp.CodeOf(err); {
	case err == nil:
		return "accepted"
	case errors.Is(err, devicetotp.ErrDenied):
		return fmt.Sprintf("403 %s", code)
	case errors.Is(err, devicetotp.ErrInvalid):
		return fmt.Sprintf("422 %s", code)
	default:
		return fmt.Sprintf("500 %s", code)
	}
}

// must ends the story where a step of it fails. A service answers the error.
func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		log.Fatalln("quickstart:", err)
	}
}

// fixedSecrets counts the secrets that it gives, which are the same in every run.
// Never do this in a service: leave Config.Secrets empty.
type fixedSecrets int

func (f *fixedSecrets) NewSecret(context.Context, int) (credential.Secret, error) {
	*f++
	return credential.NewSecret(fmt.Sprintf("quickstart-secret-%02d", *f)), nil
}
