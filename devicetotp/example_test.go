package devicetotp_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// newExample makes an Issuer with one account, registered when the clock
// starts, whose PIN is 8299.
func newExample() (*devicetotp.Issuer, *clocktest.Fake) {
	ctx := context.Background()
	keys, err := credential.NewKeyring("2026-01", credential.NewKey("2026-01"))
	if err != nil {
		log.Fatal(err)
	}
	hash, err := verifier.DefaultHasher().Hash(ctx, credential.NewSecret("8299"))
	if err != nil {
		log.Fatal(err)
	}
	clock := clocktest.New(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	store := memstore.New()
	_ = store.Put(context.Background(), credential.Account{ID: "alice", RegisteredAt: clock.Now(), PINHash: hash})
	issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{Clock: clock})
	if err != nil {
		log.Fatal(err)
	}
	return issuer, clock
}

func ExampleNewIssuer() {
	keys, err := credential.NewKeyring("2026-01", credential.NewKey("2026-01"))
	if err != nil {
		log.Fatal(err)
	}
	store := memstore.New() // yours: see credential.Store
	_ = store.Put(context.Background(), credential.Account{ID: "alice", RegisteredAt: time.Now()})

	issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{})
	if err != nil {
		log.Fatal(err)
	}
	device, err := issuer.Create(context.Background(), devicetotp.CreateRequest{AccountID: "alice"})
	fmt.Println(device.Basis, device.Digits, device.Period, device.Algorithm, err)
	// Output: grace 6 30s SHA1 <nil>
}

// Every mistake is reported at once, by field.
func ExampleNewIssuer_mistakes() {
	policy := devicetotp.DefaultPolicy()
	policy.Digits = 4
	policy.Period = 0
	_, err := devicetotp.NewIssuer(nil, nil, devicetotp.Config{Policy: &policy})
	fmt.Println(err)
	// Output:
	// devicetotp: new-issuer: store: invalid-argument: must not be nil
	// devicetotp: new-issuer: keys: invalid-argument: must hold at least one key
	// devicetotp: new-issuer: Config.Policy.Digits: invalid-argument: is 4, must be 6 or 8: authenticator apps do not generate codes of 4 digits
	// devicetotp: new-issuer: Config.Policy.Period: invalid-argument: is 0s, must be from 15s to 2m0s
}

func ExampleIssuer_Create() {
	issuer, clock := newExample()
	ctx := context.Background()

	_, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice"})
	fmt.Println("just registered:", err)

	clock.Advance(6 * time.Minute)
	_, err = issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice"})
	fmt.Println("six minutes later:", err)

	device, err := issuer.Create(ctx, devicetotp.CreateRequest{
		AccountID: "alice",
		DeviceID:  "738e379f-fe30-45ab-819c-ba88804b6368",
		OTP:       credential.NewSecret("000000"),
		PIN:       credential.NewSecret("8299"),
	})
	fmt.Println("a wrong OTP and the right PIN:", device.Basis, err)
	// Output:
	// just registered: <nil>
	// six minutes later: devicetotp: create: credentials-required
	// a wrong OTP and the right PIN: pin <nil>
}

// Errors carry a class for the transport and a code for the client.
func ExampleIssuer_Create_errors() {
	issuer, clock := newExample()
	clock.Advance(time.Hour)
	for range 6 {
		_, err := issuer.Create(context.Background(), devicetotp.CreateRequest{AccountID: "alice", PIN: credential.NewSecret("0000")})
		var e *devicetotp.Error
		switch {
		case errors.Is(err, devicetotp.ErrDenied) && errors.As(err, &e):
			fmt.Println(403, e.Code, e.RetryAfter)
		case errors.Is(err, devicetotp.ErrInvalid):
			fmt.Println(422, devicetotp.CodeOf(err))
		default:
			fmt.Println(500, devicetotp.CodeOf(err))
		}
	}
	// Output:
	// 403 invalid-credentials 0s
	// 403 invalid-credentials 0s
	// 403 invalid-credentials 0s
	// 403 invalid-credentials 0s
	// 403 invalid-credentials 0s
	// 403 too-many-attempts 30s
}

