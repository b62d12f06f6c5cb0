package devicetotptest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// inTest stands for the *testing.T of a test, so that examples can run.
type inTest struct{ testing.TB }

func (inTest) Helper() {}

var t = inTest{}

// A truth table of one's own policy: this service knows no grace, and lets a
// PIN be tried three times.
func Example() {
	strict := devicetotptest.WithPolicy(func(p *devicetotp.Policy) {
		p.GraceWindow = 0
		p.PIN.BackoffFrom, p.PIN.BlockAt = 3, 3
	})
	s := credential.Optional // "" is: not presented
	for _, row := range []struct{ otp, password, pin string }{
		{"", "", ""},
		{"526271", "", ""},
		{"000000", "hunter2", ""},
		{"000000", "wrong", "8299"},
		{"000000", "wrong", "0000"},
	} {
		w := devicetotptest.New(t, strict)
		w.Account("alice").RegisteredAgo(time.Minute).OTP("526271").Password("hunter2").PIN("8299")
		device, err := w.Issuer.Create(context.Background(), devicetotp.CreateRequest{
			AccountID: "alice", OTP: s(row.otp), Password: s(row.password), PIN: s(row.pin),
		})
		outcome := device.Basis.String()
		if err != nil {
			outcome = string(devicetotp.CodeOf(err))
		}
		fmt.Printf("%q %q %q: %s\n", row.otp, row.password, row.pin, outcome)
	}
	// Output:
	// "" "" "": credentials-required
	// "526271" "" "": otp
	// "000000" "hunter2" "": password
	// "000000" "wrong" "8299": pin
	// "000000" "wrong" "0000": invalid-credentials
}

func ExampleNew() {
	w := devicetotptest.New(t, func(c *devicetotp.Config) {
		c.Observer = func(_ context.Context, e devicetotp.Event) { fmt.Println("observed:", e.Op, e.Basis) }
	})
	w.Account("alice").RegisteredAgo(0)
	_, _ = w.Issuer.Create(context.Background(), devicetotp.CreateRequest{AccountID: "alice"})
	// Output: observed: create grace
}

func ExampleWorld_Account() {
	w := devicetotptest.New(t)
	alice := w.Account("alice").RegisteredAgo(3 * time.Minute).PIN("8299").Password("hunter2").OTP("526271").Locked(true)
	_, err := w.Issuer.Create(context.Background(), devicetotp.CreateRequest{AccountID: "alice"})
	fmt.Println(err)
	alice.Locked(false)
	_, err = w.Issuer.Create(context.Background(), devicetotp.CreateRequest{AccountID: "alice"})
	fmt.Println(err, len(alice.Stored().State.Devices))
	// Output:
	// devicetotp: create: account-locked
	// <nil> 1
}

func ExampleWorld_Phone() {
	w := devicetotptest.New(t)
	w.Account("alice").RegisteredAgo(0)
	device, _ := w.Issuer.Create(context.Background(), devicetotp.CreateRequest{AccountID: "alice"})

	phone := w.Phone(device)
	for _, code := range []credential.Secret{phone.Drifted(-1), phone.Code(), phone.Code(), phone.Drifted(2)} {
		match, err := w.Issuer.Verify(context.Background(), devicetotp.VerifyRequest{AccountID: "alice", Code: code})
		fmt.Printf("%d %q\n", match.Drift, devicetotp.CodeOf(err))
	}
	// Output:
	// -1 ""
	// 0 ""
	// 0 "invalid-credentials"
	// 0 "invalid-credentials"
}

func ExampleWorld_Events() {
	w := devicetotptest.New(t)
	w.Account("alice").PIN("8299")
	_, _ = w.Issuer.Create(context.Background(), devicetotp.CreateRequest{
		AccountID: "alice", OTP: credential.NewSecret("000000"), PIN: credential.NewSecret("8299"),
	})
	for _, f := range w.Events()[0].Factors {
		fmt.Println(f.Factor, f.Result, f.Failures)
	}
	// Output:
	// otp wrong 1
	// pin valid 0
}

// The answer to a save was lost. The write is found, confirmed by another save, and
// only then answered.
func ExampleStore_Script() {
	w := devicetotptest.New(t)
	w.Account("alice").RegisteredAgo(0)
	w.Store.Script(
		devicetotptest.Fault{}, // Load
		devicetotptest.Fault{Err: context.DeadlineExceeded, Applied: true}, // Save
	)
	device, err := w.Issuer.Create(context.Background(), devicetotp.CreateRequest{AccountID: "alice"})
	fmt.Println(device.Basis, err)
	fmt.Println(w.Store.Calls())
	// Output:
	// grace <nil>
	// [{load alice} {save alice} {load alice} {save alice}]
}

