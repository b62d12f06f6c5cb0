// Command quickstart walks through the life of one account, from registration
// to a code that is refused the second time, and tells what happens.
//
// It is one file without a framework or a database: copy it and change it. The
// clock and the secrets are fixed, so that it prints the same each time; a
// service leaves both out of the Config and gets the real ones.
//
//	go -C examples run ./quickstart
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

const account = "acct-1"

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	// What a service brings: a store, a keyring, and accounts with hashes.
	clock := clocktest.New(time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC))
	store := memstore.New()
	keys, err := credential.NewKeyring("demo", credential.NewKey("demo"))
	if err != nil {
		return err
	}
	issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{
		Clock:   clock,
		Secrets: &fixedSecrets{"quickstart-secret-01", "quickstart-secret-02"},
	})
	if err != nil {
		return err
	}
	say := narrator{clock: clock, start: clock.Now()}

	password, err := verifier.DefaultHasher().Hash(ctx, credential.NewSecret("superSecret12345!"))
	if err != nil {
		return err
	}
	pin, err := verifier.DefaultHasher().Hash(ctx, credential.NewSecret("8299"))
	if err != nil {
		return err
	}
	sealedPIN, err := keys.SealPINHash(account, pin) // a bare hash of four digits falls in minutes
	if err != nil {
		return err
	}
	user := credential.Account{ID: account, RegisteredAt: clock.Now(), PasswordHash: password, PINHash: sealedPIN}
	if err := store.Put(ctx, user); err != nil {
		return err
	}
	say.that("the user registers, with a password and a PIN")

	clock.Advance(time.Minute)
	phone, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: account, DeviceID: "738e379f-fe30-45ab-819c-ba88804b6368"})
	if err != nil {
		return err
	}
	say.that("the phone asks, presents nothing, and gets a device on basis %q", phone.Basis)
	say.that("  id %s, secret %s", phone.ID, phone.Base32())
	say.that("  %s, %d digits, every %v", phone.Algorithm, phone.Digits, phone.Period)

	clock.Advance(5 * time.Minute)
	_, err = issuer.Create(ctx, devicetotp.CreateRequest{AccountID: account})
	say.that("six minutes after registration, presenting nothing: %s", told(err))

	tablet, err := issuer.Create(ctx, devicetotp.CreateRequest{
		AccountID: account,
		OTP:       credential.NewSecret("000000"),    // looked at first, and wrong
		Password:  credential.NewSecret("let me in"), // looked at next, and wrong
		PIN:       credential.NewSecret("8299"),      // right, and that is enough
	})
	if err != nil {
		return err
	}
	say.that("a tablet presents a wrong OTP, a wrong password and the PIN: a device on basis %q", tablet.Basis)

	// The phone generates a code, as any authenticator does.
	generator := verifier.TOTP{Secret: phone.Secret, Algorithm: phone.Algorithm, Digits: phone.Digits, Period: phone.Period}
	code, err := generator.Code(generator.Step(clock.Now()))
	if err != nil {
		return err
	}
	match, err := issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: account, Code: code})
	if err != nil {
		return err
	}
	say.that("the phone shows %s, and the service accepts it, from device %s", code.Reveal(), match.DeviceID)

	_, err = issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: account, Code: code})
	say.that("the same code again: %s", told(err))
	return nil
}

// told is what a service would answer.
func told(err error) string {
	switch code := devicetotp.CodeOf(err); {
	case errors.Is(err, devicetotp.ErrDenied):
		return fmt.Sprintf("403 %s", code)
	case errors.Is(err, devicetotp.ErrInvalid):
		return fmt.Sprintf("422 %s", code)
	case err != nil:
		return fmt.Sprintf("500 %s", code)
	default:
		return "accepted, which must not be"
	}
}

// narrator prints one line with the time since the start before it.
type narrator struct {
	clock devicetotp.Clock
	start time.Time
}

func (n narrator) that(format string, args ...any) {
	since := n.clock.Now().Sub(n.start)
	fmt.Printf("%d:%02d  %s\n", int(since.Minutes()), int(since.Seconds())%60, fmt.Sprintf(format, args...))
}

// fixedSecrets hands out the same secrets in every run. Never do this in a
// service: leave Config.Secrets empty.
type fixedSecrets []string

func (f *fixedSecrets) NewSecret(context.Context, int) (credential.Secret, error) {
	if len(*f) == 0 {
		return credential.Secret{}, errors.New("quickstart: no more fixed secrets")
	}
	next := (*f)[0]
	*f = (*f)[1:]
	return credential.NewSecret(next), nil
}
