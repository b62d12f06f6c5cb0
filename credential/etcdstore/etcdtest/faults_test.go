package etcdtest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/etcdstore"
)

// patience is how long something may take that must come.
const patience = time.Minute

// One cluster through all that can happen to it, because starting one takes
// seconds.
func TestFaults(t *testing.T) {
	f := &faults{cluster: NeedOwn(t)}
	for _, step := range []struct {
		name  string
		check func(*testing.T)
	}{
		{"the leader is killed", f.leaderKilled},
		{"a follower is paused", func(t *testing.T) { f.paused(t, f.cluster.Follower) }},
		{"the leader is paused", func(t *testing.T) { f.paused(t, f.cluster.Leader) }},
		{"a node that stays paused is left", f.left},
		{"no quorum", f.noQuorum},
		{"all nodes are killed", f.allKilled},
		{"a user with a role for the prefix", f.limitedUser}, // the last, because it changes who may do what
	} {
		if !t.Run(step.name, step.check) {
			return // in whatever state it left the cluster
		}
	}
}

type faults struct{ cluster *Cluster }

// save saves what was loaded with one more failure, as the library does.
func save(ctx context.Context, s *etcdstore.Store, id string) error {
	a, err := s.Load(ctx, id)
	if err != nil {
		return err
	}
	a.State.OTP.Failures++
	a.Next = 1 + rand.Int64N(credential.MaxVersion)
	return s.Save(ctx, a)
}

// leaderKilled has eight clients count while the leader is killed and comes back.
// What was answered is counted, and what was not is counted once at most.
func (f *faults) leaderKilled(t *testing.T) {
	const clients, before, after = 8, 100, 300
	prefix := newPrefix()
	require.NoError(t, newStore(t, prefix, f.cluster.Endpoints()...).Put(t.Context(), credential.Account{ID: "a"}))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var kept, unknown atomic.Int64
	count := func(s *etcdstore.Store, until int64) {
		for kept.Load() < until && ctx.Err() == nil {
			one, end := context.WithTimeout(ctx, 2*time.Second)
			switch err := save(one, s, "a"); {
			case err == nil:
				kept.Add(1)
			case !errors.Is(err, credential.ErrConflict):
				unknown.Add(1)
			}
			end()
		}
	}
	var counting sync.WaitGroup
	for range clients {
		s := newStore(t, prefix, f.cluster.Endpoints()...)
		counting.Go(func() { count(s, after) })
	}
	count(newStore(t, prefix, f.cluster.Endpoints()...), before)
	leader, err := f.cluster.Leader(ctx)
	require.NoError(t, err)
	require.NoError(t, leader.Kill())
	killedAt := kept.Load()
	counting.Wait()
	require.NoError(t, ctx.Err(), "the others go on")
	require.Less(t, killedAt, int64(after), "it was killed while they counted")
	require.NoError(t, leader.StartAgain(t.Context()))

	for _, n := range f.cluster.Nodes {
		a, err := newStore(t, prefix, n.Endpoint()).Load(t.Context(), "a")
		require.NoError(t, err)
		require.GreaterOrEqual(t, int64(a.State.OTP.Failures), kept.Load(), "a save that was answered is gone")
		require.LessOrEqual(t, int64(a.State.OTP.Failures), kept.Load()+unknown.Load(), "a save counts twice")
	}
	t.Logf("%d saves were answered, %d before the kill; of %d the outcome was unknown", kept.Load(), killedAt, unknown.Load())
}

