package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// A request is one operation of one client.
type request func(ctx context.Context) error

const (
	opCreate      = "create"
	opCreateOnOTP = "create_otp" // also the name of a table
	opVerify      = "verify"
)

// makers are what makes the requests of each operation.
var makers = map[string]func(credential.Store, *credential.Keyring, *turns, int) (request, error){
	opCreate: creating, opCreateOnOTP: creatingOnOTP, opVerify: verifying,
}

// creating returns requests for a device on grace.
func creating(store credential.Store, keys *credential.Keyring, t *turns, devices int) (request, error) {
	issuer, err := devicetotp.NewIssuer(unissued{store}, keys, devicetotp.Config{Clock: t, Policy: createPolicy(devices)})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		_, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: accountID(t.account(t.take()))})
		return err
	}, nil
}

// creatingOnOTP returns requests for a device on a one-time code.
func creatingOnOTP(store credential.Store, keys *credential.Keyring, t *turns, devices int) (request, error) {
	announced, err := newAnnounced(unissued{store}, keys, t)
	if err != nil {
		return nil, err
	}
	issuer, err := devicetotp.NewIssuer(announced, keys, devicetotp.Config{Clock: t, Policy: createPolicy(devices)})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		made, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: accountID(t.account(t.take())), OTP: benchCode})
		if err == nil && made.Basis != credential.BasisOTP {
			err = fmt.Errorf("the device is on %v", made.Basis)
		}
		return err
	}, nil
}

// verifying returns requests with a right code.
func verifying(store credential.Store, keys *credential.Keyring, t *turns, devices int) (request, error) {
	issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{Clock: t})
	if err != nil {
		return nil, err
	}
	made := newCodes(devices)
	return func(ctx context.Context) error {
		n := t.take()
		code, err := made.at(t.at(n))
		if err != nil {
			return err
		}
		_, err = issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: accountID(t.account(n)), Code: code})
		return err
	}, nil
}

// drive lets so many workers make requests one after the other, for that long.
// It returns how many there were a second. A request that fails ends it.
func drive(ctx context.Context, workers int, long time.Duration, do request) (float64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make([]int, workers)
	started := time.Now()
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for time.Since(started) < long && ctx.Err() == nil {
				if err := do(ctx); err != nil {
					cancel(fmt.Errorf("a request failed: %w", err))
					return
				}
				done[w]++
			}
		})
	}
	all.Wait()
	elapsed := time.Since(started)
	if err := context.Cause(ctx); err != nil {
		return 0, err
	}
	sum := 0
	for _, n := range done {
		sum += n
	}
	return float64(sum) / elapsed.Seconds(), nil
}
