package devicetotp_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// The truth table of Create: every combination of the grace window, what each
// factor presents and what the account looks like, held against the rules as
// they are written down in expect, which shares nothing with the code.

var tableNow = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

const tableID = "738e379f-fe30-45ab-819c-ba88804b6368"

// The states of one presented factor.
type proof string

const (
	absent    proof = "absent"
	valid     proof = "valid"
	wrong     proof = "wrong"
	spent     proof = "spent"
	empty     proof = "empty"
	unset     proof = "unset"
	blocked   proof = "blocked"
	undecided proof = "undecided" // the verifier gives no answer
	reused    proof = "reused"    // the verifier says valid, and the proof is in State.Spent
	ahead     proof = "ahead"     // blocked, and counted by a clock that is a minute ahead
)

var proofStates = []proof{absent, valid, wrong, spent, empty, unset, blocked, undecided, reused, ahead}

// Grace windows.
var graces = map[string]struct {
	registered time.Time
	full, open bool
}{
	"in":      {registered: tableNow.Add(-time.Minute), open: true},
	"edge":    {registered: tableNow.Add(-5 * time.Minute), open: true},
	"ahead":   {registered: tableNow.Add(30 * time.Second), open: true},
	"out":     {registered: tableNow.Add(-5*time.Minute - 1)},
	"future":  {registered: tableNow.Add(30*time.Second + 1)},
	"unknown": {},
	"full":    {registered: tableNow.Add(-time.Minute), full: true},
}

// Situations of the account and of the id that is asked for.
type situation struct {
	locked  bool
	room    bool               // there is room for another device
	evicts  bool               // in place of a never-used one
	own     bool               // a valid OTP is the code of an own device
	stepped bool               // whose time step was accepted before, although the verifier says valid
	device  *credential.Device // of the id that is asked for
	retryOn credential.Basis   // what that device can be asked for again on
}

var situations = map[string]situation{
	"fresh":          {room: true},
	"locked":         {room: true, locked: true},
	"no room":        {},
	"makes room":     {room: true, evicts: true},
	"own code":       {room: true, own: true},
	"own code, room": {room: true, own: true, evicts: true},
	"own code, used": {room: true, own: true, stepped: true},
	"taken, used":    {room: true, device: tableDevice(credential.BasisPIN, time.Minute, 7)},
	"taken, old":     {room: true, device: tableDevice(credential.BasisPIN, 5*time.Minute+1, 0)},
	"taken, future":  {room: true, device: tableDevice(credential.BasisPIN, -31*time.Second, 0)},
	"taken, foreign": {room: true, device: tableDevice(credential.BasisImported, time.Minute, 0)},
	"taken, locked":  {room: true, locked: true, device: tableDevice(credential.BasisPIN, time.Minute, 0)},
	"retry grace":    {room: true, device: tableDevice(credential.BasisGrace, time.Minute, 0), retryOn: credential.BasisGrace},
	"retry otp":      {room: true, device: tableDevice(credential.BasisOTP, 5*time.Minute, 0), retryOn: credential.BasisOTP},
	"retry password": {room: true, device: tableDevice(credential.BasisPassword, 0, 0), retryOn: credential.BasisPassword},
	"retry pin":      {device: tableDevice(credential.BasisPIN, -time.Second, 0), retryOn: credential.BasisPIN},
}

func tableDevice(b credential.Basis, age time.Duration, lastStep int64) *credential.Device {
	return &credential.Device{ID: tableID, Basis: b, CreatedAt: tableNow.Add(-age), LastStep: lastStep}
}

