// Package devicetotp issues TOTP secrets for the devices of an account and
// verifies the codes that those devices generate.
//
// Start with [NewIssuer]. It takes a store of accounts, from package sqlstore,
// memstore or your own, and a keyring ([credential.KeyringFromFile]). Then
// [Issuer.Create] and [Issuer.Verify] are the two operations to begin with:
//
//	issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{})
//	device, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: id, PIN: credential.Optional(pin)})
//	switch {
//	case errors.Is(err, devicetotp.ErrDenied):  // 403
//	case errors.Is(err, devicetotp.ErrInvalid): // 422
//	}
//
// # Operations
//
//   - [Issuer.Create] issues a device: within five minutes of registration without
//     any credential, or else against one valid user OTP, password or PIN, checked
//     in that order.
//   - [Issuer.Verify] accepts a code of a device, each code once.
//   - [Issuer.Prove] asks for the proofs of Create before anything else is done.
//   - [Issuer.Rotate] gives a device that is in use a new secret, on such a proof.
//   - [Issuer.Inspect] returns the devices, failures, codes and keys of an account.
//   - [Issuer.Rename] gives a device another name.
//   - [Issuer.Revoke] removes devices.
//   - [Issuer.AddCode] announces a one-time code that the host sends to the user.
//   - [Issuer.ReplaceRecoveryCodes] makes codes for the day when devices are lost.
//   - [Issuer.Unblock] forgets the failures of an account.
//   - [Issuer.Import] adds a device that another service issued.
//   - [Issuer.Reseal] seals an account again after the primary key was replaced.
//
// Create, Verify, Prove and Rotate check credentials themselves. Who may call the
// others is the host's to decide. If the store does not know the account, Create,
// Verify and Prove respond as if every credential were wrong, and Rotate as if there
// were no such device. The others return an invalid-argument that wraps
// [credential.ErrNotFound]: to respond with 404, check for that before ErrInvalid.
//
// # The host
//
// In this documentation, the host is the service that embeds the library. The
// library is domain logic without HTTP or SQL: package jsonapi serves the
// documented endpoint, and packages memstore and sqlstore keep accounts. Authenticate
// the caller before you call an Issuer: AccountID is an account that the host's own
// authentication established. Failures are counted per account; limit requests per
// address where that matters.
//
// # How it works
//
// Load the account, decide in memory, save once if nothing changed meanwhile, answer.
// No device and no verdict leaves before the save that records it. The rules of an
// operation are in the file of its name; the precedence of OTP, password and PIN is in
// proofs.go. The host stores one State beside each account, and forgets an account by
// deleting both. [CredentialStore] documents the contract, and package storetest checks
// an implementation against it.
//
// # Compatibility
//
// Error codes keep their name and class. Fields may be added to structs: use
// field names in literals, and start a Policy from [DefaultPolicy].
package devicetotp
