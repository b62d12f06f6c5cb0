package devicetotp_test

import (
	"strings"
	"sync"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// The accounts and requests of the truth tables.

// account builds the account and the request of a row.
func (r createRow) account() (credential.Account, devicetotp.CreateRequest) {
	f := r.before()
	a := credential.Account{ID: "acct", RegisteredAt: tableNow.Add(-r.grace.age), Locked: r.place.locked, PasswordHash: "password hash", PINHash: "pin hash", Version: 4}
	if r.grace.unknown {
		a.RegisteredAt = time.Time{}
	}
	req := devicetotp.CreateRequest{AccountID: "acct", DeviceID: strings.ToUpper(tableID), NoGrace: r.grace.closedForThis}
	switch {
	case r.otp.empty:
		req.OTP = secret("")
	case !r.otp.absent:
		req.OTP = secret(tableOTP)
	}
	for _, p := range []struct {
		state     hashState
		hash      *string
		presented *credential.Secret
	}{{r.password, &a.PasswordHash, &req.Password}, {r.pin, &a.PINHash, &req.PIN}} {
		switch p.state {
		case hashAbsent:
			continue
		case hashUnset:
			*p.hash = ""
		}
		if *p.presented = secret("value"); p.state == hashEmpty {
			*p.presented = secret("")
		}
	}
	a.State = f.state(&a, r)
	return a, req
}

const tableOTP = "123456"

// state builds what is stored.
func (f *facts) state(a *credential.Account, r createRow) (s credential.State) {
	s.OTP = f.otp.attempts(tableNow, "")
	s.Password = f.password.attempts(tableNow, credential.Fingerprint(a.PasswordHash))
	s.PIN = f.pin.attempts(tableNow, credential.Fingerprint(a.PINHash))
	for _, k := range []kind{kindMailed, kindSMS, kindSilent} {
		s.SetKindAttempts(kindNames[k], f.kinds[k].attempts(tableNow, ""))
	}
	s.GraceIssued = f.issued
	s.Codes = pendingCodes
	for _, name := range f.spent {
		until := tableNow.Add(time.Minute)
		if name == "old" {
			until = tableNow.Add(-1)
		}
		s.Spent = append(s.Spent, credential.SpentProof{ProofID: name, Until: until})
	}
	for i := range f.devices {
		s.Devices = append(s.Devices, f.devices[i].stored(r))
	}
	return s
}

var pendingCodes = []credential.OneTimeCode{
	{ID: "expired", Kind: verifier.KindAccount, ExpiresAt: tableNow},
	{ID: "mailed", Kind: verifier.KindAccount, ExpiresAt: tableNow.Add(1)},
	{ID: "withdrawn", Kind: "sms", ExpiresAt: tableNow.Add(1), Withdrawn: true},
	{ID: "texted", Kind: "sms", ExpiresAt: tableNow.Add(1)},
}

func (d *deviceFacts) stored(r createRow) credential.Device {
	out := credential.Device{
		ID: d.id, Basis: d.basis, RestsOnGrace: d.rests, MadeBy: d.madeBy, Algorithm: credential.AlgorithmSHA1, Digits: d.digits, Period: 30 * time.Second,
		LastStep: d.step, CreatedAt: tableNow.Add(-d.age), Attempts: d.attempts.attempts(tableNow, ""), Named: d.named.attempts(tableNow, ""),
	}
	if d.id != tableID {
		return out
	}
	if out.Sealed = tableSeal(out, storedSecret); r.place.sealBroken {
		out.Sealed = []byte("broken")
	}
	switch {
	case r.place.digestBroken:
		out.ProofDigest = []byte("broken")
	case d.digest && r.otp.is == theSameOTP:
		out.ProofDigest = tableDigest(tableOTP)
	case d.digest:
		out.ProofDigest = tableDigest("654321")
	}
	if d.digest {
		out.Replaced = replacedProofs[r.otp.is]()
	}
	return out
}

// replacedProofs are the OTPs of two earlier devices of the asked id.
var replacedProofs = map[knownOTP]func() []credential.ReplacedProof{
	aFreshOTP:           sync.OnceValue(func() []credential.ReplacedProof { return earlierProofs("111111", "222222") }),
	theSameOTP:          sync.OnceValue(func() []credential.ReplacedProof { return earlierProofs("111111", "222222") }),
	anEarlierOTP:        sync.OnceValue(func() []credential.ReplacedProof { return earlierProofs("111111", tableOTP) }),
	anEarlierOTPLongAgo: sync.OnceValue(func() []credential.ReplacedProof { return earlierProofs(tableOTP, "222222") }),
}

func earlierProofs(longAgo, recent string) []credential.ReplacedProof {
	return []credential.ReplacedProof{
		{Digest: tableDigest(longAgo), CreatedAt: tableNow.Add(-fiveMin - 1)},
		{Digest: tableDigest(recent), CreatedAt: tableNow.Add(-4 * time.Minute)},
	}
}

// factsOf reads what is stored.
func factsOf(a *credential.Account) facts {
	s := &a.State
	f := facts{otp: failuresOf(s.OTP, tableNow), password: failuresOf(s.Password, tableNow), pin: failuresOf(s.PIN, tableNow), issued: s.GraceIssued}
	for _, k := range []kind{kindMailed, kindSMS, kindSilent} {
		f.kinds[k] = failuresOf(s.KindAttempts(kindNames[k]), tableNow)
	}
	for _, p := range s.Spent {
		f.spent = append(f.spent, p.ProofID)
	}
	for i := range s.Devices {
		d := &s.Devices[i]
		facts := deviceFacts{
			id: d.ID, basis: d.Basis, rests: d.RestsOnGrace, madeBy: d.MadeBy, digits: d.Digits, step: d.LastStep, age: tableNow.Sub(d.CreatedAt),
			attempts: failuresOf(d.Attempts, tableNow), named: failuresOf(d.Named, tableNow), digest: d.ProofDigest != nil,
		}
		for _, p := range d.Replaced {
			facts.replaced += tableNow.Sub(p.CreatedAt).String() + " "
		}
		f.devices = append(f.devices, facts)
	}
	return f
}

// tableKeys is one keyring for every table: deriving keys takes longer than a row.
var tableKeys = sync.OnceValue(func() *credential.Keyring {
	keys, err := credential.NewKeyring("k", credential.NewKey("k"))
	if err != nil {
		panic(err)
	}
	return keys
})

// Sealing takes longer than a row, so that every seal and digest is made once.
var tableSeals, tableDigests sync.Map

// sealID is what differs between the devices of the tables.
type sealID struct {
	id        string
	basis     credential.Basis
	rests     bool
	digits    int
	createdAt int64
}

func tableSeal(d credential.Device, plain string) []byte {
	id := sealID{d.ID, d.Basis, d.RestsOnGrace, d.Digits, d.CreatedAt.UnixNano()}
	if sealed, ok := tableSeals.Load(id); ok {
		return sealed.([]byte)
	}
	sealed, err := tableKeys().Seal(credential.DeviceScope("acct", &d), secret(plain))
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
	digest, err := tableKeys().Digest(credential.Scope{Purpose: credential.PurposeProof, AccountID: "acct", Subject: tableID}, secret(otp))
	if err != nil {
		panic(err)
	}
	tableDigests.Store(otp, digest)
	return digest
}
