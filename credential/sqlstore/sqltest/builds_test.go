package sqltest

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// Builds of a service that use one database, in a SQLite file: while the service
// rolls, two of them run at once.

// build is a running build: a process with a handle on the database of its own.
type build struct {
	db     *sql.DB
	store  *sqlstore.Store
	issuer *devicetotp.Issuer
}

// fleet is what the builds of a service have in common.
type fleet struct {
	t      *testing.T
	path   string
	clock  *clocktest.Fake
	keys   *credential.Keyring
	hasher *verifier.Hasher
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	keys, err := credential.NewKeyring("k", credential.NewKey("k"))
	require.NoError(t, err)
	hasher, err := verifier.NewHasher(verifier.HasherConfig{Memory: 8, Time: 1, Threads: 1, Parallel: 4, Queue: 100})
	require.NoError(t, err)
	return &fleet{t, filepath.Join(t.TempDir(), "accounts.db"), clocktest.New(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), keys, hasher}
}

func (f *fleet) start(configure ...func(*devicetotp.Config)) *build {
	f.t.Helper()
	b := &build{db: openSQLite(f.t, f.path)}
	b.store = migrated(f.t, b.db, sqlstore.DialectSQLite, sqlstore.Config{})
	patient := devicetotp.Limits{MaxRounds: 100, RoundsTimeout: time.Minute, StoreTimeout: time.Minute, VerifierTimeout: time.Minute}
	cfg := devicetotp.Config{Limits: patient, Clock: f.clock, Password: verifier.Password(f.hasher), PIN: verifier.PIN(f.keys, f.hasher)}
	for _, c := range configure {
		c(&cfg)
	}
	var err error
	b.issuer, err = devicetotp.NewIssuer(b.store, f.keys, cfg)
	require.NoError(f.t, err)
	return b
}

// pinHash returns the stored form of a new hash of a PIN.
func (f *fleet) pinHash(id, pin string) string {
	f.t.Helper()
	hash, err := f.hasher.HashPIN(f.t.Context(), credential.NewSecret(pin))
	require.NoError(f.t, err)
	stored, err := f.keys.SealPINHash(id, hash)
	require.NoError(f.t, err)
	return stored
}

// register adds an account with the PIN 8299 and a device, deviceA, that is in use.
func (f *fleet) register(b *build, id string) devicetotp.DeviceTOTP {
	f.t.Helper()
	require.NoError(f.t, b.store.Put(f.t.Context(), credential.Account{ID: id, PINHash: f.pinHash(id, "8299")}))
	d, err := b.issuer.Create(f.t.Context(), devicetotp.CreateRequest{AccountID: id, DeviceID: deviceA, PIN: credential.NewSecret("8299")})
	require.NoError(f.t, err)
	require.NoError(f.t, f.verify(b, id, d))
	f.clock.Advance(d.Period)
	return d
}

func (f *fleet) verify(b *build, id string, d devicetotp.DeviceTOTP) error {
	_, err := b.issuer.Verify(context.Background(), devicetotp.VerifyRequest{AccountID: id, Code: f.code(d)})
	return err
}

func (f *fleet) code(d devicetotp.DeviceTOTP) credential.Secret {
	generator := verifier.TOTP{Secret: d.Secret, Algorithm: d.Algorithm, Digits: d.Digits, Period: d.Period}
	code, err := generator.Code(generator.Step(f.clock.Now()))
	if err != nil {
		panic(err)
	}
	return code
}

// row is what the table has of an account.
type row struct {
	State   []byte
	Version int64
}

func (f *fleet) row(b *build, id string) (r row) {
	f.t.Helper()
	err := b.db.QueryRowContext(f.t.Context(), "SELECT state, version FROM devicetotp_accounts WHERE id = ?", id).Scan(&r.State, &r.Version)
	require.NoError(f.t, err)
	return r
}

// write writes the row as another build does: with a State in the format of its own,
// and a new version.
func (f *fleet) write(b *build, id string, format byte) row {
	f.t.Helper()
	r := f.row(b, id)
	r.State[0], r.Version = format, r.Version/2+1
	_, err := b.db.ExecContext(f.t.Context(), "UPDATE devicetotp_accounts SET state = ?, version = ? WHERE id = ?", r.State, r.Version, id)
	require.NoError(f.t, err)
	return r
}

// operations are requests for everything that an Issuer can do, by method. None of
// them is refused for its form.
func (f *fleet) operations(id string) map[string]func(i *devicetotp.Issuer) error {
	ctx, pin := context.Background(), credential.NewSecret("8299")
	return map[string]func(i *devicetotp.Issuer) error{
		"Create": func(i *devicetotp.Issuer) error {
			_, err := i.Create(ctx, devicetotp.CreateRequest{AccountID: id, DeviceID: deviceB, PIN: pin})
			return err
		},
		"Verify": func(i *devicetotp.Issuer) error {
			_, err := i.Verify(ctx, devicetotp.VerifyRequest{AccountID: id, Code: credential.NewSecret("123456")})
			return err
		},
		"Prove": func(i *devicetotp.Issuer) error {
			_, err := i.Prove(ctx, devicetotp.ProveRequest{AccountID: id, PIN: pin})
			return err
		},
		"AddCode": func(i *devicetotp.Issuer) error {
			_, err := i.AddCode(ctx, devicetotp.AddCodeRequest{AccountID: id, Kind: verifier.KindAccount, TTL: time.Minute})
			return err
		},
		"Rotate": func(i *devicetotp.Issuer) error {
			_, err := i.Rotate(ctx, devicetotp.RotateRequest{AccountID: id, DeviceID: deviceA, RotationID: deviceB, PIN: pin})
			return err
		},
		"Import": func(i *devicetotp.Issuer) error {
			_, err := i.Import(ctx, devicetotp.ImportRequest{
				AccountID: id, DeviceID: uuid(1), Secret: credential.NewSecret("12345678901234567890"),
				Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
			})
			return err
		},
		"Rename": func(i *devicetotp.Issuer) error {
			return i.Rename(ctx, devicetotp.RenameRequest{AccountID: id, DeviceID: deviceA, Name: "mine"})
		},
		"Revoke": func(i *devicetotp.Issuer) error {
			_, err := i.Revoke(ctx, devicetotp.RevokeRequest{AccountID: id, DeviceIDs: []string{deviceA}})
			return err
		},
		"ReplaceRecoveryCodes": func(i *devicetotp.Issuer) error {
			_, err := i.ReplaceRecoveryCodes(ctx, devicetotp.RecoveryRequest{AccountID: id})
			return err
		},
		"Reseal": func(i *devicetotp.Issuer) error {
			_, err := i.Reseal(ctx, id)
			return err
		},
		"Unblock": func(i *devicetotp.Issuer) error {
			return i.Unblock(ctx, devicetotp.UnblockRequest{AccountID: id, Factors: []credential.Factor{credential.FactorPIN}})
		},
		"Inspect": func(i *devicetotp.Issuer) error {
			_, err := i.Inspect(ctx, id)
			return err
		},
	}
}

