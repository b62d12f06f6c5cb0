package credential_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"example.com/devicetotp/credential"
)

// A store over a table of the host's own. The two methods are all that the
// library asks for; package storetest proves that they keep their contract.
func ExampleStore() {
	var store credential.Store = table{}
	_, err := store.Load(context.Background(), "nobody")
	fmt.Println(errors.Is(err, credential.ErrNotFound))
	err = store.Save(context.Background(), credential.Account{ID: "nobody", Next: 7301444403})
	fmt.Println(errors.Is(err, credential.ErrConflict))
	// Output:
	// true
	// true
}

// table stands for a database without a row.
type table struct{}

// Load would be: SELECT ... FROM accounts WHERE id = $1.
func (table) Load(_ context.Context, id string) (credential.Account, error) {
	return credential.Account{}, fmt.Errorf("%w: %q", credential.ErrNotFound, id)
}

// Save would be: UPDATE accounts SET state = $1, version = $2 WHERE id = $3 AND
// version = $4 AND nothing else that Load returned has changed. No row updated
// is a conflict.
func (table) Save(_ context.Context, a credential.Account) error {
	if err := a.CheckNext(); err != nil {
		return err
	}
	return fmt.Errorf("%w: %q", credential.ErrConflict, a.ID)
}

// A State is stored as bytes. Records that a newer release has added survive.
func ExampleState_MarshalBinary() {
	state := credential.State{Devices: []credential.Device{{ID: "738e379f-fe30-45ab-819c-ba88804b6368"}}}
	stored, err := state.MarshalBinary()
	fmt.Println(len(stored), err)

	var loaded credential.State
	err = loaded.UnmarshalBinary(stored)
	fmt.Println(loaded.Devices[0].ID, err)
	// Output:
	// 43 <nil>
	// 738e379f-fe30-45ab-819c-ba88804b6368 <nil>
}

func ExampleState_UnmarshalBinary() {
	var state credential.State
	fmt.Println(state.UnmarshalBinary(nil), len(state.Devices)) // a column that is NULL
	fmt.Println(state.UnmarshalBinary([]byte{3}))
	// Output:
	// <nil> 0
	// credential: not a state of a known format: format 3
}

// As JSON a State is for people: nothing that is sealed or digested is in it.
func ExampleState_MarshalJSON() {
	state := credential.State{Codes: []credential.OneTimeCode{{
		ID: "00c0ffee00c0ffee", Kind: "account", Digest: []byte("digest"), ExpiresAt: time.Unix(1111111111, 0).UTC(),
	}}}
	b, err := json.Marshal(state.Codes)
	fmt.Println(string(b), err)
	// Output: [{"id":"00c0ffee00c0ffee","kind":"account","expiresAt":"2005-03-18T01:58:31Z"}] <nil>
}

// A clone can be altered without altering what it was made of.
func ExampleState_Clone() {
	state := credential.State{Devices: []credential.Device{{ID: "d", LastStep: 1}}}
	clone := state.Clone()
	clone.Devices[0].LastStep = 2
	fmt.Println(state.Devices[state.DeviceIndex("d")].LastStep)
	// Output: 1
}

// An account prints without its hashes.
func ExampleAccount() {
	account := credential.Account{ID: "alice", PasswordHash: "$argon2id$...", Version: 3}
	fmt.Printf("%+v\n", account)
	// Output: account "alice" version 3 (password set: true, pin set: false, locked: false, devices: 0)
}

// Failures count against the hash that is stored now: a new PIN starts at zero.
func ExampleAccount_Attempts() {
	account := credential.Account{PINHash: "old hash"}
	account.State.PIN = credential.Attempts{Failures: 9, Against: credential.Fingerprint(account.PINHash)}
	fmt.Println(account.Attempts(credential.FactorPIN).Failures)
	account.PINHash = "new hash"
	fmt.Println(account.Attempts(credential.FactorPIN).Failures)
	// Output:
	// 9
	// 0
}

// A store compares the fields of the host before it saves.
func ExampleAccount_SameHostFields() {
	loaded := credential.Account{ID: "alice", PINHash: "hash", Version: 3}
	now := credential.Account{ID: "alice", PINHash: "hash", Version: 4, Locked: true}
	fmt.Println(loaded.SameHostFields(now))
	// Output: false
}

// A Secret never prints; Reveal is the only way to its value.
func ExampleSecret() {
	pin := credential.NewSecret("8299")
	fmt.Printf("%v %+v %q %x\n", pin, pin, pin, pin)
	slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime})).Info("presented", "pin", pin)
	fmt.Println(pin.Reveal())
	// Output:
	// [redacted] [redacted] [redacted] [redacted]
	// level=INFO msg=presented pin=[redacted]
	// 8299
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// FromPtr distinguishes absent from empty; Optional does not.
func ExampleFromPtr() {
	empty := ""
	fmt.Println(credential.FromPtr(nil).Present(), credential.FromPtr(&empty).Present())
	fmt.Println(credential.Optional("").Present(), credential.Optional("8299").Present())
	// Output:
	// false true
	// false true
}

// Check a credential with Matches: nothing proves nothing.
func ExampleSecret_Matches() {
	fmt.Println(credential.NewSecret("8299").Matches(credential.NewSecret("8299")))
	var absent credential.Secret
	fmt.Println(absent.Matches(absent))
	// Output:
	// true
	// false
}

// Compare what a test expects with Equal, which a comparison of whole structs
// by github.com/google/go-cmp calls.
func ExampleSecret_Equal() {
	fmt.Println(credential.NewSecret("8299").Equal(credential.NewSecret("8299")))
	var absent credential.Secret
	fmt.Println(absent.Equal(absent))
	// Output:
	// true
	// true
}

func ExampleNewCode() {
	code, err := credential.NewCode(credential.DefaultCodeDigits)
	fmt.Println(len(code.Reveal()), credential.IsCode(code), err)
	// Output: 8 true <nil>
}

func ExampleIsCode() {
	for _, value := range []string{"526271", "526271 ", "５２６２７１"} {
		fmt.Println(credential.IsCode(credential.NewSecret(value)))
	}
	// Output:
	// true
	// false
	// false
}

func ExampleRandomSecrets() {
	secret, err := credential.RandomSecrets().NewSecret(context.Background(), credential.AlgorithmSHA256.SecretSize())
	fmt.Println(len(secret.Reveal()), err)
	// Output: 32 <nil>
}

// The order of precedence.
func ExampleFactors() {
	fmt.Println(credential.Factors())
	// Output: [otp password pin]
}

func ExampleBasisOf() {
	basis := credential.BasisOf(credential.FactorPIN)
	factor, ok := basis.Factor()
	fmt.Println(basis, factor, ok)
	_, ok = credential.BasisGrace.Factor()
	fmt.Println(credential.BasisGrace, ok)
	// Output:
	// pin pin true
	// grace false
}

func ExampleFingerprint() {
	fmt.Println(len(credential.Fingerprint("$argon2id$...")), credential.Fingerprint("") == "")
	// Output: 16 true
}

func ExampleAlgorithm_SecretSize() {
	fmt.Println(credential.AlgorithmSHA1, credential.AlgorithmSHA1.SecretSize())
	// Output: SHA1 20
}
