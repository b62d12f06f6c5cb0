package credential_test

import (
	"fmt"
	"time"

	"example.com/devicetotp/credential"
)

func ExampleNewSecret() {
	pin := credential.NewSecret("8299")
	fmt.Println(pin, pin.Present(), pin.Reveal())
	fmt.Println(credential.NewSecret("").Present(), credential.Secret{}.Present())
	// Output:
	// [redacted] true 8299
	// true false
}

// A form that leaves out what is not given.
func ExampleOptional() {
	fmt.Println(credential.Optional("8299").Present(), credential.Optional("").Present())
	// Output: true false
}

func ExampleNewKey() {
	key := credential.NewKey("2026-05")
	fmt.Println(key.ID, key.Secret, len(key.Secret.Reveal()))
	// Output: 2026-05 [redacted] 32
}

// What a host does to import a device that it had issued before. The secret is
// sealed last: it is bound to the other fields.
func ExampleKeyring_Seal() {
	keys, _ := credential.NewKeyring("2026-05", credential.NewKey("2026-05"))
	imported := credential.Device{
		ID: "738e379f-fe30-45ab-819c-ba88804b6368", Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
		Basis: credential.BasisImported,
	}
	var err error
	imported.Sealed, err = keys.Seal(credential.DeviceScope("alice", &imported), credential.NewSecret("12345678901234567890"))
	fmt.Println(imported.Basis, len(imported.Sealed) > 20, err)
	// Output: imported true <nil>
}

func ExampleKeyring_Digest() {
	keys, _ := credential.NewKeyring("2026-05", credential.NewKey("2026-05"))
	scope := credential.Scope{Purpose: credential.PurposeOneTimeCode, AccountID: "alice", Subject: "00c0ffee00c0ffee"}
	first, _ := keys.Digest(scope, credential.NewSecret("526271"))
	second, _ := keys.Digest(scope, credential.NewSecret("526271"))
	fmt.Println(string(first) == string(second))
	_, err := keys.Digest(credential.Scope{Purpose: credential.PurposeDeviceSecret}, credential.NewSecret("526271"))
	fmt.Println(err)
	// Output:
	// true
	// credential: purpose "device-secret" cannot be digested
}

func ExampleKeyring_OpenPINHash() {
	keys, _ := credential.NewKeyring("2026-05", credential.NewKey("2026-05"))
	hash, outdated, err := keys.OpenPINHash("alice", "$2y$10$abcdefghijklmnopqrstuuMOeC6hE7rgGfVCjPEPkqLzjZ3OXoVTG")
	fmt.Println(hash[:7], outdated, err) // bare, and should be sealed
	// Output: $2y$10$ true <nil>
}

func ExampleState_DeviceIndex() {
	state := credential.State{Devices: []credential.Device{{ID: "738e379f-fe30-45ab-819c-ba88804b6368"}}}
	fmt.Println(state.DeviceIndex("738e379f-fe30-45ab-819c-ba88804b6368"), state.DeviceIndex("another"))
	// Output: 0 -1
}

// What a person typed is read before a request is made of it.
func ExampleTypedCode() {
	for _, typed := range []string{"155 283", "１５５\u00a0２８３", "k7pd-2mxa-w9rf-4hbq"} {
		fmt.Println(credential.TypedCode(credential.NewSecret(typed)).Reveal())
	}
	// Output:
	// 155283
	// 155283
	// k7pd-2mxa-w9rf-4hbq
}
