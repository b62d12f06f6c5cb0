package devicetotp_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
)

// Every operation is run with every fault at every store call that it makes.
// The list of cases is generated: a fault is put at call 1, 2, 3, ... until the
// operation no longer comes to that call. What must hold afterwards are the
// four invariants of the package, whatever the answer was.

var errStore = errors.New("the store failed")

// faultCase is one operation, the account it starts from, and what its answer
// is without a fault.
type faultCase struct {
	name  string
	setUp func(t *testing.T, w *devicetotptest.World)
	run   func(ctx context.Context, w *devicetotptest.World) (devicetotp.DeviceTOTP, error)
	code  devicetotp.Code // without a fault
	saves bool            // without a fault
}

// spends has the cases that spend an OTP or a code without making a device, so
// that a repetition may find it spent.
var spends = []string{"verify a right code", "verify a right code of a new secret", "prove an OTP"}

func proving(r devicetotp.ProveRequest) func(context.Context, *devicetotptest.World) (devicetotp.DeviceTOTP, error) {
	r.AccountID = "acct"
	return func(ctx context.Context, w *devicetotptest.World) (d devicetotp.DeviceTOTP, err error) {
		_, err = w.Issuer.Prove(ctx, r)
		return d, err
	}
}

func creating(r devicetotp.CreateRequest) func(context.Context, *devicetotptest.World) (devicetotp.DeviceTOTP, error) {
	r.AccountID, r.DeviceID = "acct", deviceID
	return func(ctx context.Context, w *devicetotptest.World) (devicetotp.DeviceTOTP, error) {
		return w.Issuer.Create(ctx, r)
	}
}

func verifying(drift int) func(context.Context, *devicetotptest.World) (devicetotp.DeviceTOTP, error) {
	return func(ctx context.Context, w *devicetotptest.World) (d devicetotp.DeviceTOTP, err error) {
		sealed := credential.NewSecret("secret-0000000001...") // what the world's source gives first
		device := devicetotp.DeviceTOTP{Secret: sealed, Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second}
		_, err = w.Issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: "acct", Code: w.Phone(device).Drifted(drift)})
		return d, err
	}
}

func revoking(ctx context.Context, w *devicetotptest.World) (d devicetotp.DeviceTOTP, err error) {
	_, err = w.Issuer.Revoke(ctx, devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: []string{deviceID}, WithMadeBy: true})
	return d, err
}

