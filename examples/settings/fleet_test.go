package settings

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// fleet is a service of several processes over one database.
type fleet struct {
	t      *testing.T
	store  *memstore.Store
	clock  *clocktest.Fake
	hasher *verifier.Hasher
	phones map[string]devicetotp.DeviceTOTP // that the account uses
}

// process is one of them, with the keys that it was started with.
type process struct {
	keys   *credential.Keyring
	issuer *devicetotp.Issuer
}

func newFleet(t *testing.T) *fleet {
	return &fleet{
		t: t, store: memstore.New(), clock: clocktest.New(devicetotptest.Start),
		hasher: devicetotptest.CheapHasher(t), phones: map[string]devicetotp.DeviceTOTP{},
	}
}

// start begins a process on a key file of these names.
func (f *fleet) start(names ...string) process {
	f.t.Helper()
	var file strings.Builder
	for _, name := range names {
		key := fmt.Sprintf("%32s", strings.TrimPrefix(name, "*")) // good for a test only
		fmt.Fprintf(&file, "%s:%s\n", name, base64.StdEncoding.EncodeToString([]byte(key)))
	}
	keys, err := credential.ParseKeyring(file.String())
	require.NoError(f.t, err)
	issuer, err := devicetotp.NewIssuer(f.store, keys, devicetotp.Config{
		Clock: f.clock, Password: verifier.Password(f.hasher), PIN: verifier.PIN(keys, f.hasher),
	})
	require.NoError(f.t, err)
	return process{keys, issuer}
}

// register adds an account that has one of everything that needs a key.
func (f *fleet) register(p process, id string) {
	f.t.Helper()
	ctx := f.t.Context()
	require.NoError(f.t, f.store.Put(ctx, credential.Account{ID: id}))
	f.setPIN(p, id, "8299")
	f.newDevice(p, id)
	f.use(p, id)
	_, err := p.issuer.Rotate(ctx, devicetotp.RotateRequest{
		AccountID: id, DeviceID: f.phones[id].ID, RotationID: "0190c3f2-7b1e-4c8a-9d3e-5f6a7b8c9d0e", PIN: credential.NewSecret("8299"),
	})
	require.NoError(f.t, err)
	imported, err := p.issuer.Import(ctx, devicetotp.ImportRequest{
		AccountID: id, DeviceID: importedID("Acme", id), Secret: credential.NewSecret("12345678901234567890"),
		Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
	})
	require.NoError(f.t, err)
	_, err = p.issuer.Revoke(ctx, devicetotp.RevokeRequest{AccountID: id, DeviceIDs: []string{imported.DeviceID}})
	require.NoError(f.t, err)
	_, err = p.issuer.Create(ctx, devicetotp.CreateRequest{AccountID: id, OTP: f.code(p, id)})
	require.NoError(f.t, err)
	f.code(p, id)
	_, err = p.issuer.ReplaceRecoveryCodes(ctx, devicetotp.RecoveryRequest{AccountID: id})
	require.NoError(f.t, err)
}

func (f *fleet) setPIN(p process, id, pin string) {
	f.t.Helper()
	hash, err := f.hasher.HashPIN(f.t.Context(), credential.NewSecret(pin))
	require.NoError(f.t, err)
	sealed, err := p.keys.SealPINHash(id, hash)
	require.NoError(f.t, err)
	require.NoError(f.t, f.store.Put(f.t.Context(), credential.Account{ID: id, PINHash: sealed}))
}

// code announces a one-time code.
func (f *fleet) code(p process, id string) credential.Secret {
	f.t.Helper()
	added, err := p.issuer.AddCode(f.t.Context(), devicetotp.AddCodeRequest{
		AccountID: id, Kind: verifier.KindAccount, TTL: devicetotp.MaxCodeTTL,
	})
	require.NoError(f.t, err)
	return added.Code
}

// newDevice gives the account a device, which it uses from now on.
func (f *fleet) newDevice(p process, id string) {
	f.t.Helper()
	d, err := p.issuer.Create(f.t.Context(), devicetotp.CreateRequest{AccountID: id, PIN: credential.NewSecret("8299")})
	require.NoError(f.t, err)
	f.phones[id] = d
}

// use shows a code of the account's phone, and its PIN, to a process.
func (f *fleet) use(p process, id string) {
	f.t.Helper()
	code, err := totp.GenerateCodeCustom(f.phones[id].Base32(), f.clock.Now(), totp.ValidateOpts{
		Period: 30, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
	})
	require.NoError(f.t, err)
	_, err = p.issuer.Verify(f.t.Context(), devicetotp.VerifyRequest{AccountID: id, Code: credential.NewSecret(code)})
	require.NoError(f.t, err)
	_, err = p.issuer.Prove(f.t.Context(), devicetotp.ProveRequest{AccountID: id, PIN: credential.NewSecret("8299")})
	require.NoError(f.t, err)
}

func (f *fleet) useAll(p process) {
	f.t.Helper()
	f.clock.Advance(time.Minute) // a code is good once
	for id := range f.phones {
		f.use(p, id)
	}
}

func (f *fleet) reseal(p process) {
	f.t.Helper()
	require.NoError(f.t, ResealAll(f.t.Context(), p.keys, p.issuer, f.store))
}

// wantNeeded checks which keys the database needs, beside the new one.
func (f *fleet) wantNeeded(p process, want ...string) {
	f.t.Helper()
	need, err := NeedOldKeys(f.t.Context(), "new", p.issuer, f.store)
	require.NoError(f.t, err)
	var got []string
	for _, keys := range need {
		got = append(got, keys...)
	}
	slices.Sort(got)
	require.Equal(f.t, want, slices.Compact(got))
}

// unreadable returns what of the account does not open for a process.
func (f *fleet) unreadable(p process, id string) []devicetotp.StoredValue {
	f.t.Helper()
	o, err := p.issuer.Inspect(f.t.Context(), id)
	require.NoError(f.t, err)
	return o.Unreadable
}

// busyAccounts is a database in which something changes just before a hash is
// written.
type busyAccounts struct {
	Accounts
	change func()
}

func (b *busyAccounts) RotateHash(ctx context.Context, id string, f credential.Factor, from, to string) error {
	if b.change != nil {
		b.change()
		b.change = nil
	}
	return b.Accounts.RotateHash(ctx, id, f, from, to)
}

// listing is a database whose list of accounts is older than they are.
type listing struct {
	Accounts
	ids []string
}

func (l *listing) IDs(_ context.Context, after string, _ int) ([]string, error) {
	if after != "" {
		return nil, nil
	}
	return l.ids, nil
}
