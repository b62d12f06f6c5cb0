package processes

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	"example.com/devicetotp/verifier"
)

// storeTimeout is short, because many tests wait for it. What is decided late
// on a slow machine is a 500, and asked again.
const storeTimeout = 500 * time.Millisecond

// eachDriver runs test with pgx and with lib/pq.
func eachDriver(t *testing.T, test func(t *testing.T, w *world)) {
	for _, driver := range []string{"pgx", "postgres"} {
		t.Run(driver, func(t *testing.T) { test(t, newWorld(t, driver)) })
	}
}

// A world is one process, connected to PostgreSQL through a proxy, and a
// straight connection to see what is stored.
type world struct {
	t        *testing.T
	proxy    *proxy
	issuer   *devicetotp.Issuer
	straight *sqlstore.Store
	keys     *credential.Keyring
	onSave   atomic.Pointer[func()]
}

func newWorld(t *testing.T, driver string) *world {
	t.Helper()
	server := pgtest.Need(t)
	network, address := server.Address()
	if network == "" {
		pgtest.Skip(t, "needs a server of its own, and "+pgtest.EnvDSN+" names another")
	}
	w := &world{t: t, proxy: startProxy(t, network, address)}
	dsn := server.Database(t)
	if driver == "postgres" {
		dsn = pgtest.With(dsn, "binary_parameters", "yes")
	}
	w.straight = newStore(t, open(t, driver, dsn))
	require.NoError(t, w.straight.Migrate(t.Context()))
	host, port, err := net.SplitHostPort(w.proxy.listener.Addr().String())
	require.NoError(t, err)
	proxied := newStore(t, open(t, driver, pgtest.With(pgtest.With(dsn, "host", host), "port", port)))

	w.keys, err = credential.NewKeyring("k", credential.NewKey("k"))
	require.NoError(t, err)
	w.issuer, err = devicetotp.NewIssuer(saving{proxied, &w.onSave}, w.keys, devicetotp.Config{
		Limits: devicetotp.Limits{StoreTimeout: storeTimeout},
	})
	require.NoError(t, err)
	return w
}

// open uses lib/pq with a dialer, because it waits for the server whatever the
// context says: on a connection that swallows everything it would wait for good.
func open(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	if driver != "postgres" {
		db, err := sql.Open(driver, dsn)
		require.NoError(t, err)
		return db
	}
	connector, err := pq.NewConnector(dsn)
	require.NoError(t, err)
	connector.Dialer(impatient{})
	return sql.OpenDB(connector)
}

// impatient dials connections that wait only so long for each answer.
type impatient struct{}

func (impatient) Dial(network, address string) (net.Conn, error) {
	return impatient{}.DialTimeout(network, address, storeTimeout)
}

func (impatient) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	conn, err := net.DialTimeout(network, address, timeout)
	return impatientConn{conn}, err
}

type impatientConn struct{ net.Conn }

