package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/mariadbtest"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

func TestMain(m *testing.M) {
	os.Exit(mariadbtest.Main(func() int { return pgtest.Main(m) }))
}

// noted returns a store with a table, and what takes note of its statements.
func noted(t *testing.T, on target) (*sqlstore.Store, *notes) {
	t.Helper()
	db, n, err := on.noted()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	store, err := sqlstore.New(t.Context(), db, on.dialect, sqlstore.Config{})
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context()))
	return store, n
}

func onEachDatabase(t *testing.T, test func(t *testing.T, on target)) {
	t.Run("sqlite", func(t *testing.T) { test(t, sqliteTarget(t.TempDir(), "accounts.db")) })
	t.Run("postgres", func(t *testing.T) {
		test(t, target{sqlstore.DialectPostgres, "pgx", pgtest.Need(t).Database(t)})
	})
}

// A request is one SELECT and one UPDATE, also where it changes nothing, because
// only a Save tells that what was read is still there after a fail-over: no
// transaction around them, and nothing prepared beforehand. What is refused
// before a credential is looked at does not write.
func TestARequestIsTwoStatements(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, on target) {
		ctx := t.Context()
		now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		store, sent := noted(t, on)
		keys, err := credential.NewKeyring("k", credential.NewKey("k"))
		require.NoError(t, err)
		issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{Clock: clocktest.New(now)})
		require.NoError(t, err)
		require.NoError(t, store.Put(ctx, credential.Account{ID: "a", RegisteredAt: now}))
		sent.take()

		var device devicetotp.DeviceTOTP
		right := func() credential.Secret {
			p := verifier.TOTP{Secret: device.Secret, Algorithm: device.Algorithm, Digits: device.Digits, Period: device.Period}
			code, err := p.Code(p.Step(now))
			require.NoError(t, err)
			return code
		}
		create := func(r devicetotp.CreateRequest) (err error) {
			r.AccountID = "a"
			made, err := issuer.Create(ctx, r)
			if err == nil {
				device = made
			}
			return err
		}
		for _, c := range []struct {
			name   string
			do     func() error
			denied bool
			want   []string
		}{
			{"Create on grace", func() error { return create(devicetotp.CreateRequest{}) }, false, []string{"SELECT", "UPDATE"}},
			{"the same again", func() error { return create(devicetotp.CreateRequest{DeviceID: device.ID}) }, false, []string{"SELECT", "UPDATE"}},
			{"Create on a wrong PIN", func() error { return create(devicetotp.CreateRequest{PIN: credential.NewSecret("0000")}) }, true, []string{"SELECT", "UPDATE"}},
			{"Create with nothing, after grace", func() error { return create(devicetotp.CreateRequest{NoGrace: true}) }, true, []string{"SELECT"}},
			{"AddCode", func() error {
				_, err := issuer.AddCode(ctx, devicetotp.AddCodeRequest{AccountID: "a", Kind: verifier.KindAccount, Code: credential.NewSecret("12345678"), TTL: time.Minute})
				return err
			}, false, []string{"SELECT", "UPDATE"}},
			{"Create on an OTP", func() error { return create(devicetotp.CreateRequest{OTP: credential.NewSecret("12345678")}) }, false, []string{"SELECT", "UPDATE"}},
			{"Verify", func() error {
				_, err := issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: "a", Code: right()})
				return err
			}, false, []string{"SELECT", "UPDATE"}},
			{"Verify of a used code", func() error {
				_, err := issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: "a", Code: right()})
				return err
			}, true, []string{"SELECT", "UPDATE"}},
			{"Unblock", func() error { return issuer.Unblock(ctx, devicetotp.UnblockRequest{AccountID: "a"}) }, false, []string{"SELECT", "UPDATE"}},
			{"Create for an account that is not there", func() error {
				_, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "nobody", OTP: credential.NewSecret("12345678")})
				return err
			}, true, []string{"SELECT"}},
		} {
			if err := c.do(); c.denied {
				require.ErrorIs(t, err, devicetotp.ErrDenied, c.name)
			} else {
				require.NoError(t, err, c.name)
			}
			var kinds []string
			for _, query := range queries(sent.take()) {
				kind, _, _ := strings.Cut(query, " ")
				kinds = append(kinds, kind)
			}
			require.Equal(t, c.want, kinds, c.name)
		}
	})
}
