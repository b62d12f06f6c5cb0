// Package payments is a service that had users and payments before, on PostgreSQL,
// and has devices approve payments now. What the library does not know is here:
//
//   - store.go keeps what the library remembers beside the users,
//   - service.go mounts the library's endpoint and the service's own, with chi,
//   - approve.go approves a payment with a code of a proved device,
//   - devices.go and password.go are its settings,
//   - problem.go answers errors in the service's own form,
//   - observe.go logs, and queues a notice for each new device,
//   - keys.go checks when the service starts that it has the right keys.
//
// It has no main, and no sessions of its own: the tests run it over HTTP, on a
// PostgreSQL, with a fake clock.
package payments

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	"example.com/devicetotp/verifier"
)

// Options are what the service is made of.
type Options struct {
	DB   *sql.DB
	Keys *credential.Keyring
	// Auth says whose session a request has. Those of this service have no scopes.
	Auth jsonapi.Authenticator
	// EndSessions ends the user's sessions, except that of the request.
	EndSessions func(r *http.Request, accountID string) error
	Log         *slog.Logger
	// Canary is an account with a device, to check the keys with; "" for none.
	Canary string
	// Clock is the system's if nil.
	Clock devicetotp.Clock
	// Limits are the library's defaults where they are zero.
	Limits devicetotp.Limits
}

// Service is the service.
type Service struct {
	Options
	Issuer *devicetotp.Issuer
	store  *Store
	hasher *verifier.Hasher
	api    jsonapi.Config
}

// New checks the database and the keys, and returns the service.
func New(ctx context.Context, o Options) (*Service, error) {
	// With a store of its own nobody checks what PostgreSQL is set to. This does, on
	// the same handle; the sqlstore itself is not used, and neither is its table.
	if _, err := sqlstore.New(ctx, o.DB, sqlstore.DialectPostgres, sqlstore.Config{}); err != nil {
		return nil, err
	}
	const storeTimeout = 2 * time.Second // the library's default too
	observer := &Observer{DB: o.DB, Log: o.Log, Timeout: cmp.Or(o.Limits.StoreTimeout, storeTimeout)}
	s := &Service{Options: o, store: &Store{o.DB}, hasher: verifier.DefaultHasher()}
	s.api = jsonapi.Config{IgnoreScopes: true, Realm: "payments", Logger: o.Log}
	var err error
	s.Issuer, err = devicetotp.NewIssuer(s.store, o.Keys, devicetotp.Config{
		Clock: o.Clock, Limits: o.Limits, PIN: verifier.Off(), Observer: observer.Observe,
		OnRehash: s.store.RotateHash, // the login uses hasher.Compare
	})
	if err == nil && o.Canary != "" {
		err = CheckKeys(ctx, s.Issuer, o.Canary)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Handler serves the published endpoint as JSON:API, and the service's own.
func (s *Service) Handler() (http.Handler, error) {
	totp, err := jsonapi.NewHandler(s.Issuer, s.Auth, s.api)
	if err != nil {
		return nil, err
	}
	r := chi.NewRouter()
	r.Handle("/user/devices/totp", totp) // for every method
	r.Post("/payments/{id}/approve", s.own(s.approve))
	r.Get("/settings/devices", s.own(s.devices))
	r.Post("/settings/devices/{id}/remove", s.own(s.remove))
	r.Post("/settings/password", s.own(s.password))
	return r, nil
}

// own returns a handler that authenticates a request, and answers what the endpoint
// returns for it, or its error.
func (s *Service) own(endpoint func(r *http.Request, accountID string) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		principal, err := jsonapi.Authenticate(r, s.Auth, "", s.api)
		var value any
		if err == nil {
			r.Body = http.MaxBytesReader(w, r.Body, 8<<10)
			value, err = endpoint(r, principal.AccountID)
		}
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		answer(w, http.StatusOK, value)
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the client is gone
}

// read reads a JSON body. A member that nobody knows is refused: it may be a
// misspelled one. So is what follows the value.
func read(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return errors.Join(errBody, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errBody
	}
	return nil
}