func ExampleIssuer_Verify() {
	issuer, clock := newExample()
	ctx := context.Background()
	device, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice"})
	if err != nil {
		log.Fatal(err)
	}

	// What the user's device does:
	totp := verifier.TOTP{Secret: device.Secret, Algorithm: device.Algorithm, Digits: device.Digits, Period: device.Period}
	code, err := totp.Code(totp.Step(clock.Now()))
	if err != nil {
		log.Fatal(err)
	}

	match, err := issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: "alice", Code: code})
	fmt.Println(match.DeviceID == device.ID, match.Drift, err)
	_, err = issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: "alice", Code: code})
	fmt.Println("again:", devicetotp.CodeOf(err))
	// Output:
	// true 0 <nil>
	// again: invalid-credentials
}

// A payment is approved with a code of the device that the client names, and not on
// one that was made without a proof.
func ExampleIssuer_Verify_payment() {
	issuer, clock := newExample()
	ctx := context.Background()
	device, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice"}) // within the grace window
	if err != nil {
		log.Fatal(err)
	}
	totp := verifier.TOTP{Secret: device.Secret, Algorithm: device.Algorithm, Digits: device.Digits, Period: device.Period}
	code, err := totp.Code(totp.Step(clock.Now()))
	if err != nil {
		log.Fatal(err)
	}

	match, err := issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: "alice", DeviceID: device.ID, Code: code})
	switch {
	case err != nil:
		fmt.Println(devicetotp.CodeOf(err))
	case match.RestsOnGrace:
		fmt.Println("add the device again with your password")
	default:
		fmt.Println("approved")
	}
	// Output: add the device again with your password
}

func ExampleIssuer_AddCode() {
	issuer, clock := newExample()
	clock.Advance(time.Hour)
	ctx := context.Background()
	code, err := credential.NewCode(credential.DefaultCodeDigits)
	if err != nil {
		log.Fatal(err)
	}
	// Send code.Reveal() to the user, and announce it:
	_, err = issuer.AddCode(ctx, devicetotp.AddCodeRequest{AccountID: "alice", Kind: verifier.KindAccount, Code: code, TTL: 5 * time.Minute})
	fmt.Println(err)

	device, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice", OTP: code})
	fmt.Println(device.Basis, err)
	_, err = issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice", OTP: code})
	fmt.Println(err)
	// Output:
	// <nil>
	// otp <nil>
	// devicetotp: create: OTP: invalid-credentials
}

// The phone is lost, and its owner has a recovery code on paper.
func ExampleIssuer_ReplaceRecoveryCodes() {
	policy := devicetotp.DefaultPolicy()
	policy.OTPKinds = append(policy.OTPKinds, verifier.KindRecovery)
	keys, err := credential.NewKeyring("2026-01", credential.NewKey("2026-01"))
	if err != nil {
		log.Fatal(err)
	}
	store := memstore.New()
	_ = store.Put(context.Background(), credential.Account{ID: "alice"})
	issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{Policy: &policy})
	if err != nil {
		log.Fatal(err)
	}

	// After the user has proved to be the owner: show them once.
	ctx := context.Background()
	codes, err := issuer.ReplaceRecoveryCodes(ctx, devicetotp.RecoveryRequest{AccountID: "alice"})
	fmt.Println(len(codes), len(codes[0].Reveal()), err)

	typed := credential.NewSecret(strings.ToUpper(codes[2].Reveal()))
	device, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice", OTP: typed})
	fmt.Println(device.Basis, err)
	_, err = issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice", OTP: typed})
	fmt.Println("again:", err)

	view, err := issuer.Inspect(ctx, "alice")
	fmt.Println(view.Recovery.Left, "left", err)
	// Output:
	// 10 19 <nil>
	// otp <nil>
	// again: devicetotp: create: OTP: invalid-credentials
	// 9 left <nil>
}