var faultCases = []faultCase{
	{"create on grace", nil, creating(devicetotp.CreateRequest{}), "", true},
	{"create on OTP", nil, creating(devicetotp.CreateRequest{OTP: secret("526271")}), "", true},
	{"create on password after a wrong OTP", nil, creating(devicetotp.CreateRequest{OTP: secret("000000"), Password: secret("password")}), "", true},
	{"create on PIN after wrong ones", nil, creating(devicetotp.CreateRequest{OTP: secret("000000"), Password: secret("no"), PIN: secret("8299")}), "", true},
	{"create on a recovery code", putRecoveryCodes, creating(devicetotp.CreateRequest{OTP: secret(recoveryCode)}), "", true},
	{"create with a wrong recovery code", putRecoveryCodes, creating(devicetotp.CreateRequest{OTP: secret("2345-6789-abcd-efgh")}), totperrors.CodeInvalidCredentials, true},
	{"create with a wrong PIN", nil, creating(devicetotp.CreateRequest{PIN: secret("0000")}), totperrors.CodeInvalidCredentials, true},
	{"create on a locked account", func(_ *testing.T, w *devicetotptest.World) { lock(w) }, creating(devicetotp.CreateRequest{PIN: secret("8299")}), totperrors.CodeAccountLocked, false},
	{"repeat on OTP", enrolled(devicetotp.CreateRequest{OTP: secret("526271")}), creating(devicetotp.CreateRequest{OTP: secret("526271")}), "", true},
	{"repeat on PIN", enrolled(devicetotp.CreateRequest{PIN: secret("8299")}), creating(devicetotp.CreateRequest{PIN: secret("8299")}), "", true},
	{"repeat on a wrong PIN", enrolled(devicetotp.CreateRequest{PIN: secret("8299")}), creating(devicetotp.CreateRequest{PIN: secret("0000")}), totperrors.CodeInvalidCredentials, true},
	{"repeat on grace", enrolled(devicetotp.CreateRequest{}), creating(devicetotp.CreateRequest{}), "", false},
	{"id in use", enrolled(devicetotp.CreateRequest{PIN: secret("8299")}), creating(devicetotp.CreateRequest{}), totperrors.CodeIDInUse, false},
	{"verify a right code", enrolled(devicetotp.CreateRequest{}), verifying(0), "", true},
	{"verify a wrong code", enrolled(devicetotp.CreateRequest{}), verifying(9), totperrors.CodeInvalidCredentials, true},
	{"add a code", nil, func(ctx context.Context, w *devicetotptest.World) (d devicetotp.DeviceTOTP, err error) {
		_, err = w.Issuer.AddCode(ctx, devicetotp.AddCodeRequest{AccountID: "acct", Kind: "account", Code: secret("999999"), TTL: time.Minute})
		return d, err
	}, "", true},
	{"replace recovery codes", putRecoveryCodes, func(ctx context.Context, w *devicetotptest.World) (d devicetotp.DeviceTOTP, err error) {
		codes, err := w.Issuer.ReplaceRecoveryCodes(ctx, devicetotp.RecoveryRequest{AccountID: "acct"})
		if err == nil {
			a, loadErr := w.Store.Accounts.Load(context.Background(), "acct")
			if has, hasErr := a.State.Recovery.Has(w.Keys, "acct", codes[0]); !has {
				panic(fmt.Sprint("codes were given that are not good: ", loadErr, hasErr))
			}
		}
		return d, err
	}, "", true},
	{"rotate on a PIN", inUse, rotatingOn(devicetotp.RotateRequest{PIN: secret("8299")}), "", true},
	{"rotate on an OTP", inUse, rotatingOn(devicetotp.RotateRequest{OTP: secret("526271")}), "", true},
	{"rotate with a wrong PIN", inUse, rotatingOn(devicetotp.RotateRequest{PIN: secret("0000")}), totperrors.CodeInvalidCredentials, true},
	{"rotate without a proof", inUse, rotatingOn(devicetotp.RotateRequest{}), totperrors.CodeCredentialsRequired, false},
	{"rotate a device never used", enrolled(devicetotp.CreateRequest{PIN: secret("8299")}), rotatingOn(devicetotp.RotateRequest{PIN: secret("8299")}), totperrors.CodeInvalidArgument, false},
	{"rotate again on a PIN", beingRotated(devicetotp.RotateRequest{PIN: secret("8299")}), rotatingOn(devicetotp.RotateRequest{PIN: secret("8299")}), "", true},
	{"rotate again on an OTP", beingRotated(devicetotp.RotateRequest{OTP: secret("526271")}), rotatingOn(devicetotp.RotateRequest{OTP: secret("526271")}), "", true},
	{"rotate again with another OTP", beingRotated(devicetotp.RotateRequest{OTP: secret("526271")}), rotatingOn(devicetotp.RotateRequest{OTP: secret("000000")}), totperrors.CodeInvalidCredentials, true},
	{"rotate on a PIN in the place of another", beingRotated(devicetotp.RotateRequest{PIN: secret("8299")}), rotatingOn(devicetotp.RotateRequest{RotationID: rotationID(1), PIN: secret("8299")}), "", true},
	{"rotate late", beingRotated(devicetotp.RotateRequest{PIN: secret("8299")}, devicetotp.RotateRequest{RotationID: rotationID(1), PIN: secret("8299")}), rotatingOn(devicetotp.RotateRequest{PIN: secret("8299")}), totperrors.CodeIDInUse, false},
	{"verify a right code of a new secret", beingRotated(devicetotp.RotateRequest{PIN: secret("8299")}), verifyingOf("secret-0000000002..."), "", true},
	{"import", nil, importing, "", true},
	{"import again", func(t *testing.T, w *devicetotptest.World) {
		_, err := importing(t.Context(), w)
		require.NoError(t, err)
	}, importing, "", true},
	{"unblock", nil, func(ctx context.Context, w *devicetotptest.World) (d devicetotp.DeviceTOTP, err error) {
		return d, w.Issuer.Unblock(ctx, devicetotp.UnblockRequest{AccountID: "acct"})
	}, "", true},
	{"prove an OTP", nil, proving(devicetotp.ProveRequest{OTP: secret("526271")}), "", true},
	{"prove a PIN after wrong ones", nil, proving(devicetotp.ProveRequest{OTP: secret("000000"), Password: secret("no"), PIN: secret("8299")}), "", true},
	{"prove a wrong PIN", nil, proving(devicetotp.ProveRequest{PIN: secret("0000")}), totperrors.CodeInvalidCredentials, true},
	{"rename", enrolled(devicetotp.CreateRequest{}), func(ctx context.Context, w *devicetotptest.World) (d devicetotp.DeviceTOTP, err error) {
		return d, w.Issuer.Rename(ctx, devicetotp.RenameRequest{AccountID: "acct", DeviceID: deviceID, Name: "Work phone"})
	}, "", true},
	{"rename what is not there", nil, func(ctx context.Context, w *devicetotptest.World) (d devicetotp.DeviceTOTP, err error) {
		return d, w.Issuer.Rename(ctx, devicetotp.RenameRequest{AccountID: "acct", DeviceID: deviceID, Name: "Work phone"})
	}, totperrors.CodeNotFound, false},
	{"revoke", enrolled(devicetotp.CreateRequest{}), revoking, "", true},
	{"revoke what is gone", nil, revoking, "", true},
	{"create what was revoked", func(t *testing.T, w *devicetotptest.World) {
		enrolled(devicetotp.CreateRequest{})(t, w)
		_, err := revoking(t.Context(), w)
		require.NoError(t, err)
	}, creating(devicetotp.CreateRequest{}), totperrors.CodeIDInUse, false},
	{"prove nothing", nil, proving(devicetotp.ProveRequest{}), totperrors.CodeCredentialsRequired, false},
	{"reseal", enrolled(devicetotp.CreateRequest{PIN: secret("8299")}), func(ctx context.Context, w *devicetotptest.World) (d devicetotp.DeviceTOTP, err error) {
		keys, err := credential.NewKeyring("next", worldKey(), namedKey("next"))
		if err != nil {
			return d, err
		}
		issuer, err := devicetotp.NewIssuer(w.Store, keys, devicetotp.Config{Clock: w.Clock, Limits: devicetotp.Limits{MaxRounds: 8}})
		if err != nil {
			return d, err
		}
		_, err = issuer.Reseal(ctx, "acct")
		return d, err
	}, "", true},
}

