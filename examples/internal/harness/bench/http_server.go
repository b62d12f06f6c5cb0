package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
)

// httpServerConfig tells the server's process what to serve.
type httpServerConfig struct{ Accounts int }

// httpAddresses is its answer: where each handler listens.
type httpAddresses struct{ Ours, Plain string }

// httpServerChild serves both handlers, each on a port of its own, until the
// parent is done.
func httpServerChild(in *json.Decoder, out *json.Encoder) error {
	var c httpServerConfig
	if err := in.Decode(&c); err != nil {
		return err
	}
	ours, err := graceHandler(c.Accounts)
	if err != nil {
		return err
	}
	var at httpAddresses
	if at.Ours, err = serve(ours); err != nil {
		return err
	}
	if at.Plain, err = serve(http.HandlerFunc(plain)); err != nil {
		return err
	}
	if err := out.Encode(at); err != nil {
		return err
	}
	return in.Decode(&struct{}{}) // until there is no more to read
}

func serve(h http.Handler) (address string, err error) {
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // it ends with the process
	return listener.Addr().String(), nil
}

// graceHandler is the whole of a service: authentication, negotiation, the
// Issuer, accounts in memory. Each request is for the next account.
func graceHandler(accounts int) (http.Handler, error) {
	keys, _, err := newKeys()
	if err != nil {
		return nil, err
	}
	store := memstore.New()
	for i := range accounts {
		a, err := newAccount(keys, "", i, 1)
		if err != nil {
			return nil, err
		}
		if err := store.Replace(context.Background(), a); err != nil {
			return nil, err
		}
	}
	shared := newTurns(accounts, createPass)
	issuer, err := devicetotp.NewIssuer(unissued{store}, keys, devicetotp.Config{Clock: shared, Policy: createPolicy(1)})
	if err != nil {
		return nil, err
	}
	owner := func(_ context.Context, token string) (jsonapi.Principal, error) {
		if token != httpToken {
			return jsonapi.Principal{}, jsonapi.ErrInvalidToken
		}
		return jsonapi.Principal{
			AccountID: accountID(shared.account(shared.take())),
			Scopes:    []string{jsonapi.ScopeCreate, jsonapi.ScopeCreateAfterLogin},
		}, nil
	}
	return jsonapi.NewHandler(issuer, jsonapi.Bearer(owner), jsonapi.Config{})
}

// plainDocument is what the plain handler reads and writes.
type plainDocument struct {
	Data plainData `json:"data"`
}

type plainData struct {
	Type       string          `json:"type"`
	ID         string          `json:"id,omitempty"`
	Attributes plainAttributes `json:"attributes"`
}

type plainAttributes struct {
	PIN       *string `json:"pin,omitempty"`
	Password  *string `json:"password,omitempty"`
	OTP       *string `json:"otp,omitempty"`
	Secret    string  `json:"secret,omitempty"`
	Period    int     `json:"period,omitempty"`
	Digits    int     `json:"digits,omitempty"`
	Algorithm string  `json:"algorithm,omitempty"`
}

var (
	plainID     = deviceID(0, 1)
	plainSecret = devicetotp.DeviceTOTP{Secret: credential.NewSecret("12345678901234567890")}.Base32()
)

// plain decodes the same body and encodes the same answer, and does nothing
// else: no authentication, no negotiation, no limit, no decision.
func plain(w http.ResponseWriter, r *http.Request) {
	var document plainDocument
	if err := json.NewDecoder(r.Body).Decode(&document); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	document.Data.ID = plainID
	document.Data.Attributes = plainAttributes{Secret: plainSecret, Period: 30, Digits: 6, Algorithm: "SHA1"}
	w.Header().Set("Content-Type", jsonapi.MediaType)
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(document) // a client that hung up gets no answer
}
