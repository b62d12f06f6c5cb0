package operations

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
)

// Accounts is what moving an account needs of a store.
type Accounts interface {
	credential.Store
	Insert(ctx context.Context, a credential.Account) (inserted bool, err error)
	SetLocked(ctx context.Context, id string, locked bool) error
	Delete(ctx context.Context, id string) (deleted bool, err error)
}

// ErrTaken says that the new id has an account already. Nothing has moved.
var ErrTaken = errors.New("an account has the new id already; nothing has moved")

// ErrID says that no account can have the new id. Nothing has moved.
var ErrID = errors.New("the new id must be another one, of 1 to 1024 bytes of UTF-8 without NUL; nothing has moved")

// ErrSealed says that the account has something sealed that does not open, and which.
// Nothing has moved.
var ErrSealed = errors.New("what is sealed cannot be sealed for the new id; nothing has moved")

// ErrGone says that the old account was gone before Move deleted it. The new one is
// there. If the old one was deleted, or moved to another id, the new one must not be
// unlocked: that would bring back what was deleted, or let two accounts use one secret.
var ErrGone = errors.New("the old account was deleted or moved meanwhile; delete the new one, unless the very same move was run twice")

// isID reports whether the stores of this module keep an account of that id. One that
// they refuse is found out before the old account is locked.
func isID(id string) bool {
	return id != "" && len(id) <= sqlstore.MaxID && utf8.ValidString(id) && !strings.ContainsRune(id, 0)
}

// Move moves an account to an id that no account has or had. If nothing has moved,
// the old account is as it was. After an error of the store it may be locked, and the
// same call goes on; if the old one is gone by then, unlock the new one, but see
// [ErrGone]. An account that was locked before, for instance by an earlier call, is
// locked afterwards too, and Move reports that. ErrTaken is also returned if an earlier
// call has added the new account, locked, and the old one or its password has changed
// since: delete the new one then.
//
// Nobody may lock or unlock the account meanwhile, because Move unlocks it in the end;
// nor revoke a device of it or set its password: both work on a locked account, and
// what is moved could be older.
func Move(ctx context.Context, store Accounts, keys *credential.Keyring, from, to string) (locked bool, err error) {
	if from == to || !isID(to) {
		return false, ErrID
	}
	before, err := store.Load(ctx, from)
	if err != nil {
		return false, err
	}
	if err := store.SetLocked(ctx, from, true); err != nil {
		return false, err
	}
	old, err := store.Load(ctx, from)
	if err != nil {
		return false, err
	}
	moved, err := rebound(keys, old, to)
	unmoved := err != nil
	if unmoved {
		err = fmt.Errorf("%w: %w", ErrSealed, err)
	} else {
		err = insert(ctx, store, moved)
		unmoved = errors.Is(err, ErrTaken) // after another error nobody knows
	}
	if unmoved && !before.Locked {
		if errUnlock := store.SetLocked(ctx, from, false); errUnlock != nil {
			err = fmt.Errorf("%v, but it is still locked: %w", err, errUnlock) //nolint:errorlint // it is not as it was
		}
	}
	if err != nil {
		return false, err // never delete the old account without the new one
	}
	deleted, err := store.Delete(ctx, from)
	if err == nil && !deleted {
		err = ErrGone
	}
	if err != nil {
		return true, fmt.Errorf("the new account is there, and locked: %w", err)
	}
	if before.Locked {
		return true, nil
	}
	return false, store.SetLocked(ctx, to, false)
}

// insert adds the account, or finds it there. Where Insert reports false, or an
// error after which nobody knows, the row with that id may be this one, of an earlier
// call for instance, or somebody else's: the version says which.
func insert(ctx context.Context, store Accounts, a credential.Account) error {
	inserted, insertErr := store.Insert(ctx, a)
	if inserted {
		return nil
	}
	there, err := store.Load(ctx, a.ID)
	switch {
	case err == nil && there.Version == a.Version:
		return nil
	case insertErr != nil:
		return insertErr
	case err != nil:
		return err
	}
	return ErrTaken
}

// rebound returns the account for the new id, locked. Its version is derived from the
// old one, which is random: nobody else has it, and a later call knows by it that the
// account is its own. The hashes count, because a new password does not change the
// version of the old one.
func rebound(keys *credential.Keyring, old credential.Account, id string) (moved credential.Account, err error) {
	moved = credential.Account{ID: id, RegisteredAt: old.RegisteredAt, PasswordHash: old.PasswordHash, Locked: true}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %d %q %q", old.ID, id, old.Version, old.PasswordHash, old.PINHash))
	moved.Version = int64(binary.BigEndian.Uint64(sum[:])%credential.MaxVersion) + 1
	if moved.State, err = credential.Rebind(keys, old.State, old.ID, id); err != nil || old.PINHash == "" {
		return moved, err
	}
	hash, _, err := keys.OpenPINHash(old.ID, old.PINHash)
	if err != nil {
		return moved, err
	}
	moved.PINHash, err = keys.SealPINHash(id, hash)
	return moved, err
}