// account builds the account and the request of a row.
func (r row) account() (credential.Account, *devicetotp.CreateRequest) {
	g, s := graces[r.grace], situations[r.situation]
	a := credential.Account{ID: "acct", RegisteredAt: g.registered, Locked: s.locked, PasswordHash: "password hash", PINHash: "pin hash", Version: 4}
	req := &devicetotp.CreateRequest{AccountID: "acct", DeviceID: tableID, NoGrace: r.noGrace}
	for f, p := range r.presents {
		value := credential.NewSecret("value")
		switch p {
		case absent:
			value = credential.Secret{}
		case empty:
			value = credential.NewSecret("")
		}
		switch f {
		case credential.FactorOTP:
			req.OTP = value
		case credential.FactorPassword:
			req.Password = value
			if p == unset {
				a.PasswordHash = ""
			}
		case credential.FactorPIN:
			req.PIN = value
			if p == unset {
				a.PINHash = ""
			}
		}
	}
	for f, p := range r.presents {
		at := credential.Attempts{Failures: failuresBefore, LastAt: tableNow, Against: credential.Fingerprint(a.Hash(f))}
		if p == blocked || p == ahead {
			at.Failures = blockedFailures[f]
		}
		if p == ahead {
			at.LastAt = tableNow.Add(time.Minute)
		}
		a.State.SetAttempts(f, at)
	}
	a.State.Codes = []credential.OneTimeCode{{ID: "expired", ExpiresAt: tableNow}, {ID: "pending", ExpiresAt: tableNow.Add(1)}}
	a.State.Spent = []credential.SpentProof{{ProofID: "old", Until: tableNow.Add(-10*time.Minute - 1)}, {ProofID: "reused", Until: tableNow.Add(-10 * time.Minute)}}
	r.addDevices(&a)
	return a, req
}

func (r row) addDevices(a *credential.Account) {
	g, s := graces[r.grace], situations[r.situation]
	used := credential.Device{Basis: credential.BasisImported, CreatedAt: tableNow.Add(-48 * time.Hour), LastStep: 3}
	if g.full {
		for i := range 2 {
			used.ID, used.Basis = fmt.Sprintf("grace-%d", i), credential.BasisGrace
			a.State.Devices = append(a.State.Devices, used)
		}
	}
	if s.device != nil {
		a.State.Devices = append(a.State.Devices, r.sealed(*s.device))
	}
	used.Basis = credential.BasisImported
	for i := 0; (!s.room || s.evicts) && len(a.State.Devices) < tableRoom; i++ {
		used.ID = fmt.Sprintf("other-%d", i)
		a.State.Devices = append(a.State.Devices, used)
	}
	never := func(i int, id string, age time.Duration) {
		a.State.Devices[i].ID, a.State.Devices[i].LastStep, a.State.Devices[i].CreatedAt = id, 0, tableNow.Add(-age)
	}
	if !s.room && s.device == nil {
		never(tableRoom-1, "not stale yet", 24*time.Hour)
	}
	if s.evicts {
		never(tableRoom-2, "stale, younger", 24*time.Hour+1)
		never(tableRoom-1, "stale", 24*time.Hour+2)
		never(tableRoom-3, "not stale yet", 24*time.Hour)
	}
	if s.own && s.evicts {
		never(tableRoom-4, ownDevice, 24*time.Hour+3) // the oldest, but it generated the OTP
	} else if s.own {
		used.ID = ownDevice
		if s.stepped {
			used.LastStep = ownStep
		}
		a.State.Devices = append(a.State.Devices, used)
	}
}

// sealed completes a device that may be asked for again. What it was created on
// is "value" where the row presents that OTP.
func (r row) sealed(d credential.Device) credential.Device {
	d.Sealed = tableSeal(d)
	switch r.presents[credential.FactorOTP] {
	case wrong, unset:
		d.ProofDigest = tableDigest("another")
	case undecided:
		d.ProofDigest = []byte("altered")
	default:
		d.ProofDigest = tableDigest("value")
	}
	return d
}

// Sealing takes longer than a row, so that every seal and digest is made once.
var tableSeals, tableDigests sync.Map

func tableSeal(d credential.Device) []byte {
	id := [2]any{d.Basis, d.CreatedAt}
	if sealed, ok := tableSeals.Load(id); ok {
		return sealed.([]byte)
	}
	sealed, err := tableKeys().Seal(credential.DeviceScope("acct", &d), credential.NewSecret("12345678901234567890"))
	if err != nil {
		panic(err)
	}
	tableSeals.Store(id, sealed)
	return sealed
}

