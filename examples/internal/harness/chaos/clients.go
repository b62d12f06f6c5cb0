package main

import (
	"bytes"
	"context"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

const (
	contenders = 2 // clients that present one code, each for a device of its own
	// Whoever comes second has guessed wrong, again each time that the refusal is
	// lost, and an account that blocks its codes ends the run.
	codesPerAccount = 1
	pause           = 10 * time.Millisecond // before asking again
)

// clients create devices until it is enough.
type clients struct {
	stage  *stage
	issuer *devicetotp.Issuer // announces codes, past the server that is killed
	http   *http.Client
	url    string
	counts *counts
	enough atomic.Bool

	mu   sync.Mutex
	done []result
}

func newClients(s *stage, c *counts) *clients {
	issuer, err := devicetotp.NewIssuer(s.store, s.keys, devicetotp.Config{})
	if err != nil {
		panic(err) // of nothing that comes from outside
	}
	return &clients{
		stage: s, issuer: issuer, counts: c,
		url: "http://" + s.socket.Addr().String(),
		http: &http.Client{
			// A connection that is used again would be repaired behind our back.
			Transport: &http.Transport{DisableKeepAlives: true},
			Timeout:   patience,
		},
	}
}

// A result is what became of one code.
type result struct {
	account, code, codeID string
	clients               [contenders]told
}

// told is what one client was answered in the end.
type told struct {
	device  string
	secret  credential.Secret // absent: refused
	blocked bool              // refused without having been checked
}

func (c *clients) results() []result {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.done)
}

// work presents one code after the other. What it has begun it brings to an end.
func (c *clients) work(ctx context.Context, worker int) error {
	account := ""
	for n := 0; !c.enough.Load(); n++ {
		if n%codesPerAccount == 0 {
			account = fmt.Sprintf("account-%d-%d", worker, n/codesPerAccount)
			if err := untilDone(ctx, func() error { return c.stage.store.Put(ctx, credential.Account{ID: account}) }); err != nil {
				return err
			}
		}
		r := result{account: account, code: fmt.Sprintf("%04d%04d", worker, n)}
		if err := c.announce(ctx, &r); err != nil {
			return err
		}
		if err := c.contend(ctx, &r); err != nil {
			return err
		}
		c.mu.Lock()
		c.done = append(c.done, r)
		c.mu.Unlock()
		c.counts.codes.Add(1)
	}
	return nil
}

// untilDone tries again while the database is being restarted.
func untilDone(ctx context.Context, do func() error) error {
	deadline := time.Now().Add(patience)
	for {
		err := do()
		if err == nil || ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(pause)
	}
}

// announce makes the code known and notes what the library calls it.
func (c *clients) announce(ctx context.Context, r *result) error {
	err := untilDone(ctx, func() error {
		_, err := c.issuer.AddCode(ctx, devicetotp.AddCodeRequest{
			AccountID: r.account, Kind: verifier.KindAccount, Code: credential.NewSecret(r.code), TTL: devicetotp.MaxCodeTTL,
		})
		return err
	})
	if err != nil {
		return err
	}
	return untilDone(ctx, func() error {
		a, err := c.stage.store.Load(ctx, r.account)
		if err != nil {
			return err
		}
		pending := slices.DeleteFunc(a.State.Codes, func(code credential.OneTimeCode) bool { return code.Withdrawn })
		if len(pending) != 1 {
			return fmt.Errorf("%d codes are pending, want the one that was announced", len(pending))
		}
		r.codeID = pending[0].ID
		return nil
	})
}

// contend lets all clients present the code at the same time.
func (c *clients) contend(ctx context.Context, r *result) error {
	var errs [contenders]error
	var group sync.WaitGroup
	for i := range contenders {
		group.Go(func() { r.clients[i], errs[i] = c.insist(ctx, r.account, r.code) })
	}
	group.Wait()
	return errors.Join(errs[:]...)
}

// insist repeats one request until it is given the device or refused; if it is
// given it, once more.
func (c *clients) insist(ctx context.Context, account, code string) (told, error) {
	t := told{device: uuid.NewString()}
	body := fmt.Sprintf(`{"data":{"type":"deviceTOTP","id":%q,"attributes":{"otp":%q}}}`, t.device, code)
	first, err := c.settle(ctx, account, body)
	if err != nil {
		return t, err
	}
	if first.status != http.StatusCreated {
		c.counts.refused.Add(1)
		t.blocked = first.code == string(totperrors.CodeTooManyAttempts)
		if !t.blocked && first.code != string(totperrors.CodeInvalidCredentials) {
			return t, fmt.Errorf("a right code of %s was answered %d %s", account, first.status, first.code)
		}
		return t, nil
	}
	c.counts.created.Add(1)
	t.secret = first.secret
	if first.replayed {
		c.counts.replayed.Add(1)
	}
	again, err := c.settle(ctx, account, body)
	if err != nil {
		return t, err
	}
	if again.status != http.StatusCreated || !bytes.Equal(first.body, again.body) {
		return t, fmt.Errorf("device %s of %s was answered %s, and then %d %s %s",
			t.device, account, first.body, again.status, again.code, again.body)
	}
	c.counts.asked.Add(1)
	return t, nil
}

// An answer is a 201, or an error other than 500.
type answer struct {
	status   int
	body     []byte
	code     string
	secret   credential.Secret
	replayed bool
}

// settle sends the same body until it is known what became of it.
func (c *clients) settle(ctx context.Context, account, body string) (answer, error) {
	var a answer
	err := untilDone(ctx, func() (err error) {
		a, err = c.post(ctx, account, body)
		c.counts.requests.Add(1)
		switch {
		case err != nil:
			c.counts.lost.Add(1)
		case a.status == http.StatusInternalServerError:
			c.counts.unclear.Add(1)
			err = errors.New("answered 500")
		}
		return err
	})
	return a, err
}

func (c *clients) post(ctx context.Context, account, body string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader([]byte(body)))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Authorization", "Bearer "+account)
	r.Header.Set("Content-Type", "application/vnd.api+json")
	response, err := c.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	a := answer{status: response.StatusCode, replayed: response.Header.Get(replayedHeader) == "true"}
	if a.body, err = io.ReadAll(response.Body); err != nil {
		return answer{}, err
	}
	return a, a.read()
}

// read takes the secret, or the code of the error, out of the document.
func (a *answer) read() error {
	var document struct {
		Data struct {
			Attributes struct {
				Secret string `json:"secret"`
			} `json:"attributes"`
		} `json:"data"`
		Errors []struct {
			Code string `json:"code"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(a.body, &document); err != nil {
		return err
	}
	if len(document.Errors) > 0 {
		a.code = document.Errors[0].Code
		return nil
	}
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(document.Data.Attributes.Secret)
	a.secret = credential.NewSecret(string(raw))
	return err
}
