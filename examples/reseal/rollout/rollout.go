// Package rollout ends the roll-out of a key: it goes through all accounts of a
// store, seals them again with the primary key, and finds out which keys nothing
// needs any more.
//
// It needs three functions of a store, so that it works with package sqlstore and
// with a users table of a service's own alike (see ../../embed).
package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// Accounts are the accounts of a service.
type Accounts struct {
	// Store is where they are.
	Store credential.Store
	// IDs returns up to limit ids after that one, in an order that does not
	// change, and none at the end. It starts with "".
	IDs func(ctx context.Context, after string, limit int) ([]string, error)
	// RotateHash replaces a hash if it is still from. If it is not, it returns an
	// error that wraps credential.ErrConflict, or nil. If nil, PIN hashes are left
	// as they are.
	RotateHash func(ctx context.Context, id string, f credential.Factor, from, to string) error
}

// Config says how to go through the accounts.
type Config struct {
	Accounts Accounts
	// Keys is the keyring of every process of the service: the second step of
	// the roll-out must be over everywhere, because a process with an older
	// primary goes on sealing with it.
	Keys *credential.Keyring
	// Name says which accounts these are, without a password. A state file of
	// others is refused.
	Name string
	// StateFile is where the position is kept, so that a run that was interrupted
	// goes on where it was. It is removed at the end. If "", nowhere.
	StateFile string
	// Page is how many accounts are done between two writes of the state file.
	// Default: 100.
	Page int
	// Workers is how many accounts are done at a time. Default: 4.
	Workers int
	// Rate is how many accounts are begun in a second at most, and read in a second
	// at the end. 0: no limit.
	Rate float64
	// DryRun changes nothing: no account, and no state file. It finds out which
	// keys are needed now.
	DryRun bool
	// PastDisputes goes on past an account that has a value of a different key of
	// the primary's id. Otherwise such an account ends the run: more likely than
	// not, the keyring of the run is the wrong one.
	PastDisputes bool
	// Progress is called after each page.
	Progress func(Report)
	// Pause is how long to wait before an account is tried again that was
	// unavailable. Default: a second.
	Pause time.Duration
}

// ErrDisputed says that two processes have different keys of the primary's id.
var ErrDisputed = errors.New("an account has a value of a different key of the primary's id: compare the key files of all processes")

// ErrInterrupted says that the run was interrupted and can be continued.
var ErrInterrupted = errors.New("interrupted; the same command goes on from here")

// Run goes through all accounts, or through the rest of them if the state file is
// of a run that was interrupted, and then reads every account once more: what a
// state file remembers may be undone, by a backup that was restored or by a process
// with an older primary. Doing an account again changes nothing, so that it does
// not matter where a run was killed. The Report counts what was done, by earlier
// runs too; after an error it is of those that were done.
func Run(ctx context.Context, cfg Config) (Report, error) {
	w, err := newWalk(cfg)
	if err != nil {
		return Report{}, err
	}
	if err := w.load(); err != nil {
		return Report{}, err
	}
	if err := w.each(ctx, w.report.After, w.took); err != nil {
		return w.report, err
	}
	if !cfg.DryRun {
		if err := w.check(ctx); err != nil {
			return w.report, err
		}
	}
	w.report.Complete = true
	return w.report, w.forget()
}

// each does the accounts after that one, a page at a time. After each page it calls
// took with the results and the last account.
func (w *walk) each(ctx context.Context, after string, took func(results []result, last string) error) error {
	for {
		if ctx.Err() != nil {
			return ErrInterrupted
		}
		ids, err := w.page(ctx, after)
		if err != nil || len(ids) == 0 {
			return err
		}
		results, err := w.do(ctx, ids)
		if err != nil {
			return err
		}
		after = ids[len(ids)-1]
		if err := took(results, after); err != nil {
			return err
		}
		if w.Progress != nil {
			w.Progress(w.report)
		}
	}
}

// took adds what became of a page to the report, and saves the position.
func (w *walk) took(results []result, last string) error {
	for _, r := range results {
		w.report.add(r)
	}
	w.report.After = last
	return w.save()
}

// check reads all accounts as they are now. It begins at the first one if it is
// interrupted: what it has read may have changed before the next run.
func (w *walk) check(ctx context.Context) error {
	w.reading = true
	var seen Report
	err := w.each(ctx, "", func(results []result, _ string) error {
		for _, r := range results {
			seen.add(r)
		}
		w.report.Checked = seen.Accounts
		return nil
	})
	if err != nil {
		return err
	}
	w.report.replaceFindings(seen)
	return nil
}

// walk is one Run.
type walk struct {
	Config
	issuer  *devicetotp.Issuer
	pace    pace
	reading bool // accounts are read, and nothing is sealed
	report  Report
}

func newWalk(cfg Config) (*walk, error) {
	if cfg.Accounts.Store == nil || cfg.Accounts.IDs == nil {
		return nil, errors.New("rollout: the accounts have no Store or no IDs")
	}
	if cfg.Page <= 0 {
		cfg.Page = 100
	}
	if cfg.Workers <= 0 {
		cfg.Workers = 4
	}
	if cfg.Pause <= 0 {
		cfg.Pause = time.Second
	}
	policy := devicetotp.DefaultPolicy()
	policy.RetryWindow = 10 * time.Minute // the longest there is: no digest is dropped that a service needs
	issuer, err := devicetotp.NewIssuer(cfg.Accounts.Store, cfg.Keys, devicetotp.Config{Policy: &policy})
	if err != nil {
		return nil, err
	}
	return &walk{
		Config: cfg, issuer: issuer, pace: newPace(cfg.Rate), reading: cfg.DryRun,
		report: Report{Name: cfg.Name, Primary: cfg.Keys.PrimaryID()},
	}, nil
}

// storeTimeout bounds what the run asks of the store itself.
const storeTimeout = 10 * time.Second

// page returns the ids of the accounts after that one.
func (w *walk) page(ctx context.Context, after string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	ids, err := w.Accounts.IDs(ctx, after, w.Page)
	if err != nil {
		return nil, fmt.Errorf("list the accounts: %w", err)
	}
	return ids, nil
}
