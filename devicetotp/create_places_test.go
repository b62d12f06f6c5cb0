package devicetotp_test

import (
	"fmt"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// The accounts and ids of the rows.

// place is what the account and the asked id look like.
type place struct {
	name            string
	locked, unknown bool
	noProofRoom     bool          // nothing more can be remembered as spent
	noSecret        bool          // the source of secrets fails
	beside          []deviceFacts // devices beside the usual ones
	usual           func(*facts)  // changes the usual ones
	fill            int           // up to so many devices, which make no room
	digestBroken    bool          // that of the asked device
	sealBroken      bool          // likewise
}

// remembered: a device in the place of another keeps the OTPs that made the ones
// before, of the last five minutes.
func remembered(d *deviceFacts) string {
	switch {
	case !d.digest:
		return ""
	case d.age < -tolerance || d.age > fiveMin:
		return "4m0s "
	default:
		return "4m0s " + d.age.String() + " "
	}
}

// The devices that are usually there.
const (
	provedID  = "proved"
	restingID = "resting"
	usedID    = "used, eight digits"
	tableID   = "738e379f-fe30-45ab-819c-ba88804b6368"

	tableStep  = 99
	tableProof = "proof"
)

func usualDevices() []deviceFacts {
	return []deviceFacts{
		{id: provedID, basis: credential.BasisPIN, digits: 6, step: 3, age: 50 * time.Hour, attempts: failed(1), named: failed(2)},
		{id: restingID, basis: credential.BasisGrace, rests: true, digits: 6, step: 3, age: 49 * time.Hour, attempts: failed(1), named: failed(2)},
		{id: usedID, basis: credential.BasisImported, digits: 8, step: tableStep, age: 48 * time.Hour, attempts: failed(1)},
	}
}

// staleDevice is a device that was never used.
func staleDevice(id string, rests bool, age time.Duration) deviceFacts {
	d := deviceFacts{id: id, basis: credential.BasisPassword, digits: 6, age: age}
	if rests {
		d.basis, d.rests = credential.BasisGrace, true
	}
	return d
}

func neverUsed(ids ...string) func(*facts) {
	return func(f *facts) {
		for _, id := range ids {
			f.device(id).step = 0
		}
	}
}

var newPlaces = []*place{
	{name: "room"},
	{name: "locked", locked: true},
	{name: "unknown", unknown: true},
	{name: "no room", fill: tableRoom, beside: []deviceFacts{staleDevice("not stale yet", false, aDay)}},
	{name: "no room for a proof", noProofRoom: true},
	{name: "no secret", noSecret: true},
	{name: "a resting device is the oldest", fill: tableRoom, beside: []deviceFacts{
		staleDevice("younger", false, aDay+1), staleDevice("older", true, aDay+2), staleDevice("not stale yet", false, aDay),
	}},
	{name: "a proved device is the oldest", fill: tableRoom, beside: []deviceFacts{
		staleDevice("younger", true, aDay+1), staleDevice("older", false, aDay+2),
	}},
	{name: "a proved device makes room", fill: tableRoom, beside: []deviceFacts{staleDevice("stale", false, aDay+1)}},
	{name: "two proved devices make room", fill: tableRoom + 1, beside: []deviceFacts{
		staleDevice("older", false, aDay+2), staleDevice("younger", false, aDay+1),
	}},
	{name: "the devices whose codes are presented make room last", fill: tableRoom, usual: neverUsed(provedID, restingID),
		beside: []deviceFacts{staleDevice("stale", false, aDay+1)}},
	{name: "only the resting device whose code is presented makes room", fill: tableRoom, usual: neverUsed(restingID)},
}

// askedDevice is a device of the id that is asked for, made on a basis so long ago.
func askedDevice(basis credential.Basis, age time.Duration) deviceFacts {
	return deviceFacts{
		id: tableID, basis: basis, rests: basis == credential.BasisGrace, digits: 6, age: age,
		attempts: failed(3), named: failed(2), digest: basis == credential.BasisOTP,
	}
}

// restingOTP is one that was made on a code of a device that rests on grace.
func restingOTP(age time.Duration) deviceFacts {
	d := askedDevice(credential.BasisOTP, age)
	d.rests, d.madeBy = true, restingID
	return d
}

func retryPlaces() (places []*place) {
	for _, age := range []time.Duration{time.Minute, fiveMin, fiveMin + 1, -tolerance, -tolerance - 1} {
		for _, d := range []deviceFacts{
			askedDevice(credential.BasisGrace, age), askedDevice(credential.BasisOTP, age), restingOTP(age),
			askedDevice(credential.BasisPassword, age), askedDevice(credential.BasisPIN, age),
		} {
			places = append(places, &place{name: fmt.Sprintf("on %v (resting: %t) %v ago", d.basis, d.rests, age), beside: []deviceFacts{d}})
		}
	}
	one := func(name string, p place, d deviceFacts) {
		p.name, p.beside = name, append(p.beside, d)
		places = append(places, &p)
	}
	used := askedDevice(credential.BasisPIN, time.Minute)
	used.step = 7
	one("used", place{}, used)
	one("imported", place{}, askedDevice(credential.BasisImported, time.Minute))
	one("locked", place{locked: true}, askedDevice(credential.BasisPIN, time.Minute))
	one("digest broken", place{digestBroken: true}, askedDevice(credential.BasisOTP, time.Minute))
	one("digest broken, long ago", place{digestBroken: true}, askedDevice(credential.BasisOTP, time.Hour))
	one("seal broken, grace", place{sealBroken: true}, askedDevice(credential.BasisGrace, time.Minute))
	one("seal broken, otp", place{sealBroken: true}, askedDevice(credential.BasisOTP, time.Minute))
	one("seal broken, pin", place{sealBroken: true}, askedDevice(credential.BasisPIN, time.Minute))
	for _, named := range []failures{failed(4), {n: 6}, failed(6), failed(20)} {
		d := askedDevice(credential.BasisOTP, time.Minute)
		d.named = named
		one(fmt.Sprintf("%d failures named it %v ago, otp", named.n, named.since), place{}, d)
		d.basis, d.digest = credential.BasisPIN, false
		one(fmt.Sprintf("%d failures named it %v ago, pin", named.n, named.since), place{}, d)
	}
	one("no room for a proof, pin", place{noProofRoom: true}, askedDevice(credential.BasisPIN, time.Minute))
	one("no room for a proof, otp", place{noProofRoom: true}, askedDevice(credential.BasisOTP, time.Minute))
	one("no secret, password", place{noSecret: true}, askedDevice(credential.BasisPassword, time.Minute))
	one("no secret, otp", place{noSecret: true}, askedDevice(credential.BasisOTP, time.Minute))
	one("no room", place{fill: tableRoom}, askedDevice(credential.BasisPassword, time.Minute))
	one("grace is full", place{beside: []deviceFacts{staleDevice("a third", true, time.Hour)}}, restingOTP(time.Hour))
	return places
}

// before returns what is stored before the request.
func (r createRow) before() facts {
	if r.place.unknown {
		return facts{}
	}
	f := facts{
		devices: usualDevices(), issued: r.grace.issued, spent: []string{"old", "reused"},
		otp: failed(2), password: failed(2), pin: failed(2), pendingKinds: []kind{kindMailed, kindSMS},
		kinds: [...]failures{kindMailed: failed(3), kindSMS: failed(3), kindSilent: failed(3)},
	}
	if r.place.usual != nil {
		r.place.usual(&f)
	}
	if r.place.noProofRoom {
		f.spent = fullOfProofs
	}
	beside := facts{devices: r.place.beside}
	for i := f.resting() + beside.resting(); r.grace.full && i < tableGrace; i++ {
		f.devices = append(f.devices, deviceFacts{id: fillers[i], basis: credential.BasisGrace, rests: true, digits: 6, step: 3, age: 47 * time.Hour})
	}
	for i := len(f.devices) + len(r.place.beside); i < r.place.fill; i++ {
		f.devices = append(f.devices, deviceFacts{id: fillers[tableRoom+i], basis: credential.BasisImported, digits: 8, age: 46 * time.Hour})
	}
	f.devices = append(f.devices, r.place.beside...)
	if d := f.device(tableID); d != nil && d.digest {
		d.replaced = "5m0.000000001s 4m0s "
	}
	if r.otp.before != nil {
		r.otp.before(&f)
	}
	for _, at := range []struct {
		state   hashState
		counter *failures
		blocked failures
	}{{r.password, &f.password, failures{n: 6}}, {r.pin, &f.pin, failed(10)}} {
		switch at.state {
		case hashBlocked:
			*at.counter = at.blocked
		case hashAhead:
			*at.counter = failures{n: 6, since: -time.Minute}
		}
	}
	return f
}

var fillers = [...]string{"f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12", "f13", "f14", "f15", "f16", "f17", "f18", "f19"}

var fullOfProofs = func() (names []string) {
	for i := range credential.MaxSpent {
		names = append(names, fmt.Sprintf("p%d", i))
	}
	names[7] = "reused"
	return names
}()

var kindNames = [...]string{kindMailed: verifier.KindAccount, kindSMS: "sms", kindSilent: ""}
