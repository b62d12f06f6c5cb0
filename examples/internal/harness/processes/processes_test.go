package processes

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/examples/internal/harness/engines"
)

const (
	servers     = 8
	clients     = 40
	rounds      = 100
	shortRounds = 10
)

func TestManyProcessesOnOnePostgreSQL(t *testing.T) {
	t.Parallel() // most of the time is spent waiting
	dsn := pgtest.Need(t).Database(t)
	oneCodeOneDevice(t, asURL(t, dsn), "pgx", dsn, sqlstore.DialectPostgres)
}

func TestManyProcessesOnOneSQLiteFile(t *testing.T) {
	t.Parallel() // most of the time is spent waiting
	path := filepath.Join(t.TempDir(), "accounts.db")
	oneCodeOneDevice(t, "sqlite:"+path, "sqlite",
		"file:"+path+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)", sqlstore.DialectSQLite)
}

// On the other engines it is a server of this package. In short it lasts half a
// minute.
func TestEngineManyProcesses(t *testing.T) {
	for _, e := range engines.All[1:] {
		t.Run(e.Name, func(t *testing.T) {
			f, accounts := startEngine(t, e, rounds)
			began := time.Now()
			f.oneCodeOneDevice(accounts, rounds, func(round int) bool {
				return testing.Short() && round >= shortRounds && time.Since(began) > 30*time.Second
			})
		})
	}
}

// oneCodeOneDevice starts the example server, which has its accounts from a file.
func oneCodeOneDevice(t *testing.T, store, driver, dsn string, dialect sqlstore.Dialect) {
	n := rounds
	if testing.Short() {
		n = shortRounds
	}
	f := startFleet(t, servers, store, accountsFile(n))
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	accounts, err := sqlstore.New(t.Context(), db, dialect, sqlstore.Config{})
	require.NoError(t, err)
	f.oneCodeOneDevice(accounts, n, func(int) bool { return false })
}

// oneCodeOneDevice lets clients of all processes present one code at the same
// moment, each for a device of its own, on a new account in every round, n times or
// until it is enough.
func (f *fleet) oneCodeOneDevice(accounts credential.Store, n int, enough func(round int) bool) {
	total := map[string]int{}
	round := 0
	for ; round < n && !enough(round); round++ {
		answers := f.race(round)
		a, err := accounts.Load(context.Background(), accountID(round))
		require.NoError(f.t, err)
		checkRound(f.t, round, answers, a)
		for _, got := range answers {
			total[fmt.Sprintf("%d %s", got.status, got.code)]++
			total["500 before an answer"] += got.unclear
		}
	}
	f.t.Logf("%d rounds, %d clients, %d processes: %v", round, clients, servers, total)
}

// race returns what became of each client of one round.
func (f *fleet) race(round int) []answer {
	f.t.Helper()
	answers, errs := make([]answer, clients), make([]error, clients)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			<-start
			answers[i], errs[i] = f.create(i%servers, token(round), deviceID(i), code(round))
		})
	}
	close(start)
	group.Wait()
	for _, err := range errs {
		require.NoError(f.t, err)
	}
	return answers
}

// checkRound compares what the clients were told with what is stored.
func checkRound(t *testing.T, round int, answers []answer, a credential.Account) {
	t.Helper()
	var winners []string
	wrong := 0
	for i, got := range answers {
		switch {
		case got.status == http.StatusCreated:
			winners = append(winners, deviceID(i))
		case got.status == http.StatusForbidden && got.code == "invalid-credentials":
			wrong++
		case got.status == http.StatusForbidden && got.code == "too-many-attempts":
		default:
			t.Fatalf("round %d: client %d was answered %d %s", round, i, got.status, got.code)
		}
	}
	require.Len(t, winners, 1, "devices granted in round %d", round)
	require.Len(t, a.State.Devices, 1, "devices stored in round %d", round)
	require.Equal(t, winners[0], a.State.Devices[0].ID)
	require.Len(t, a.State.Spent, 1, "the code is spent")
	require.LessOrEqual(t, wrong, a.State.OTP.Failures, "no refusal is given before it is counted")
}

// accountsFile has an account a round, each with a code.
func accountsFile(n int) string {
	accounts := make([]string, n)
	for i := range accounts {
		accounts[i] = fmt.Sprintf(`{"id":%q,"token":%q,"registered_ago":"1h","otps":[{"code":%q,"expires_in":"10m"}]}`,
			accountID(i), token(i), code(i))
	}
	return "[" + strings.Join(accounts, ",\n") + "]"
}

func accountID(round int) string { return fmt.Sprintf("account-%d", round) }

func token(round int) string { return fmt.Sprintf("token-%d", round) }

func code(round int) string { return fmt.Sprintf("%08d", round) }

func deviceID(client int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", client) }
