package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/examples/operations"
)

func unblock(ctx context.Context, a *admin, o options) error {
	return a.issuer.Unblock(ctx, devicetotp.UnblockRequest{AccountID: o.args[0], Factors: o.factors})
}

func revoke(ctx context.Context, a *admin, o options) error {
	r := devicetotp.RevokeRequest{AccountID: o.args[0], DeviceIDs: o.devices, WithMadeBy: o.withMadeBy}
	if o.all {
		view, err := a.issuer.Inspect(ctx, o.args[0])
		if err != nil {
			return err
		}
		for _, d := range view.Devices {
			r.DeviceIDs = append(r.DeviceIDs, d.ID)
		}
		if len(r.DeviceIDs) == 0 {
			return a.printRevoked(devicetotp.Revoked{})
		}
	}
	done, err := a.issuer.Revoke(ctx, r)
	if err != nil {
		return err
	}
	if len(done.DeviceIDs) == 0 {
		return fmt.Errorf("%w: the account has no such device", errRefused)
	}
	return a.printRevoked(done)
}

func (a *admin) printRevoked(r devicetotp.Revoked) error {
	return json.NewEncoder(a.out).Encode(struct {
		Revoked []string `json:"revoked"`
		MadeBy  []string `json:"madeBy,omitempty"`
	}{append([]string{}, r.DeviceIDs...), r.MadeBy})
}

func lock(ctx context.Context, a *admin, o options) error {
	err := a.store.SetLocked(ctx, o.args[0], true)
	a.log.done(ctx, opLock, o.args[0], "", err)
	return err
}

func unlock(ctx context.Context, a *admin, o options) error {
	err := a.store.SetLocked(ctx, o.args[0], false)
	a.log.done(ctx, opUnlock, o.args[0], "", err)
	return err
}

func remove(ctx context.Context, a *admin, o options) error {
	deleted, err := a.store.Delete(ctx, o.args[0])
	if err == nil && !deleted {
		err = fmt.Errorf("%w: there is no such account", errRefused)
	}
	a.log.done(ctx, opDelete, o.args[0], "", err)
	return err
}

func rename(ctx context.Context, a *admin, o options) error {
	locked, err := operations.Move(ctx, a.store, a.keys, o.args[0], o.args[1])
	a.log.done(ctx, opRenameAccount, o.args[0], o.args[1], err)
	if err != nil {
		return withAdvice(err)
	}
	if locked {
		_, err = fmt.Fprintln(a.out, "the account was locked, by an operator or by a run that was interrupted, and still is")
	}
	return err
}

// withAdvice adds what to do after a rename that failed, where the error does not say it:
// after operations.ErrGone nobody may unlock the account.
func withAdvice(err error) error {
	if isRefusal(err) || errors.Is(err, operations.ErrGone) {
		return err
	}
	return fmt.Errorf("%w; the account may be locked: run it again, or unlock it", err)
}
