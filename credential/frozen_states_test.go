package credential

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"time"
)

// FrozenStates returns a State for each shape that testdata/frozen has of one: the
// empty one, one of each kind of thing, each kind at its bound, and one that is full.
// What is sealed or digested is not real here, so that each is the same each time it
// is made; the accounts in testdata/frozen have the real ones. A State in here is
// never changed: a new field of State gets a new shape.
func FrozenStates() map[string]State {
	all := map[string]State{"empty": {}}
	for _, some := range []map[string]State{frozenDevices(), frozenRotations(), frozenCodes(), frozenFailures(), frozenRecords()} {
		for name, s := range some {
			all[name] = s
		}
	}
	return all
}

// The parts of the frozen States. What is sealed and digested has the size that it
// has under a key with the longest id: of a secret of 128 bytes, of a new one of 64,
// and of a hash.
var (
	frozenTime     = time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC)
	frozenUUID     = "738e379f-fe30-45ab-819c-ba88804b6368"
	frozenSealed   = bytes.Repeat([]byte("s"), 199)
	frozenRenewed  = bytes.Repeat([]byte("r"), 135)
	frozenSum      = bytes.Repeat([]byte("h"), 103)
	frozenDigest   = bytes.Repeat([]byte("d"), 63)
	frozenAttempts = Attempts{Failures: 100, LastAt: frozenTime, Against: strings.Repeat("\xff", fingerprintSize)}
)

func frozenDevice(basis Basis) Device {
	return Device{ID: frozenUUID, Sealed: frozenSealed, Algorithm: AlgorithmSHA1, Digits: 6, Period: 30 * time.Second, Basis: basis, CreatedAt: frozenTime}
}

// with returns a State with one device, which was changed.
func with(d Device, change func(*Device)) State {
	change(&d)
	return State{Devices: []Device{d}}
}

func frozenDevices() map[string]State {
	one := func(basis Basis, change func(*Device)) State { return with(frozenDevice(basis), change) }
	fullDevice := frozenDevice(BasisOTP)
	fullDevice.Name, fullDevice.MadeBy, fullDevice.RestsOnGrace, fullDevice.ProofDigest = strings.Repeat("\U0001F4F1", MaxName/4), frozenUUID, true, frozenDigest
	fullDevice.LastStep, fullDevice.Attempts, fullDevice.Named = math.MaxInt64, frozenAttempts, frozenAttempts
	return map[string]State{
		"device.on-grace": one(BasisGrace, func(d *Device) { d.RestsOnGrace = true }),
		"device.on-an-otp": one(BasisOTP, func(d *Device) {
			d.ProofDigest, d.Algorithm, d.Digits, d.Period = frozenDigest, AlgorithmSHA256, 8, time.Minute
		}),
		"device.on-a-code-of-another": one(BasisOTP, func(d *Device) {
			d.ProofDigest, d.MadeBy, d.RestsOnGrace = frozenDigest, "00000000-0000-4000-8000-000000000001", true
		}),
		"device.on-a-password":           one(BasisPassword, func(d *Device) { d.Algorithm = AlgorithmSHA512 }),
		"device.on-a-pin":                one(BasisPIN, func(*Device) {}),
		"device.imported":                one(BasisImported, func(d *Device) { d.Digits, d.Period, d.Name = 10, 5*time.Minute, "phone" }),
		"device.imported-with-last-use":  one(BasisImported, func(d *Device) { d.LastStep = 58910768 }),
		"device.used":                    one(BasisPIN, func(d *Device) { d.LastStep = 58910768 }),
		"device.with-name":               one(BasisPIN, func(d *Device) { d.Name = strings.Repeat("\U0001F4F1", MaxName/4) }),
		"device.with-failures":           one(BasisPIN, func(d *Device) { d.Attempts = Attempts{Failures: 1, LastAt: frozenTime} }),
		"device.blocked":                 one(BasisPIN, func(d *Device) { d.Attempts, d.Named = frozenAttempts, frozenAttempts }),
		"device.replaced-one":            one(BasisOTP, func(d *Device) { d.ProofDigest, d.Replaced = frozenDigest, frozenReplaced(1) }),
		"device.replaced-most":           one(BasisOTP, func(d *Device) { d.ProofDigest, d.Replaced = frozenDigest, frozenReplaced(MaxReplaced) }),
		"device.of-before-1970":          one(BasisGrace, func(d *Device) { d.CreatedAt = time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC) }),
		"devices.two":                    {Devices: []Device{frozenDevice(BasisGrace), frozenDevice(BasisPIN)}},
		"devices.most":                   {Devices: slices.Repeat([]Device{fullDevice}, MaxDevices)},
		"device.numbers-at-their-bounds": one(math.MaxUint8, func(d *Device) { d.Algorithm, d.Digits, d.Period = math.MaxUint8, math.MaxInt32, math.MaxInt64 }),
	}
}

