package devicetotp_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// What the tests of faults share: a simulated database, a household with one of
// everything, and the operations as a table.

// database is a primary with a standby that confirms every commit. While the
// standby is away, a Save is visible on the primary at once, waits for the
// standby until its context ends, and is gone after a fail-over. That is what
// PostgreSQL does with synchronous_standby_names and a statement time-out.
type database struct {
	mu               sync.Mutex
	primary, standby map[string]credential.Account
	away             bool
}

// databaseOf returns a database that holds the accounts of w of those ids.
func databaseOf(t *testing.T, w *devicetotptest.World, ids ...string) *database {
	t.Helper()
	d := &database{primary: map[string]credential.Account{}, standby: map[string]credential.Account{}}
	for _, id := range ids {
		a, err := w.Store.Accounts.Load(t.Context(), id)
		require.NoError(t, err)
		d.primary[id], d.standby[id] = copied(a), copied(a)
	}
	return d
}

func copied(a credential.Account) credential.Account {
	a.State = a.State.Clone()
	return a
}

func (d *database) standbyAway(away bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.away = away
}

// failOver makes the standby the primary, with a new standby beside it.
func (d *database) failOver() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.away = false
	for id := range d.primary {
		d.primary[id] = copied(d.standby[id])
	}
}

func (d *database) stored(id string) credential.Account {
	d.mu.Lock()
	defer d.mu.Unlock()
	return copied(d.primary[id])
}

// process is one process's handle on a database. Its hooks get the number of
// the call, from 1, and run without a lock. It is for one request at a time.
type process struct {
	*database
	afterLoad, beforeSave, afterSave func(n int)
	// refuse, if it is not nil, returns what a Save returns without any effect,
	// or nil to go on.
	refuse func(a credential.Account) error
	// lie, if it is not nil, replaces the result of a Save that took effect.
	lie func(n int) error

	loads, saves int
	acknowledged int                  // saves that returned nil
	attempted    []credential.Account // what the saves were given
}

func call(hook func(int), n int) {
	if hook != nil {
		hook(n)
	}
}

func (p *process) Load(ctx context.Context, id string) (credential.Account, error) {
	if err := ctx.Err(); err != nil {
		return credential.Account{}, err
	}
	p.mu.Lock()
	a, ok := p.primary[id]
	a = copied(a)
	p.mu.Unlock()
	if !ok {
		return credential.Account{}, credential.ErrNotFound
	}
	p.loads++
	call(p.afterLoad, p.loads)
	return a, nil
}

func (p *process) Save(ctx context.Context, a credential.Account) error {
	p.saves++
	p.attempted = append(p.attempted, copied(a))
	call(p.beforeSave, p.saves)
	if p.refuse != nil {
		if err := p.refuse(a); err != nil {
			return err
		}
	}
	waits, err := p.commit(a)
	if err != nil {
		return err
	}
	call(p.afterSave, p.saves)
	if waits {
		<-ctx.Done()
		return ctx.Err()
	}
	if p.lie != nil {
		if err := p.lie(p.saves); err != nil {
			return err
		}
	}
	p.acknowledged++
	return nil
}