// inUse makes the device on a PIN and uses it.
func inUse(t *testing.T, w *devicetotptest.World) {
	enrolled(devicetotp.CreateRequest{PIN: secret("8299")})(t, w)
	_, err := verifyingOf("secret-0000000001...")(t.Context(), w)
	require.NoError(t, err)
	w.Clock.Advance(30 * time.Second)
}

func beingRotated(all ...devicetotp.RotateRequest) func(*testing.T, *devicetotptest.World) {
	return func(t *testing.T, w *devicetotptest.World) {
		inUse(t, w)
		for _, r := range all {
			_, err := rotatingOn(r)(t.Context(), w)
			require.NoError(t, err)
		}
	}
}

func rotatingOn(r devicetotp.RotateRequest) func(context.Context, *devicetotptest.World) (devicetotp.DeviceTOTP, error) {
	r.AccountID, r.DeviceID, r.RotationID = "acct", deviceID, cmp.Or(r.RotationID, rotationID(0))
	return func(ctx context.Context, w *devicetotptest.World) (devicetotp.DeviceTOTP, error) {
		return w.Issuer.Rotate(ctx, r)
	}
}

// verifyingOf verifies the current code of a secret that the world's source gave.
func verifyingOf(value string) func(context.Context, *devicetotptest.World) (devicetotp.DeviceTOTP, error) {
	device := devicetotp.DeviceTOTP{Secret: secret(value), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second}
	return func(ctx context.Context, w *devicetotptest.World) (d devicetotp.DeviceTOTP, err error) {
		_, err = w.Issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: "acct", Code: w.Phone(device).Code()})
		return d, err
	}
}