func tableDigest(otp string) []byte {
	if digest, ok := tableDigests.Load(otp); ok {
		return digest.([]byte)
	}
	digest, err := tableKeys().Digest(credential.Scope{Purpose: credential.PurposeProof, AccountID: "acct", Subject: tableID}, credential.NewSecret(otp))
	if err != nil {
		panic(err)
	}
	tableDigests.Store(otp, digest)
	return digest
}

const (
	ownDevice = "own"
	ownStep   = 99
	tableRoom = 8 // devices that fit
)

// verifierOf answers as the row says, and records what it was asked.
func (r row) verifierOf(f credential.Factor, asked *[]credential.Factor) verifier.Verifier {
	return verifier.Func(func(context.Context, verifier.Query) (verifier.Verdict, error) {
		*asked = append(*asked, f)
		switch r.presents[f] {
		case valid:
			v := verifier.Verdict{Status: verifier.StatusValid, ProofID: "proof", Until: tableNow.Add(time.Minute)}
			if situations[r.situation].own && f == credential.FactorOTP {
				v.DeviceID, v.Step = ownDevice, ownStep
			}
			return v, nil
		case reused:
			return verifier.Verdict{Status: verifier.StatusValid, ProofID: "reused", Until: tableNow.Add(time.Minute)}, nil
		case spent:
			return verifier.Verdict{Status: verifier.StatusSpent}, nil
		case undecided:
			return verifier.Verdict{}, errUndecided
		default:
			return verifier.Verdict{Status: verifier.StatusWrong}, nil
		}
	})
}

var errUndecided = errors.New("the verifier has no answer")

func TestCreate_TruthTable(t *testing.T) {
	policy := devicetotp.DefaultPolicy()
	policy.MaxDevices, policy.GraceDevices = tableRoom, 2
	var rows atomic.Int64
	t.Cleanup(func() {
		require.EqualValues(t, len(graces)*len(situations)*2*len(proofStates)*len(proofStates)*len(proofStates), rows.Load())
	})
	for grace := range graces {
		for name := range situations {
			t.Run(grace+"/"+name, func(t *testing.T) {
				t.Parallel()
				table := newTable(t, &policy)
				for _, noGrace := range []bool{false, true} {
					for _, otp := range proofStates {
						for _, password := range proofStates {
							for _, pin := range proofStates {
								rows.Add(1)
								table.check(t, row{grace, name, noGrace, map[credential.Factor]proof{
									credential.FactorOTP: otp, credential.FactorPassword: password, credential.FactorPIN: pin,
								}})
							}
						}
					}
				}
			})
		}
	}
}

// table is an Issuer whose verifiers answer as the row says.
type table struct {
	store  *memstore.Store
	issuer *devicetotp.Issuer
	row    row
	asked  []credential.Factor
	event  devicetotp.Event
}

func newTable(t *testing.T, policy *devicetotp.Policy) *table {
	t.Helper()
	b := &table{store: memstore.New()}
	scripted := func(f credential.Factor) verifier.Verifier {
		return verifier.Func(func(ctx context.Context, q verifier.Query) (verifier.Verdict, error) {
			return b.row.verifierOf(f, &b.asked).Verify(ctx, q)
		})
	}
	var err error
	b.issuer, err = devicetotp.NewIssuer(b.store, tableKeys(), devicetotp.Config{
		Clock: clock.Func(func() time.Time { return tableNow }), Policy: policy,
		OTP:      scripted(credential.FactorOTP),
		Password: scripted(credential.FactorPassword),
		PIN:      scripted(credential.FactorPIN),
		Observer: func(_ context.Context, e devicetotp.Event) { b.event = e },
	})
	require.NoError(t, err)
	return b
}

// tableKeys is one keyring for every table: deriving keys takes longer than a
// row.
var tableKeys = sync.OnceValue(func() *credential.Keyring {
	keys, err := credential.NewKeyring("k", credential.NewKey("k"))
	if err != nil {
		panic(err)
	}
	return keys
})

// checkedFactors returns the factors whose value was compared, in order, as the
// Event has them.
func checkedFactors(r row, e devicetotp.Event) (out []credential.Factor) {
	for _, f := range e.Factors {
		if f.Result != devicetotp.ResultBlocked && r.presents[f.Factor] != empty {
			out = append(out, f.Factor)
		}
	}
	return out
}