// commit makes a visible, and kept unless the standby is away.
func (p *process) commit(a credential.Account) (waits bool, err error) {
	if err := a.State.Check(); err != nil {
		return false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	stored, ok := p.primary[a.ID]
	if !ok || stored.Version != a.Version || !stored.SameHostFields(a) {
		return false, fmt.Errorf("database: %w", credential.ErrConflict)
	}
	stored.State, stored.Version = a.State.Clone(), a.Next
	p.primary[a.ID] = stored
	if !p.away {
		p.standby[a.ID] = copied(stored)
	}
	return p.away, nil
}

// issuerOn returns an Issuer of another process: over store, with the keys,
// secrets, hashes and clock of w.
func issuerOn(t *testing.T, w *devicetotptest.World, store credential.Store, configure ...func(*devicetotp.Config)) *devicetotp.Issuer {
	t.Helper()
	cfg := devicetotp.Config{
		Clock: w.Clock, Secrets: w.Secrets,
		Password: verifier.Password(w.Hasher), PIN: verifier.PIN(w.Keys, w.Hasher),
	}
	withRecovery(&cfg)
	for _, c := range configure {
		c(&cfg)
	}
	i, err := devicetotp.NewIssuer(store, w.Keys, cfg)
	require.NoError(t, err)
	return i
}

// at is a configure function that sets the clock.
func at(c clock.Clock) func(*devicetotp.Config) {
	return func(cfg *devicetotp.Config) { cfg.Clock = c }
}

// twoKinds is a configure function for a second kind of one-time code.
func twoKinds(c *devicetotp.Config) {
	devicetotptest.WithPolicy(func(p *devicetotp.Policy) {
		p.OTPKinds = []string{verifier.KindAccount, "sms", verifier.KindDeviceTOTP}
	})(c)
}

// The household: the account acct, registered a minute ago, with a PIN, a
// password, a pending one-time code and one device that was made on the PIN.
const (
	rightCode = "11111111"
	wrongCode = "99999999" // has the digits of a one-time code and not those of a device
)

type household struct {
	*devicetotptest.World
	account *devicetotptest.Account
	device  devicetotp.DeviceTOTP // its id is otherID(0)
}

func newHousehold(t *testing.T, configure ...func(*devicetotp.Config)) *household {
	t.Helper()
	w := devicetotptest.New(t, append([]func(*devicetotp.Config){withRecovery}, configure...)...)
	a := w.Account("acct").RegisteredAgo(time.Minute).PIN("8299").Password("password").OTP(rightCode)
	h := &household{World: w, account: a}
	h.device = h.create(t, devicetotp.CreateRequest{DeviceID: otherID(0), PIN: secret("8299")})
	return h
}

// create makes a device, which must succeed.
func (h *household) create(t *testing.T, r devicetotp.CreateRequest) devicetotp.DeviceTOTP {
	t.Helper()
	r.AccountID = "acct"
	d, err := h.Issuer.Create(t.Context(), r)
	require.NoError(t, err)
	return d
}

// code returns the current code of the household's device.
func (h *household) code() credential.Secret { return h.Phone(h.device).Code() }

// wrong6 returns six digits that none of the phones generates these minutes.
func wrong6(phones ...*devicetotptest.Phone) credential.Secret {
	for n := 0; ; n++ {
		guess := secret(fmt.Sprintf("%06d", n))
		if !generates(phones, guess) {
			return guess
		}
	}
}

func generates(phones []*devicetotptest.Phone, code credential.Secret) bool {
	for _, p := range phones {
		for drift := -10; drift <= 10; drift++ {
			if p.Drifted(drift).Equal(code) {
				return true
			}
		}
	}
	return false
}

// act is one operation on the account acct of a household, given what it needs
// to know of it.
type act struct {
	name  string
	setUp func(t *testing.T, h *household)
	run   func(ctx context.Context, i *devicetotp.Issuer, h *household) error
	code  devicetotp.Code // of the answer where nothing goes wrong
}

func createAct(name string, code devicetotp.Code, r devicetotp.CreateRequest, before ...devicetotp.CreateRequest) act {
	r.AccountID = "acct"
	if r.DeviceID == "" {
		r.DeviceID = deviceID
	}
	return act{
		name: "create " + name, code: code,
		setUp: func(t *testing.T, h *household) {
			for _, b := range before {
				b.DeviceID = r.DeviceID
				h.create(t, b)
			}
		},
		run: func(ctx context.Context, i *devicetotp.Issuer, _ *household) error {
			_, err := i.Create(ctx, r)
			return err
		},
	}
}

func verifyAct(name, device string, code devicetotp.Code, value func(h *household) credential.Secret) act {
	return act{name: "verify " + name, code: code, run: func(ctx context.Context, i *devicetotp.Issuer, h *household) error {
		_, err := i.Verify(ctx, devicetotp.VerifyRequest{AccountID: "acct", DeviceID: device, Code: value(h)})
		return err
	}}
}

func proveAct(name string, code devicetotp.Code, r devicetotp.ProveRequest) act {
	r.AccountID = "acct"
	return act{name: "prove " + name, code: code, run: func(ctx context.Context, i *devicetotp.Issuer, _ *household) error {
		_, err := i.Prove(ctx, r)
		return err
	}}
}

func renameAct(name, device, to string) act {
	return act{name: "rename " + name, run: func(ctx context.Context, i *devicetotp.Issuer, _ *household) error {
		return i.Rename(ctx, devicetotp.RenameRequest{AccountID: "acct", DeviceID: device, Name: to})
	}}
}

func revokeAct(name string, devices ...string) act {
	return act{name: "revoke " + name, run: func(ctx context.Context, i *devicetotp.Issuer, _ *household) error {
		_, err := i.Revoke(ctx, devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: devices, WithMadeBy: true})
		return err
	}}
}

