package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sync/atomic"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// How many codes and devices an account has to do with. Few, so that clients meet.
const (
	codesOfAnAccount   = 5
	devicesOfAnAccount = 4
)

// actOnIssuer returns what makes one request.
func (c *client) actOnIssuer() (func(context.Context), error) {
	keys, err := credential.NewKeyring("k", credential.Key{ID: "k", Secret: credential.NewSecret("0123456789abcdef0123456789abcdef")})
	if err != nil {
		return nil, err
	}
	timeout := c.config.Target.timeout()
	sends := &sending{hostStore: c.store}
	issuer, err := devicetotp.NewIssuer(sends, keys, devicetotp.Config{
		Limits: devicetotp.Limits{StoreTimeout: timeout, RoundsTimeout: 3 * timeout},
	})
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	return func(ctx context.Context) {
		id := c.account()
		if !known[id] {
			if _, err := c.store.Insert(ctx, credential.Account{ID: id}); err != nil {
				time.Sleep(think)
				return
			}
			known[id] = true
		}
		c.request(ctx, requests{issuer, sends}, id)
	}, nil
}

// requests is an Issuer of one client's, so that it is known what it sends.
type requests struct {
	*devicetotp.Issuer
	store *sending
}

// sending notes whether a Save was sent. A request that fails before that has
// changed nothing.
type sending struct {
	hostStore
	sent atomic.Bool
}

func (s *sending) Save(ctx context.Context, a credential.Account) error {
	err := s.hostStore.Save(ctx, a)
	if !isNotSent(err) {
		s.sent.Store(true)
	}
	return err
}

func (c *client) request(ctx context.Context, issuer requests, id string) {
	issuer.store.sent.Store(false)
	code := codeOf(id, c.random.IntN(codesOfAnAccount))
	device := fmt.Sprintf("00000000-0000-4000-8000-%012d", c.random.IntN(devicesOfAnAccount))
	otp := credential.NewSecret(code)
	switch n := c.random.IntN(100); {
	case n < 25:
		c.call(ctx, id, input{Op: opAddCode, Code: code}, func(ctx context.Context) output {
			_, err := issuer.AddCode(ctx, devicetotp.AddCodeRequest{
				AccountID: id, Kind: verifier.KindAccount, Code: otp, TTL: devicetotp.MaxCodeTTL,
			})
			return issuer.answered(err)
		})
	case n < 65:
		c.call(ctx, id, input{Op: opCreate, Code: code, Device: device}, func(ctx context.Context) output {
			d, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: id, DeviceID: device, OTP: otp})
			out := issuer.answered(err)
			if err == nil {
				out.Secret = fingerprint(d.Secret)
			}
			return out
		})
	case n < 75:
		c.call(ctx, id, input{Op: opProve, Code: code}, func(ctx context.Context) output {
			_, err := issuer.Prove(ctx, devicetotp.ProveRequest{AccountID: id, OTP: otp, Kinds: []string{verifier.KindAccount}})
			return issuer.answered(err)
		})
	case n < 80:
		c.call(ctx, id, input{Op: opRevoke, Device: device}, func(ctx context.Context) output {
			_, err := issuer.Revoke(ctx, devicetotp.RevokeRequest{AccountID: id, DeviceIDs: []string{device}})
			return issuer.answered(err)
		})
	default:
		if n >= 90 {
			id = c.earlier()
		}
		c.call(ctx, id, input{Op: opLook}, func(ctx context.Context) output {
			a, err := c.store.Load(ctx, id)
			out := done(true, err)
			if err == nil {
				out.Pending, out.Spent, out.Devices = hasPending(a), len(a.State.Spent), deviceIDs(a)
			}
			return out
		})
	}
}

// codeOf makes a code of eight digits, which no code of a device is.
func codeOf(id string, n int) string {
	sum := fnv.New64a()
	fmt.Fprintf(sum, "%s/%d", id, n)
	return fmt.Sprintf("%07d%d", sum.Sum64()%10_000_000, n)
}

// hasPending reports whether a code waits to be used.
func hasPending(a credential.Account) bool {
	return slices.ContainsFunc(a.State.Codes, func(c credential.OneTimeCode) bool {
		return !c.Withdrawn && !slices.ContainsFunc(a.State.Spent, func(p credential.SpentProof) bool { return p.ProofID == c.ProofID() })
	})
}

func deviceIDs(a credential.Account) []string {
	var ids []string
	for i := range a.State.Devices {
		ids = append(ids, a.State.Devices[i].ID)
	}
	slices.Sort(ids)
	return ids
}

func fingerprint(s credential.Secret) string {
	sum := sha256.Sum256([]byte(s.Reveal()))
	return hex.EncodeToString(sum[:4])
}

// answered classifies the outcome of a request.
func (r requests) answered(err error) output {
	if err == nil {
		return output{Result: resultDone}
	}
	code := devicetotp.CodeOf(err)
	if code == devicetotp.CodeUnavailable || errors.Is(err, context.DeadlineExceeded) {
		if !r.store.sent.Load() {
			return output{Result: resultNotSent, Detail: err.Error()}
		}
		return output{Result: resultUnknown, Detail: err.Error()}
	}
	return output{Result: string(code), Detail: err.Error()}
}
