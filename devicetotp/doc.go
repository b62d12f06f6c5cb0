// Package devicetotp issues TOTP secrets for the devices of an account and
// verifies the codes that those devices generate.
//
// Make an [Issuer] with [NewIssuer]. [Issuer.Create] issues a secret within five
// minutes of registration without any credential, or else against one valid user
// OTP, password or PIN, checked in that order. [Issuer.Verify] accepts each code
// of a device once. [Issuer.Prove] asks for the same proofs before anything else is
// done; [Issuer.Inspect], [Issuer.Rename], [Issuer.Rotate] and [Issuer.Revoke]
// manage devices, and [Issuer.Import] takes over those of another service.
//
//	issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{})
//	device, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: id, PIN: credential.Optional(pin)})
//	switch {
//	case errors.Is(err, devicetotp.ErrDenied):  // 403
//	case errors.Is(err, devicetotp.ErrInvalid): // 422
//	}
//
// In this documentation, the host is the service that embeds the library. The
// library is domain logic without HTTP or SQL: package jsonapi serves the
// documented endpoint, and packages memstore and sqlstore keep accounts.
//
// Authenticate the caller before you call an Issuer: AccountID is an account that
// the host's own authentication established. Failures are counted per account;
// limit requests per address where that matters.
//
// # How it works
//
// Load the account, decide in memory, save once if nothing changed meanwhile,
// answer. No device and no verdict leaves before the save that records it. The
// rules of an operation are in the file of its name; the precedence of OTP,
// password and PIN is in proofs.go.
//
// The host stores one State beside each account. [CredentialStore] documents the
// contract, and package storetest checks an implementation against it.
//
// # Compatibility
//
// Error codes keep their name and class. Fields may be added to structs: use
// field names in literals, and start a Policy from [DefaultPolicy].
package devicetotp
