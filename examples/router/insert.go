package router

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
)

const insertAccount = `INSERT INTO ` + sqlstore.DefaultTable + `
	(id, registered_sec, registered_ns, password_hash, pin_hash, locked, state, version)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`

// insert adds the account to this shard, unless it has gone from here. It looks for
// that after the row is in, and before anybody sees it: if the account was there a
// moment ago, the row had to wait until the move was committed.
func (s Shard) insert(ctx context.Context, a credential.Account) (inserted, gone bool, err error) {
	if !isText(a.ID) || a.ID == "" || len(a.ID) > sqlstore.MaxID || !isText(a.PasswordHash) || !isText(a.PINHash) {
		return false, false, errors.New("router: insert: an id is 1 to 1024 bytes, and it and hashes are UTF-8 without NUL")
	}
	state, err := a.State.MarshalBinary()
	if err != nil {
		return false, false, fmt.Errorf("router: insert: %w", err)
	}
	tx, err := s.DB.BeginTx(ctx, nil)
	if err != nil {
		return false, false, fmt.Errorf("router: insert: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing is left to undo after Commit
	inserted, err = one(ctx, tx, insertAccount, a.ID, a.RegisteredAt.Unix(), a.RegisteredAt.Nanosecond(),
		a.PasswordHash, a.PINHash, a.Locked, state, a.Version)
	if err != nil || !inserted {
		return false, false, err
	}
	if _, gone, err = moved(ctx, tx, a.ID); err != nil || gone {
		return false, gone, err
	}
	if err := tx.Commit(); err != nil {
		return false, false, fmt.Errorf("router: insert: %w", err)
	}
	return true, false, nil
}

// isText reports whether every database can keep s as text.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }
