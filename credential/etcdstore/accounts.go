package etcdstore

import (
	"context"
	"fmt"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/internal/hostside"
)

// MaxID is the longest id of an account, in bytes.
const MaxID = hostside.MaxID

// Put adds the account, or replaces what belongs to the host: RegisteredAt,
// PasswordHash, PINHash and Locked. State and Version are ignored: those of an
// account that is there stay as they are, a new one starts without. The id must
// be 1 to [MaxID] bytes, and it and the hashes UTF-8 without NUL.
func (s *Store) Put(ctx context.Context, a credential.Account) error {
	if err := hostside.CheckAccount(a); err != nil {
		return fmt.Errorf("etcdstore: %w", err)
	}
	k, record := s.keys(a.ID), formatRecord(a)
	_, err := s.kv.Txn(clientv3.WithRequireLeader(ctx)).If(missing(k.account)).
		Then(clientv3.OpPut(k.account, record), clientv3.OpPut(k.state, ""), clientv3.OpPut(k.version, formatVersion(0))).
		Else(clientv3.OpPut(k.account, record)).Commit()
	if err != nil {
		return failed(ctx, "put", a.ID, err)
	}
	return nil
}

// Insert adds the account with its State and Version if there is none of that
// id, and reports whether it did. An account that is there is left as it is. The
// same values are refused as by [Store.Put], and a Version that is not 0 to
// [credential.MaxVersion].
//
// If inserted is false, the account may be somebody else's, or this one: an earlier
// call may have added it although its response was lost. Draw Version at random and
// [Store.Load] the account to know: if it has that Version, it is this one. Do the
// same after an error, which may follow an insertion that took effect. Until you
// know, delete nothing that it replaces.
func (s *Store) Insert(ctx context.Context, a credential.Account) (inserted bool, err error) {
	if err := hostside.CheckAccount(a); err != nil {
		return false, fmt.Errorf("etcdstore: %w", err)
	}
	if err := hostside.CheckVersion(a); err != nil {
		return false, fmt.Errorf("etcdstore: %w", err)
	}
	state, err := a.State.MarshalBinary()
	if err != nil {
		return false, fmt.Errorf("etcdstore: insert %q: %w", a.ID, err)
	}
	k := s.keys(a.ID)
	response, err := s.commit(ctx, []clientv3.Cmp{missing(k.account)}, clientv3.OpPut(k.account, formatRecord(a)),
		clientv3.OpPut(k.state, string(state)), clientv3.OpPut(k.version, formatVersion(a.Version)))
	if err != nil {
		return false, failed(ctx, "insert", a.ID, err)
	}
	return response.Succeeded, nil
}

// Delete removes the account and its State, and reports whether it was there.
func (s *Store) Delete(ctx context.Context, id string) (deleted bool, err error) {
	if !hostside.IsID(id) {
		return false, nil
	}
	k := s.keys(id)
	response, err := s.commit(ctx, nil,
		clientv3.OpDelete(k.account), clientv3.OpDelete(k.state), clientv3.OpDelete(k.version))
	if err != nil {
		return false, failed(ctx, "delete", id, err)
	}
	return response.Responses[0].GetResponseDeleteRange().GetDeleted() > 0, nil
}

// SetLocked locks or unlocks the account. A request that is being decided on at
// that moment sees it. The error wraps [credential.ErrNotFound] if there is no
// such account.
func (s *Store) SetLocked(ctx context.Context, id string, locked bool) error {
	if !hostside.IsID(id) {
		return notFound(id)
	}
	return s.update(ctx, "set locked", id, func(a *credential.Account) error {
		if a == nil {
			return notFound(id)
		}
		a.Locked = locked
		return nil
	})
}

// RotateHash replaces the account's hash of f, [credential.FactorPassword] or
// [credential.FactorPIN], if it is still from; "" is none. Otherwise, or if there is no
// such account, the error wraps [credential.ErrConflict] and nothing has
// happened. It is what a host calls to store a better hash of the same value
// without undoing a change made meanwhile. Given as Config.OnRehash of an Issuer, it
// changes the form of the hash, so the login must take every form first: see there.
func (s *Store) RotateHash(ctx context.Context, id string, f credential.Factor, from, to string) error {
	if err := hostside.CheckRotation(f, to); err != nil {
		return fmt.Errorf("etcdstore: %w", err)
	}
	if !hostside.IsID(id) {
		return conflict(id)
	}
	return s.update(ctx, "rotate hash", id, func(a *credential.Account) error {
		switch {
		case a == nil || a.Hash(f) != from:
			return conflict(id)
		case f == credential.FactorPIN:
			a.PINHash = to
		default:
			a.PasswordHash = to
		}
		return nil
	})
}

// update changes the host's fields. change gets nil if there is no such account.
// If another call of the host's comes between, it is called again with what that
// one has stored.
func (s *Store) update(ctx context.Context, op, id string, change func(*credential.Account) error) error {
	key := s.keys(id).account
	for {
		found, err := s.kv.Get(clientv3.WithRequireLeader(ctx), key)
		if err != nil {
			return failed(ctx, op, id, err)
		}
		if len(found.Kvs) == 0 {
			return change(nil)
		}
		record := string(found.Kvs[0].Value)
		a, err := parseRecord(id, record)
		if err != nil {
			return fmt.Errorf("etcdstore: %s %q: %w", op, id, err)
		}
		if err := change(&a); err != nil {
			return err
		}
		response, err := s.commit(ctx, []clientv3.Cmp{is(key, record)}, clientv3.OpPut(key, formatRecord(a)))
		if err != nil {
			return failed(ctx, op, id, err)
		}
		if response.Succeeded {
			return nil
		}
	}
}

// IDs returns up to limit ids of accounts, in the order of their bytes, from
// the first one greater than after. Start with "", and go on with the last id
// of the page until a page is empty. limit must be above 0.
func (s *Store) IDs(ctx context.Context, after string, limit int) ([]string, error) {
	if err := hostside.CheckPage(after, limit); err != nil {
		return nil, fmt.Errorf("etcdstore: %w", err)
	}
	all := s.prefix + accountKeys
	const next = "\x00" // no id has one, so this is the first key after it
	found, err := s.kv.Get(clientv3.WithRequireLeader(ctx), all+after+next,
		clientv3.WithRange(clientv3.GetPrefixRangeEnd(all)), clientv3.WithLimit(int64(limit)), clientv3.WithKeysOnly())
	if err != nil {
		return nil, failed(ctx, "ids after", after, err)
	}
	ids := make([]string, 0, len(found.Kvs))
	for _, kv := range found.Kvs {
		ids = append(ids, strings.TrimPrefix(string(kv.Key), all))
	}
	return ids, nil
}
