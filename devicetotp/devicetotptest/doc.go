// Package devicetotptest is what a service needs to unit-test its own rules
// about device TOTPs: who gets one, on which proof, and in which order.
//
// [New] makes a [World]: an Issuer over an in-memory store, with a clock that
// stands still, predictable secrets and cheap hashes. [World.Account] adds
// accounts in words:
//
//	w := devicetotptest.New(t)
//	w.Account("alice").RegisteredAgo(3 * time.Minute).PIN("8299").OTP("526271")
//	device, err := w.Issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice"})
//
// [Account.Device] puts a device on it that is in use already, [Account.Imported]
// one of another service, and [Account.RecoveryCodes] gives it recovery codes.
// [World.NewIssuer] is another process on the same store, and [World.RollKey] and
// [World.DropKey] change the keys.
//
// [World.Phone] plays the device that generates the codes, with
// github.com/pquerna/otp: another implementation than the one that verifies
// them. [Store] fails on command, and [World.Events] returns what the Observer
// got.
//
// It uses the standard library, this module and what this module needs anyway;
// no test library. Its keys, secrets and hashes are worth nothing: do not let a
// production build import it.
package devicetotptest
