package sqlstore

import (
	"context"
	"fmt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/internal/hostside"
)

// MaxID is the longest id of an account, in bytes.
const MaxID = hostside.MaxID

// Put adds the account, or replaces what belongs to the host: RegisteredAt,
// PasswordHash, PINHash and Locked. State and Version are ignored: those of an
// account that is there stay as they are, a new one starts without. The id must
// be 1 to [MaxID] bytes, and it and the hashes UTF-8 without NUL. MySQL takes
// hashes of up to 4,096 bytes.
func (s *Store) Put(ctx context.Context, a credential.Account) error {
	if err := hostside.CheckAccount(a); err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	_, err := s.write(ctx, "put", s.sql.put, hostArgs(a)...)
	return err
}

// Insert adds the account with its State and Version if there is none of that
// id, and reports whether it did. An account that is there is left as it is. The
// same values are refused as by [Store.Put], and a Version that is not 0 to
// [credential.MaxVersion].
//
// If inserted is false, the row may be somebody else's, or this one: an earlier call
// may have added it although its response was lost, and some drivers silently send a
// statement again. Draw Version at random and [Store.Load] the account to know: if it
// has that Version, it is this one. Do the same after an error, which may follow an
// insertion that took effect. Until you know, delete nothing that it replaces.
func (s *Store) Insert(ctx context.Context, a credential.Account) (inserted bool, err error) {
	if err := hostside.CheckAccount(a); err != nil {
		return false, fmt.Errorf("sqlstore: %w", err)
	}
	if err := hostside.CheckVersion(a); err != nil {
		return false, fmt.Errorf("sqlstore: %w", err)
	}
	state, err := a.State.MarshalBinary()
	if err != nil {
		return false, fmt.Errorf("sqlstore: insert %q: %w", a.ID, err)
	}
	inserted, err = s.write(ctx, "insert", s.sql.insert, append(hostArgs(a), state, a.Version)...)
	if mysqlNumber(err) == mysqlDuplicateKey {
		return false, nil
	}
	return inserted, err
}

// Delete removes the account and its State, and reports whether it was there.
func (s *Store) Delete(ctx context.Context, id string) (deleted bool, err error) {
	if !hostside.IsID(id) {
		return false, nil
	}
	return s.write(ctx, "delete", s.sql.delete, id)
}

// SetLocked locks or unlocks the account. A request that is being decided on at
// that moment sees it. The error wraps [credential.ErrNotFound] if there is no
// such account.
func (s *Store) SetLocked(ctx context.Context, id string, locked bool) error {
	if !hostside.IsID(id) {
		return notFound(id)
	}
	found, err := s.write(ctx, "set locked", s.sql.setLocked, locked, id)
	if err == nil && !found {
		return notFound(id)
	}
	return err
}

// RotateHash replaces the account's hash of f, [credential.FactorPassword] or
// [credential.FactorPIN], if it is still from; "" is none. Otherwise, or if there is no
// such account, the error wraps [credential.ErrConflict] and nothing has
// happened. It is what a host calls to store a better hash of the same value
// without undoing a change made meanwhile. Given as Config.OnRehash of an Issuer, it
// changes the form of the hash, so the login must take every form first: see there.
func (s *Store) RotateHash(ctx context.Context, id string, f credential.Factor, from, to string) error {
	if err := hostside.CheckRotation(f, to); err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	query := s.sql.rotatePassword
	if f == credential.FactorPIN {
		query = s.sql.rotatePIN
	}
	if !hostside.IsID(id) || !hostside.IsText(from) {
		return conflict(id)
	}
	found, err := s.write(ctx, "rotate hash", query, to, id, from)
	if err == nil && !found {
		return conflict(id)
	}
	return err
}

// IDs returns up to limit ids of accounts, in the order of their bytes, from
// the first one greater than after. Start with "", and go on with the last id
// of the page until a page is empty. limit must be above 0.
func (s *Store) IDs(ctx context.Context, after string, limit int) ([]string, error) {
	if err := hostside.CheckPage(after, limit); err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	rows, err := s.db.QueryContext(ctx, s.sql.list, after, limit)
	if err != nil {
		return nil, failed(ctx, "ids", err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, failed(ctx, "ids", err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, failed(ctx, "ids", err)
	}
	return ids, nil
}

func hostArgs(a credential.Account) []any {
	return []any{
		a.ID, a.RegisteredAt.Unix(), a.RegisteredAt.Nanosecond(),
		a.PasswordHash, a.PINHash, a.Locked,
	}
}
