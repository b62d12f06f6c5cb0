package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// Passwords are hashed between the two statements, so that a flood of them leaves
// the pool to the requests that need no hash.
func TestNoConnectionIsHeldWhileAPasswordIsChecked(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, on target) {
		ctx := t.Context()
		db, err := on.open(1)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		store, err := sqlstore.New(ctx, db, on.dialect, sqlstore.Config{})
		require.NoError(t, err)
		require.NoError(t, store.Migrate(ctx))
		require.NoError(t, store.Put(ctx, credential.Account{ID: "a", PasswordHash: passwordHash}))
		keys, _, err := newKeys()
		require.NoError(t, err)
		asked := 0
		password := verifier.Func(func(context.Context, verifier.Query) (verifier.Verdict, error) {
			asked++
			require.Zero(t, db.Stats().InUse)
			return verifier.Verdict{Status: verifier.StatusValid}, nil
		})
		issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{Password: password})
		require.NoError(t, err)
		_, err = issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "a", Password: credential.NewSecret(overloadPassword)})
		require.NoError(t, err)
		require.Equal(t, 1, asked)
	})
}