// paused stops a node, saves over the others, and asks that node at once when it
// goes on: it must not answer with what it had.
func (f *faults) paused(t *testing.T, choose func(context.Context) (*Node, error)) {
	node, err := choose(t.Context())
	require.NoError(t, err)
	var others []string
	for _, n := range f.cluster.Nodes {
		if n != node {
			others = append(others, n.Endpoint())
		}
	}
	prefix := newPrefix()
	before, beside := newStore(t, prefix, node.Endpoint()), newStore(t, prefix, others...)
	require.NoError(t, before.Put(t.Context(), credential.Account{ID: "a"}))
	_, err = before.Load(t.Context(), "a")
	require.NoError(t, err)

	require.NoError(t, node.Pause())
	eventually(t, "a save over the others", func(ctx context.Context) error {
		return save(ctx, beside, "a")
	})
	want, err := beside.Load(t.Context(), "a")
	require.NoError(t, err)
	require.Positive(t, want.State.OTP.Failures)
	require.NoError(t, node.Resume())
	eventually(t, "an answer of the node", func(ctx context.Context) error {
		got, err := before.Load(ctx, "a")
		if err == nil {
			require.Equal(t, want.Version, got.Version, "the node answered with what it had")
		}
		return err
	})
}

// left asks a cluster with a node that stays paused, until its keep-alives have
// made the client leave it: then no call waits any more.
func (f *faults) left(t *testing.T) {
	const inARow = 4 * size // the client asks its endpoints in turn
	node, err := f.cluster.Follower(t.Context())
	require.NoError(t, err)
	s := newStore(t, newPrefix(), f.cluster.Endpoints()...)
	require.NoError(t, s.Put(t.Context(), credential.Account{ID: "a"}))
	require.NoError(t, node.Pause())
	eventually(t, "a row of answers", func(ctx context.Context) error {
		for range inARow {
			if _, err := s.Load(ctx, "a"); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, node.Resume())
}

// noQuorum leaves one node. Nothing that it says is a conflict or a missing
// account.
func (f *faults) noQuorum(t *testing.T) {
	prefix := newPrefix()
	s := newStore(t, prefix, f.cluster.Nodes[0].Endpoint())
	require.NoError(t, s.Put(t.Context(), credential.Account{ID: "a"}))
	a, err := s.Load(t.Context(), "a")
	require.NoError(t, err)
	a.Next = 7
	require.NoError(t, f.cluster.Nodes[1].Kill())
	require.NoError(t, f.cluster.Nodes[2].Kill())
	unknown := func(err error) {
		for _, kind := range []error{nil, credential.ErrConflict, credential.ErrNotFound, credential.ErrSerialization} {
			require.NotErrorIs(t, err, kind)
		}
	}
	eventually(t, "the node knows that it has no leader", func(ctx context.Context) error {
		err := s.Save(ctx, a)
		unknown(err)
		if errors.Is(err, rpctypes.ErrNoLeader) {
			return nil
		}
		return err
	})
	for _, call := range []func(context.Context) error{
		func(ctx context.Context) error { _, err := s.Load(ctx, "a"); return err },
		func(ctx context.Context) error { return s.SetLocked(ctx, "a", true) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		unknown(call(ctx))
		cancel()
	}
	require.NoError(t, f.cluster.StartAgain(t.Context()))
	a, err = s.Load(t.Context(), "a")
	require.NoError(t, err)
	require.Contains(t, []int64{0, 7}, a.Version)
}

func (f *faults) allKilled(t *testing.T) {
	prefix := newPrefix()
	s := newStore(t, prefix, f.cluster.Endpoints()...)
	require.NoError(t, s.Put(t.Context(), credential.Account{ID: "a", PasswordHash: "p"}))
	require.NoError(t, save(t.Context(), s, "a"))
	want, err := s.Load(t.Context(), "a")
	require.NoError(t, err)
	for _, n := range f.cluster.Nodes {
		require.NoError(t, n.Kill())
	}
	require.NoError(t, f.cluster.StartAgain(t.Context()))
	got, err := newStore(t, prefix, f.cluster.Endpoints()...).Load(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, want.SameHostFields(got))
	require.Equal(t, want.Version, got.Version)
	require.Equal(t, want.State.OTP.Failures, got.State.OTP.Failures)
}

// eventually calls what, each time for two seconds at most, until it returns nil.
func eventually(t *testing.T, goal string, what func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		one, end := context.WithTimeout(ctx, 2*time.Second)
		err := what(one)
		end()
		if err == nil {
			return
		}
		require.NoError(t, ctx.Err(), "waiting for %s: %v", goal, err)
	}
}
