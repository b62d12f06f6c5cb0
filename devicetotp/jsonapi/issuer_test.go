package jsonapi_test

import (
	"bytes"
	"context"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	"example.com/devicetotp/verifier"
)

// These run against a real Issuer, from the request to the answer.

const (
	code = "12345678"
	pin  = "PIN of alice" // too long to be in a time or an id of the log by chance
)

// service is an Issuer with its collaborators, behind the handler.
type service struct {
	store   credential.Store
	memory  *memstore.Store
	clock   *clocktest.Fake
	config  devicetotp.Config
	account string
	log     bytes.Buffer
	mu      sync.Mutex
	events  []string // request id and code of each Event
	issuer  *devicetotp.Issuer
	handler http.Handler
}

// pinHash is made once: hashing is slow on purpose.
var pinHash = sync.OnceValues(func() (string, error) {
	return verifier.DefaultHasher().Hash(context.Background(), credential.NewSecret(pin))
})

// newService has the account alice, registered ten minutes ago, with a PIN,
// no password, and a one-time code. edit may alter it before it starts.
func newService(t *testing.T, edit func(*service)) *service {
	t.Helper()
	s := &service{memory: memstore.New(), clock: clocktest.New(time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)), account: accountID}
	s.store = s.memory
	s.config = devicetotp.Config{Clock: s.clock, Observer: func(ctx context.Context, e devicetotp.Event) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.events = append(s.events, jsonapi.RequestID(ctx)+" "+string(e.Op)+" "+string(e.Code))
	}}
	hash, err := pinHash()
	require.NoError(t, err)
	require.NoError(t, s.memory.Put(t.Context(), credential.Account{
		ID: accountID, RegisteredAt: s.clock.Now().Add(-10 * time.Minute), PINHash: hash,
	}))
	keys, err := credential.NewKeyring("k", credential.NewKey("k"))
	require.NoError(t, err)
	plainIssuer, err := devicetotp.NewIssuer(s.memory, keys, devicetotp.Config{Clock: s.clock})
	require.NoError(t, err)
	_, err = plainIssuer.AddCode(t.Context(), devicetotp.AddCodeRequest{
		AccountID: accountID, Kind: verifier.KindAccount, Code: credential.NewSecret(code), TTL: 5 * time.Minute})
	require.NoError(t, err)
	if edit != nil {
		edit(s)
	}
	s.issuer, err = devicetotp.NewIssuer(s.store, keys, s.config)
	require.NoError(t, err)
	auth := jsonapi.Bearer(func(ctx context.Context, token string) (jsonapi.Principal, error) {
		p, err := tokens(ctx, token)
		p.AccountID = s.account
		return p, err
	})
	s.handler = handlerWith(t, s.issuer, auth, jsonapi.Config{Logger: slog.New(slog.NewJSONHandler(&s.log, nil))})
	return s
}

func (s *service) post(t *testing.T, body string) answer { return serve(t, s.handler, request(body)) }

// state is all that is stored about alice.
func (s *service) state(t *testing.T) string {
	t.Helper()
	a, err := s.memory.Load(t.Context(), accountID)
	require.NoError(t, err)
	b, err := a.State.MarshalBinary()
	require.NoError(t, err)
	return fmt.Sprintf("%d %x", a.Version, b)
}

func asking(id, attributes string) string {
	return `{"data":{"type":"deviceTOTP","id":"` + id + `","attributes":{` + attributes + `}}}`
}

func TestIssuerSatisfiesCreator(t *testing.T) {
	var _ jsonapi.Creator = (*devicetotp.Issuer)(nil)
	_, err := jsonapi.NewHandler((*devicetotp.Issuer)(nil), jsonapi.Bearer(tokens), jsonapi.Config{})
	require.ErrorContains(t, err, "issuer must not be nil")
}

