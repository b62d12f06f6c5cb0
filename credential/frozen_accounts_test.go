package credential_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// frozenAccount is an account as a host stores it, at a moment of its life. What it
// holds was made by an Issuer under the older key, and everything still works: under
// both keys, and, once it was sealed again, without the older one.
type frozenAccount struct {
	RegisteredAt          time.Time
	PasswordHash, PINHash string
	State                 string    // in hexadecimal
	At                    time.Time // the moment
	Notes                 []string  // what the user wrote down: recovery codes
}

// life is a shape of an account.
type life struct {
	live  func(w *frozenWorld)
	check func(w *frozenWorld)
	// recognizes reports that check needs a digest, which nobody can make again under
	// another key.
	recognizes bool
}

// accountShapes are accounts at moments of their lives.
func accountShapes() map[string]shape {
	all := map[string]shape{}
	for name, l := range lives() {
		all["account."+name] = shape{l.freeze, l.thaw}
	}
	return all
}

// freeze lives the life and returns the account.
func (l life) freeze(t *testing.T) []byte {
	keys := frozenKeys(t, "old")
	password, err := verifier.DefaultHasher().Hash(t.Context(), credential.NewSecret(frozenPassword))
	require.NoError(t, err)
	pin, err := verifier.DefaultHasher().HashPIN(t.Context(), credential.NewSecret(frozenPIN))
	require.NoError(t, err)
	pin, err = keys.SealPINHash("a", pin)
	require.NoError(t, err)
	w := newFrozenWorld(t, keys, credential.Account{ID: "a", RegisteredAt: frozenAt, PasswordHash: password, PINHash: pin}, frozenAt)
	l.live(w)
	a := w.account()
	text, err := json.MarshalIndent(frozenAccount{
		RegisteredAt: a.RegisteredAt, PasswordHash: a.PasswordHash, PINHash: a.PINHash,
		State: hex.EncodeToString(encoded(t, a.State)), At: w.clock.Now(), Notes: w.notes,
	}, "", "\t")
	require.NoError(t, err)
	return text
}

// thaw checks the account as it was stored, and after it was sealed again.
func (l life) thaw(t *testing.T, stored []byte) {
	var frozen frozenAccount
	require.NoError(t, json.Unmarshal(stored, &frozen))
	bytes, err := hex.DecodeString(frozen.State)
	require.NoError(t, err)
	a := credential.Account{
		ID: "a", RegisteredAt: frozen.RegisteredAt, PasswordHash: frozen.PasswordHash, PINHash: frozen.PINHash,
		State: decoded(t, bytes), Version: 1,
	}
	require.Equal(t, bytes, encoded(t, a.State))
	world := func(keys string) *frozenWorld {
		w := newFrozenWorld(t, frozenKeys(t, keys), a, frozen.At)
		w.notes = frozen.Notes
		return w
	}
	w := world("both")
	view, err := w.issuer.Inspect(t.Context(), "a")
	require.NoError(t, err)
	require.Empty(t, view.Unreadable)
	l.check(w)

	w = world("both")
	_, err = w.issuer.Reseal(t.Context(), "a")
	require.NoError(t, err)
	a = w.account()
	a.PINHash, err = w.keys.ResealPINHash("a", a.PINHash)
	require.NoError(t, err)
	l.check(world("both"))
	if !l.recognizes {
		l.check(world("new"))
	}
}

// frozenWorld is an Issuer on a store with one account, whose clock stands still.
type frozenWorld struct {
	t      *testing.T
	keys   *credential.Keyring
	store  *memstore.Store
	clock  *clocktest.Fake
	made   *devicetotptest.Secrets
	issuer *devicetotp.Issuer
	notes  []string
}

const frozenPIN, frozenPassword = "2580", "correct horse"

func newFrozenWorld(t *testing.T, keys *credential.Keyring, a credential.Account, at time.Time) *frozenWorld {
	t.Helper()
	w := &frozenWorld{t: t, keys: keys, store: memstore.New(), clock: clocktest.New(at), made: &devicetotptest.Secrets{}}
	inserted, err := w.store.Insert(t.Context(), a)
	require.NoError(t, err)
	require.True(t, inserted)
	policy := devicetotp.DefaultPolicy()
	policy.OTPKinds = append(policy.OTPKinds, verifier.KindRecovery, "sms")
	w.issuer, err = devicetotp.NewIssuer(w.store, keys, devicetotp.Config{
		Clock: w.clock, Secrets: w.made, Policy: &policy, Password: verifier.Password(nil), PIN: verifier.PIN(keys, nil),
	})
	require.NoError(t, err)
	return w
}