func frozenReplaced(n int) []ReplacedProof {
	return slices.Repeat([]ReplacedProof{{Digest: frozenDigest, CreatedAt: frozenTime}}, n)
}

func frozenPast(n int) []PastRotation {
	return slices.Repeat([]PastRotation{{ID: frozenUUID, StartedAt: frozenTime}}, n)
}

func frozenRotation(basis Basis) *Rotation {
	return &Rotation{
		ID: frozenUUID, Sealed: frozenRenewed, Algorithm: AlgorithmSHA256, Digits: 8, Period: time.Minute,
		Basis: basis, StartedAt: frozenTime, Until: frozenTime.Add(24 * time.Hour),
	}
}

func frozenRotations() map[string]State {
	used := frozenDevice(BasisPIN)
	used.LastStep = 58910768
	return map[string]State{
		"rotation.on-a-pin": with(used, func(d *Device) { d.Rotation = frozenRotation(BasisPIN) }),
		"rotation.on-a-code-that-rests-on-grace": with(used, func(d *Device) {
			d.Rotation = frozenRotation(BasisOTP)
			d.Rotation.RestsOnGrace, d.Rotation.ProofDigest = true, frozenDigest
		}),
		"rotation.with-a-step": with(used, func(d *Device) {
			d.Rotation = frozenRotation(BasisPassword)
			d.Rotation.LastStep = 29455384
		}),
		"rotations.past-one":  with(used, func(d *Device) { d.PastRotations = frozenPast(1) }),
		"rotations.past-most": with(used, func(d *Device) { d.PastRotations = frozenPast(MaxRotations) }),
		"rotations.pending-and-past": with(used, func(d *Device) {
			d.Rotation, d.PastRotations = frozenRotation(BasisPIN), frozenPast(MaxRotations-1)
		}),
	}
}

func frozenCodes() map[string]State {
	code := OneTimeCode{ID: "00c0ffee00c0ffee", Kind: "account", Digest: frozenDigest, ExpiresAt: frozenTime}
	withdrawn, longest := code, code
	withdrawn.Withdrawn, longest.Kind = true, strings.Repeat("k", 32)
	revoked := RevokedDevice{ID: frozenUUID, At: frozenTime}
	imported := RevokedDevice{ID: frozenUUID, At: frozenTime, Imported: true, Sealed: frozenSum}
	recovery := RecoveryCodes{Sealed: bytes.Repeat([]byte("s"), 391), Left: MaxRecoveryCodes, CreatedAt: frozenTime}
	used, guessed := RecoveryCodes{CreatedAt: frozenTime}, recovery
	guessed.Left, guessed.Attempts = 9, frozenAttempts
	return map[string]State{
		"code.pending":               {Codes: []OneTimeCode{code}},
		"code.withdrawn":             {Codes: []OneTimeCode{withdrawn, code}},
		"codes.most":                 {Codes: slices.Repeat([]OneTimeCode{longest}, MaxCodes)},
		"spent.code":                 {Spent: []SpentProof{{ProofID: "code:00c0ffee00c0ffee", Until: frozenTime}}},
		"spent.longest":              {Spent: []SpentProof{{ProofID: strings.Repeat("\xff", 255), Until: frozenTime}}},
		"spent.most":                 {Spent: slices.Repeat([]SpentProof{{ProofID: strings.Repeat("p", 255), Until: frozenTime}}, MaxSpent)},
		"revoked.one":                {Revoked: []RevokedDevice{revoked}},
		"revoked.imported":           {Revoked: []RevokedDevice{imported}},
		"revoked.imported-no-secret": {Revoked: []RevokedDevice{{ID: frozenUUID, At: frozenTime, Imported: true}}},
		"revoked.most":               {Revoked: slices.Repeat([]RevokedDevice{imported}, MaxRevoked)},
		"recovery.most":              {Recovery: recovery},
		"recovery.used-up":           {Recovery: used},
		"recovery.guessed-at":        {Recovery: guessed},
	}
}

