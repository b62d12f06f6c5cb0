package byhand

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// Fewest is one statement for a device and two for a code, each a transaction of
// its own. That is as durable as a transaction with several, and no statement
// waits for the client while it holds a lock. A one-time code is spent by the
// device that refers to it, of which there is one at most.
//
// It does not do what [Usual] does not do either. Besides: the number of
// devices and the failures are read without a lock, so that requests at the
// same time exceed both, by as many as there are connections; a failure is
// counted after it was answered in fact, and a client that is gone before that
// is not counted; an account that is locked while a code is being compared is
// let in; a refusal does not say why; and on MariaDB two requests for one code can
// deadlock, which is an error that the caller sends again.
type Fewest struct {
	Database
	onGrace, onOTP, devices, use, fail string
}

// NewFewest returns the service.
func NewFewest(d Database) *Fewest {
	const insert = `INSERT INTO hand_devices (id, user_id, sealed, basis, created, last_step, otp_id) SELECT ?, u.id, ?, ?, ?, 0, `
	const open = ` NOT u.locked AND (SELECT count(*) FROM hand_devices d WHERE d.user_id = u.id) < 20`
	const notSlowed = ` AND (u.otp_failures < 5 OR u.otp_failed_at <= ?)`
	onGrace := insert + `NULL FROM hand_users u WHERE u.id = ? AND u.registered > ? AND` + open
	onOTP := insert + `o.id FROM hand_users u JOIN hand_otps o ON o.user_id = u.id WHERE u.id = ? AND o.digest = ? AND o.expires > ? AND` + open + notSlowed
	if !d.MySQL { // PostgreSQL wants to know what the parameters of a SELECT are
		types := func(s string) string {
			return strings.Replace(s, "SELECT ?, u.id, ?, ?, ?,", "SELECT ?::text, u.id, ?::bytea, ?::text, ?::bigint,", 1)
		}
		onGrace, onOTP = types(onGrace), types(onOTP)
	}
	return &Fewest{
		Database: d,
		onGrace:  d.sql(onGrace),
		onOTP:    d.sql(onOTP),
		devices: d.sql(`SELECT d.id, d.sealed, d.basis, d.created, d.last_step FROM hand_users u JOIN hand_devices d ON d.user_id = u.id ` +
			`WHERE u.id = ? AND NOT u.locked` + notSlowed),
		use:  d.sql(`UPDATE hand_devices SET last_step = ? WHERE id = ? AND last_step < ?`),
		fail: d.sql(`UPDATE hand_users SET otp_failures = otp_failures + 1, otp_failed_at = ? WHERE id = ?`),
	}
}

// CreateOnGrace implements [Service].
func (s *Fewest) CreateOnGrace(ctx context.Context, user string) (Device, error) {
	now := s.Now()
	made, row, err := s.newDevice(user, "grace", now)
	if err != nil {
		return Device{}, err
	}
	return s.made(made)(s.DB.ExecContext(ctx, s.onGrace, row.id, row.sealed, row.basis, row.created,
		user, now.Add(-grace).UnixMilli()))
}

// CreateOnOTP implements [Service].
func (s *Fewest) CreateOnOTP(ctx context.Context, user, code string) (Device, error) {
	now := s.Now()
	digest, err := s.digest(user, code)
	if err != nil {
		return Device{}, err
	}
	made, row, err := s.newDevice(user, "otp", now)
	if err != nil {
		return Device{}, err
	}
	made, err = s.made(made)(s.DB.ExecContext(ctx, s.onOTP, row.id, row.sealed, row.basis, row.created,
		user, digest, now.UnixMilli(), now.Add(-slowDown).UnixMilli()))
	if !errors.Is(err, ErrDenied) {
		return made, err
	}
	if _, err := s.DB.ExecContext(ctx, s.fail, now.UnixMilli(), user); err != nil {
		return Device{}, err
	}
	return Device{}, ErrDenied
}

// made returns the device if its row was added.
func (s *Fewest) made(d Device) func(sql.Result, error) (Device, error) {
	return func(result sql.Result, err error) (Device, error) {
		if isDuplicate(err) { // the one-time code has made a device
			return Device{}, ErrDenied
		}
		if err != nil {
			return Device{}, err
		}
		if rows, err := result.RowsAffected(); err != nil || rows == 0 {
			return Device{}, errors.Join(ErrDenied, err)
		}
		return d, nil
	}
}

// Verify implements [Service].
func (s *Fewest) Verify(ctx context.Context, user, code string) error {
	now := s.Now()
	devices, err := readDevices(s.DB.QueryContext(ctx, s.devices, user, now.Add(-slowDown).UnixMilli()))
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
		result, err := s.DB.ExecContext(ctx, s.use, step, devices[i].id, step)
		if err != nil {
			return err
		}
		if rows, err := result.RowsAffected(); err != nil || rows == 1 {
			return err
		}
	}
	if _, err := s.DB.ExecContext(ctx, s.fail, now.UnixMilli(), user); err != nil {
		return err
	}
	return ErrDenied
}

// isDuplicate reports whether a row was refused because there is one already.
func isDuplicate(err error) bool {
	var postgres interface{ SQLState() string }
	if errors.As(err, &postgres) {
		return postgres.SQLState() == "23505"
	}
	var maria *mysql.MySQLError
	return errors.As(err, &maria) && maria.Number == 1062
}