func ExampleIssuer_Unblock() {
	issuer, clock := newExample()
	clock.Advance(time.Hour)
	ctx := context.Background()
	create := func(pin string) error {
		_, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice", PIN: credential.NewSecret(pin)})
		return err
	}
	for range 5 {
		_ = create("0000")
	}
	fmt.Println(devicetotp.CodeOf(create("8299")))
	if err := issuer.Unblock(ctx, devicetotp.UnblockRequest{AccountID: "alice", Factors: []credential.Factor{credential.FactorPIN}}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(create("8299"))
	// Output:
	// too-many-attempts
	// <nil>
}

// A key is rolled out everywhere, every account is sealed again, and then the old
// key can go. examples/reseal does it for all accounts of a database.
func ExampleIssuer_Reseal() {
	ctx := context.Background()
	old, newer := credential.NewKey("2025-11"), credential.NewKey("2026-05")
	before, _ := credential.NewKeyring("2025-11", old)
	after, _ := credential.NewKeyring("2026-05", old, newer)
	clock := clocktest.New(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	store := memstore.New()
	_ = store.Put(ctx, credential.Account{ID: "alice", RegisteredAt: clock.Now()})

	issuer, err := devicetotp.NewIssuer(store, before, devicetotp.Config{Clock: clock})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice"}); err != nil {
		log.Fatal(err)
	}
	if issuer, err = devicetotp.NewIssuer(store, after, devicetotp.Config{Clock: clock}); err != nil {
		log.Fatal(err)
	}
	view, _ := issuer.Inspect(ctx, "alice")
	fmt.Println("needs", view.Keys)
	done, err := issuer.Reseal(ctx, "alice")
	fmt.Println("sealed again:", done.Devices, "- needs", done.Keys, err)
	// Output:
	// needs [2025-11]
	// sealed again: 1 - needs [2026-05] <nil>
}

func ExampleDeviceTOTP_Base32() {
	device := devicetotp.DeviceTOTP{Secret: credential.NewSecret("12345678901234567890")}
	fmt.Println(device.Base32())
	// Output: GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ
}

func ExampleDeviceTOTP_URI() {
	device := devicetotp.DeviceTOTP{
		Secret: credential.NewSecret("12345678901234567890"), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
	}
	uri, err := device.URI("Example Café", "alice@example.com")
	fmt.Println(uri, err)
	_, err = device.URI("Example: Café", "alice@example.com")
	fmt.Println(err)
	// Output:
	// otpauth://totp/Example%20Caf%C3%A9:alice%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example%20Caf%C3%A9&algorithm=SHA1&digits=6&period=30 <nil>
	// devicetotp: issuer must not contain ":"
}

func ExampleDeviceTOTP_QRCode() {
	device := devicetotp.DeviceTOTP{
		Secret: credential.NewSecret("12345678901234567890"), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
	}
	picture, err := device.QRCode("Example", "alice@example.com", 256)
	fmt.Println(http.DetectContentType(picture), err)
	_, err = device.QRCode("Example", "alice@example.com", 8)
	fmt.Println(err)
	// Output:
	// image/png <nil>
	// devicetotp: size is 8 pixels, must be at least 57 for this address and at most 4096
}

func ExampleDefaultPolicy() {
	policy := devicetotp.DefaultPolicy()
	policy.GraceWindow = 0 // our service asks for a proof always
	fmt.Println(policy.GraceWindow, policy.MaxDevices, policy.PIN.BlockAt)
	// Output: 0s 20 10
}

func ExampleCodeOf() {
	issuer, _ := newExample()
	_, err := issuer.Create(context.Background(), devicetotp.CreateRequest{AccountID: "alice", DeviceID: "my phone"})
	fmt.Println(devicetotp.CodeOf(err) == totperrors.CodeInvalidID, errors.Is(err, devicetotp.ErrInvalid))
	// Output: true true
}

func ExampleIssuer_Rename() {
	issuer, _ := newExample()
	ctx := context.Background()
	device, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice", Name: "Phone"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(issuer.Rename(ctx, devicetotp.RenameRequest{AccountID: "alice", DeviceID: device.ID, Name: "Work phone\n"}))
	fmt.Println(issuer.Rename(ctx, devicetotp.RenameRequest{AccountID: "alice", DeviceID: device.ID, Name: "Work phone"}))
	view, err := issuer.Inspect(ctx, "alice")
	fmt.Println(view.Devices[0].Name, err)
	// Output:
	// devicetotp: rename: Name: invalid-argument: must not contain U+000A, at byte 10
	// <nil>
	// Work phone <nil>
}