func (w *frozenWorld) account() credential.Account {
	w.t.Helper()
	a, err := w.store.Load(w.t.Context(), "a")
	require.NoError(w.t, err)
	return a
}

func frozenID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }
func secretOf(what string) credential.Secret {
	return credential.NewSecret(fmt.Sprintf("%-20.20s", what))
}
func otp(value string) devicetotp.CreateRequest {
	return devicetotp.CreateRequest{OTP: credential.NewSecret(value)}
}

var (
	byGrace    = devicetotp.CreateRequest{}
	byPassword = devicetotp.CreateRequest{Password: credential.NewSecret(frozenPassword)}
	byPIN      = devicetotp.CreateRequest{PIN: credential.NewSecret(frozenPIN)}
)

// create creates device n, whose secret is "device n".
func (w *frozenWorld) create(n int, q devicetotp.CreateRequest) (devicetotp.DeviceTOTP, error) {
	w.t.Helper()
	w.made.Next(secretOf(fmt.Sprintf("device %d", n)), nil)
	q.AccountID, q.DeviceID = "a", frozenID(n)
	return w.issuer.Create(w.t.Context(), q)
}

// rotate begins rotation n of device 1, whose secret is "rotation n".
func (w *frozenWorld) rotate(n int, q devicetotp.CreateRequest) (devicetotp.DeviceTOTP, error) {
	w.t.Helper()
	w.made.Next(secretOf(fmt.Sprintf("rotation %d", n)), nil)
	return w.issuer.Rotate(w.t.Context(), devicetotp.RotateRequest{
		AccountID: "a", DeviceID: frozenID(1), RotationID: frozenID(900 + n), OTP: q.OTP, Password: q.Password, PIN: q.PIN,
	})
}

func (w *frozenWorld) prove(value string) error {
	w.t.Helper()
	_, err := w.issuer.Prove(w.t.Context(), devicetotp.ProveRequest{AccountID: "a", OTP: credential.NewSecret(value)})
	return err
}

func (w *frozenWorld) announce(kind, code string) {
	w.t.Helper()
	_, err := w.issuer.AddCode(w.t.Context(), devicetotp.AddCodeRequest{AccountID: "a", Kind: kind, Code: credential.NewSecret(code), TTL: 5 * time.Minute})
	require.NoError(w.t, err)
}

// code returns the current code of the secret of that name.
func (w *frozenWorld) code(what string) string {
	w.t.Helper()
	generator := verifier.TOTP{Secret: secretOf(what), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second}
	code, err := generator.Code(generator.Step(w.clock.Now()))
	require.NoError(w.t, err)
	return code.Reveal()
}

func (w *frozenWorld) verify(what string) error {
	w.t.Helper()
	_, err := w.issuer.Verify(w.t.Context(), devicetotp.VerifyRequest{AccountID: "a", Code: credential.NewSecret(w.code(what))})
	return err
}

// given holds that a request was given something new.
func (w *frozenWorld) given(d devicetotp.DeviceTOTP, err error) {
	w.t.Helper()
	require.NoError(w.t, err)
	require.False(w.t, d.Replayed)
}

// givenAgain holds that a request was given the secret of that name again.
func (w *frozenWorld) givenAgain(what string, d devicetotp.DeviceTOTP, err error) {
	w.t.Helper()
	require.NoError(w.t, err)
	require.True(w.t, d.Replayed)
	require.True(w.t, d.Secret.Matches(secretOf(what)))
}

func (w *frozenWorld) refused(want devicetotp.Code, _ any, err error) {
	w.t.Helper()
	require.Equal(w.t, want, devicetotp.CodeOf(err), "%v", err)
}

// used has the code of the secret of that name accepted, and waits for another.
func (w *frozenWorld) used(what string) {
	w.t.Helper()
	require.NoError(w.t, w.verify(what))
	w.clock.Advance(30 * time.Second)
}