func (c impatientConn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(2 * storeTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func newStore(t *testing.T, db *sql.DB) *sqlstore.Store {
	t.Helper()
	t.Cleanup(func() { _ = db.Close() }) // a connection that was cut may say so
	store, err := sqlstore.New(t.Context(), db, sqlstore.DialectPostgres, sqlstore.Config{})
	require.NoError(t, err)
	return store
}

// saving tells when the library saves.
type saving struct {
	credential.Store
	onSave *atomic.Pointer[func()]
}

func (s saving) Save(ctx context.Context, a credential.Account) error {
	if f := s.onSave.Swap(nil); f != nil {
		(*f)()
	}
	return s.Store.Save(ctx, a)
}

// atNextSave does f when the library saves for the first time from now on.
func (w *world) atNextSave(f func()) { w.onSave.Store(&f) }

// account makes an account with a code, over the straight connection.
func (w *world) account(id, code string) {
	w.t.Helper()
	require.NoError(w.t, w.straight.Put(w.t.Context(), credential.Account{ID: id}))
	issuer, err := devicetotp.NewIssuer(w.straight, w.keys, devicetotp.Config{})
	require.NoError(w.t, err)
	_, err = issuer.AddCode(w.t.Context(), devicetotp.AddCodeRequest{
		AccountID: id, Kind: verifier.KindAccount, Code: credential.NewSecret(code), TTL: devicetotp.MaxCodeTTL,
	})
	require.NoError(w.t, err)
}

func (w *world) stored(id string) credential.Account {
	w.t.Helper()
	a, err := w.straight.Load(context.Background(), id)
	require.NoError(w.t, err)
	return a
}

func (w *world) create(account, device, otp string) (devicetotp.DeviceTOTP, error) {
	return w.issuer.Create(context.Background(), devicetotp.CreateRequest{
		AccountID: account, DeviceID: device, OTP: credential.NewSecret(otp),
	})
}

// settled repeats the request until the answer is no 500, as a client does.
func (w *world) settled(account, device, otp string) (devicetotp.DeviceTOTP, error) {
	deadline := time.Now().Add(patience)
	for {
		d, err := w.create(account, device, otp)
		if jsonapi.Status(err) != http.StatusInternalServerError || time.Now().After(deadline) {
			return d, err
		}
	}
}

// stricken makes the request whose write is hit by the fault. On a slow machine
// one can end before it has come to the write.
func (w *world) stricken(f fault, p place, account, otp string) (devicetotp.DeviceTOTP, error) {
	w.t.Helper()
	struck := func() bool { return false }
	w.atNextSave(func() { struck = w.proxy.once(f, p.matches) })
	deadline := time.Now().Add(patience)
	for {
		d, err := w.create(account, deviceID(1), otp)
		if struck() {
			return d, err
		}
		require.Equal(w.t, http.StatusInternalServerError, jsonapi.Status(err), "answered without having been hit")
		require.True(w.t, time.Now().Before(deadline), "the write is never reached: %v", err)
	}
}

// stands requires that what was answered with a device is stored.
func (w *world) stands(account string, d devicetotp.DeviceTOTP) {
	w.t.Helper()
	a := w.stored(account)
	i := a.State.DeviceIndex(d.ID)
	require.GreaterOrEqual(w.t, i, 0, "a device was given that is not stored")
	device := &a.State.Devices[i]
	secret, _, err := w.keys.Open(credential.DeviceScope(account, device), device.Sealed)
	require.NoError(w.t, err)
	require.True(w.t, secret.Equal(d.Secret), "a device was given with another secret than is stored")
}

// A place is where a fault hits the write.
type place struct {
	name    string
	matches func(message []byte, toServer bool) bool
}

var places = []place{{"before the write", isRequest}, {"after the write", isWritten}}

// eachFault runs test with every fault at every place.
func eachFault(t *testing.T, test func(t *testing.T, w *world, f fault, p place)) {
	eachDriver(t, func(t *testing.T, w *world) {
		for _, p := range places {
			for _, f := range []fault{cut, swallow, hold, down, delay} {
				t.Run(fmt.Sprintf("%s %s", f, p.name), func(t *testing.T) {
					w.t = t
					test(t, w, f, p)
					w.proxy.heal()
				})
			}
		}
	})
}

// Whatever the network does to a write, the answer is the device or a 500, and
// the same request gets the device in the end.
func TestAFaultCostsNobodyTheirCode(t *testing.T) {
	t.Parallel()
	eachFault(t, func(t *testing.T, w *world, f fault, p place) {
		account := t.Name()
		w.account(account, "526271")
		first, err := w.stricken(f, p, account, "526271")
		require.Contains(t, []int{http.StatusCreated, http.StatusInternalServerError}, jsonapi.Status(err), "%v", err)
		if err == nil {
			w.stands(account, first)
		}
		w.proxy.heal() // what was held may only now come through

		again, err := w.settled(account, deviceID(1), "526271")
		require.NoError(t, err)
		w.stands(account, again)
		if first.ID != "" {
			require.True(t, again.Secret.Equal(first.Secret))
		}
		_, err = w.settled(account, deviceID(2), "526271")
		require.ErrorIs(t, err, devicetotp.ErrDenied)
		stored := w.stored(account)
		require.Len(t, stored.State.Devices, 1)
		require.Len(t, stored.State.Spent, 1)
	})
}

// Whatever the network does to a write, a refusal is given only once it has been
// counted.
func TestAFaultHidesNoGuess(t *testing.T) {
	t.Parallel()
	eachFault(t, func(t *testing.T, w *world, f fault, p place) {
		account := t.Name()
		w.account(account, "526271")
		refused := 0
		for try := 1; try <= 3; try++ {
			_, err := w.stricken(f, p, account, "000000")
			switch status := jsonapi.Status(err); status {
			case http.StatusForbidden:
				refused++
			default:
				require.Equal(t, http.StatusInternalServerError, status, "%v", err)
			}
			counted := w.stored(account).State.OTP.Failures
			require.GreaterOrEqual(t, counted, refused, "a verdict left before it was counted")
			w.proxy.heal()
		}
		_, err := w.settled(account, deviceID(1), "526271")
		require.NoError(t, err, "the process works again, and the right code is right")
	})
}

const (
	troubled = 12 // accounts in use while the network is bad
	insist   = 8  // requests of each client until it gets better
)

// While messages are lost at random, two clients fight for each code. Whatever
// was answered then holds when the network is well again.
func TestRandomFaults(t *testing.T) {
	t.Parallel()
	eachDriver(t, func(t *testing.T, w *world) {
		account := func(i int) string { return fmt.Sprintf("account-%d", i) }
		for i := range troubled {
			w.account(account(i), code(i))
		}
		w.proxy.afflict(func([]byte, bool) fault { // about every fourth statement
			if rand.N(8) > 0 {
				return none
			}
			return []fault{cut, delay, swallow}[rand.N(3)]
		})
		given := make([][2]devicetotp.DeviceTOTP, troubled)
		refused := make([][2]bool, troubled)
		var group sync.WaitGroup
		for i := range troubled {
			for client := range 2 {
				group.Go(func() {
					for range insist {
						d, err := w.create(account(i), deviceID(client), code(i))
						if jsonapi.Status(err) != http.StatusInternalServerError {
							given[i][client], refused[i][client] = d, err != nil
							return
						}
					}
				})
			}
		}
		group.Wait()
		w.proxy.heal()
		for i := range troubled {
			w.oneStands(account(i), code(i), given[i], refused[i])
		}
	})
}

// oneStands requires that one of two clients has the device, and no other than
// it was given.
func (w *world) oneStands(account, otp string, given [2]devicetotp.DeviceTOTP, refused [2]bool) {
	w.t.Helper()
	winners := 0
	for client, before := range given {
		d, err := w.settled(account, deviceID(client), otp)
		if err != nil {
			require.ErrorIs(w.t, err, devicetotp.ErrDenied)
			require.Empty(w.t, before.ID, "a device that was given is there no more")
			continue
		}
		winners++
		w.stands(account, d)
		require.False(w.t, refused[client], "a right code was refused")
		if before.ID != "" {
			require.True(w.t, d.Secret.Equal(before.Secret))
		}
	}
	require.Equal(w.t, 1, winners, "devices for one code")
	require.Len(w.t, w.stored(account).State.Devices, 1)
	require.Len(w.t, w.stored(account).State.Spent, 1)
}
