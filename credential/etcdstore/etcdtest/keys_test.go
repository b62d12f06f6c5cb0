package etcdtest

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	clientv3 "go.etcd.io/etcd/client/v3"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/etcdstore"
)

// An account of which a part is gone, or is not what this release writes, is
// neither missing nor new.
func TestADamagedAccountIsAnError(t *testing.T) {
	c := Need(t)
	client := open(t, c.Endpoints()...)
	put := func(key, value string) func(string) error {
		return func(prefix string) error { _, err := client.Put(t.Context(), prefix+key, value); return err }
	}
	remove := func(key string) func(string) error {
		return func(prefix string) error { _, err := client.Delete(t.Context(), prefix+key); return err }
	}
	for name, damage := range map[string]func(string) error{
		"state removed":   remove("state/a"),
		"version removed": remove("version/a"),
		"record":          put("account/a", "2\x000\x000\x000\x00secret\x00"),
		"version":         put("version/a", "07"),
		"state":           put("state/a", "\xff\xff"),
	} {
		t.Run(name, func(t *testing.T) {
			prefix := newPrefix()
			s := newStore(t, prefix, c.Endpoints()...)
			require.NoError(t, s.Put(t.Context(), credential.Account{ID: "a", PasswordHash: "secret"}))
			require.NoError(t, save(t.Context(), s, "a"))
			require.NoError(t, damage(prefix))
			_, err := s.Load(t.Context(), "a")
			require.ErrorContains(t, err, `etcdstore: load "a": `)
			require.NotContains(t, err.Error(), "secret")
			require.NotErrorIs(t, err, credential.ErrNotFound)
		})
	}
}

// A mirror puts the keys again, so that their revisions are others.
func TestAMirrorKeepsVersions(t *testing.T) {
	c := Need(t)
	client := open(t, c.Endpoints()...)
	from, to := newPrefix(), newPrefix()
	s := newStore(t, from, c.Endpoints()...)
	require.NoError(t, s.Put(t.Context(), credential.Account{ID: "a", PasswordHash: "p"}))
	require.NoError(t, save(t.Context(), s, "a"))
	want, err := s.Load(t.Context(), "a")
	require.NoError(t, err)

	all, err := client.Get(t.Context(), from, clientv3.WithPrefix())
	require.NoError(t, err)
	for _, kv := range all.Kvs {
		_, err := client.Put(t.Context(), to+strings.TrimPrefix(string(kv.Key), from), string(kv.Value))
		require.NoError(t, err)
	}
	mirror := newStore(t, to, c.Endpoints()...)
	got, err := mirror.Load(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, want.Version, got.Version)
	got.Next = 7
	require.NoError(t, mirror.Save(t.Context(), got))
}

func TestDeleteLeavesNoKey(t *testing.T) {
	c := Need(t)
	prefix := newPrefix()
	s := newStore(t, prefix, c.Endpoints()...)
	require.NoError(t, s.Put(t.Context(), credential.Account{ID: "a"}))
	require.NoError(t, save(t.Context(), s, "a"))
	deleted, err := s.Delete(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, deleted)
	left, err := open(t, c.Endpoints()...).Get(t.Context(), prefix, clientv3.WithPrefix())
	require.NoError(t, err)
	require.Empty(t, left.Kvs)
}

// limitedUser has a store whose user may do nothing but what is below its prefix.
func (f *faults) limitedUser(t *testing.T) {
	ctx, root := t.Context(), open(t, f.cluster.Endpoints()...)
	allow := func(steps ...error) {
		for _, err := range steps {
			require.NoError(t, err)
		}
	}
	user := func(name, role string) error {
		if _, err := root.UserAdd(ctx, name, "password"); err != nil {
			return err
		}
		_, err := root.UserGrantRole(ctx, name, role)
		return err
	}
	_, err := root.RoleAdd(ctx, "accounts")
	require.NoError(t, err)
	_, err = root.RoleGrantPermission(ctx, "accounts", etcdstore.DefaultPrefix,
		clientv3.GetPrefixRangeEnd(etcdstore.DefaultPrefix), clientv3.PermissionType(clientv3.PermReadWrite))
	require.NoError(t, err)
	allow(user("root", "root"), user("library", "accounts"))
	_, err = root.AuthEnable(ctx)
	require.NoError(t, err)

	config := etcdstore.ClientConfig(f.cluster.Endpoints()...)
	config.Logger, config.Username, config.Password = quiet, "library", "password"
	client, err := clientv3.New(config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	s, err := etcdstore.New(ctx, client, etcdstore.Config{})
	require.NoError(t, err)
	allow(s.Put(ctx, credential.Account{ID: "a", PasswordHash: "p"}), s.SetLocked(ctx, "a", true),
		s.RotateHash(ctx, "a", credential.FactorPassword, "p", "q"), save(ctx, s, "a"))
	ids, err := s.IDs(ctx, "", 2)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, ids)
	_, err = s.Delete(ctx, "a")
	require.NoError(t, err)

	other, err := etcdstore.New(ctx, client, etcdstore.Config{Prefix: "other/"})
	require.NoError(t, err)
	require.ErrorContains(t, other.Put(context.WithoutCancel(ctx), credential.Account{ID: "a"}), "permission denied")
}