func TestEnrolmentOverHTTPThenACodeOfTheDevice(t *testing.T) {
	s := newService(t, nil)
	first := s.post(t, asking(strings.ToUpper(deviceID), `"otp":"`+code+`"`))
	require.Equal(t, http.StatusCreated, first.Code, "%s", first.Body)
	again := s.post(t, asking(deviceID, `"otp":"`+code+`"`))
	require.Equal(t, http.StatusCreated, again.Code)
	require.Equal(t, first.Body.String(), again.Body.String(), "a repeated request gets the same answer")

	var doc struct {
		Data struct{ Attributes struct{ Secret string } }
	}
	require.NoError(t, json.Unmarshal(first.Body.Bytes(), &doc))
	raw, err := base32.StdEncoding.DecodeString(doc.Data.Attributes.Secret)
	require.NoError(t, err)
	totp := verifier.TOTP{Secret: credential.NewSecret(string(raw)), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second}
	now, err := totp.Code(totp.Step(s.clock.Now()))
	require.NoError(t, err)
	_, err = s.issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: accountID, Code: now})
	require.NoError(t, err, "the first code is accepted in the second of the enrolment")
}

func TestWrongSpentExpiredUnsetMalformedAndUnknownAreTheSameBytes(t *testing.T) {
	answers := map[string]answer{}
	refuse := func(name, attributes string, prepare func(*service)) {
		s := newService(t, nil)
		if prepare != nil {
			prepare(s)
		}
		r := request(asking("00000000-0000-4000-8000-00000000000a", attributes))
		r.Header.Set("Request-Id", "cbgmhslmp1o9or9kh1p0")
		answers[name] = serve(t, s.handler, r)
	}
	spend := func(s *service) {
		require.Equal(t, http.StatusCreated, s.post(t, asking(deviceID, `"otp":"`+code+`"`)).Code)
	}
	unknown := func(s *service) { s.account = "nobody" }
	refuse("wrong", `"otp":"00000000"`, nil)
	refuse("spent", `"otp":"`+code+`"`, spend)
	refuse("expired", `"otp":"`+code+`"`, func(s *service) { s.clock.Advance(6 * time.Minute) })
	refuse("malformed", `"otp":"one two three"`, nil)
	refuse("empty", `"otp":""`, nil)
	refuse("unknown account", `"otp":"`+code+`"`, unknown)
	requireSame(t, answers)

	clear(answers)
	refuse("wrong", `"password":"x"`, func(s *service) {
		hash, err := verifier.DefaultHasher().Hash(t.Context(), credential.NewSecret("y"))
		require.NoError(t, err)
		require.NoError(t, s.memory.Update(accountID, func(a *credential.Account) { a.PasswordHash = hash }))
	})
	refuse("none set", `"password":"x"`, nil)
	refuse("unknown account", `"password":"x"`, unknown)
	requireSame(t, answers)

	clear(answers)
	noPIN := func(s *service) {
		require.NoError(t, s.memory.Update(accountID, func(a *credential.Account) { a.PINHash = "" }))
	}
	refuse("wrong", `"pin":"0000"`, nil)
	refuse("empty", `"pin":""`, nil)
	refuse("none set", `"pin":"0000"`, noPIN)
	refuse("empty, none set", `"pin":""`, noPIN)
	refuse("unknown account", `"pin":"0000"`, unknown)
	requireSame(t, answers)

	clear(answers)
	refuse("wrong", `"otp":"00000000","pin":"0000"`, nil)
	refuse("spent", `"otp":"`+code+`","pin":"0000"`, spend)
	refuse("expired", `"otp":"`+code+`","pin":"0000"`, func(s *service) { s.clock.Advance(6 * time.Minute) })
	refuse("no PIN set", `"otp":"00000000","pin":"0000"`, noPIN)
	refuse("unknown account", `"otp":"`+code+`","pin":"0000"`, unknown)
	requireSame(t, answers)
}

func requireSame(t *testing.T, answers map[string]answer) {
	t.Helper()
	want := answers["wrong"]
	require.Equal(t, http.StatusForbidden, want.Code)
	for name, a := range answers {
		require.Equal(t, want.Code, a.Code, name)
		require.Equal(t, want.Header(), a.Header(), name)
		require.Equal(t, want.Body.String(), a.Body.String(), name)
	}
}

func TestWhatIsRefusedBeforeTheIssuerSpendsAndCountsNothing(t *testing.T) {
	for _, attributes := range []string{`"otp":"` + code + `"`, `"pin":"0000"`} {
		s := newService(t, nil)
		before := s.state(t)
		for status, edit := range map[int]func(*http.Request){
			401: func(r *http.Request) { r.Header.Set("Authorization", "Bearer bad") },
			406: func(r *http.Request) { r.Header.Set("Accept", "text/html") },
			415: func(r *http.Request) { r.Header.Set("Content-Type", "application/json") },
			422: func(r *http.Request) { r.Body = http.NoBody },
		} {
			r := request(asking(deviceID, attributes))
			edit(r)
			require.Equal(t, status, serve(t, s.handler, r).Code)
		}
		require.Equal(t, 422, s.post(t, `{"data":{"type":"device","attributes":{`+attributes+`}}}`).Code)
		require.Equal(t, 422, s.post(t, asking("not-a-uuid", attributes)).Code)
		require.Equal(t, before, s.state(t))
		require.Empty(t, s.events)
	}
}