func importing(ctx context.Context, w *devicetotptest.World) (d devicetotp.DeviceTOTP, err error) {
	_, err = w.Issuer.Import(ctx, importRequest())
	return d, err
}

func enrolled(r devicetotp.CreateRequest) func(*testing.T, *devicetotptest.World) {
	r.AccountID, r.DeviceID = "acct", deviceID
	return func(t *testing.T, w *devicetotptest.World) {
		_, err := w.Issuer.Create(t.Context(), r)
		require.NoError(t, err)
	}
}

func update(w *devicetotptest.World, change func(*credential.Account)) {
	_ = w.Store.Accounts.Update("acct", change)
}

// foreignSave is a save of another process that changes nothing but the version.
func foreignSave(w *devicetotptest.World) {
	a, err := w.Store.Accounts.Load(context.Background(), "acct")
	if err == nil {
		a.Next = rand.Int64N(credential.MaxVersion) + 1
		_ = w.Store.Accounts.Save(context.Background(), a)
	}
}

func lock(w *devicetotptest.World) { update(w, func(a *credential.Account) { a.Locked = true }) }

func deleteAccount(w *devicetotptest.World) {
	_, _ = w.Store.Accounts.Delete(context.Background(), "acct")
}

// faults are what can happen at one call. cancel hangs up.
func faults(w *devicetotptest.World, cancel func()) map[string][]devicetotptest.Fault {
	one := func(f devicetotptest.Fault) []devicetotptest.Fault { return []devicetotptest.Fault{f} }
	storm := func(n int) []devicetotptest.Fault {
		var out []devicetotptest.Fault
		for range n {
			out = append(out, devicetotptest.Fault{Before: func() { foreignSave(w) }, Err: credential.ErrConflict}, devicetotptest.Fault{})
		}
		return out
	}
	return map[string][]devicetotptest.Fault{
		"error":                       one(devicetotptest.Fault{Err: errStore}),
		"error, applied":              one(devicetotptest.Fault{Err: errStore, Applied: true}),
		"conflict":                    one(devicetotptest.Fault{Err: credential.ErrConflict}),
		"conflict, applied":           one(devicetotptest.Fault{Err: credential.ErrConflict, Applied: true}),
		"error, applied, then error":  {{Err: errStore, Applied: true}, {Err: errStore}},
		"conflict, then error":        {{Err: credential.ErrConflict}, {Err: errStore}},
		"conflict storm":              storm(100),
		"short conflict storm":        storm(5),
		"timeout":                     one(devicetotptest.Fault{Err: context.DeadlineExceeded}),
		"timeout, applied":            one(devicetotptest.Fault{Err: context.DeadlineExceeded, Applied: true}),
		"panic":                       one(devicetotptest.Fault{Panic: "boom"}),
		"panic, applied":              one(devicetotptest.Fault{Panic: "boom", Applied: true}),
		"hang-up":                     one(devicetotptest.Fault{Before: cancel}),
		"hang-up and conflict":        one(devicetotptest.Fault{Before: cancel, Err: credential.ErrConflict}),
		"registration changed before": one(devicetotptest.Fault{Before: func() { update(w, func(a *credential.Account) { a.RegisteredAt = a.RegisteredAt.Add(1) }) }}),
		"PIN changed before":          one(devicetotptest.Fault{Before: func() { update(w, func(a *credential.Account) { a.PINHash = otherHash }) }}),
		"password changed before":     one(devicetotptest.Fault{Before: func() { update(w, func(a *credential.Account) { a.PasswordHash = otherHash }) }}),
		"locked before":               one(devicetotptest.Fault{Before: func() { lock(w) }}),
		"deleted before":              one(devicetotptest.Fault{Before: func() { deleteAccount(w) }}),
	}
}

