package sqltest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// Every operation is one statement and no transaction: nothing is prepared
// beforehand, so a load balancer for connections can stand in between.
func TestEachOperationIsOneStatement(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		ctx := context.Background()
		store, spy := d.spied(t)
		var a credential.Account
		for _, op := range []struct {
			name, kind string
			do         func() error
		}{
			{"Put", "exec", func() error { return store.Put(ctx, credential.Account{ID: "a", PasswordHash: "p"}) }},
			{"Load", "query", func() (err error) { a, err = store.Load(ctx, "a"); return err }},
			{"Save", "exec", func() error { return save(store, a) }},
			{"RotateHash", "exec", func() error { return store.RotateHash(ctx, "a", credential.FactorPassword, "p", "q") }},
			{"SetLocked", "exec", func() error { return store.SetLocked(ctx, "a", true) }},
			{"IDs", "query", func() error { _, err := store.IDs(ctx, "", 10); return err }},
			{"Insert", "exec", func() error { _, err := store.Insert(ctx, credential.Account{ID: "b"}); return err }},
			{"Delete", "exec", func() error { _, err := store.Delete(ctx, "b"); return err }},
		} {
			require.NoError(t, op.do(), op.name)
			calls := spy.take()
			require.Len(t, calls, 1, op.name)
			require.Equal(t, op.kind, calls[0].kind, op.name)
		}
	})
}

func TestNothingIsSentForWhatCannotBeStored(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		ctx := context.Background()
		store, spy := d.spied(t)
		for _, id := range []string{"", "a\x00", "\xff", string(make([]byte, 1025))} {
			_, err := store.Load(ctx, id)
			require.ErrorIs(t, err, credential.ErrNotFound)
			require.ErrorIs(t, store.Save(ctx, credential.Account{ID: id, Next: 7}), credential.ErrConflict)
			require.ErrorIs(t, store.SetLocked(ctx, id, true), credential.ErrNotFound)
			require.ErrorIs(t, store.RotateHash(ctx, id, credential.FactorPIN, "", "x"), credential.ErrConflict)
			deleted, err := store.Delete(ctx, id)
			require.NoError(t, err)
			require.False(t, deleted)
			require.ErrorContains(t, store.Put(ctx, credential.Account{ID: id}), "the id must be 1 to 1024 bytes")
			_, err = store.Insert(ctx, credential.Account{ID: id})
			require.ErrorContains(t, err, "the id must be 1 to 1024 bytes")
		}
		bad := credential.Account{ID: "a", PasswordHash: "\xff", PINHash: "\x00"}
		require.ErrorIs(t, save(store, bad), credential.ErrConflict)
		require.ErrorIs(t, store.Save(ctx, credential.Account{ID: "a"}), credential.ErrVersion)
		require.EqualError(t, store.Put(ctx, bad),
			`sqlstore: account "a": the password hash is not UTF-8 without NUL, the PIN hash is not UTF-8 without NUL`)
		require.ErrorIs(t, store.RotateHash(ctx, "a", credential.FactorPIN, "\x00", "x"), credential.ErrConflict)
		require.ErrorContains(t, store.RotateHash(ctx, "a", credential.FactorPIN, "", "\x00"), "the new pin hash is not UTF-8")
		require.ErrorContains(t, store.RotateHash(ctx, "a", credential.FactorOTP, "", "x"), "otp has no stored hash")
		_, err := store.Insert(ctx, credential.Account{ID: "a", Version: -1})
		require.ErrorContains(t, err, "version -1 is not 0 to 2^62")
		_, err = store.IDs(ctx, "", 0)
		require.ErrorContains(t, err, "limit 0 is not above 0")
		_, err = store.IDs(ctx, "\xff", 1)
		require.ErrorContains(t, err, "not UTF-8")
		require.Empty(t, spy.take())
	})
}
