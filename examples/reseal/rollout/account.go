package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// result is what became of one account.
type result struct {
	id         string
	gone       bool // deleted meanwhile
	values     int  // that were sealed again
	pin        bool // its PIN hash was
	disputed   bool
	keys       []string // that it needs
	unreadable []devicetotp.StoredValue
	failure    error // of this account, and of no other
}

// do does the accounts of one page. An error ends the run: the page will be
// done again.
func (w *walk) do(ctx context.Context, ids []string) ([]result, error) {
	results, errs := make([]result, len(ids)), make([]error, len(ids))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(w.Workers, len(ids)) {
		workers.Go(func() {
			for i := range next {
				results[i], errs[i] = w.account(ctx, ids[i])
			}
		})
	}
	var stopped error
	for i := range ids {
		if stopped = w.pace.wait(ctx); stopped != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	if stopped != nil {
		return nil, ErrInterrupted
	}
	return results, errors.Join(errs...)
}

// tries is how often an account is tried that is unavailable, or whose PIN hash
// keeps changing.
const tries = 5

// account does one account. What has begun is finished also after an interruption.
func (w *walk) account(ctx context.Context, id string) (result, error) {
	var last error
	for range tries {
		r, err := w.once(context.WithoutCancel(ctx), id)
		switch {
		case err == nil && r.disputed && !w.PastDisputes:
			return r, fmt.Errorf("account %q: %w", id, ErrDisputed)
		case err == nil:
			return r, nil
		case errors.Is(err, credential.ErrNotFound):
			return result{id: id, gone: true}, nil
		case devicetotp.CodeOf(err) == devicetotp.CodeUnavailable:
			sleep(ctx, w.Pause)
		case !errors.Is(err, credential.ErrConflict): // which is: the user has changed the PIN
			return result{id: id, failure: err}, nil
		}
		last = err
	}
	return result{}, fmt.Errorf("account %q, tried %d times: %w", id, tries, last)
}

// once seals an account again, and then its PIN hash. The hash is read before:
// the save of Reseal then confirms it, if an earlier run has sealed it and was
// killed before the database said that this is kept.
func (w *walk) once(ctx context.Context, id string) (result, error) {
	if w.reading {
		return w.look(ctx, id)
	}
	stored, loadErr := w.loadAccount(ctx, id)
	done, err := w.issuer.Reseal(ctx, id)
	if err == nil && loadErr != nil {
		err = unavailable{loadErr}
	}
	if err != nil {
		return result{}, err
	}
	r := result{
		id: id, values: done.Devices + done.Rotations + done.Revoked + done.RecoveryCodes,
		disputed: done.Withheld, keys: done.Keys, unreadable: done.Unreadable,
	}
	sealed, err := w.Keys.ResealPINHash(id, stored.PINHash)
	opens := err == nil // if not, the answer of Reseal says so
	if !opens || sealed == stored.PINHash || done.Withheld || w.Accounts.RotateHash == nil {
		return r, nil
	}
	if err := w.rotate(ctx, id, stored.PINHash, sealed); err != nil {
		return result{}, err
	}
	after, err := w.issuer.Inspect(ctx, id)
	r.pin, r.keys, r.unreadable = true, after.Keys, after.Unreadable
	return r, err
}

// look finds out what an account needs.
func (w *walk) look(ctx context.Context, id string) (result, error) {
	view, err := w.issuer.Inspect(ctx, id)
	return result{id: id, keys: view.Keys, unreadable: view.Unreadable, disputed: slices.ContainsFunc(view.Unreadable, w.isDispute)}, err
}

func (w *walk) isDispute(v devicetotp.StoredValue) bool {
	return v.KeyID == w.Keys.PrimaryID() && errors.Is(v.Err, credential.ErrMissingKey)
}

func (w *walk) loadAccount(ctx context.Context, id string) (credential.Account, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return w.Accounts.Store.Load(ctx, id)
}

// rotate replaces the PIN hash unless the user has changed it.
func (w *walk) rotate(ctx context.Context, id, from, to string) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := w.Accounts.RotateHash(ctx, id, credential.FactorPIN, from, to)
	if err == nil || errors.Is(err, credential.ErrConflict) {
		return err
	}
	return unavailable{err}
}

// unavailable is an error of the store that is worth another try.
type unavailable struct{ error }

// As makes it an error of the library of that code.
func (u unavailable) As(target any) bool {
	e, ok := target.(**devicetotp.Error)
	if ok {
		*e = &devicetotp.Error{Op: devicetotp.OpReseal, Code: devicetotp.CodeUnavailable, Err: u.error}
	}
	return ok
}

func (u unavailable) Unwrap() error { return u.error }

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