// otherHash is the hash of something nobody presents here.
const otherHash = "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func TestEveryFaultAtEveryStoreCall(t *testing.T) {
	cases := 0
	for _, c := range faultCases {
		for name := range faults(nil, nil) {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { // so that no slow machine uses up the rounds
					for at := 0; runFault(t, c, name, at); at++ {
						cases++
					}
				})
			})
		}
	}
	require.Greater(t, cases, 400)
}

// runFault runs the operation with the fault at its call number at; false if it
// does not come to that call.
func runFault(t *testing.T, c faultCase, name string, at int) bool {
	t.Helper()
	w := devicetotptest.New(t, withRecovery, func(c *devicetotp.Config) { c.Limits.MaxRounds = 8 })
	w.Account("acct").RegisteredAgo(time.Minute).Password("password").PIN("8299").OTP("526271")
	if c.setUp != nil {
		c.setUp(t, w)
	}
	before, err := w.Store.Accounts.Load(t.Context(), "acct")
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.Store.Script(append(make([]devicetotptest.Fault, at), faults(w, cancel)[name]...)...)
	device, err := c.run(ctx, w)
	calls := w.Store.Calls()
	w.Store.Script()
	after, loadErr := w.Store.Accounts.Load(t.Context(), "acct")
	if loadErr != nil {
		after = before
		after.State = credential.State{}
		require.Error(t, err, "%s at call %d: no success on an account that is gone", name, at)
	}
	if len(calls) <= at {
		return false
	}
	what := fmt.Sprintf("%s at call %d (%s), answer %v", name, at+1, calls[at].Method, err)
	checkAnswer(t, what, c, err)
	if calls[at].Method == devicetotptest.MethodSave && slices.Contains(transparent, name) {
		checkTransparent(t, what, c, w.Clock.Now(), before, after, err)
	}
	if loadErr == nil {
		checkInvariants(t, what, c, before, after, device, err)
		checkRepetition(t, what, c, w, before, after, device, err)
	}
	return true
}

// checkAnswer: the answer without the fault, or a clear error.
func checkAnswer(t *testing.T, what string, c faultCase, err error) {
	t.Helper()
	code := devicetotp.CodeOf(err)
	allowed := []devicetotp.Code{
		c.code, totperrors.CodeUnavailable, totperrors.CodeInternal,
		totperrors.CodeAccountLocked,      // locked meanwhile
		totperrors.CodeInvalidCredentials, // the credential was changed, or the account deleted, meanwhile
		totperrors.CodeCredentialsRequired, totperrors.CodeInvalidArgument, totperrors.CodeNotFound,
	}
	require.Contains(t, allowed, code, what)
	if code == totperrors.CodeUnavailable {
		var e *devicetotp.Error
		require.ErrorAs(t, err, &e)
		require.Positive(t, e.RetryAfter, what)
	}
}

// transparent faults of a Save make no difference: it took effect after all, or
// the next round did.
var transparent = []string{
	"error, applied", "conflict, applied", "timeout, applied", "panic, applied",
	"conflict", "short conflict storm", "hang-up",
}

