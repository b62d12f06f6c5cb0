package sqltest

import (
	"context"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// A scenario is a request that meets the outage.
type scenario struct {
	name string
	// prepare returns the request, and what must hold after the fail-over, given
	// its answer.
	prepare func(t *testing.T, u *user) (begin func(*devicetotp.Issuer) error, kept func(t *testing.T, answer error))
}

const (
	deviceA = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
	deviceB = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
	theOTP  = "526271"
)

var scenarios = []scenario{
	{"Create by OTP, then another id", func(t *testing.T, u *user) (func(*devicetotp.Issuer) error, func(*testing.T, error)) {
		require.NoError(t, u.addCode(u.f.calm))
		return createdOnce(u, byOTP, deviceB, deviceA)
	}},
	{"Create by OTP, then again", func(t *testing.T, u *user) (func(*devicetotp.Issuer) error, func(*testing.T, error)) {
		require.NoError(t, u.addCode(u.f.calm))
		return createdOnce(u, byOTP, deviceA)
	}},
	{"Create on grace", func(_ *testing.T, u *user) (func(*devicetotp.Issuer) error, func(*testing.T, error)) {
		return createdOnce(u, onGrace, deviceA)
	}},
	{"Create on grace, repeated at once", func(_ *testing.T, u *user) (func(*devicetotp.Issuer) error, func(*testing.T, error)) {
		begin, kept := createdOnce(u, onGrace, deviceA)
		return func(i *devicetotp.Issuer) error {
			_ = begin(i)
			return begin(i)
		}, kept
	}},
	{"Verify", func(t *testing.T, u *user) (func(*devicetotp.Issuer) error, func(*testing.T, error)) {
		require.NoError(t, u.create(u.f.calm, onGrace, deviceA))
		accepted := 0
		verify := func(i *devicetotp.Issuer) error {
			err := u.verify(i)
			if err == nil {
				accepted++
			}
			return err
		}
		return verify, func(t *testing.T, _ error) {
			_ = settled(t, func() error { return verify(u.f.calm) })
			require.Equal(t, 1, accepted, "times that one code was accepted")
		}
	}},
	{"AddCode", func(_ *testing.T, u *user) (func(*devicetotp.Issuer) error, func(*testing.T, error)) {
		return u.addCode, func(t *testing.T, answer error) {
			if answer != nil {
				require.NoError(t, settled(t, func() error { return u.addCode(u.f.calm) }), "the host was told to send it again")
			}
			require.NoError(t, settled(t, func() error { return u.create(u.f.calm, byOTP, deviceA) }), "the code is usable")
		}
	}},
	{"a wrong PIN", func(_ *testing.T, u *user) (func(*devicetotp.Issuer) error, func(*testing.T, error)) {
		return u.guess, func(t *testing.T, answer error) {
			verdicts := 0
			if devicetotp.CodeOf(answer) == devicetotp.CodeInvalidCredentials {
				verdicts++
			}
			require.Equal(t, verdicts, u.failures(t), "each guess that was answered is counted")
		}
	}},
	{"Unblock", func(t *testing.T, u *user) (func(*devicetotp.Issuer) error, func(*testing.T, error)) {
		require.Equal(t, devicetotp.CodeInvalidCredentials, devicetotp.CodeOf(u.guess(u.f.calm)))
		unblock := func(i *devicetotp.Issuer) error {
			return i.Unblock(context.Background(), devicetotp.UnblockRequest{AccountID: u.id})
		}
		return unblock, func(t *testing.T, answer error) {
			if answer == nil {
				require.Zero(t, u.failures(t))
			} else {
				require.Equal(t, 1, u.failures(t), "not done, as it was answered")
			}
		}
	}},
	{"another request has loaded what is lost", loadedBeforeAndSavedAfter},
}

// createdOnce creates a device, and after the fail-over asks again for each of
// ids: all that is given must be one device.
func createdOnce(u *user, proof devicetotp.CreateRequest, ids ...string) (func(*devicetotp.Issuer) error, func(*testing.T, error)) {
	return func(i *devicetotp.Issuer) error { return u.create(i, proof, deviceA) }, func(t *testing.T, _ error) {
		for _, id := range ids {
			_ = settled(t, func() error { return u.create(u.f.calm, proof, id) })
		}
		require.Equal(t, 1, len(u.given), "devices that were given on one proof")
		require.NoError(t, settled(t, func() error { return u.verify(u.f.calm) }), "what was given works")
	}
}

// What one process has saved and another one has loaded is lost with the primary.
// The version must not come back then: the other's Save would undo what a third
// one has saved since.
func loadedBeforeAndSavedAfter(t *testing.T, u *user) (func(*devicetotp.Issuer) error, func(*testing.T, error)) {
	gate := &held{u.f.store, make(chan struct{}), make(chan struct{})}
	late := u.f.issuer(t, gate, devicetotp.Limits{RoundsTimeout: time.Minute})
	answered := make(chan error, 1)
	begin := func(i *devicetotp.Issuer) error {
		err := u.guess(i)
		other := *u
		go func() { answered <- other.create(late, byPassword, deviceB) }()
		select {
		case <-gate.reached:
		case early := <-answered:
			answered <- early
		}
		return err
	}
	return begin, func(t *testing.T, _ error) {
		given := settled(t, func() error { return u.create(u.f.calm, byPassword, deviceA) })
		for range u.cut - 1 { // as many Saves as were lost: were versions counted, they would meet now
			require.NoError(t, settled(t, func() error { return u.addCode(u.f.calm) }))
		}
		close(gate.release)
		late := <-answered
		require.NoError(t, given)
		require.NoError(t, settled(t, func() error { return u.verify(u.f.calm) }), "the device that was given is still there; the late request was answered %v", late)
	}
}

// What is presented.
var (
	onGrace    = devicetotp.CreateRequest{}
	byOTP      = devicetotp.CreateRequest{OTP: credential.NewSecret(theOTP), NoGrace: true}
	byPassword = devicetotp.CreateRequest{Password: credential.NewSecret("password"), NoGrace: true}
)

// A user is an account within grace, with a password and a PIN.
type user struct {
	f     *failover
	id    string
	given map[string]devicetotp.DeviceTOTP // by secret
	last  devicetotp.DeviceTOTP
	cut   int // Saves that the outage has cut off
}

func (f *failover) user(t *testing.T, id string) *user {
	t.Helper()
	password, err := f.hasher.Hash(t.Context(), credential.NewSecret("password"))
	require.NoError(t, err)
	pin, err := f.hasher.Hash(t.Context(), credential.NewSecret("8299"))
	require.NoError(t, err)
	pin, err = f.keys.SealPINHash(id, pin)
	require.NoError(t, err)
	require.NoError(t, f.store.Put(t.Context(), credential.Account{
		ID: id, RegisteredAt: f.clock.Now(), PasswordHash: password, PINHash: pin,
	}))
	return &user{f: f, id: id, given: map[string]devicetotp.DeviceTOTP{}}
}

func (u *user) create(i *devicetotp.Issuer, proof devicetotp.CreateRequest, device string) error {
	proof.AccountID, proof.DeviceID = u.id, device
	d, err := i.Create(context.Background(), proof)
	if err == nil {
		u.given[d.Base32()], u.last = d, d
	}
	return err
}

// guess presents a wrong PIN.
func (u *user) guess(i *devicetotp.Issuer) error {
	_, err := i.Create(context.Background(), devicetotp.CreateRequest{AccountID: u.id, DeviceID: deviceA, PIN: credential.NewSecret("0000")})
	return err
}

// verify presents the current code of the device that was given last.
func (u *user) verify(i *devicetotp.Issuer) error {
	code, err := totp.GenerateCode(u.last.Base32(), u.f.clock.Now())
	if err == nil {
		_, err = i.Verify(context.Background(), devicetotp.VerifyRequest{AccountID: u.id, Code: credential.NewSecret(code)})
	}
	return err
}

func (u *user) addCode(i *devicetotp.Issuer) error {
	_, err := i.AddCode(context.Background(), devicetotp.AddCodeRequest{
		AccountID: u.id, Kind: verifier.KindAccount, Code: credential.NewSecret(theOTP), TTL: time.Minute,
	})
	return err
}

func (u *user) failures(t *testing.T) int {
	t.Helper()
	a := load(t, u.f.store, u.id)
	return a.Attempts(credential.FactorPIN).Failures
}

// settled repeats a request while it is unavailable, as its caller is told to:
// connections to the lost primary may be in its way.
func settled(t *testing.T, request func() error) (err error) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		err = request()
		if devicetotp.CodeOf(err) != devicetotp.CodeUnavailable {
			return err
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