// requireUnknownFormat holds that err says which format is not known.
func requireUnknownFormat(t *testing.T, format byte, err error) {
	t.Helper()
	t.Helper()
	require.ErrorIs(t, err, credential.ErrStateFormat)
	require.Equal(t, devicetotp.CodeInternal, devicetotp.CodeOf(err), "retrying does not help: %v", err)
	require.ErrorContains(t, err, fmt.Sprintf("format %d", format))
}

// A State that a build of another format has written is refused by everything that
// this build can do, and left as it is.
func TestAStateOfAnotherFormatIsRefused(t *testing.T) {
	f := newFleet(t)
	b := f.start()
	f.register(b, "a")
	now := f.row(b, "a").State[0]
	for _, format := range []byte{now - 1, now + 1, 250} {
		theirs := f.write(b, "a", format)
		operations := f.operations("a")
		issuer := reflect.TypeFor[*devicetotp.Issuer]()
		for i := range issuer.NumMethod() {
			name := issuer.Method(i).Name
			require.Contains(t, operations, name)
			t.Run(fmt.Sprintf("format %d, %s", format, name), func(t *testing.T) {
				requireUnknownFormat(t, format, operations[name](b.issuer))
				require.Equal(t, theirs, f.row(b, "a"))
			})
		}
	}
	f.write(b, "a", now)
	for name, operation := range f.operations("a") {
		if name != "Verify" && name != "Revoke" { // a wrong code, and what the others need
			require.NoError(t, operation(b.issuer), "%s, in the format of this build", name)
		}
	}
}

// A build of another format writes between Load and Save of this one: what it wrote
// stays.
func TestAStateThatTurnsIntoAnotherFormatIsNotOverwritten(t *testing.T) {
	for _, newer := range []bool{true, false} {
		f := newFleet(t)
		other := f.start()
		f.register(other, "a")
		format := f.row(other, "a").State[0] - 1
		if newer {
			format += 2
		}
		var theirs row
		b := f.start(func(c *devicetotp.Config) {
			pin := c.PIN
			c.PIN = verifier.Func(func(ctx context.Context, q verifier.Query) (verifier.Verdict, error) {
				theirs = f.write(other, "a", format)
				return pin.Verify(ctx, q)
			})
		})
		for _, name := range []string{"Create", "Prove", "Rotate"} {
			f.write(other, "a", credentialFormat(t))
			requireUnknownFormat(t, format, f.operations("a")[name](b.issuer))
			require.Equal(t, theirs, f.row(b, "a"), name)
		}
	}
}

// credentialFormat is the format that this build writes.
func credentialFormat(t *testing.T) byte {
	t.Helper()
	b, err := credential.State{}.MarshalBinary()
	require.NoError(t, err)
	return b[0]
}

// What a newer build of the same format has stored, and this one does not know,
// survives everything that this one does to the account.
func TestWhatANewerBuildStoredSurvivesThisOne(t *testing.T) {
	const ofState, ofDevice = "\xc8\x00\x05newer", "\xc9\x00\x06device"
	f := newFleet(t)
	b := f.start()
	device := f.register(b, "a")
	r := f.row(b, "a")
	size := int(r.State[2])<<8 | int(r.State[3]) // of the device, which is the first record
	length := size + len(ofDevice)
	planted := append([]byte{r.State[0], r.State[1], byte(length >> 8), byte(length)}, r.State[4:4+size]...)
	planted = append(append(append(planted, ofDevice...), r.State[4+size:]...), ofState...)
	_, err := b.db.ExecContext(t.Context(), "UPDATE devicetotp_accounts SET state = ? WHERE id = 'a'", planted)
	require.NoError(t, err)
	survives := func(what string, err error) {
		t.Helper()
		require.NoError(t, err, what)
		state := string(f.row(b, "a").State)
		require.Contains(t, state, ofState, what)
		require.Contains(t, state, ofDevice, what)
	}
	for _, name := range []string{"Create", "Prove", "AddCode", "Rename", "ReplaceRecoveryCodes", "Reseal", "Unblock"} {
		survives(name, f.operations("a")[name](b.issuer))
	}
	survives("Verify", f.verify(b, "a", device))
	renewed, err := b.issuer.Rotate(t.Context(), devicetotp.RotateRequest{AccountID: "a", DeviceID: deviceA, RotationID: deviceB, PIN: credential.NewSecret("8299")})
	survives("Rotate", err)
	survives("Verify of the new secret", f.verify(b, "a", renewed))
}
