package examples

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"unicode/utf8"

	"example.com/devicetotp/credential"
)

// Users keeps the library's State in two more columns of the users table:
//
//	totp_state   bytea  NOT NULL DEFAULT ''
//	totp_version bigint NOT NULL DEFAULT 0
//
// The two hashes are NOT NULL as well, and empty where none is set.
type Users struct{ DB *sql.DB }

// Load implements credential.Store.
func (u Users) Load(ctx context.Context, id string) (credential.Account, error) {
	a := credential.Account{ID: id}
	if !storable(id) {
		return a, credential.ErrNotFound
	}
	var registered sql.NullTime
	var state []byte
	err := u.DB.QueryRowContext(ctx, `SELECT registered_at, password_hash, pin_hash, locked, totp_state, totp_version
		FROM users WHERE id = $1`, id).Scan(&registered, &a.PasswordHash, &a.PINHash, &a.Locked, &state, &a.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return a, credential.ErrNotFound
	}
	if err != nil {
		return a, err
	}
	a.RegisteredAt = registered.Time // the zero time: unknown, so no grace
	return a, a.State.UnmarshalBinary(state)
}

// Save implements credential.Store.
func (u Users) Save(ctx context.Context, a credential.Account) error {
	if !storable(a.ID) {
		return credential.ErrConflict
	}
	state, err := a.State.MarshalBinary()
	if err != nil {
		return err
	}
	registered := sql.NullTime{Time: a.RegisteredAt, Valid: !a.RegisteredAt.IsZero()}
	result, err := u.DB.ExecContext(ctx, `UPDATE users SET totp_state = $1, totp_version = totp_version + 1
		WHERE id = $2 AND totp_version = $3 AND registered_at IS NOT DISTINCT FROM $4
		AND password_hash = $5 AND pin_hash = $6 AND locked = $7`,
		state, a.ID, a.Version, registered, a.PasswordHash, a.PINHash, a.Locked)
	if err != nil {
		return err // the outcome is unknown, and the library finds out
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return credential.ErrConflict
}

// storable tells whether PostgreSQL can have such an id at all.
func storable(id string) bool { return utf8.ValidString(id) && !strings.Contains(id, "\x00") }
