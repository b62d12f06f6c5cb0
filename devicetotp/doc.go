// Package devicetotp decides whether an account gets a device TOTP.
//
// Use [NewIssuer] and [Issuer.Create]. A device TOTP secret is issued within
// five minutes of registration without any credential, or else against one
// valid user OTP, password or PIN, looked at in that order. [Issuer.Verify]
// accepts each code of an issued device once.
//
//	issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{})
//	device, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: id, PIN: credential.Optional(pin)})
//	switch {
//	case errors.Is(err, devicetotp.ErrDenied):  // 403
//	case errors.Is(err, devicetotp.ErrInvalid): // 422
//	}
//
// It is domain logic: no HTTP, no SQL, no goroutine of its own. Sub package
// jsonapi serves the documented endpoint; packages memstore and sqlstore, below
// credential, keep accounts.
//
// # What the caller must have done before
//
// Authenticate. [CreateRequest].AccountID is whom the host's own authentication
// established; the library never authenticates a caller. Limit requests by
// address where that matters: failures are counted for accounts, not addresses.
//
// # How it works
//
// Load the account, decide in memory, save once if nothing changed meanwhile,
// answer. No verdict leaves before the save that records it has succeeded; a
// proof makes one device at most; what is refused before a credential is looked
// at changes nothing; and the same request after a lost answer is given the
// same device. The rules themselves are two pure functions, in decide.go and
// decide_verify.go.
//
// # What it must store
//
// One State beside the host's account row. See [CredentialStore] for the
// contract, and storetest for its proof.
//
// # What an attacker would do
//
// Holding a session only: take devices within the grace window, five at most,
// which is the documented exception; tell the user of each, through [Event].
// Guess: failures in a row slow a factor down and block it, in parallel too.
// Replay: every accepted code is spent with the save that accepts it. Somebody
// with write access to the database can roll a State back and so revive a code;
// that is out of scope.
//
// # Compatibility
//
// Error codes keep their name and class. A stored State can be read by every
// later release, and by the release before, which keeps what it does not know.
// Fields may be added to Config, Policy, CreateRequest and Event; use field names in
// literals, and start a Policy from [DefaultPolicy].
package devicetotp