// checkTransparent: the answer and the account are those without the fault.
func checkTransparent(t *testing.T, what string, c faultCase, now time.Time, before, after credential.Account, err error) {
	t.Helper()
	require.Equal(t, c.code, devicetotp.CodeOf(err), what)
	require.NotEqual(t, before.Version, after.Version, "%s: saved", what)
	reference := devicetotptest.New(t, withRecovery)
	reference.Clock.Set(now)
	require.NoError(t, reference.Store.Accounts.Replace(t.Context(), before))
	_, _ = c.run(t.Context(), reference)
	want, loadErr := reference.Store.Accounts.Load(t.Context(), "acct")
	require.NoError(t, loadErr)
	require.Equal(t, want.State.OTP, after.State.OTP, what)
	require.Equal(t, want.State.Password, after.State.Password, what)
	require.Equal(t, want.State.PIN, after.State.PIN, what)
	require.Equal(t, len(want.State.Devices), len(after.State.Devices), what)
	require.Equal(t, want.State.Recovery.Left, after.State.Recovery.Left, what)
	require.Equal(t, want.State.Recovery.Attempts, after.State.Recovery.Attempts, what)
}

// checkInvariants: I1 to I3.
func checkInvariants(t *testing.T, what string, c faultCase, before, after credential.Account, device devicetotp.DeviceTOTP, err error) {
	t.Helper()
	// A device or a rotation never exists without its spent proof, nor a proof
	// without it.
	onOTP := 0
	for _, d := range after.State.Devices {
		if d.Basis == credential.BasisOTP {
			onOTP++
		}
		if d.Rotation != nil && d.Rotation.Basis == credential.BasisOTP {
			onOTP++
		}
	}
	recovered := max(0, before.State.Recovery.Left-after.State.Recovery.Left)
	if slices.Contains(spends, c.name) {
		require.Zero(t, onOTP, what)
		require.LessOrEqual(t, len(after.State.Spent), 1, what)
		require.True(t, err != nil || len(after.State.Spent) == 1 || c.name != "prove an OTP", what)
	} else {
		require.Equal(t, onOTP, len(after.State.Spent)+recovered, what)
	}
	require.LessOrEqual(t, len(after.State.Devices), 1, what)
	// What is given is stored, and under what is stored now.
	if err == nil && device.ID != "" {
		require.GreaterOrEqual(t, after.State.DeviceIndex(device.ID), 0, what)
		require.False(t, after.Locked && after.Version == before.Version, what)
	}
	// A refusal of a credential is on record.
	sum := func(a credential.Account) int {
		return a.State.OTP.Failures + a.State.Password.Failures + a.State.PIN.Failures
	}
	if devicetotp.CodeOf(err) == totperrors.CodeInvalidCredentials {
		require.Greater(t, sum(after), sum(before), what)
	}
	// One request counts each factor once at most.
	require.LessOrEqual(t, sum(after)-sum(before), 3, what)
	// A refusal before anything was looked at changes nothing.
	if slices.Contains([]devicetotp.Code{totperrors.CodeAccountLocked, totperrors.CodeIDInUse, totperrors.CodeCredentialsRequired}, devicetotp.CodeOf(err)) {
		require.Equal(t, before.Version, after.Version, what)
	}
}

// checkRepetition: I4, the same request again gives the same device or a clear
// refusal, and never a second device.
func checkRepetition(t *testing.T, what string, c faultCase, w *devicetotptest.World, before, after credential.Account, device devicetotp.DeviceTOTP, err error) {
	t.Helper()
	again, errAgain := c.run(t.Context(), w)
	stored, loadErr := w.Store.Accounts.Load(t.Context(), "acct")
	require.NoError(t, loadErr)
	require.LessOrEqual(t, len(stored.State.Devices), 1, what)
	hostChanged := !before.SameHostFields(after)
	if device.ID != "" && err == nil && errAgain == nil {
		require.Equal(t, device.Base32(), again.Base32(), what)
	}
	if c.code == "" && !hostChanged && !slices.Contains(spends, c.name) {
		require.NoError(t, errAgain, "%s: a lost answer costs nobody their proof", what)
	}
	if errAgain != nil {
		require.Contains(t, []devicetotp.Code{
			totperrors.CodeInvalidCredentials, totperrors.CodeAccountLocked, totperrors.CodeIDInUse, c.code,
		}, devicetotp.CodeOf(errAgain), what)
	}
}

