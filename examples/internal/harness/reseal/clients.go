package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// crowd is the clients, each with an Issuer of its own, which is what a process
// is.
type crowd struct {
	stage             *stage
	all               []*client
	verified, created atomic.Int64
}

// client has every eighth account. Its clock is a minute further on each time
// round, so that there is a code to verify again.
type client struct {
	issuer *devicetotp.Issuer
	ahead  atomic.Int64 // minutes
}

// maxCreated is how many devices are added to an account that has a PIN.
const maxCreated = 1

func (s *stage) newCrowd(keys *credential.Keyring) (*crowd, error) {
	c := &crowd{stage: s}
	for range clients {
		one, err := s.newClient(keys)
		if err != nil {
			return nil, err
		}
		c.all = append(c.all, one)
	}
	return c, nil
}

func (s *stage) newClient(keys *credential.Keyring) (*client, error) {
	h, err := hasher()
	if err != nil {
		return nil, err
	}
	c := &client{}
	c.issuer, err = devicetotp.NewIssuer(s.store, keys, devicetotp.Config{
		Clock: clock.Func(c.now), PIN: verifier.PIN(keys, h), Password: verifier.Password(h),
		Limits: devicetotp.Limits{StoreTimeout: time.Minute}, // a slow machine is no fault
	})
	return c, err
}

func (c *client) now() time.Time {
	return time.Now().Add(time.Duration(c.ahead.Load()) * time.Minute)
}

// start lets the clients work until the returned function is called, which returns
// their first errors.
func (c *crowd) start(ctx context.Context) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	failed := make(chan error, clients)
	var all sync.WaitGroup
	for n, one := range c.all {
		all.Go(func() {
			if err := c.work(ctx, n, one); err != nil {
				failed <- err
			}
		})
	}
	return func() error {
		cancel()
		all.Wait()
		select {
		case err := <-failed:
			return err
		default:
			return nil
		}
	}
}

func (c *crowd) work(ctx context.Context, first int, one *client) error {
	for ctx.Err() == nil {
		for i := first; i < len(c.stage.accounts) && ctx.Err() == nil; i += clients {
			if err := c.visit(one, &c.stage.accounts[i]); err != nil {
				return err
			}
		}
		one.ahead.Add(1)
	}
	return nil
}

// visit verifies a code of the account's first device, and creates another.
func (c *crowd) visit(one *client, a *account) error {
	ctx := context.Background() // what has begun is finished
	if err := one.verify(ctx, a, a.devices[0]); err != nil {
		return err
	}
	c.verified.Add(1)
	if !a.hasPIN || len(a.devices) > maxCreated {
		return nil
	}
	id := deviceID(len(a.devices))
	made, err := one.issuer.Create(ctx, devicetotp.CreateRequest{AccountID: a.id, DeviceID: id, PIN: c.stage.pin})
	if err != nil {
		return fmt.Errorf("%s: create: %w", a.id, err)
	}
	c.created.Add(1)
	a.devices = append(a.devices, device{id, made.Secret})
	return nil
}

func (c *client) verify(ctx context.Context, a *account, d device) error {
	totp := verifier.TOTP{Secret: d.secret, Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second}
	code, err := totp.Code(totp.Step(c.now()))
	if err == nil {
		_, err = c.issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: a.id, DeviceID: d.id, Code: code})
	}
	if err != nil {
		return fmt.Errorf("%s: verify a code of device %s: %w", a.id, d.id, err)
	}
	return nil
}
