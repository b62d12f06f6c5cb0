package explore

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// scenario is what a history starts from, and who asks for what.
type scenario struct {
	name    string
	words   string // if the name does not say it
	account *household
	clients [][]request

	menu        menu
	hostChanges []hostChange
	jumps       []time.Duration
	crowded     bool // other processes may save between
}

// heavy reports whether two faults would take too long: three clients, or four
// requests.
func (s *scenario) heavy() bool {
	requests := 0
	for _, c := range s.clients {
		requests += len(c)
	}
	return len(s.clients) > 2 || requests > 3
}

// menu says what the calls of clients can do.
type menu uint8

const (
	troubled menu = iota // anything
	quiet                // what they should; faults are what happens beside them
)

// hostChange is something that the host does to the account.
type hostChange struct {
	words string
	do    func(*credential.Account) // nil deletes the account
}

func (h hostChange) apply(a *credential.Account) (deleted bool) {
	if h.do == nil {
		return true
	}
	h.do(a)
	return false
}

var (
	newPIN = hostChange{"sets another PIN", func(a *credential.Account) { a.PINHash = hashOf("1235") }}
	locks  = hostChange{"locks the account", func(a *credential.Account) { a.Locked = true }}
	erases = hostChange{"deletes the account", nil}
)

// request is one call of an operation, as often as it is wanted.
type request struct {
	words  string
	method string // of devicetotp.Issuer
	do     func(ctx context.Context, i *devicetotp.Issuer) answer

	otp     string // the one-time value that it presents or announces
	reads   bool   // it saves nothing
	looks   bool   // it checks a value without a verifier
	forgets bool   // it may reset failures that it proves nothing about: Unblock
	anew    bool   // sent again it is a new act, as its documentation says
}

// answer is what the caller gets.
type answer struct {
	code devicetotp.Code
	text string // all of it, in words
	// granted names what was given or accepted, and is the same if it is given
	// again; "" for nothing.
	granted string
	// basis is that of a device that was given.
	basis credential.Basis
	// recovery are new recovery codes.
	recovery []credential.Secret
}

// answered makes an answer of what an operation returned. granted is ignored
// where err is not nil.
func answered(err error, granted, format string, args ...any) answer {
	if err == nil {
		return answer{text: fmt.Sprintf(format, args...), granted: granted}
	}
	a := answer{code: devicetotp.CodeOf(err), text: err.Error()}
	if a.code == devicetotp.CodeUnavailable {
		a.text = string(a.code)
	}
	return a
}

// accountID is the account of every scenario.
const accountID = "acct"

// phone returns the id of a device: that of the household is 0.
func phone(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// The household: registered a minute ago, with the PIN 8299, the password
// "password", the pending one-time code 11111111, and one device that was made on
// the PIN and is phone(0).
const (
	pin      = "8299"
	password = "password"
	code     = "11111111"
	wrong    = "99999999" // has the digits of a one-time code and not those of a device
)

// household is an account before a history, and what is known about it.
type household struct {
	credential.Account
	policy devicetotp.Policy
	keys   *credential.Keyring
	start  time.Time
	values []string // the one-time values that a digest may stand for
	given  []answer // of what was asked before
}

// keys is a keyring, and newer one that has another primary key.
var keys, newer = ring("old", "old"), ring("new", "old", "new")

func ring(primary string, ids ...string) *credential.Keyring {
	var all []credential.Key
	for _, id := range ids {
		all = append(all, credential.Key{ID: id, Secret: secret(strings.Repeat(id[:1], credential.KeySize))})
	}
	k, err := credential.NewKeyring(primary, all...)
	must(err)
	return k
}

// home returns the household after what the library is asked to do with it first.
func home(policy func(*devicetotp.Policy), before ...request) *household {
	h := &household{policy: devicetotp.DefaultPolicy(), keys: keys, start: devicetotptest.Start}
	if policy != nil {
		policy(&h.policy)
	}
	store, secrets := memstore.New(), &devicetotptest.Secrets{}
	must(store.Put(context.Background(), credential.Account{
		ID: accountID, RegisteredAt: h.start.Add(-time.Minute), PINHash: hashOf(pin), PasswordHash: hashOf(password),
	}))
	issuer := h.newIssuer(store, clock.Func(func() time.Time { return h.start }), secrets, nobody{})
	for _, r := range append([]request{createOn("PIN", 0), addCode(code)}, before...) {
		h.values = append(h.values, r.otp)
		a := r.do(context.Background(), issuer)
		if a.code == devicetotp.CodeInternal || a.code == devicetotp.CodeInvalidArgument {
			panic(r.words + ": " + a.text)
		}
		h.given = append(h.given, a)
	}
	var err error
	h.Account, err = store.Load(context.Background(), accountID)
	must(err)
	return h
}

// under returns the household with another keyring from now on.
func (h *household) under(k *credential.Keyring) *household {
	h.keys = k
	return h
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// watcher sees what an Issuer does besides its calls to the store.
type watcher interface {
	look()
	observe(devicetotp.Event)
}

type nobody struct{}

func (nobody) look()                    {}
func (nobody) observe(devicetotp.Event) {}

func (h *household) newIssuer(s credential.Store, c devicetotp.Clock, secrets devicetotp.SecretSource, w watcher) *devicetotp.Issuer {
	otp := verifier.OTP(h.keys, h.policy.OTPKinds...)
	i, err := devicetotp.NewIssuer(s, h.keys, devicetotp.Config{
		Clock: c, Secrets: secrets, Policy: &h.policy,
		OTP: verifier.Func(func(ctx context.Context, q verifier.Query) (verifier.Verdict, error) {
			w.look()
			return otp.Verify(ctx, q)
		}),
		Password: plain(w.look), PIN: plain(w.look),
		Observer: func(_ context.Context, e devicetotp.Event) { w.observe(e) },
	})
	must(err)
	return i
}

func randomVersion() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return int64(binary.BigEndian.Uint64(b[:])>>2) + 1
}

func randomWriteID() (id credential.WriteID) {
	_, _ = rand.Read(id[:])
	return id
}

func secret(s string) credential.Secret { return credential.NewSecret(s) }

// codeOf returns the code of a device at the start of the history, that many
// steps off.
func codeOf(secret credential.Secret, steps int64) string {
	t := verifier.TOTP{Secret: secret, Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second}
	c, err := t.Code(t.Step(devicetotptest.Start) + steps)
	must(err)
	return c.Reveal()
}

// homeSecret is that of the household's device.
var homeSecret = func() credential.Secret {
	s, err := (&devicetotptest.Secrets{}).NewSecret(context.Background(), 20)
	must(err)
	return s
}()

// homeCode is a code of the household's device, and wrongCode one of no device.
func homeCode(steps int64) string { return codeOf(homeSecret, steps) }

const wrongCode = "000000"