func frozenFailures() map[string]State {
	kind := KindAttempts{Kind: strings.Repeat("k", 32), Attempts: frozenAttempts}
	return map[string]State{
		"failures.otp":        {OTP: Attempts{Failures: 5, LastAt: frozenTime}},
		"failures.password":   {Password: Attempts{Failures: 1, LastAt: frozenTime, Against: "0123456789abcdef"}},
		"failures.pin":        {PIN: Attempts{Failures: 5, LastAt: frozenTime, Against: "0123456789abcdef"}},
		"failures.most":       {OTP: Attempts{Failures: math.MaxInt32}, Password: frozenAttempts, PIN: frozenAttempts},
		"failures.of-no-kind": {Kinds: []KindAttempts{{Attempts: Attempts{Failures: 3, LastAt: frozenTime}}}},
		"failures.of-a-kind":  {Kinds: []KindAttempts{{Kind: "account", Attempts: Attempts{Failures: 20, LastAt: frozenTime}}}},
		"failures.most-kinds": {Kinds: slices.Repeat([]KindAttempts{kind}, MaxKinds)},
		"grace.issued":        {GraceIssued: 3},
		"grace.most":          {GraceIssued: math.MaxInt32},
		"writes.one":          {Writes: []WriteID{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}},
		"writes.most":         {Writes: slices.Repeat([]WriteID{{0xff}}, MaxWrites)},
	}
}

// frozenRecords are a State with records of a newer release at every level, and one
// that is full in every number.
func frozenRecords() map[string]State {
	newer := record(200, "newer") + record(201, "") + record(200, "again")
	attempts := func(n int) Attempts { return Attempts{Failures: n, LastAt: frozenTime, unknown: newer} }
	d := frozenDevice(BasisOTP)
	d.Attempts, d.Named, d.unknown = attempts(1), attempts(2), []byte(newer)
	d.Rotation, d.PastRotations, d.Replaced = frozenRotation(BasisPIN), frozenPast(1), frozenReplaced(1)
	d.Rotation.unknown, d.PastRotations[0].unknown, d.Replaced[0].unknown = []byte(newer), []byte(newer), []byte(newer)
	s := State{
		Devices: []Device{d}, Codes: []OneTimeCode{{ID: "c", unknown: []byte(newer)}}, Spent: []SpentProof{{ProofID: "p", unknown: []byte(newer)}},
		OTP: attempts(3), Password: attempts(4), PIN: attempts(5), Kinds: []KindAttempts{{Kind: "k", Attempts: attempts(6), unknown: []byte(newer)}},
		Revoked:  []RevokedDevice{{ID: "r", unknown: []byte(newer)}},
		Recovery: RecoveryCodes{Left: 1, Attempts: attempts(7), unknown: []byte(newer)},
		unknown:  []byte(newer),
	}
	full := State{GraceIssued: math.MaxInt32}
	for _, part := range []State{
		frozenDevices()["devices.most"], frozenCodes()["codes.most"], frozenCodes()["spent.most"], frozenCodes()["revoked.most"],
		frozenFailures()["failures.most-kinds"], frozenFailures()["writes.most"],
	} {
		full.Devices, full.Codes, full.Spent = append(full.Devices, part.Devices...), append(full.Codes, part.Codes...), append(full.Spent, part.Spent...)
		full.Revoked, full.Kinds, full.Writes = append(full.Revoked, part.Revoked...), append(full.Kinds, part.Kinds...), append(full.Writes, part.Writes...)
	}
	for i := range full.Devices {
		d := &full.Devices[i]
		d.Rotation, d.PastRotations, d.Replaced = frozenRotation(BasisOTP), frozenPast(MaxRotations-1), frozenReplaced(MaxReplaced)
		d.Rotation.ProofDigest, d.Rotation.RestsOnGrace, d.Rotation.LastStep = frozenDigest, true, math.MaxInt64
	}
	full.Recovery, full.OTP, full.Password, full.PIN = frozenCodes()["recovery.guessed-at"].Recovery, frozenAttempts, frozenAttempts, frozenAttempts
	return map[string]State{"with-records-of-a-newer-release": s, "full": full}
}
