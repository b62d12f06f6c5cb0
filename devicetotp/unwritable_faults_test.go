package devicetotp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// Databases that can be read and not written, and databases that never find what
// they gave.

// counted is a configure function that counts what the verifiers are asked.
func counted(asked *int, w *household) func(*devicetotp.Config) {
	return func(c *devicetotp.Config) {
		c.OTP = counting(asked, verifier.OTP(w.Keys, verifier.KindAccount, verifier.KindDeviceTOTP, verifier.KindRecovery))
		c.Password, c.PIN = counting(asked, c.Password), counting(asked, c.PIN)
	}
}

// The bug class: an uncounted verdict while the database cannot write. The
// answer is unavailable either way, but a right value is found without hashing
// the next one, as often as one likes. After a Save that failed, nothing is
// looked at until one has succeeded; what is tried is the account as it was.
func TestEveryOperation_NothingIsLookedAtWhileTheStoreCannotWrite(t *testing.T) {
	for name, refusal := range map[string]error{"read only": errUnclear, "timeout": context.DeadlineExceeded} {
		for _, a := range acts() {
			t.Run(a.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := a.prepare(t)
					asked := 0
					p := &process{database: databaseOf(t, h.World, "acct")}
					p.refuse = func(credential.Account) error { return refusal }
					i := issuerOn(t, h.World, p, counted(&asked, h))
					require.True(t, isUnavailable(a.run(t.Context(), i, h)), "the first one finds out")
					before := withoutWrites(t, p.stored("acct").State)
					asked, p.attempted = 0, nil
					for range 3 {
						require.True(t, isUnavailable(a.run(t.Context(), i, h)))
					}
					require.Zero(t, asked, "verifiers asked although nothing can be counted")
					require.NotEmpty(t, p.attempted, "it finds out by a Save")
					for _, attempt := range p.attempted {
						require.Equal(t, before, withoutWrites(t, attempt.State), "a Save of the account as it was, not of a verdict")
					}

					p.refuse = nil // it can write again
					require.Equal(t, a.code, devicetotp.CodeOf(a.run(t.Context(), i, h)))
					require.Positive(t, p.acknowledged)
				})
			})
		}
	}
}

// The same for one request after another with different values: no door of the
// account may be used to look through another.
func TestEveryOperation_AFailedSaveClosesEveryDoorOfTheAccount(t *testing.T) {
	for _, first := range acts() {
		t.Run(first.name, func(t *testing.T) {
			h := first.prepare(t)
			asked := 0
			p := &process{database: databaseOf(t, h.World, "acct")}
			p.refuse = func(credential.Account) error { return errUnclear }
			i := issuerOn(t, h.World, p, counted(&asked, h))
			require.True(t, isUnavailable(first.run(t.Context(), i, h)))
			asked = 0
			for n, r := range []devicetotp.CreateRequest{
				{OTP: secret(wrongCode), Password: secret("no")}, {OTP: secret(rightCode), Password: secret("no")},
				{PIN: secret("8299")}, {PIN: secret("0000")}, {OTP: h.code()},
			} {
				r.AccountID, r.DeviceID = "acct", otherID(20+n)
				_, err := i.Create(t.Context(), r)
				require.True(t, isUnavailable(err), "%v", err)
			}
			require.Zero(t, asked, "verifiers asked although nothing can be counted")
		})
	}
}

// spelling is a store that compares one host field as it was written, and gives
// it back as something else, so that no Save ever matches.
type spelling struct {
	*process
	change func(*credential.Account)
}

func (s spelling) Load(ctx context.Context, id string) (credential.Account, error) {
	a, err := s.process.Load(ctx, id)
	s.change(&a)
	return a, err
}

// The bug class: a permanent fault is called temporary. A host field that does
// not come back as it was written is a conflict for ever: seconds of rounds, and
// an answer that says to try again. After three it is a fault, with the fields.
func TestEveryOperation_AStoreThatNeverMatchesIsAFault(t *testing.T) {
	for name, change := range map[string]func(*credential.Account){
		"RegisteredAt": func(a *credential.Account) {
			a.RegisteredAt = a.RegisteredAt.Truncate(time.Second).Add(-time.Nanosecond)
		},
		"PasswordHash": func(a *credential.Account) { a.PasswordHash += " " },
		"PINHash":      func(a *credential.Account) { a.PINHash += " " },
		"Version":      func(a *credential.Account) { a.Version++ },
	} {
		for _, a := range acts() {
			if looksAt(a, name) {
				continue // the hash that is changed is the one presented: an error of its own
			}
			t.Run(a.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := a.prepare(t)
					var events []devicetotp.Event
					i := issuerOn(t, h.World, spelling{&process{database: databaseOf(t, h.World, "acct")}, change}, func(c *devicetotp.Config) {
						c.Observer = func(_ context.Context, e devicetotp.Event) { events = append(events, e) }
					})
					err := a.run(t.Context(), i, h)
					requireCode(t, totperrors.CodeInternal, err)
					require.LessOrEqual(t, events[0].Rounds, 3)
					require.Contains(t, errors.Unwrap(err).Error(), name, "the operator is told which fields to look at")
					for _, hash := range []string{h.account.Stored().PasswordHash, h.account.Stored().PINHash} {
						require.NotContains(t, fmt.Sprint(err), hash)
					}
				})
			})
		}
	}
}

func looksAt(a act, field string) bool {
	switch field {
	case "PasswordHash":
		return strings.Contains(a.name, "password") || strings.Contains(a.name, "wrong ones")
	case "PINHash":
		return strings.Contains(a.name, "PIN")
	default:
		return false
	}
}

// Races that are real are none of it: the account is another one each time.
func TestEveryOperation_RealConflictsAreNoFault(t *testing.T) {
	for _, a := range acts() {
		t.Run(a.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := a.prepare(t)
				db := databaseOf(t, h.World, "acct")
				others := issuerOn(t, h.World, &process{database: db})
				p := &process{database: db}
				p.beforeSave = func(n int) {
					if n <= 5 {
						require.NoError(t, addCodeAct("the same again", rightCode).run(t.Context(), others, h))
					}
				}
				require.Equal(t, a.code, devicetotp.CodeOf(a.run(t.Context(), issuerOn(t, h.World, p), h)))
				require.Equal(t, 1, p.acknowledged)
			})
		})
	}
}
