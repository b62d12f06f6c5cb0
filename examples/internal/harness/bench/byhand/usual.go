package byhand

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"time"
)

// Usual is one transaction a request, which locks the user's row: nothing of the
// same user runs beside it.
//
// It does not answer a request again whose response was lost: a code that made a
// device is spent, and the user needs another one. It does not take back what an
// unknown end of COMMIT leaves open. It keeps one counter of failures for each
// user, so that whoever has a device of his own resets it as he likes; and it does
// not limit what is issued on grace but by the number of devices.
type Usual struct {
	Database
	user, codes, spend, count, insert, devices, use, reset, fail string
}

// NewUsual returns the service.
func NewUsual(d Database) *Usual {
	return &Usual{
		Database: d,
		user:     d.sql(`SELECT registered, locked, otp_failures, otp_failed_at FROM hand_users WHERE id = ? FOR UPDATE`),
		codes:    d.sql(`SELECT id, digest FROM hand_otps WHERE user_id = ? AND used IS NULL AND expires > ? FOR UPDATE`),
		spend:    d.sql(`UPDATE hand_otps SET used = ? WHERE id = ?`),
		count:    d.sql(`SELECT count(*) FROM hand_devices WHERE user_id = ?`),
		insert:   d.sql(`INSERT INTO hand_devices (id, user_id, sealed, basis, created, last_step) VALUES (?, ?, ?, ?, ?, 0)`),
		devices:  d.sql(`SELECT id, sealed, basis, created, last_step FROM hand_devices WHERE user_id = ?`),
		use:      d.sql(`UPDATE hand_devices SET last_step = ? WHERE id = ?`),
		reset:    d.sql(`UPDATE hand_users SET otp_failures = 0 WHERE id = ?`),
		fail:     d.sql(`UPDATE hand_users SET otp_failures = otp_failures + 1, otp_failed_at = ? WHERE id = ?`),
	}
}

// account is the locked row of a user.
type account struct {
	registered, failedAt int64
	locked               bool
	failures             int
}

// with runs do in a transaction that has locked the user's row. It is committed
// also where do refuses, for what do counted.
func (s *Usual) with(ctx context.Context, user string, do func(tx *sql.Tx, a account, now time.Time) error) error {
	tx, err := s.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	var a account
	err = tx.QueryRowContext(ctx, s.user, user).Scan(&a.registered, &a.locked, &a.failures, &a.failedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrDenied
	}
	if err != nil {
		return err
	}
	now := s.Now()
	if a.locked || slowed(a.failures, a.failedAt, now) {
		return ErrDenied
	}
	refusal := do(tx, a, now)
	if refusal != nil && !errors.Is(refusal, ErrDenied) {
		return refusal
	}
	return errors.Join(refusal, tx.Commit())
}

// CreateOnGrace implements [Service].
func (s *Usual) CreateOnGrace(ctx context.Context, user string) (made Device, err error) {
	err = s.with(ctx, user, func(tx *sql.Tx, a account, now time.Time) (err error) {
		if now.UnixMilli() >= a.registered+grace.Milliseconds() {
			return ErrDenied
		}
		made, err = s.add(ctx, tx, user, "grace", now)
		return err
	})
	return made, err
}

// CreateOnOTP implements [Service].
func (s *Usual) CreateOnOTP(ctx context.Context, user, code string) (made Device, err error) {
	err = s.with(ctx, user, func(tx *sql.Tx, a account, now time.Time) error {
		id, ok, err := s.find(ctx, tx, user, code, now)
		if err != nil {
			return err
		}
		if !ok {
			return s.failed(ctx, tx, user, now)
		}
		if _, err := tx.ExecContext(ctx, s.spend, now.UnixMilli(), id); err != nil {
			return err
		}
		if err := s.succeeded(ctx, tx, user, a); err != nil {
			return err
		}
		made, err = s.add(ctx, tx, user, "otp", now)
		return err
	})
	return made, err
}

// find returns the pending one-time code that the user presents.
func (s *Usual) find(ctx context.Context, tx *sql.Tx, user, code string, now time.Time) (id int64, ok bool, err error) {
	presented, err := s.digest(user, code)
	if err != nil {
		return 0, false, err
	}
	rows, err := tx.QueryContext(ctx, s.codes, user, now.UnixMilli())
	if err != nil {
		return 0, false, err
	}
	defer rows.Close()
	for rows.Next() {
		var candidate int64
		var digest []byte
		if err := rows.Scan(&candidate, &digest); err != nil {
			return 0, false, err
		}
		if subtle.ConstantTimeCompare(digest, presented) == 1 {
			id, ok = candidate, true
		}
	}
	return id, ok, rows.Err()
}

// add makes a device, unless the user has too many.
func (s *Usual) add(ctx context.Context, tx *sql.Tx, user, basis string, now time.Time) (Device, error) {
	var have int
	if err := tx.QueryRowContext(ctx, s.count, user).Scan(&have); err != nil {
		return Device{}, err
	}
	if have >= maxDevices {
		return Device{}, ErrDenied
	}
	made, row, err := s.newDevice(user, basis, now)
	if err != nil {
		return Device{}, err
	}
	_, err = tx.ExecContext(ctx, s.insert, row.id, user, row.sealed, row.basis, row.created)
	return made, err
}

// Verify implements [Service].
func (s *Usual) Verify(ctx context.Context, user, code string) error {
	return s.with(ctx, user, func(tx *sql.Tx, a account, now time.Time) error {
		devices, err := readDevices(tx.QueryContext(ctx, s.devices, user))
		if err != nil {
			return err
		}
		for i := range devices {
			step, ok, err := s.step(user, &devices[i], code, now)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if _, err := tx.ExecContext(ctx, s.use, step, devices[i].id); err != nil {
				return err
			}
			return s.succeeded(ctx, tx, user, a)
		}
		return s.failed(ctx, tx, user, now)
	})
}

// readDevices reads them all: what follows needs the connection.
func readDevices(rows *sql.Rows, err error) (all []stored, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var row stored
		if err := rows.Scan(&row.id, &row.sealed, &row.basis, &row.created, &row.lastStep); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// succeeded writes only where there is something to reset.
func (s *Usual) succeeded(ctx context.Context, tx *sql.Tx, user string, a account) error {
	if a.failures == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, s.reset, user)
	return err
}

func (s *Usual) failed(ctx context.Context, tx *sql.Tx, user string, now time.Time) error {
	if _, err := tx.ExecContext(ctx, s.fail, now.UnixMilli(), user); err != nil {
		return err
	}
	return ErrDenied
}