func TestGraceFollowsTheScope(t *testing.T) {
	s := newService(t, nil)
	require.NoError(t, s.memory.Update(accountID, func(a *credential.Account) { a.RegisteredAt = s.clock.Now() }))
	scoped := func(scopes ...string) http.Handler {
		return handlerWith(t, s.issuer, authenticating(jsonapi.Principal{AccountID: accountID, Scopes: scopes}, nil), jsonapi.Config{})
	}
	a := serve(t, scoped(jsonapi.ScopeCreate), request(asking(deviceID, "")))
	require.Equal(t, []string{"credentials-required /data/attributes"}, a.summary())
	a = serve(t, scoped(jsonapi.ScopeCreate, jsonapi.ScopeCreateAfterLogin), request(asking(deviceID, "")))
	require.Equal(t, http.StatusCreated, a.Code)
}

func TestTooManyWrongPINs(t *testing.T) {
	s := newService(t, nil)
	for range 5 {
		require.Equal(t, []string{"invalid-credentials /data/attributes/pin"}, s.post(t, asking(deviceID, `"pin":"0000"`)).summary())
	}
	a := s.post(t, asking(deviceID, `"pin":"`+pin+`"`))
	require.Equal(t, []string{"too-many-attempts none"}, a.summary())
	require.Equal(t, "30", a.Header().Get("Retry-After"))
	require.Equal(t, 30, a.errors[0].Meta.RetryAfter)
}

func TestIDInUse(t *testing.T) {
	s := newService(t, nil)
	require.Equal(t, http.StatusCreated, s.post(t, asking(deviceID, `"pin":"`+pin+`"`)).Code)
	s.clock.Advance(time.Hour)
	require.Equal(t, []string{"id-in-use /data/id"}, s.post(t, asking(deviceID, `"pin":"`+pin+`"`)).summary())
}

// failingStore fails every Load.
type failingStore struct{ *memstore.Store }

func (failingStore) Load(context.Context, string) (credential.Account, error) {
	return credential.Account{}, errors.New("innards of the store")
}

type failingSecrets struct{}

func (failingSecrets) NewSecret(context.Context, int) (credential.Secret, error) {
	return credential.Secret{}, errors.New("innards of the source")
}

func TestFailingCollaborators(t *testing.T) {
	brokenVerifier := verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
		return verifier.Verdict{}, errors.New("innards of the verifier")
	})
	panickingVerifier := verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
		panic("innards of the verifier")
	})
	for name, c := range map[string]struct {
		breaks       func(*service)
		code, logged string
	}{
		"store":              {func(s *service) { s.store = failingStore{s.memory} }, "unavailable", "innards"},
		"secret source":      {func(s *service) { s.config.Secrets = failingSecrets{} }, "internal-error", "innards"},
		"verifier":           {func(s *service) { s.config.PIN = brokenVerifier }, "internal-error", "innards"},
		"panicking verifier": {func(s *service) { s.config.PIN = panickingVerifier }, "internal-error", "panicked"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, c.breaks)
			a := s.post(t, asking(deviceID, `"pin":"`+pin+`"`))
			require.Equal(t, []string{c.code + " none"}, a.summary())
			require.Equal(t, c.code == "unavailable", a.Header().Get("Retry-After") != "")
			require.NotContains(t, a.Body.String(), "innards")
			line := logLine(t, &s.log)
			require.Equal(t, a.errors[0].ID, line["request_id"])
			require.Contains(t, line["error"], c.logged)
			require.NotContains(t, s.log.String(), pin)
		})
	}
}

func TestRequestIDIsInTheEvent(t *testing.T) {
	s := newService(t, nil)
	id := s.post(t, asking(deviceID, `"pin":"`+pin+`"`)).Header().Get("Request-Id")
	require.Equal(t, []string{id + " create "}, s.events)
}
