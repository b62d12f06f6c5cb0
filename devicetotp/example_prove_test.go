package devicetotp_test

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

// host is a service with one account, whose password is "hunter2" and whose PIN
// is 8299. It sends one-time codes by text message.
type host struct {
	issuer *devicetotp.Issuer
	store  *memstore.Store
	keys   *credential.Keyring
}

func newHost() host {
	ctx := context.Background()
	keys, err := credential.NewKeyring("2026-01", credential.NewKey("2026-01"))
	if err != nil {
		log.Fatal(err)
	}
	password, err := verifier.DefaultHasher().Hash(ctx, credential.NewSecret("hunter2"))
	if err != nil {
		log.Fatal(err)
	}
	pin, err := verifier.DefaultHasher().HashPIN(ctx, credential.NewSecret("8299"))
	if err != nil {
		log.Fatal(err)
	}
	sealed, err := keys.SealPINHash("alice", pin)
	if err != nil {
		log.Fatal(err)
	}
	store := memstore.New()
	if err := store.Put(ctx, credential.Account{ID: "alice", PasswordHash: password, PINHash: sealed}); err != nil {
		log.Fatal(err)
	}
	policy := devicetotp.DefaultPolicy()
	policy.OTPKinds = []string{"sms", verifier.KindDeviceTOTP}
	issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{
		Clock: clocktest.New(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), Policy: &policy,
	})
	if err != nil {
		log.Fatal(err)
	}
	return host{issuer, store, keys}
}

// text sends a one-time code, which the user reads.
func (h host) text() (read credential.Secret) {
	code, err := h.issuer.AddCode(context.Background(), devicetotp.AddCodeRequest{AccountID: "alice", Kind: "sms", TTL: 5 * time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	return code.Code
}

// Check a PIN, as before a payment.
func ExampleIssuer_Prove() {
	issuer := newHost().issuer
	for _, pin := range []string{"0000", "8299"} {
		proof, err := issuer.Prove(context.Background(), devicetotp.ProveRequest{AccountID: "alice", PIN: credential.NewSecret(pin)})
		fmt.Println(proof.Basis == credential.BasisPIN, err)
	}
	// Output:
	// false devicetotp: prove: PIN: invalid-credentials
	// true <nil>
}

// Verify an OTP of a kind: one that was sent by text message, and no code of a
// device. It is good once.
func ExampleIssuer_Prove_otp() {
	h := newHost()
	otp := h.text()
	for range 2 {
		proof, err := h.issuer.Prove(context.Background(), devicetotp.ProveRequest{AccountID: "alice", OTP: otp, Kinds: []string{"sms"}})
		fmt.Printf("%q %v\n", proof.Kind, err)
	}
	// Output:
	// "sms" <nil>
	// "" devicetotp: prove: OTP: invalid-credentials
}

// Create an OTP against the password, then the PIN: whoever proves to know one of
// them is given a code to carry on with.
func ExampleIssuer_Prove_createOTP() {
	h := newHost()
	ctx := context.Background()
	createOTP := func(password, pin string) (devicetotp.AddedCode, error) {
		_, err := h.issuer.Prove(ctx, devicetotp.ProveRequest{
			AccountID: "alice", Password: credential.Optional(password), PIN: credential.Optional(pin),
		})
		if err != nil {
			return devicetotp.AddedCode{}, err
		}
		return h.issuer.AddCode(ctx, devicetotp.AddCodeRequest{AccountID: "alice", Kind: "sms", TTL: 5 * time.Minute})
	}
	_, err := createOTP("hunter1", "")
	fmt.Println(err)
	code, err := createOTP("hunter1", "8299")
	fmt.Println(len(code.Code.Reveal()), "digits until", code.ExpiresAt.Format(time.TimeOnly), err)
	// Output:
	// devicetotp: prove: Password: invalid-credentials
	// 8 digits until 03:09:05 <nil>
}

// Set a PIN on an OTP. The rules for PINs come first, so that a PIN that breaks
// them costs no OTP. The hash is the host's to write, and only in the place of the
// one that it has read before.
func ExampleIssuer_Prove_setPIN() {
	h := newHost()
	ctx := context.Background()
	setPIN := func(otp, pin credential.Secret) error {
		if err := verifier.CheckPIN(pin); err != nil {
			return err
		}
		before, err := h.store.Load(ctx, "alice")
		if err != nil {
			return err
		}
		proof, err := h.issuer.Prove(ctx, devicetotp.ProveRequest{AccountID: "alice", OTP: otp})
		if err != nil {
			return err
		}
		if proof.RestsOnGrace {
			return errors.New("use a code that was sent to you")
		}
		hash, err := verifier.DefaultHasher().HashPIN(ctx, pin)
		if err != nil {
			return err
		}
		sealed, err := h.keys.SealPINHash("alice", hash)
		if err != nil {
			return err
		}
		return h.store.RotateHash(ctx, "alice", credential.FactorPIN, before.PINHash, sealed)
	}
	otp := h.text()
	fmt.Println(setPIN(otp, credential.NewSecret("1234")))
	fmt.Println(setPIN(credential.NewSecret("000000"), credential.NewSecret("9875")))
	fmt.Println(setPIN(otp, credential.NewSecret("9875")))

	proof, err := h.issuer.Prove(ctx, devicetotp.ProveRequest{AccountID: "alice", PIN: credential.NewSecret("9875")})
	fmt.Println(proof.Basis, err)
	// Output:
	// verifier: a PIN must not be a numerical series
	// devicetotp: prove: OTP: invalid-credentials
	// <nil>
	// pin <nil>
}

// Take a lost phone away, and whatever was made on its codes, once the user has
// proved to be the owner.
func ExampleIssuer_Revoke() {
	issuer := newHost().issuer
	ctx := context.Background()
	const phone = "738e379f-fe30-45ab-819c-ba88804b6368"
	if _, err := issuer.Create(ctx, devicetotp.CreateRequest{
		AccountID: "alice", DeviceID: phone, Name: "Phone", PIN: credential.NewSecret("8299"),
	}); err != nil {
		log.Fatal(err)
	}

	view, err := issuer.Inspect(ctx, "alice") // the user chooses from this list
	if err != nil {
		log.Fatal(err)
	}
	lost := view.Devices[0]
	if _, err := issuer.Prove(ctx, devicetotp.ProveRequest{AccountID: "alice", Password: credential.NewSecret("hunter2")}); err != nil {
		log.Fatal(err)
	}
	r := devicetotp.RevokeRequest{AccountID: "alice", DeviceIDs: []string{lost.ID}, WithMadeBy: true, CreatedUntil: lost.CreatedAt}
	for range 2 {
		revoked, err := issuer.Revoke(ctx, r)
		fmt.Println(revoked.DeviceIDs, err)
	}
	_, err = issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice", DeviceID: phone, PIN: credential.NewSecret("8299")})
	fmt.Println(err)
	// Output:
	// [738e379f-fe30-45ab-819c-ba88804b6368] <nil>
	// [] <nil>
	// devicetotp: create: DeviceID: id-in-use
}
