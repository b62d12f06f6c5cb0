package devicetotptest

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// Device puts a device of that name on the account, in the store at once and
// without an Event, and returns its phone. It was created on the password, age
// ago, and has been used; the code that the phone shows now is good. Algorithm,
// digits and period are copied from the world's policy.
func (a *Account) Device(name string, age time.Duration) *Phone {
	a.w.t.Helper()
	policy := &a.w.policy
	d := devicetotp.DeviceTOTP{Algorithm: policy.Algorithm, Digits: policy.Digits, Period: policy.Period}
	var err error
	if d.Secret, err = a.w.Secrets.NewSecret(context.Background(), cmp.Or(policy.SecretSize, policy.Algorithm.SecretSize())); err != nil {
		a.w.t.Fatalf("devicetotptest: making a secret: %v", err)
	}
	return a.put(name, age, credential.BasisPassword, d)
}

// Imported puts a device of another service on the account, as Device does, and
// returns its phone. The device gets the Secret, Algorithm, Digits, Period and,
// unless it is empty, ID of d.
func (a *Account) Imported(name string, d devicetotp.DeviceTOTP) *Phone {
	a.w.t.Helper()
	return a.put(name, 0, credential.BasisImported, d)
}

// put adds the device to the State of the account.
func (a *Account) put(name string, age time.Duration, basis credential.Basis, d devicetotp.DeviceTOTP) *Phone {
	a.w.t.Helper()
	if d.ID == "" {
		a.w.devices++
		d.ID = fmt.Sprintf("00000000-0000-4000-9000-%012x", a.w.devices)
	}
	now := a.w.Clock.Now()
	stored := credential.Device{
		ID: d.ID, Name: name, Algorithm: d.Algorithm, Digits: d.Digits, Period: d.Period,
		Basis: basis, CreatedAt: now.Add(-age).UTC(),
	}
	phone := a.w.Phone(d)
	if basis != credential.BasisImported { // an imported device counts as used
		totp := verifier.TOTP{Period: d.Period}
		stored.LastStep = max(1, min(totp.Step(stored.CreatedAt), totp.Step(now)-2))
	}
	var err error
	if stored.Sealed, err = a.w.Keys.Seal(credential.DeviceScope(a.ID, &stored), d.Secret); err != nil {
		a.w.t.Fatalf("devicetotptest: sealing a secret: %v", err)
	}
	account := a.Stored()
	if account.State.DeviceIndex(d.ID) >= 0 {
		a.w.t.Fatalf("devicetotptest: the account has a device %s already", d.ID)
	}
	account.State.Devices = append(account.State.Devices, stored)
	account.Next = rand.Int64N(credential.MaxVersion) + 1
	if err := a.w.Store.Accounts.Save(context.Background(), account); err != nil {
		a.w.t.Fatalf("devicetotptest: adding a device: %v", err)
	}
	return phone
}
