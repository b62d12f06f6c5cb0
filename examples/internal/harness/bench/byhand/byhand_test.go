package byhand

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"
	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore/sqltest/mariadbtest"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

func TestMain(m *testing.M) {
	os.Exit(mariadbtest.Main(func() int { return pgtest.Main(m) }))
}

var registered = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

// onEach runs the test for each service on each database, with one user who has a
// device and a one-time code.
func onEach(t *testing.T, test func(t *testing.T, s Service, clock *clocktest.Fake, u User)) {
	for database, open := range map[string]func(*testing.T) (string, string){
		"postgres": func(t *testing.T) (string, string) { return "pgx", pgtest.Need(t).Database(t) },
		"mariadb":  func(t *testing.T) (string, string) { return "mysql", mariadbtest.Need(t).Database(t) },
	} {
		for name, service := range map[string]func(Database) Service{
			"usual":  func(d Database) Service { return NewUsual(d) },
			"fewest": func(d Database) Service { return NewFewest(d) },
		} {
			t.Run(database+"/"+name, func(t *testing.T) {
				driver, dsn := open(t)
				db, err := sql.Open(driver, dsn)
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, db.Close()) })
				keys, err := credential.NewKeyring("k", credential.NewKey("k"))
				require.NoError(t, err)
				clock := clocktest.New(registered.Add(time.Minute))
				d := Database{DB: db, MySQL: driver == "mysql", Keys: keys, Now: clock.Now}
				require.NoError(t, d.CreateTables(t.Context()))
				u := User{
					ID: "ada", Registered: registered, PasswordHash: "x", Number: 1, Code: "123456",
					Device: Device{ID: "d", Secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"},
				}
				require.NoError(t, d.Insert(t.Context(), u))
				test(t, service(d), clock, u)
			})
		}
	}
}

func TestAOneTimeCodeMakesOneDevice(t *testing.T) {
	onEach(t, func(t *testing.T, s Service, clock *clocktest.Fake, u User) {
		clock.Advance(time.Hour / 2)
		_, err := s.CreateOnOTP(t.Context(), u.ID, "654321")
		require.ErrorIs(t, err, ErrDenied)
		made := race(t, func(ctx context.Context) error {
			_, err := s.CreateOnOTP(ctx, u.ID, u.Code)
			return err
		})
		require.Equal(t, 1, made)
	})
}

func TestADeviceOnGraceIsMadeWithinFiveMinutes(t *testing.T) {
	onEach(t, func(t *testing.T, s Service, clock *clocktest.Fake, u User) {
		made, err := s.CreateOnGrace(t.Context(), u.ID)
		require.NoError(t, err)
		code, err := totp.GenerateCode(made.Secret, clock.Now())
		require.NoError(t, err)
		require.NoError(t, s.Verify(t.Context(), u.ID, code))
		clock.Advance(4 * time.Minute)
		_, err = s.CreateOnGrace(t.Context(), u.ID)
		require.ErrorIs(t, err, ErrDenied)
		_, err = s.CreateOnGrace(t.Context(), "nobody")
		require.ErrorIs(t, err, ErrDenied)
	})
}

func TestACodeIsAcceptedOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s Service, clock *clocktest.Fake, u User) {
		code, err := totp.GenerateCode(u.Device.Secret, clock.Now())
		require.NoError(t, err)
		require.Equal(t, 1, race(t, func(ctx context.Context) error { return s.Verify(ctx, u.ID, code) }))
	})
}

func TestFiveFailuresSlowTheUserDown(t *testing.T) {
	onEach(t, func(t *testing.T, s Service, clock *clocktest.Fake, u User) {
		for range maxFailures {
			_, err := s.CreateOnOTP(t.Context(), u.ID, "654321")
			require.ErrorIs(t, err, ErrDenied)
		}
		_, err := s.CreateOnOTP(t.Context(), u.ID, u.Code)
		require.ErrorIs(t, err, ErrDenied)
		clock.Advance(slowDown + time.Second)
		_, err = s.CreateOnOTP(t.Context(), u.ID, u.Code)
		require.NoError(t, err)
	})
}

// isDeadlock reports whether MariaDB gave a statement up for another one, which
// then goes on. Neither service sends it again by itself.
func isDeadlock(err error) bool {
	const deadlock = 1213
	var failure *mysql.MySQLError
	return errors.As(err, &failure) && failure.Number == deadlock
}

// race makes four requests at once and returns how many succeeded.
func race(t *testing.T, do func(context.Context) error) int {
	var succeeded atomic.Int64
	var all sync.WaitGroup
	for range 4 { // fewer than the failures that slow down
		all.Go(func() {
			err := do(t.Context())
			for isDeadlock(err) {
				err = do(t.Context())
			}
			switch {
			case err == nil:
				succeeded.Add(1)
			case !errors.Is(err, ErrDenied):
				t.Error(err)
			}
		})
	}
	all.Wait()
	return int(succeeded.Load())
}