// rotateAct rotates the household's device, which is used before, after it was
// rotated on each of before.
func rotateAct(name string, code devicetotp.Code, r devicetotp.RotateRequest, before ...devicetotp.RotateRequest) act {
	rotate := func(ctx context.Context, i *devicetotp.Issuer, r devicetotp.RotateRequest) (devicetotp.DeviceTOTP, error) {
		r.AccountID, r.DeviceID, r.RotationID = "acct", otherID(0), cmp.Or(r.RotationID, rotationID(0))
		return i.Rotate(ctx, r)
	}
	return act{
		name: "rotate " + name, code: code,
		setUp: func(t *testing.T, h *household) {
			useDevice(t, h)
			for _, b := range before {
				_, err := rotate(t.Context(), h.Issuer, b)
				require.NoError(t, err)
			}
		},
		run: func(ctx context.Context, i *devicetotp.Issuer, _ *household) error {
			_, err := rotate(ctx, i, r)
			return err
		},
	}
}

// confirmAct confirms a rotation of the household's device.
func confirmAct(name, device string) act {
	var renewed devicetotp.DeviceTOTP
	a := verifyAct(name, device, "", func(h *household) credential.Secret { return h.Phone(renewed).Code() })
	a.setUp = func(t *testing.T, h *household) {
		useDevice(t, h)
		var err error
		renewed, err = h.Issuer.Rotate(t.Context(), devicetotp.RotateRequest{AccountID: "acct", DeviceID: otherID(0), RotationID: rotationID(0), PIN: secret("8299")})
		require.NoError(t, err)
	}
	return a
}

// useDevice has a code of the household's device accepted, and waits until there is
// another.
func useDevice(t *testing.T, h *household) {
	t.Helper()
	_, err := h.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", Code: h.code()})
	require.NoError(t, err)
	h.Clock.Advance(30 * time.Second)
}

func importAct(name string, before bool) act {
	run := func(ctx context.Context, i *devicetotp.Issuer, _ *household) error {
		_, err := i.Import(ctx, importRequest())
		return err
	}
	return act{name: "import " + name, run: run, setUp: func(t *testing.T, h *household) {
		if before {
			require.NoError(t, run(t.Context(), h.Issuer, h))
		}
	}}
}

func addCodeAct(name, code string) act {
	return act{name: "add-code " + name, run: func(ctx context.Context, i *devicetotp.Issuer, _ *household) error {
		_, err := i.AddCode(ctx, devicetotp.AddCodeRequest{AccountID: "acct", Kind: verifier.KindAccount, Code: secret(code), TTL: 5 * time.Minute})
		return err
	}}
}

// recoveryAct is a Create with a recovery code, on an account that has three.
func recoveryAct(name string, code devicetotp.Code, otp string, before ...devicetotp.CreateRequest) act {
	a := createAct(name, code, devicetotp.CreateRequest{OTP: secret(otp)}, before...)
	made := a.setUp
	a.setUp = func(t *testing.T, h *household) {
		putRecoveryCodes(t, h.World)
		made(t, h)
	}
	return a
}

