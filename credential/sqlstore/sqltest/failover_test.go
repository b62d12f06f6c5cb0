package sqltest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// A commit that waits for a standby which is away is cut off by the deadline of
// Save, and then the primary shows its row. If the primary is lost now, so is the
// row. Each request meets that twice: once the standby comes back while the
// request still tries, and once it stays away and the primary is lost. Whatever
// was answered must then be true on the standby.
//
// One fail-over serves all of them, because starting two servers takes seconds.
func TestFailOverKeepsWhatWasAnswered(t *testing.T) {
	pair := pgtest.NeedPair(t)
	var requests []*request
	for _, driver := range postgresDrivers {
		f := newFailover(t, pair, driver)
		for _, s := range scenarios {
			for _, back := range []bool{true, false} {
				requests = append(requests, f.prepare(t, s, back))
			}
		}
	}
	for _, r := range requests {
		if r.back {
			require.NoError(t, pair.Standby.PauseReceiver(t.Context()))
			r.send(t)
			require.NoError(t, pair.CatchUp(t.Context()))
		}
	}
	require.NoError(t, pair.Standby.Crash())
	for _, r := range requests {
		if !r.back {
			r.send(t)
		}
	}
	require.NoError(t, pair.FailOver(t.Context()))
	for _, r := range requests {
		t.Run(r.name, r.check)
	}
}

// A request is one scenario on one account.
type request struct {
	name   string
	user   *user
	back   bool // the standby comes back in time
	begin  func(*devicetotp.Issuer) error
	kept   func(t *testing.T, answer error)
	answer error
}

func (r *request) send(t *testing.T) {
	t.Helper()
	f := r.user.f
	store := &cutOff{Store: f.store, seen: f.seen, pair: f.pair, comesBack: r.back}
	limits := devicetotp.Limits{StoreTimeout: 50 * time.Millisecond, RoundsTimeout: 300 * time.Millisecond}
	if r.back {
		limits.RoundsTimeout = time.Minute // it comes back in time, however slow this machine is
	}
	r.answer = r.begin(f.issuer(t, store, limits))
	r.user.cut = store.cut
	require.NoError(t, store.err, r.name)
}

func (r *request) check(t *testing.T) {
	require.Positive(t, r.user.cut, "the outage did not meet the request")
	t.Run("answer", func(t *testing.T) {
		unavailable := devicetotp.CodeOf(r.answer) == devicetotp.CodeUnavailable
		require.Equal(t, !r.back, unavailable, "answered %v", r.answer)
	})
	t.Run("kept", func(t *testing.T) { r.kept(t, r.answer) })
}

// failover is a service that reaches a pair of servers with one driver.
type failover struct {
	pair   *pgtest.Pair
	driver string
	store  *sqlstore.Store
	seen   *sqlstore.Store // what the primary shows while it runs
	keys   *credential.Keyring
	hasher *verifier.Hasher
	clock  *clocktest.Fake
	calm   *devicetotp.Issuer
}

func newFailover(t *testing.T, pair *pgtest.Pair, driver string) *failover {
	t.Helper()
	name := "devicetotp_" + driver
	open := func(driver, dsn string) *sqlstore.Store {
		store, err := sqlstore.New(t.Context(), openPostgres(t, driver, suits(driver, pgtest.With(dsn, "dbname", name))),
			sqlstore.DialectPostgres, sqlstore.Config{})
		require.NoError(t, err)
		return store
	}
	_, err := openPostgres(t, "pgx", pair.DSN()).ExecContext(t.Context(), "CREATE DATABASE "+name)
	require.NoError(t, err)
	keys, err := credential.NewKeyring("test", credential.Key{
		ID: "test", Secret: credential.NewSecret(strings.Repeat("k", credential.KeySize)),
	})
	require.NoError(t, err)
	f := &failover{
		pair: pair, driver: driver, store: open(driver, pair.DSN()), seen: open("pgx", pair.Primary.DSN()),
		keys: keys, hasher: devicetotptest.CheapHasher(t), clock: clocktest.New(devicetotptest.Start),
	}
	require.NoError(t, f.store.Migrate(t.Context()))
	f.calm = f.issuer(t, f.store, devicetotp.Limits{})
	return f
}

func (f *failover) issuer(t *testing.T, store credential.Store, limits devicetotp.Limits) *devicetotp.Issuer {
	t.Helper()
	issuer, err := devicetotp.NewIssuer(store, f.keys, devicetotp.Config{
		Clock: f.clock, Limits: limits,
		Password: verifier.Password(f.hasher), PIN: verifier.PIN(f.keys, f.hasher),
	})
	require.NoError(t, err)
	return issuer
}

func (f *failover) prepare(t *testing.T, s scenario, back bool) *request {
	t.Helper()
	end := "the standby stays away"
	if back {
		end = "the standby comes back"
	}
	r := &request{name: f.driver + "/" + s.name + "/" + end, user: f.user(t, s.name+", "+end), back: back}
	r.begin, r.kept = s.prepare(t, r.user)
	return r
}