func ExampleSecrets_Next() {
	w := devicetotptest.New(t)
	w.Account("alice").RegisteredAgo(0)
	w.Secrets.Next(credential.NewSecret("12345678901234567890"), nil)
	w.Secrets.Next(credential.Secret{}, fmt.Errorf("the module is out of reach"))
	device, _ := w.Issuer.Create(context.Background(), devicetotp.CreateRequest{AccountID: "alice"})
	fmt.Println(device.Base32())
	_, err := w.Issuer.Create(context.Background(), devicetotp.CreateRequest{AccountID: "alice"})
	fmt.Println(devicetotp.CodeOf(err) == totperrors.CodeInternal, w.Secrets.Made())
	// Output:
	// GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ
	// true 2
}

func ExampleWithPolicy() {
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.Digits = 8 }))
	w.Account("alice").RegisteredAgo(0)
	device, _ := w.Issuer.Create(context.Background(), devicetotp.CreateRequest{AccountID: "alice"})
	fmt.Println(device.Digits)
	// Output: 8
}

func ExampleCheapHasher() {
	hash, err := devicetotptest.CheapHasher(t).Hash(context.Background(), credential.NewSecret("8299"))
	fmt.Println(hash[:len("$argon2id$v=19$m=8,t=1,p=1$")], err)
	// Output: $argon2id$v=19$m=8,t=1,p=1$ <nil>
}

// The phone is lost: the codes of the old one are gone with it.
func ExampleAccount_RecoveryCodes() {
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) {
		p.OTPKinds = append(p.OTPKinds, verifier.KindRecovery)
	}))
	alice := w.Account("alice")
	alice.Device("my old phone", 400*24*time.Hour)
	codes := alice.RecoveryCodes(10)
	device, err := w.Issuer.Create(context.Background(), devicetotp.CreateRequest{AccountID: "alice", OTP: codes[3]})
	fmt.Println(device.Basis, err)
	fmt.Println(alice.Stored().State.Recovery.Left, "left")
	// Output:
	// otp <nil>
	// 9 left
}

func ExampleAccount_Device() {
	w := devicetotptest.New(t)
	phone := w.Account("alice").Device("my phone", 30*24*time.Hour)
	match, err := w.Issuer.Verify(context.Background(), devicetotp.VerifyRequest{
		AccountID: "alice", DeviceID: phone.DeviceID, Code: phone.Code(),
	})
	fmt.Println(match.DeviceID == phone.DeviceID, err)
	// Output: true <nil>
}

func ExampleAccount_Imported() {
	w := devicetotptest.New(t)
	phone := w.Account("alice").Imported("from before", devicetotp.DeviceTOTP{
		Secret: credential.NewSecret("ten bytes!"), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
	})
	_, err := w.Issuer.Verify(context.Background(), devicetotp.VerifyRequest{AccountID: "alice", Code: phone.Code()})
	fmt.Println(err)
	// Output: <nil>
}

// A device under the old key works, until that key is taken away.
func ExampleWorld_RollKey() {
	w := devicetotptest.New(t)
	phone := w.Account("alice").Device("my phone", time.Hour)
	w.RollKey("next")
	fmt.Println(w.Keys)
	w.DropKey("test")
	_, err := w.Issuer.Verify(context.Background(), devicetotp.VerifyRequest{AccountID: "alice", Code: phone.Code()})
	fmt.Println(devicetotp.CodeOf(err))
	// Output:
	// keyring [test next], primary next
	// internal-error
}

// What one process has spent, another refuses.
func ExampleWorld_NewIssuer() {
	w := devicetotptest.New(t)
	phone := w.Account("alice").Device("my phone", time.Hour)
	request := devicetotp.VerifyRequest{AccountID: "alice", Code: phone.Code()}
	for _, issuer := range []*devicetotp.Issuer{w.Issuer, w.NewIssuer()} {
		_, err := issuer.Verify(context.Background(), request)
		fmt.Printf("%q\n", devicetotp.CodeOf(err))
	}
	// Output:
	// ""
	// "invalid-credentials"
}
