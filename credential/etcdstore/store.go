package etcdstore

import (
	"context"
	"fmt"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/internal/hostside"
)

// Store is a [credential.Store] over etcd. It is safe for concurrent use. Make one
// a process with [New]; it needs no closing, and leaves the client open.
type Store struct {
	kv     clientv3.KV
	prefix string
}

var _ credential.Store = (*Store)(nil)

// Load implements [credential.Store] with one transaction of three reads, which
// etcd answers only after it has made sure that its leader has nothing newer.
func (s *Store) Load(ctx context.Context, id string) (credential.Account, error) {
	if !hostside.IsID(id) {
		return credential.Account{}, notFound(id)
	}
	k := s.keys(id)
	response, err := s.commit(ctx, nil, clientv3.OpGet(k.account), clientv3.OpGet(k.state), clientv3.OpGet(k.version))
	if err != nil {
		return credential.Account{}, failed(ctx, "load", id, err)
	}
	var values [3][]byte
	var there [3]bool
	for i, r := range response.Responses {
		values[i], there[i] = only(r)
	}
	if !there[0] {
		return credential.Account{}, notFound(id)
	}
	if !there[1] || !there[2] {
		return credential.Account{}, fmt.Errorf("etcdstore: load %q: the account has no key %q or no key %q: "+
			"somebody removed it, and what it kept is lost", id, k.state, k.version)
	}
	a, err := parse(id, values)
	if err != nil {
		return credential.Account{}, fmt.Errorf("etcdstore: load %q: %w", id, err)
	}
	return a, nil
}

// parse reads the values of an account's keys.
func parse(id string, values [3][]byte) (credential.Account, error) {
	a, err := parseRecord(id, string(values[0]))
	if err != nil {
		return credential.Account{}, err
	}
	if err := a.State.UnmarshalBinary(values[1]); err != nil {
		return credential.Account{}, err
	}
	a.Version, err = parseVersion(values[2])
	return a, err
}

// only returns the value of the one key that was asked for, if it is there.
func only(r *etcdserverpb.ResponseOp) (value []byte, there bool) {
	found := r.GetResponseRange().GetKvs()
	if len(found) == 0 {
		return nil, false
	}
	return found[0].GetValue(), true
}

// Save implements [credential.Store] with one transaction, which compares the
// version and the host's fields.
func (s *Store) Save(ctx context.Context, a credential.Account) error {
	state, err := a.State.MarshalBinary()
	if err != nil {
		return fmt.Errorf("etcdstore: save %q: %w", a.ID, err)
	}
	if err := a.CheckNext(); err != nil {
		return fmt.Errorf("etcdstore: save %q: %w", a.ID, err)
	}
	if err := ctx.Err(); err != nil {
		return failed(ctx, "save", a.ID, err)
	}
	// No stored account can have such a value.
	if hostside.CheckAccount(a) != nil {
		return conflict(a.ID)
	}
	k := s.keys(a.ID)
	response, err := s.commit(ctx, []clientv3.Cmp{is(k.account, formatRecord(a)), is(k.version, formatVersion(a.Version))},
		clientv3.OpPut(k.state, string(state)), clientv3.OpPut(k.version, formatVersion(a.Next)))
	if err != nil {
		return failed(ctx, "save", a.ID, err)
	}
	if !response.Succeeded {
		return conflict(a.ID)
	}
	return nil
}

// commit does all of then in one step, if all of conditions hold. A server that
// has no leader says so at once instead of letting the call wait.
func (s *Store) commit(ctx context.Context, conditions []clientv3.Cmp, then ...clientv3.Op) (*clientv3.TxnResponse, error) {
	return s.kv.Txn(clientv3.WithRequireLeader(ctx)).If(conditions...).Then(then...).Commit()
}