// acts are operations that save: those that grant or find something right, those
// that find something wrong, the repetitions of those before, and those that have
// nothing to change.
func acts() []act {
	wrong := totperrors.CodeInvalidCredentials
	right := func(h *household) credential.Secret { return h.code() }
	guess := func(h *household) credential.Secret { return wrong6(h.Phone(h.device)) }
	return []act{
		createAct("on grace", "", devicetotp.CreateRequest{}),
		createAct("on an OTP", "", devicetotp.CreateRequest{OTP: secret(rightCode)}),
		createAct("on a password", "", devicetotp.CreateRequest{Password: secret("password")}),
		createAct("on a PIN", "", devicetotp.CreateRequest{PIN: secret("8299")}),
		createAct("on a PIN after wrong ones", "", devicetotp.CreateRequest{OTP: secret(wrongCode), Password: secret("no"), PIN: secret("8299")}),
		createAct("with a wrong OTP", wrong, devicetotp.CreateRequest{OTP: secret(wrongCode)}),
		createAct("with a wrong password", wrong, devicetotp.CreateRequest{Password: secret("no")}),
		createAct("with a wrong PIN", wrong, devicetotp.CreateRequest{PIN: secret("0000")}),
		createAct("repeated on grace", "", devicetotp.CreateRequest{}, devicetotp.CreateRequest{}),
		createAct("repeated on an OTP", "", devicetotp.CreateRequest{OTP: secret(rightCode)}, devicetotp.CreateRequest{OTP: secret(rightCode)}),
		createAct("repeated on a password", "", devicetotp.CreateRequest{Password: secret("password")}, devicetotp.CreateRequest{Password: secret("password")}),
		createAct("repeated on a PIN", "", devicetotp.CreateRequest{PIN: secret("8299")}, devicetotp.CreateRequest{PIN: secret("8299")}),
		createAct("repeated with a wrong PIN", wrong, devicetotp.CreateRequest{PIN: secret("0000")}, devicetotp.CreateRequest{PIN: secret("8299")}),
		recoveryAct("on a recovery code", "", recoveryCode),
		recoveryAct("with a wrong recovery code", wrong, "2345-6789-abcd-efgh"),
		recoveryAct("repeated on a recovery code", "", strings.ToUpper(recoveryCode), devicetotp.CreateRequest{OTP: secret(recoveryCode)}),
		{name: "replace recovery codes", run: func(ctx context.Context, i *devicetotp.Issuer, _ *household) error {
			_, err := i.ReplaceRecoveryCodes(ctx, devicetotp.RecoveryRequest{AccountID: "acct"})
			return err
		}},
		verifyAct("a right code", "", "", right),
		verifyAct("a right code of a named device", otherID(0), "", right),
		verifyAct("a wrong code", "", wrong, guess),
		verifyAct("a wrong code of a named device", otherID(0), wrong, guess),
		proveAct("an OTP", "", devicetotp.ProveRequest{OTP: secret(rightCode)}),
		proveAct("a password after a wrong OTP", "", devicetotp.ProveRequest{OTP: secret(wrongCode), Password: secret("password")}),
		proveAct("a PIN", "", devicetotp.ProveRequest{PIN: secret("8299")}),
		proveAct("a wrong PIN", wrong, devicetotp.ProveRequest{PIN: secret("0000")}),
		proveAct("an OTP of another kind", wrong, devicetotp.ProveRequest{OTP: secret(rightCode), Kinds: []string{verifier.KindDeviceTOTP}}),
		renameAct("a device", otherID(0), "Work phone"),
		renameAct("a device as it is", otherID(0), ""),
		revokeAct("a device", otherID(0)),
		revokeAct("what is gone", otherID(6)),
		rotateAct("on an OTP", "", devicetotp.RotateRequest{OTP: secret(rightCode)}),
		rotateAct("on a PIN after wrong ones", "", devicetotp.RotateRequest{OTP: secret(wrongCode), Password: secret("no"), PIN: secret("8299")}),
		rotateAct("with a wrong PIN", wrong, devicetotp.RotateRequest{PIN: secret("0000")}),
		rotateAct("repeated on an OTP", "", devicetotp.RotateRequest{OTP: secret(rightCode)}, devicetotp.RotateRequest{OTP: secret(rightCode)}),
		rotateAct("repeated on a PIN", "", devicetotp.RotateRequest{PIN: secret("8299")}, devicetotp.RotateRequest{PIN: secret("8299")}),
		rotateAct("repeated with a wrong PIN", wrong, devicetotp.RotateRequest{PIN: secret("0000")}, devicetotp.RotateRequest{PIN: secret("8299")}),
		rotateAct("repeated with another OTP", wrong, devicetotp.RotateRequest{OTP: secret(wrongCode)}, devicetotp.RotateRequest{OTP: secret(rightCode)}),
		rotateAct("on a PIN in the place of another", "", devicetotp.RotateRequest{RotationID: rotationID(1), PIN: secret("8299")}, devicetotp.RotateRequest{PIN: secret("8299")}),
		confirmAct("a code of a new secret", ""),
		confirmAct("a code of a new secret of a named device", otherID(0)),
		importAct("a new one", false),
		importAct("the same again", true),
		addCodeAct("a new one", "22222222"),
		addCodeAct("the same again", rightCode),
		{name: "unblock with nothing to forgive", run: func(ctx context.Context, i *devicetotp.Issuer, _ *household) error {
			return i.Unblock(ctx, devicetotp.UnblockRequest{AccountID: "acct"})
		}},
		{name: "reseal with nothing to seal", run: func(ctx context.Context, i *devicetotp.Issuer, _ *household) error {
			_, err := i.Reseal(ctx, "acct")
			return err
		}},
	}
}

func (a act) prepare(t *testing.T, configure ...func(*devicetotp.Config)) *household {
	t.Helper()
	h := newHousehold(t, configure...)
	if a.setUp != nil {
		a.setUp(t, h)
	}
	return h
}

// isUnavailable reports whether err is no answer about what was presented.
func isUnavailable(err error) bool { return devicetotp.CodeOf(err) == totperrors.CodeUnavailable }

// withoutWrites returns the encoded State without its write ids.
func withoutWrites(t *testing.T, s credential.State) []byte {
	t.Helper()
	s = s.Clone()
	s.Writes = nil
	b, err := s.MarshalBinary()
	require.NoError(t, err)
	return b
}

var errUnclear = errors.New("the connection was closed")
