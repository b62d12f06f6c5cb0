package devicetotp

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// The truth table of Create: every combination of the grace window, what each
// factor presents and what the account looks like, held against the rules as
// they are written down in expect, which shares nothing with decideCreate.

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

var proofs = []proof{absent, valid, wrong, spent, empty, unset, blocked, undecided, reused, ahead}

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
	return &credential.Device{ID: tableID, Basis: b, CreatedAt: tableNow.Add(-age), LastStep: lastStep, Sealed: []byte("s"), ProofDigest: []byte("p")}
}

// expectation is what a row must come to.
type expectation struct {
	code       Code
	basis      credential.Basis // of the device given
	replayed   bool
	undecided  bool
	looked     []credential.Factor
	failures   map[credential.Factor]int
	adjusted   bool // a failure from the future was brought back to now
	retryAfter time.Duration
}

// The failures that each factor has before, and its wait where it is blocked.
const failuresBefore = 2

var blockedFailures = map[credential.Factor]int{credential.FactorOTP: 5, credential.FactorPassword: 6, credential.FactorPIN: 10}
var blockedWaits = map[credential.Factor]time.Duration{credential.FactorOTP: 30 * time.Second, credential.FactorPassword: time.Minute, credential.FactorPIN: 0}

// row is one combination.
type row struct {
	grace, situation string
	noGrace          bool
	presents         map[credential.Factor]proof
}

// expect states the rules, rule by rule, for one row.
func expect(r row) expectation {
	order := []credential.Factor{credential.FactorOTP, credential.FactorPassword, credential.FactorPIN}
	s := situations[r.situation]
	e := expectation{failures: map[credential.Factor]int{}}
	presented := slices.DeleteFunc(slices.Clone(order), func(f credential.Factor) bool { return r.presents[f] == absent })
	for _, f := range order {
		e.failures[f] = failuresBefore
		if r.presents[f] == blocked || r.presents[f] == ahead {
			e.failures[f] = blockedFailures[f]
		}
	}

	// A locked account refuses everything.
	if s.locked {
		e.code = totperrors.CodeAccountLocked
		return e
	}
	// A taken id is in use, unless it is asked for again on what it was created on; then only that counts.
	if s.device != nil {
		on, isFactor := s.retryOn.Factor()
		switch {
		case s.retryOn == credential.BasisGrace && len(presented) == 0 && !r.noGrace:
			e.basis, e.replayed = credential.BasisGrace, true
			return e
		case !isFactor || r.presents[on] == absent:
			e.code = totperrors.CodeIDInUse
			return e
		}
		presented = []credential.Factor{on}
		e.replayed = true
	} else if !s.room {
		e.code = totperrors.CodeDeviceLimitReached
		return e
	} else if len(presented) == 0 {
		// Nothing presented: grace or nothing.
		if graces[r.grace].open && !r.noGrace {
			e.basis = credential.BasisGrace
		} else {
			e.code = totperrors.CodeCredentialsRequired
		}
		return e
	}

	// OTP, then password, then PIN: the first valid one grants and ends it.
	allBlocked := true
	for _, f := range presented {
		p := r.presents[f]
		switch {
		case p == ahead:
			p, e.adjusted = blocked, true
		case f != credential.FactorOTP && p == reused:
			p = valid // only OTPs are spent
		case p == reused && !e.replayed, f == credential.FactorOTP && p == valid && s.stepped:
			p = spent
		case e.replayed && f == credential.FactorOTP && (p == spent || p == reused):
			p = valid // the code that made the device is spent, and is the right one here
		}
		if p != blocked {
			allBlocked = false
		}
		if p != blocked && p != empty {
			e.looked = append(e.looked, f)
		}
		switch p {
		case valid:
			e.basis = credential.BasisOf(f)
			if !e.replayed {
				e.failures[f] = 0
			}
			return e
		case wrong, spent, empty, unset:
			e.failures[f]++
		case undecided:
			e.undecided, e.replayed = true, false
			return e
		}
	}
	e.replayed = false
	if !allBlocked {
		e.code = totperrors.CodeInvalidCredentials
		return e
	}
	e.code = totperrors.CodeTooManyAttempts
	for _, f := range presented {
		if w := blockedWaits[f]; w > 0 && (e.retryAfter == 0 || w < e.retryAfter) {
			e.retryAfter = w
		}
	}
	return e
}