func (b *table) check(t *testing.T, r row) {
	t.Helper()
	before, req := r.account()
	require.NoError(t, b.store.Replace(t.Context(), before))
	b.row, b.asked = r, nil
	device, err := b.issuer.Create(t.Context(), *req)
	after, loadErr := b.store.Load(t.Context(), before.ID)
	require.NoError(t, loadErr)
	want := expect(r)

	fail := func(what string, wanted, got any) {
		t.Helper()
		t.Fatalf("%+v:\n%s: want %v, got %v (%v)", r, what, wanted, got, err)
	}
	same := func(what string, wanted, got any) {
		t.Helper()
		if wanted != got {
			fail(what, wanted, got)
		}
	}
	if checked := checkedFactors(r, b.event); !slices.Equal(want.looked, checked) {
		fail("checked, in order", want.looked, checked)
	}
	asked := want.looked
	if retry := situations[r.situation].retryOn; retry == credential.BasisOTP {
		asked = nil // compared with the digest, whatever the verifier says
	}
	if !slices.Equal(asked, b.asked) {
		fail("verifiers asked, in order", asked, b.asked)
	}
	var refusal *devicetotp.Error
	switch {
	case want.undecided:
		same("code", devicetotp.CodeInternal, devicetotp.CodeOf(err))
	default:
		same("code", want.code, devicetotp.CodeOf(err))
		if errors.As(err, &refusal) {
			same("retry after", want.retryAfter, refusal.RetryAfter)
		}
	}
	same("replayed", want.replayed, device.Replayed)
	same("given", want.basis != 0, device.ID != "")
	changed := false
	for f, failures := range want.failures {
		same("failures of "+f.String(), failures, after.Attempts(f).Failures)
		changed = changed || failures != before.Attempts(f).Failures
	}
	granted := want.basis != 0 && !want.replayed
	saved := changed || want.adjusted || granted || want.replayed && want.basis != credential.BasisGrace
	same("saved", saved, before.Version != after.Version)
	if want.basis != 0 {
		stored := after.State.Devices[after.State.DeviceIndex(device.ID)]
		same("basis", want.basis, device.Basis)
		same("stored basis", want.basis, stored.Basis)
		same("device id", tableID, device.ID)
	}
	checkChange(t, r, before.State, after.State, granted, want.basis)
}

// checkChange holds that a device comes with its spent proof, and that nothing
// else about devices, codes and proofStates changes.
func checkChange(t *testing.T, r row, before, after credential.State, granted bool, basis credential.Basis) {
	t.Helper()
	s := situations[r.situation]
	want := struct{ devices, codes, spent []string }{ids(before.Devices), []string{"expired", "pending"}, []string{"old", "reused"}}
	if granted {
		want.codes, want.spent = []string{"pending"}, []string{"reused"}
		if s.evicts {
			oldest := "stale"
			if s.own && basis != credential.BasisOTP {
				oldest = ownDevice
			}
			want.devices = slices.DeleteFunc(want.devices, func(id string) bool { return id == oldest })
		}
		want.devices = append(want.devices, tableID)
		own := after.DeviceIndex(ownDevice)
		switch {
		case basis == credential.BasisOTP && s.own:
			require.EqualValues(t, ownStep, after.Devices[own].LastStep, "%+v: the step of the own device is spent", r)
		case basis == credential.BasisOTP:
			want.spent = append(want.spent, "proof")
		}
	}
	got := struct{ devices, codes, spent []string }{devices: ids(after.Devices)}
	for _, c := range after.Codes {
		got.codes = append(got.codes, c.ID)
	}
	for _, p := range after.Spent {
		got.spent = append(got.spent, p.ProofID)
	}
	if !slices.Equal(want.devices, got.devices) || !slices.Equal(want.codes, got.codes) || !slices.Equal(want.spent, got.spent) {
		t.Fatalf("%+v:\nwant %v\ngot  %v", r, want, got)
	}
}

func ids(devices []credential.Device) (out []string) {
	for _, d := range devices {
		out = append(out, d.ID)
	}
	return out
}
