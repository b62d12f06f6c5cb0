package sqltest

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/devicetotp"
)

// One pair through what happens without a crash, because starting one takes
// seconds.
func TestStandby(t *testing.T) {
	pair := pgtest.NeedPair(t)
	var services []*failover
	for _, driver := range postgresDrivers {
		services = append(services, newFailover(t, pair, driver))
	}
	for _, f := range services {
		t.Run("stands still/"+f.driver, f.standbyStandsStill)
	}
	var left []*leftBehind
	for _, f := range services {
		left = append(left, f.leaveBehind(t))
	}
	_, err := openPostgres(t, "pgx", pair.Primary.DSN()).ExecContext(t.Context(), `ALTER SYSTEM SET default_transaction_read_only = on`)
	require.NoError(t, err)
	_, err = openPostgres(t, "pgx", pair.Primary.DSN()).ExecContext(t.Context(), `SELECT pg_reload_conf()`)
	require.NoError(t, err)
	require.NoError(t, pair.Promote(t.Context()))
	for i, f := range services {
		t.Run("is promoted beside a primary that is read-only/"+f.driver, left[i].goesToTheNewPrimary)
	}
}

// standbyStandsStill saves while commits wait. The deadline of a Save holds, and
// what it was for is answered unavailable.
func (f *failover) standbyStandsStill(t *testing.T) {
	u := f.user(t, "stands still")
	require.NoError(t, f.pair.CatchUp(t.Context()))
	require.NoError(t, f.pair.Standby.PauseReceiver(t.Context()))
	defer func() { require.NoError(t, f.pair.Standby.ResumeReceiver()) }()

	a := load(t, f.store, u.id)
	a.Next = 7
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	saved := make(chan error, 1)
	go func() { saved <- f.store.Save(ctx, a) }()
	select {
	case err := <-saved:
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, credential.ErrConflict)
	case <-time.After(time.Minute):
		t.Fatal("a Save outlasts its deadline")
	}

	impatient := f.issuer(t, f.store, devicetotp.Limits{StoreTimeout: 100 * time.Millisecond, RoundsTimeout: time.Second})
	require.Equal(t, devicetotp.CodeUnavailable, devicetotp.CodeOf(u.create(impatient, onGrace, deviceA)))
	require.Empty(t, u.given)

	require.NoError(t, f.pair.Standby.ResumeReceiver())
	require.NoError(t, settled(t, func() error { return u.create(f.calm, onGrace, deviceA) }))
	require.Len(t, load(t, f.store, u.id).State.Devices, 1)
}

// leftBehind is a pool of one connection, which leads to the old primary.
type leftBehind struct {
	db    *sql.DB
	store *sqlstore.Store
	a     credential.Account
}

func (f *failover) leaveBehind(t *testing.T) *leftBehind {
	t.Helper()
	db := openPostgres(t, f.driver, suits(f.driver, pgtest.With(f.pair.DSN(), "dbname", "devicetotp_"+f.driver)))
	db.SetMaxOpenConns(1)
	store, err := sqlstore.New(t.Context(), db, sqlstore.DialectPostgres, sqlstore.Config{})
	require.NoError(t, err)
	require.NoError(t, store.Put(t.Context(), credential.Account{ID: "left behind"}))
	a := load(t, store, "left behind")
	a.Next = 7
	return &leftBehind{db, store, a}
}

// goesToTheNewPrimary meets the old primary once, and never again.
func (l *leftBehind) goesToTheNewPrimary(t *testing.T) {
	require.Eventually(t, func() (readOnly bool) {
		err := l.db.QueryRowContext(t.Context(), `SELECT current_setting('transaction_read_only')::boolean`).Scan(&readOnly)
		return err == nil && readOnly
	}, time.Minute, time.Millisecond, "the connection learns that the server is read-only")
	require.Equal(t, "25006", sqlState(l.store.Save(t.Context(), l.a)))
	require.NoError(t, l.store.Save(t.Context(), l.a))
	require.EqualValues(t, 7, load(t, l.store, "left behind").Version)
}
