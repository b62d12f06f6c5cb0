package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/crypto/bcrypt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// Users is what this service did before: it registers users and changes them.
// Each statement names the columns it changes and nothing else.
//
// Two habits of services are dangerous here. An ORM that saves the whole row
// writes back the hash and the lock that it read a while ago: a password change
// or a lock that came between is undone, and with it whatever was refused
// because of it. And an import that sets created_at to now() makes every user
// new: for five minutes each of them gets a device without any credential. Keep
// the date on which they registered, or write one long past.
type Users struct{ db *sql.DB }

// Register adds a user and returns the id. pin may be empty for none.
func (u Users) Register(ctx context.Context, email, password, pin string, now time.Time) (id string, err error) {
	passwordHash, err := hash(password)
	if err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	var pinHash sql.NullString
	if pin != "" {
		pinHash.Valid = true
		if pinHash.String, err = hash(pin); err != nil {
			return "", fmt.Errorf("PIN: %w", err)
		}
	}
	var userID int64
	err = u.db.QueryRowContext(ctx,
		`INSERT INTO users (email, password_hash, pin_hash, created_at) VALUES ($1, $2, $3, $4) RETURNING id`,
		email, passwordHash, pinHash, now.UTC()).Scan(&userID)
	return strconv.FormatInt(userID, 10), err
}

// Login returns the id of the user with this address and password, and reports
// whether there is one. It takes hashes of every form, because StoreRehash replaces
// those that were made by Register: with bcrypt.CompareHashAndPassword it would lock
// out everyone whose hash was renewed. A service limits guesses here too: this counts
// no failures, and those that the Issuer counts are its own.
func (u Users) Login(ctx context.Context, email, password string) (id string, ok bool, err error) {
	var userID int64
	var hash string // "" if there is no such user: compared all the same, so that the time is equal
	err = u.db.QueryRowContext(ctx, `SELECT id, password_hash FROM users WHERE email = $1`, email).Scan(&userID, &hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", false, err
	}
	ok, _, err = verifier.DefaultHasher().Compare(ctx, hash, credential.NewSecret(password))
	if !ok {
		return "", false, err
	}
	return strconv.FormatInt(userID, 10), true, err
}

// Lock locks a user out.
func (u Users) Lock(ctx context.Context, id string) error {
	return u.exec(ctx, `UPDATE users SET locked = true WHERE id = $1`, id)
}

// Delete removes a user; the cascade takes the devices along.
func (u Users) Delete(ctx context.Context, id string) error {
	return u.exec(ctx, `DELETE FROM users WHERE id = $1`, id)
}

// StoreRehash replaces a bcrypt hash by the better one that the library made of
// the same value, unless the user has changed it meanwhile.
func (u Users) StoreRehash(ctx context.Context, id string, f credential.Factor, old, better string) error {
	if f == credential.FactorPIN {
		return u.exec(ctx, `UPDATE users SET pin_hash = $2 WHERE id = $1 AND pin_hash = $3`, id, better, old)
	}
	return u.exec(ctx, `UPDATE users SET password_hash = $2 WHERE id = $1 AND password_hash = $3`, id, better, old)
}

// IDs returns up to limit ids of users, in the order of their numbers, from the
// first one after that; "" is the beginning. It is for what goes through all of
// them, such as package rollout.
func (u Users) IDs(ctx context.Context, after string, limit int) (ids []string, err error) {
	last, known := parseID(after)
	if !known && after != "" {
		return nil, fmt.Errorf("users: %q is not an id", after)
	}
	rows, err := u.db.QueryContext(ctx, `SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT $2`, last, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, strconv.FormatInt(id, 10))
	}
	return ids, rows.Err()
}

func (u Users) exec(ctx context.Context, query, id string, args ...any) error {
	userID, known := parseID(id)
	if !known {
		return fmt.Errorf("users: %w: %q", credential.ErrNotFound, id)
	}
	_, err := u.db.ExecContext(ctx, query, append([]any{userID}, args...)...)
	return err
}

func hash(value string) (string, error) {
	h, err := bcrypt.GenerateFromPassword([]byte(value), bcrypt.DefaultCost)
	return string(h), err
}
