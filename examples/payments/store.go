package payments

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"example.com/devicetotp/credential"
)

// Store is a credential.Store over the users of this service, on PostgreSQL. It
// differs from that of examples/embed in what the users have: ids that are UUIDs,
// and no PINs.
type Store struct{ db *sql.DB }

var _ credential.Store = (*Store)(nil)

// Load reads a user from the primary.
func (s *Store) Load(ctx context.Context, id string) (credential.Account, error) {
	a := credential.Account{ID: id}
	if !isID(id) {
		return credential.Account{}, notFound(id)
	}
	var state []byte
	err := s.db.QueryRowContext(ctx, `
		SELECT u.created_at, u.password_hash, u.locked, s.state, COALESCE(s.version, 0)
		FROM users AS u LEFT JOIN device_totp_states AS s ON s.user_id = u.id
		WHERE u.id = $1`, id).
		Scan(&a.RegisteredAt, &a.PasswordHash, &a.Locked, &state, &a.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return credential.Account{}, notFound(id)
	}
	if err != nil {
		return credential.Account{}, failed("load", id, err)
	}
	if err := a.State.UnmarshalBinary(state); err != nil {
		return credential.Account{}, failed("load", id, err)
	}
	return a, nil
}

// Save is one atomic step. It compares everything that Load returned, and the lock
// on the user makes a change that is being committed right now count.
func (s *Store) Save(ctx context.Context, a credential.Account) error {
	state, err := a.State.MarshalBinary()
	if err == nil {
		err = a.CheckNext()
	}
	if err != nil {
		return failed("save", a.ID, err)
	}
	if !isID(a.ID) || a.PINHash != "" { // Load returned no such account
		return conflict(a.ID)
	}
	result, err := s.db.ExecContext(ctx, `
		INSERT INTO device_totp_states AS s (user_id, state, version)
		SELECT u.id, $2, $3
		FROM users AS u LEFT JOIN device_totp_states AS old ON old.user_id = u.id
		WHERE u.id = $1 AND COALESCE(old.version, 0) = $4
			AND u.created_at = $5 AND u.password_hash = $6 AND u.locked = $7
		FOR SHARE OF u
		ON CONFLICT (user_id) DO UPDATE SET state = excluded.state, version = excluded.version
		WHERE s.version = $4`,
		a.ID, state, a.Next, a.Version, a.RegisteredAt, a.PasswordHash, a.Locked)
	if err == nil {
		err = ctx.Err() // PostgreSQL reports a commit as done if its wait for a standby is cancelled
	}
	return written(result, "save", a.ID, err)
}

// RotateHash replaces the hash of the user's password if it is still from. It is the
// Config.OnRehash, and how a new password is written.
func (s *Store) RotateHash(ctx context.Context, id string, f credential.Factor, from, to string) error {
	if !isID(id) || f != credential.FactorPassword {
		return conflict(id)
	}
	result, err := s.db.ExecContext(ctx,
		`UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2`, id, from, to)
	return written(result, "rotate hash", id, err)
}

// written returns a conflict if no row was written.
func written(result sql.Result, doing, id string, err error) error {
	if err != nil {
		return failed(doing, id, err)
	}
	rows, err := result.RowsAffected()
	if err == nil && rows == 0 {
		return conflict(id)
	}
	return err
}

// isID accepts one spelling of an id, because secrets are sealed for it.
func isID(id string) bool {
	u, err := uuid.Parse(id)
	return err == nil && u.String() == id
}

func notFound(id string) error { return fmt.Errorf("users: %w: %q", credential.ErrNotFound, id) }

func conflict(id string) error { return fmt.Errorf("users: %w: %q", credential.ErrConflict, id) }

// failed wraps credential.ErrSerialization if PostgreSQL undid the statement because
// of another one.
func failed(doing, id string, err error) error {
	var state interface{ SQLState() string }
	if errors.As(err, &state) && (state.SQLState() == "40001" || state.SQLState() == "40P01") {
		err = fmt.Errorf("%w: %w", credential.ErrSerialization, err)
	}
	return fmt.Errorf("users: %s %q: %w", doing, id, err)
}
