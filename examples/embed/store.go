package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"example.com/devicetotp/credential"
)

// Store is a credential.Store over this service's own users table, in two
// queries. What the library remembers is in device_totp_states (add.sql), a
// table of its own: an ORM that saves a user as a whole row would write an old
// state back with it, and with that a spent code and uncounted guesses.
type Store struct {
	db         *sql.DB
	load, save string
}

var _ credential.Store = (*Store)(nil)

// NewPostgresStore returns the store of a service on PostgreSQL.
func NewPostgresStore(db *sql.DB) *Store {
	return newStore(db, `floor(extract(epoch FROM u.created_at))::bigint`, `FOR SHARE OF u`)
}

// NewSQLiteStore returns the store of a service on SQLite, which has no row
// locks and needs none: it lets one writer in at a time. A time is text there, in
// one of several forms: from CURRENT_TIMESTAMP, from another program, from
// PostgreSQL (+00), or from the Go driver (+0000 UTC). They are read as what they
// mean, so that Save compares instants; one that is in none of them fails Load.
func NewSQLiteStore(db *sql.DB) *Store {
	const created = `replace(u.created_at, ' +0000 UTC', 'Z')`
	return newStore(db, `COALESCE(unixepoch(`+created+`), unixepoch(`+created+` || ':00'))`, ``)
}

func newStore(db *sql.DB, seconds, lock string) *Store {
	query := strings.NewReplacer("CREATED_AT_IN_SECONDS", seconds, "LOCK_ON_THE_USER", lock)
	return &Store{db, query.Replace(loadQuery), query.Replace(saveQuery)}
}

const loadQuery = `
	SELECT CREATED_AT_IN_SECONDS, u.password_hash, COALESCE(u.pin_hash, ''), u.locked, s.state, COALESCE(s.version, 0)
	FROM users AS u LEFT JOIN device_totp_states AS s ON s.user_id = u.id
	WHERE u.id = $1`

// Load reads a user from the primary, never from a replica or a cache.
func (s *Store) Load(ctx context.Context, id string) (credential.Account, error) {
	a := credential.Account{ID: id}
	var created int64
	var state []byte
	userID, known := parseID(id)
	if !known {
		return credential.Account{}, fmt.Errorf("users: %w: %q", credential.ErrNotFound, id)
	}
	err := s.db.QueryRowContext(ctx, s.load, userID).
		Scan(&created, &a.PasswordHash, &a.PINHash, &a.Locked, &state, &a.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return credential.Account{}, fmt.Errorf("users: %w: %q", credential.ErrNotFound, id)
	}
	if isUndone(err) {
		return credential.Account{}, fmt.Errorf("users: %w: %w", credential.ErrSerialization, err)
	}
	if err != nil {
		return credential.Account{}, fmt.Errorf("users: load %q: %w", id, err)
	}
	a.RegisteredAt = time.Unix(created, 0)
	if err := a.State.UnmarshalBinary(state); err != nil {
		return credential.Account{}, fmt.Errorf("users: load %q: %w", id, err)
	}
	return a, nil
}

// saveQuery writes a state if nothing that Load returned has changed since. The
// lock on the user makes a change that is being committed right now count:
// without it a device could stand on the password that was just replaced.
const saveQuery = `
	INSERT INTO device_totp_states AS s (user_id, state, version)
	SELECT u.id, $2, $3
	FROM users AS u LEFT JOIN device_totp_states AS old ON old.user_id = u.id
	WHERE u.id = $1 AND COALESCE(old.version, 0) = $4
		AND CREATED_AT_IN_SECONDS = $5 AND u.password_hash = $6 AND COALESCE(u.pin_hash, '') = $7 AND u.locked = $8 LOCK_ON_THE_USER
	ON CONFLICT (user_id) DO UPDATE SET state = excluded.state, version = excluded.version
	WHERE s.version = $4`

// Save is one atomic step. That no row was written is a conflict: the user is
// gone, or something has changed.
func (s *Store) Save(ctx context.Context, a credential.Account) error {
	state, err := a.State.MarshalBinary()
	if err != nil {
		return fmt.Errorf("users: save %q: %w", a.ID, err)
	}
	if err := a.CheckNext(); err != nil {
		return fmt.Errorf("users: save %q: %w", a.ID, err)
	}
	userID, known := parseID(a.ID)
	if !known {
		return fmt.Errorf("users: %w: %q", credential.ErrConflict, a.ID)
	}
	result, err := s.db.ExecContext(ctx, s.save, userID, state, a.Next, a.Version,
		a.RegisteredAt.Unix(), a.PasswordHash, a.PINHash, a.Locked)
	if err == nil {
		err = ctx.Err() // PostgreSQL reports a commit as done if its wait for a standby is cancelled
	}
	if isUndone(err) {
		return fmt.Errorf("users: %w: %w", credential.ErrSerialization, err)
	}
	if err != nil {
		return fmt.Errorf("users: save %q: %w", a.ID, err) // the outcome is unknown, and the library finds out
	}
	written, err := result.RowsAffected()
	if err == nil && written == 0 {
		err = fmt.Errorf("users: %w: %q", credential.ErrConflict, a.ID)
	}
	return err
}

// parseID accepts one spelling of an id. Were "7" and "07" one user, secrets
// sealed for the one would not open for the other.
func parseID(id string) (userID int64, known bool) {
	userID, err := strconv.ParseInt(id, 10, 64)
	return userID, err == nil && strconv.FormatInt(userID, 10) == id
}

// isUndone reports whether PostgreSQL undid the statement because of another:
// serialization failure, under stricter isolation than the default, or deadlock.
func isUndone(err error) bool {
	var state interface{ SQLState() string }
	return errors.As(err, &state) && (state.SQLState() == "40001" || state.SQLState() == "40P01")
}
