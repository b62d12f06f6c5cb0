package etcdstore

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"example.com/devicetotp/credential"
)

// script answers every read with one account, and each transaction with the next
// of its answers.
type script struct {
	clientv3.KV
	record    string
	getErr    error
	committed []answer
	ctx       context.Context
}

type answer struct {
	succeeded bool
	err       error
	change    func(*script)
}

func (s *script) Get(context.Context, string, ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	if s.getErr != nil {
		return nil, s.getErr
	}
	return &clientv3.GetResponse{Kvs: []*mvccpb.KeyValue{{Value: []byte(s.record)}}}, nil
}

func (s *script) Txn(ctx context.Context) clientv3.Txn {
	s.ctx = ctx
	return &scriptTxn{script: s}
}

type scriptTxn struct{ script *script }

func (t *scriptTxn) If(...clientv3.Cmp) clientv3.Txn  { return t }
func (t *scriptTxn) Then(...clientv3.Op) clientv3.Txn { return t }
func (t *scriptTxn) Else(...clientv3.Op) clientv3.Txn { return t }

func (t *scriptTxn) Commit() (*clientv3.TxnResponse, error) {
	next := t.script.committed[0]
	t.script.committed = t.script.committed[1:]
	if next.change != nil {
		next.change(t.script)
	}
	return &clientv3.TxnResponse{Succeeded: next.succeeded, Responses: []*etcdserverpb.ResponseOp{{}}}, next.err
}

// Whatever etcd reports, the outcome is unknown: some of these errors come after
// the transaction was proposed, which the cluster then carries out.
func TestEveryErrorOfEtcdIsAnUnknownOutcome(t *testing.T) {
	kinds := []error{
		credential.ErrConflict, credential.ErrNotFound, credential.ErrSerialization,
		credential.ErrStateSize, credential.ErrStateFormat, credential.ErrVersion,
	}
	for _, reported := range []error{
		rpctypes.ErrNoLeader, rpctypes.ErrLeaderChanged, rpctypes.ErrTimeout, rpctypes.ErrTimeoutDueToLeaderFail,
		rpctypes.ErrNoSpace, rpctypes.ErrTooManyRequests, rpctypes.ErrRequestTooLarge, rpctypes.ErrPermissionDenied,
		rpctypes.ErrStopped, rpctypes.ErrUnhealthy, rpctypes.ErrCorrupt, errors.New("the connection was reset"),
	} {
		for name, call := range map[string]func(*Store) error{
			"load":        func(s *Store) error { _, err := s.Load(t.Context(), "a"); return err },
			"save":        func(s *Store) error { return s.Save(t.Context(), credential.Account{ID: "a", Next: 7}) },
			"put":         func(s *Store) error { return s.Put(t.Context(), credential.Account{ID: "a"}) },
			"insert":      func(s *Store) error { _, err := s.Insert(t.Context(), credential.Account{ID: "a"}); return err },
			"delete":      func(s *Store) error { _, err := s.Delete(t.Context(), "a"); return err },
			"set locked":  func(s *Store) error { return s.SetLocked(t.Context(), "a", true) },
			"rotate hash": func(s *Store) error { return s.RotateHash(t.Context(), "a", credential.FactorPIN, "", "x") },
		} {
			s := &Store{kv: &script{record: formatRecord(credential.Account{}), committed: []answer{{err: reported}}}}
			err := call(s)
			require.ErrorIs(t, err, reported, name)
			for _, kind := range kinds {
				require.NotErrorIs(t, err, kind, name)
			}
		}
		s := &Store{kv: &script{getErr: reported}}
		_, err := s.IDs(t.Context(), "", 1)
		require.ErrorIs(t, err, reported)
		require.ErrorIs(t, s.SetLocked(t.Context(), "a", true), reported)
	}
}

func TestTheEndOfCtxIsInTheError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	unclear := errors.New("the client is closing")
	s := &Store{kv: &script{committed: []answer{{err: unclear, change: func(*script) { cancel() }}}}}
	err := s.Save(ctx, credential.Account{ID: "a", Next: 7})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, unclear)
}

// A server without a leader must say so at once, or each call waits for it.
func TestCallsAskForALeader(t *testing.T) {
	kv := &script{committed: []answer{{succeeded: true}}}
	require.NoError(t, (&Store{kv: kv}).Save(t.Context(), credential.Account{ID: "a", Next: 7}))
	require.Equal(t, clientv3.WithRequireLeader(t.Context()), kv.ctx)
}

// A change of the host's that comes between is seen, not overwritten.
func TestUpdateBeginsAgainAfterAnotherChange(t *testing.T) {
	overtaken := answer{change: func(s *script) { s.record = formatRecord(credential.Account{PasswordHash: "other"}) }}
	kv := &script{record: formatRecord(credential.Account{PasswordHash: "p"}), committed: []answer{overtaken, {succeeded: true}}}
	require.NoError(t, (&Store{kv: kv}).SetLocked(t.Context(), "a", true))
	require.Empty(t, kv.committed)

	kv = &script{record: formatRecord(credential.Account{PasswordHash: "p"}), committed: []answer{overtaken}}
	err := (&Store{kv: kv}).RotateHash(t.Context(), "a", credential.FactorPassword, "p", "q")
	require.ErrorIs(t, err, credential.ErrConflict)
	require.Empty(t, kv.committed)
}

func TestUpdateRefusesARecordThatItCannotRead(t *testing.T) {
	err := (&Store{kv: &script{record: "2\x00secret"}}).SetLocked(t.Context(), "a", true)
	require.ErrorIs(t, err, errRecord)
	require.NotContains(t, err.Error(), "secret")
}