// account builds the account and the request of a row.
func (r row) account() (credential.Account, *CreateRequest) {
	g, s := graces[r.grace], situations[r.situation]
	a := credential.Account{ID: "acct", RegisteredAt: g.registered, Locked: s.locked, PasswordHash: "password hash", PINHash: "pin hash", Version: 4}
	req := &CreateRequest{AccountID: "acct", DeviceID: tableID, NoGrace: r.noGrace}
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
		a.State.Devices = append(a.State.Devices, *s.device)
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

const (
	ownDevice = "own"
	ownStep   = 99
	tableRoom = 8 // devices that fit
)

// look answers as the row says, and records what it was asked.
func (r row) look(looked *[]credential.Factor) lookFunc {
	return func(f credential.Factor, createdOn *credential.Device) verifier.Verdict {
		*looked = append(*looked, f)
		switch r.presents[f] {
		case valid:
			v := verifier.Verdict{Status: verifier.StatusValid, ProofID: "proof", Until: tableNow.Add(time.Minute)}
			if situations[r.situation].own && f == credential.FactorOTP {
				v.DeviceID, v.Step = ownDevice, ownStep
			}
			return v
		case reused:
			return verifier.Verdict{Status: verifier.StatusValid, ProofID: "reused", Until: tableNow.Add(time.Minute)}
		case spent:
			if createdOn != nil && f == credential.FactorOTP {
				return verifier.Verdict{Status: verifier.StatusValid}
			}
			return verifier.Verdict{Status: verifier.StatusSpent}
		case undecided:
			return verifier.Verdict{}
		default:
			return verifier.Verdict{Status: verifier.StatusWrong}
		}
	}
}

func TestCreateTruthTable(t *testing.T) {
	policy := DefaultPolicy()
	policy.MaxDevices, policy.GraceDevices = tableRoom, 2
	var rows atomic.Int64
	t.Cleanup(func() {
		require.EqualValues(t, len(graces)*len(situations)*2*len(proofs)*len(proofs)*len(proofs), rows.Load())
	})
	for grace := range graces {
		for name := range situations {
			t.Run(grace+"/"+name, func(t *testing.T) {
				t.Parallel()
				for _, noGrace := range []bool{false, true} {
					for _, otp := range proofs {
						for _, password := range proofs {
							for _, pin := range proofs {
								rows.Add(1)
								r := row{grace, name, noGrace, map[credential.Factor]proof{
									credential.FactorOTP: otp, credential.FactorPassword: password, credential.FactorPIN: pin,
								}}
								checkRow(t, r, &policy)
							}
						}
					}
				}
			})
		}
	}
}

func checkRow(t *testing.T, r row, policy *Policy) {
	t.Helper()
	before, req := r.account()
	given := before
	given.State = before.State.Clone()
	var looked []credential.Factor
	after, d := decideCreate(given, req, tableNow, policy, r.look(&looked))
	want := expect(r)

	fail := func(what string, wanted, got any) {
		t.Helper()
		t.Fatalf("%+v:\n%s: want %v, got %v", r, what, wanted, got)
	}
	same := func(what string, wanted, got any) {
		t.Helper()
		if wanted != got {
			fail(what, wanted, got)
		}
	}
	if !slices.Equal(want.looked, looked) {
		fail("looked at, in order", want.looked, looked)
	}
	same("code", want.code, d.code)
	same("undecided", want.undecided, d.undecided)
	same("replayed", want.replayed, d.replayed)
	same("retry after", want.retryAfter, d.retryAfter)
	same("given", want.basis != 0, d.device >= 0)
	changed := false
	for f, failures := range want.failures {
		same("failures of "+f.String(), failures, after.Attempts(f).Failures)
		changed = changed || failures != before.Attempts(f).Failures
	}
	granted := want.basis != 0 && !want.replayed
	same("save", changed || want.adjusted || granted || want.replayed && want.basis != credential.BasisGrace, d.save)
	if want.basis != 0 {
		device := after.State.Devices[d.device]
		same("basis", want.basis, device.Basis)
		same("device id", tableID, device.ID)
	}
	checkChange(t, r, before.State, after.State, granted, want.basis)
	if !sameState(given.State, before.State) {
		fail("the input is never altered", before.State, given.State)
	}
}

// checkChange holds that a device comes with its spent proof, and that nothing
// else about devices, codes and proofs changes.
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

// sameState compares every field that decideCreate could alter in place.
func sameState(a, b credential.State) bool {
	return slices.EqualFunc(a.Devices, b.Devices, func(x, y credential.Device) bool {
		return x.ID == y.ID && x.LastStep == y.LastStep && x.Attempts == y.Attempts &&
			slices.Equal(x.Sealed, y.Sealed) && slices.Equal(x.ProofDigest, y.ProofDigest)
	}) && slices.EqualFunc(a.Codes, b.Codes, func(x, y credential.OneTimeCode) bool { return x.ID == y.ID }) &&
		slices.EqualFunc(a.Spent, b.Spent, func(x, y credential.SpentProof) bool { return x.ProofID == y.ProofID }) &&
		a.OTP == b.OTP && a.Password == b.Password && a.PIN == b.PIN && slices.Equal(a.Writes, b.Writes)
}
