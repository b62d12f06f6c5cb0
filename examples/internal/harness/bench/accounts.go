package main

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// base is when the accounts registered, and when the clock of the benchmarks
// starts. It is the start of a time step.
var base = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

const period = 30 * time.Second

// firstID is the id of the first account. Numbers of one length are also what
// pgbench can make up.
const firstID = 100_000_001

func accountID(i int) string { return strconv.Itoa(firstID + i) }

// deviceID is the id of a device of an account. It looks random, as real ones do: a
// database that compresses what it stores must not find more to compress here.
func deviceID(account, device int) string {
	r := random(account, device)
	r[6], r[8] = r[6]&0x0f|0x40, r[8]&0x3f|0x80 // a UUID of version 4
	return fmt.Sprintf("%x-%x-%x-%x-%x", r[:4], r[4:6], r[6:8], r[8:10], r[10:])
}

// random returns 16 bytes, always the same ones.
func random(account, n int) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d", account, n))
	return sum[:16]
}

// deviceSecret is the secret of the device of that number, in every account:
// the database does not see it, and a client need not look it up.
func deviceSecret(i int) credential.Secret {
	return credential.NewSecret(fmt.Sprintf("bench-secret-%07d", i))
}

// base32Secret is the secret of device 0, as pquerna/otp has it, and handTOTP
// makes its codes.
var (
	base32Secret = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(deviceSecret(0).Reveal()))
	handTOTP     = newCodes(1).totp
)

// passwordHash and pinHash stand in every row, so that it is as wide as a real
// one. Nothing here is compared with them.
const passwordHash = "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"

// newAccount has the given number of devices, never used, and as many
// remembered write ids as there can be, so that its State stays as long as it is.
func newAccount(keys *credential.Keyring, pinHash string, i, devices int) (credential.Account, error) {
	a := credential.Account{ID: accountID(i), RegisteredAt: base, PasswordHash: passwordHash, PINHash: pinHash, Version: 1}
	for w := range credential.MaxWrites {
		a.State.MarkWrite(credential.WriteID(random(i, w))) // as many writers
	}
	for d := range devices {
		device := credential.Device{
			ID: deviceID(i, d), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: period,
			Basis: credential.BasisGrace, RestsOnGrace: true, CreatedAt: base.Add(-time.Hour),
		}
		var err error
		if device.Sealed, err = keys.Seal(credential.DeviceScope(a.ID, &device), deviceSecret(d)); err != nil {
			return credential.Account{}, err
		}
		a.State.Devices = append(a.State.Devices, device)
	}
	return a, nil
}

// newKeys returns a keyring and its text, for child processes.
func newKeys() (*credential.Keyring, string, error) {
	text := credential.KeyText(credential.NewKey("bench"))
	keys, err := credential.ParseKeyring(text)
	return keys, text, err
}

// turns spreads requests over accounts, and is the clock that makes this
// possible without end: when every account has had its turn, pass has gone by.
type turns struct {
	accounts     int
	pass         time.Duration
	every, first int // the accounts are each so many-th one, from the first one on
	next         atomic.Int64
}

func newTurns(accounts int, pass time.Duration) *turns {
	return &turns{accounts: accounts, pass: pass, every: 1}
}

// take returns the number of a request.
func (t *turns) take() int64 { return t.next.Add(1) - 1 }

// account returns whose turn it is.
func (t *turns) account(n int64) int { return inTurn(int(n), t.accounts)*t.every + t.first }

// at is the instant of a request. The clock may show a little more when it is
// decided, because of requests made at the same time.
func (t *turns) at(n int64) time.Time {
	return base.Add(time.Duration(n) * (t.pass / time.Duration(t.accounts)))
}

// Now implements clock.Clock.
func (t *turns) Now() time.Time { return t.at(t.next.Load()) }

// createPass is how much time goes by until an account asks for a device again:
// by then its oldest one may make room.
const createPass = 2 * time.Minute

// createPolicy gives a device on grace again and again, at the same size of
// State: the oldest device makes room.
func createPolicy(devices int) *devicetotp.Policy {
	p := devicetotp.DefaultPolicy()
	p.GraceWindow, p.GraceDevices = 24*time.Hour, credential.MaxDevices
	p.MaxDevices, p.RetryWindow, p.UnusedAfter = devices, 0, time.Minute
	return &p
}

// unissued is a store that forgets how many devices an account was issued on
// grace: there is an end to them, and none to a benchmark.
type unissued struct{ credential.Store }

func (s unissued) Load(ctx context.Context, id string) (credential.Account, error) {
	a, err := s.Store.Load(ctx, id)
	a.State.GraceIssued = 0
	return a, err
}

// benchCode is what announced holds for every account.
var benchCode = credential.NewSecret("52627183")

// announced is a store of accounts to each of which benchCode has just been sent,
// and that forgets that it was used before.
type announced struct {
	credential.Store
	clock clock.Clock
	codes map[string]credential.OneTimeCode // by account
}

func newAnnounced(store credential.Store, keys *credential.Keyring, t *turns) (*announced, error) {
	s := &announced{store, t, map[string]credential.OneTimeCode{}}
	for i := range t.accounts {
		id, code := accountID(i), credential.OneTimeCode{ID: "code", Kind: verifier.KindAccount}
		var err error
		code.Digest, err = keys.Digest(credential.Scope{Purpose: credential.PurposeOneTimeCode, AccountID: id, Subject: code.ID}, benchCode)
		if err != nil {
			return nil, err
		}
		s.codes[id] = code
	}
	return s, nil
}

func (s *announced) Load(ctx context.Context, id string) (credential.Account, error) {
	a, err := s.Store.Load(ctx, id)
	code := s.codes[id]
	code.ExpiresAt = s.clock.Now().Add(5 * time.Minute)
	a.State.Codes, a.State.Spent = []credential.OneTimeCode{code}, nil
	return a, err
}

// codes makes the code of the last device, which is found last.
type codes struct {
	totp   verifier.TOTP
	latest atomic.Pointer[stepCode]
}

type stepCode struct {
	step int64
	code credential.Secret
}

func newCodes(devices int) *codes {
	return &codes{totp: verifier.TOTP{Secret: deviceSecret(devices - 1), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: period}}
}

// at makes a code once a step, so that the clients' own work is not measured.
func (c *codes) at(t time.Time) (credential.Secret, error) {
	step := c.totp.Step(t)
	if have := c.latest.Load(); have != nil && have.step == step {
		return have.code, nil
	}
	code, err := c.totp.Code(step)
	if err != nil {
		return credential.Secret{}, err
	}
	c.latest.Store(&stepCode{step, code})
	return code, nil
}