// lateStore reports its first save as failed, and carries it out just before the
// second one, as a server does that gets to a statement after its driver gave up.
type lateStore struct {
	*devicetotptest.Store
	err   error
	late  *credential.Account
	saved int // that took effect
}

func (s *lateStore) Save(ctx context.Context, a credential.Account) error {
	if s.late == nil {
		s.late = &a
		return s.err
	}
	var err error
	for _, a := range []credential.Account{*s.late, a} {
		if err = s.Store.Save(ctx, a); err == nil {
			s.saved++
		}
	}
	return err
}

// A write that lands after it was looked for counts once, and its own answer is
// given.
func TestAWriteThatLandsLate(t *testing.T) {
	for _, r := range []devicetotp.CreateRequest{{OTP: secret("526271")}, {PIN: secret("8299")}, {}, {PIN: secret("0000")}} {
		for _, err := range []error{credential.ErrConflict, errStore} {
			w := devicetotptest.New(t)
			a := w.Account("acct").RegisteredAgo(0).PIN("8299").OTP("526271")
			store := &lateStore{Store: w.Store, err: err}
			issuer, configErr := devicetotp.NewIssuer(store, w.Keys, devicetotp.Config{Clock: w.Clock})
			require.NoError(t, configErr)
			r.AccountID, r.DeviceID = "acct", deviceID
			first, firstErr := issuer.Create(t.Context(), r)
			requests := 1
			if errors.Is(err, errStore) {
				requireCode(t, totperrors.CodeUnavailable, firstErr)
				first, firstErr = issuer.Create(t.Context(), r) // the client asks again
				requests = 2
			}
			after := a.Stored()
			// Once more to confirm what was seen, or before anything is checked again.
			require.LessOrEqual(t, store.saved, requests+1, "saved once a request")
			if r.PIN.Matches(secret("0000")) {
				requireCode(t, totperrors.CodeInvalidCredentials, firstErr)
				require.Equal(t, requests, after.State.PIN.Failures, "counted once a request")
				continue
			}
			require.NoError(t, firstErr)
			require.Len(t, after.State.Devices, 1)
			require.Equal(t, first.ID, after.State.Devices[0].ID)
			again, err := w.Issuer.Create(t.Context(), r)
			require.NoError(t, err)
			require.Equal(t, first.Base32(), again.Base32())
		}
	}
}

// A host that changes a hash, locks or deletes the account while a request is
// hashing: the request sees it, and no device stands on the old credential.
func TestAChangeWhileHashingIsSeen(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*devicetotptest.World)
		code   devicetotp.Code
	}{
		{"PIN changed", func(w *devicetotptest.World) { update(w, func(a *credential.Account) { a.PINHash = otherHash }) }, totperrors.CodeInvalidCredentials},
		{"PIN removed", func(w *devicetotptest.World) { update(w, func(a *credential.Account) { a.PINHash = "" }) }, totperrors.CodeInvalidCredentials},
		{"locked", lock, totperrors.CodeAccountLocked},
		{"deleted", deleteAccount, totperrors.CodeInvalidCredentials},
		{"password changed", func(w *devicetotptest.World) { update(w, func(a *credential.Account) { a.PasswordHash = otherHash }) }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			looked := 0
			var w *devicetotptest.World
			w = devicetotptest.New(t, func(cfg *devicetotp.Config) {
				cfg.PIN = hooked(cfg.PIN, func() {
					if looked++; looked == 1 {
						c.change(w)
					}
				})
			})
			w.Account("acct").Password("password").PIN("8299")
			d, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("8299")})
			if c.code != "" {
				requireCode(t, c.code, err)
				stored, err := w.Store.Accounts.Load(t.Context(), "acct")
				require.True(t, err != nil || len(stored.State.Devices) == 0)
				return
			}
			require.NoError(t, err)
			require.Equal(t, credential.BasisPIN, d.Basis)
			require.Equal(t, 1, looked, "a verdict is remembered as long as the hash compared is the same")
			require.Equal(t, 2, w.Events()[0].Rounds)
		})
	}
}
