package operations

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// A service is what the commands of the page are run against.
type service struct {
	t     *testing.T
	root  string // in place of the root of the file system
	store *sqlstore.Store
	clock *clocktest.Fake
	db    *sql.DB
	texts map[string]string // what stands on the page -> what it is here
}

func (s *service) path(name string) string { return filepath.Join(s.root, name) }

var dirs = []string{"/opt/devicetotp", "/etc/service", "/var/lib/service", "/var/log/service"}

// The times of the backup and of its return, as the page has them.
const backedUp, restored = "2026-05-01T03:00:00Z", "2026-05-01T12:30:00Z"

// run runs a block of the page as it stands there, but below root, to the exit code
// that the page tells; "" is 0.
func (s *service) run(script, exit string) string {
	s.t.Helper()
	for _, dir := range dirs {
		script = strings.ReplaceAll(script, dir, s.path(dir))
	}
	for text, here := range s.texts {
		script = strings.ReplaceAll(script, text, here)
	}
	command := exec.CommandContext(s.t.Context(), "sh", "-e", "-c", script)
	command.Dir = filepath.Join("..", "..")
	output, err := command.CombinedOutput()
	if exit == "" {
		require.NoError(s.t, err, "%s\n%s", script, output)
	} else {
		require.EqualError(s.t, err, "exit status "+exit, "%s\n%s", script, output)
	}
	return string(output)
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{t: t, root: t.TempDir(), clock: clocktest.New(time.Now()), texts: map[string]string{}}
	for _, dir := range dirs {
		require.NoError(t, os.MkdirAll(s.path(dir), 0o700))
	}
	require.NoError(t, os.WriteFile(s.path("/etc/service/totp.keys"), []byte(credential.KeyText(credential.NewKey("2025-11"))+"\n"), 0o600))
	s.open()
	t.Cleanup(func() { require.NoError(t, s.db.Close()) })
	require.NoError(t, s.store.Migrate(t.Context()))
	for _, id := range []string{"alice", "bob", "carol"} {
		hash, err := verifier.DefaultHasher().HashPIN(t.Context(), credential.NewSecret("8299"))
		require.NoError(t, err)
		sealed, err := s.keys().SealPINHash(id, hash)
		require.NoError(t, err)
		require.NoError(t, s.store.Put(t.Context(), credential.Account{ID: id, RegisteredAt: s.clock.Now(), PINHash: sealed}))
	}
	return s
}

// open opens the database that the file is of now.
func (s *service) open() {
	s.t.Helper()
	var err error
	s.db, err = sql.Open("sqlite", "file:"+s.path("/var/lib/service/accounts.db")+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	require.NoError(s.t, err)
	s.store, err = sqlstore.New(s.t.Context(), s.db, sqlstore.DialectSQLite, sqlstore.Config{})
	require.NoError(s.t, err)
}

// stored returns the accounts that are there, by id.
func (s *service) stored() map[string]credential.Account {
	s.t.Helper()
	ids, err := s.store.IDs(s.t.Context(), "", 100)
	require.NoError(s.t, err)
	accounts := map[string]credential.Account{}
	for _, id := range ids {
		accounts[id], err = s.store.Load(s.t.Context(), id)
		require.NoError(s.t, err)
	}
	return accounts
}

// now is the time as the page writes times. The commands have the real clock.
func now() string { return time.Now().UTC().Format(time.RFC3339Nano) }

// admin runs a command that is not on the page.
func (s *service) admin(args string) {
	s.t.Helper()
	s.run("/opt/devicetotp/account "+args, "")
}

// keys returns the keys of the file as it is now.
func (s *service) keys() *credential.Keyring {
	s.t.Helper()
	keys, err := credential.KeyringFromFile(s.path("/etc/service/totp.keys"))
	require.NoError(s.t, err)
	return keys
}

// start is one process, with the keys of the file as it is now.
func (s *service) start() *devicetotp.Issuer {
	s.t.Helper()
	issuer, err := devicetotp.NewIssuer(s.store, s.keys(), devicetotp.Config{Clock: s.clock})
	require.NoError(s.t, err)
	return issuer
}

// use verifies a code of each secret at each process, a code a step.
func (s *service) use(account string, totp verifier.TOTP, issuers ...*devicetotp.Issuer) {
	s.t.Helper()
	for _, issuer := range issuers {
		s.clock.Advance(totp.Period)
		code, err := totp.Code(totp.Step(s.clock.Now()))
		require.NoError(s.t, err)
		_, err = issuer.Verify(s.t.Context(), devicetotp.VerifyRequest{AccountID: account, Code: code})
		require.NoError(s.t, err)
	}
}

func of(d devicetotp.DeviceTOTP) verifier.TOTP {
	return verifier.TOTP{Secret: d.Secret, Algorithm: d.Algorithm, Digits: d.Digits, Period: d.Period}
}

func imported(t *testing.T, base32 string, algorithm credential.Algorithm) verifier.TOTP {
	t.Helper()
	secret, err := credential.ParseBase32(base32)
	require.NoError(t, err)
	return verifier.TOTP{Secret: secret, Algorithm: algorithm, Digits: 6, Period: 30 * time.Second}
}

// Every command of OPERATIONS.md, in the order of the page, and what the page says
// holds after it. Two processes serve throughout: one that has been restarted, and
// one that has not yet.
func TestEveryCommandOfThePage(t *testing.T) {
	for _, tool := range []string{"openssl", "sed", "shred", "sqlite3", "install", "sort"} {
		if _, err := exec.LookPath(tool); err != nil && os.Getenv("CI") == "" {
			t.Skip(err)
		}
	}
	text, err := os.ReadFile("../../OPERATIONS.md")
	require.NoError(t, err)
	for _, file := range regexp.MustCompile("(?s)\n```sh\n").FindAllStringIndex(string(text), -1) {
		require.Regexp(t, `<!-- run: [a-z]+(, exit \d)? -->$`, string(text[:file[0]]), "a command that no test runs")
	}
	s := newService(t)
	for _, file := range regexp.MustCompile("(?s)<!-- file: (\\S+) -->\n```text\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		require.NoError(t, os.WriteFile(s.path(file[1]), []byte(file[2]), 0o600))
	}
	before := s.start()
	carol, err := before.Create(t.Context(), devicetotp.CreateRequest{AccountID: "carol", DeviceID: "738e379f-fe30-45ab-819c-ba88804b6368"})
	require.NoError(t, err)
	s.use("carol", of(carol), before)

	after := map[string]func(output string){
		"build": func(string) {},
		"add": func(string) {
			require.Equal(t, []string{"2025-11", "2026-05"}, s.keys().IDs())
			require.Equal(t, "2025-11", s.keys().PrimaryID())
			s.use("carol", of(carol), before, s.start())
		},
		"mark": func(string) {
			require.Equal(t, "2026-05", s.keys().PrimaryID())
			s.use("carol", of(carol), s.start(), before, s.start())
		},
		"look": func(output string) {
			require.Contains(t, output, `still needed: 2025-11, by 3: "alice", "bob", "carol"`)
		},
		"reseal": func(output string) { require.Contains(t, output, "no account needs: 2025-11") },
		"remove": func(string) {
			require.Equal(t, []string{"2026-05"}, s.keys().IDs())
			s.use("carol", of(carol), before, s.start())
			proof, err := s.start().Prove(t.Context(), devicetotp.ProveRequest{AccountID: "carol", PIN: credential.NewSecret("8299")})
			require.NoError(t, err)
			require.Equal(t, credential.BasisPIN, proof.Basis)
		},
		"import": func(output string) {
			require.Contains(t, output, "2 devices: 2 imported")
			s.use("alice", imported(t, "JBSWY3DPEHPK3PXPJBSWY3DP", credential.AlgorithmSHA1), s.start())
			s.use("bob", imported(t, "KRSXG5CTMVRXEZLUKRSXG5CT", credential.AlgorithmSHA256), s.start())
		},
		"shred": func(string) { require.NoFileExists(t, s.path("/var/lib/service/devices.txt")) },
		"once":  func(string) { require.FileExists(t, s.path("/opt/devicetotp/account")) },
		"unblock": func(output string) {
			require.Contains(t, output, `"account": "alice"`)
			_, err := s.start().Prove(t.Context(), devicetotp.ProveRequest{AccountID: "alice", PIN: credential.NewSecret("8299")})
			require.NoError(t, err)
		},
		"revoke": func(output string) {
			require.Contains(t, output, carol.ID)
			require.Empty(t, s.stored()["carol"].State.Devices)
		},
		"lock": func(string) {
			require.False(t, s.stored()["carol"].Locked)
			require.NotContains(t, s.stored(), "bob")
		},
		"rename": func(string) {
			require.NotContains(t, s.stored(), "alice")
			s.use("u-1042", imported(t, "JBSWY3DPEHPK3PXPJBSWY3DP", credential.AlgorithmSHA1), s.start())
		},
		"backup": func(string) {
			s.texts[backedUp] = now()
			s.admin("lock carol")
			s.admin("revoke -all u-1042")
			require.NoError(t, os.WriteFile(s.path("/var/lib/service/reseal.json"), []byte("{}"), 0o600))
			require.NoError(t, s.db.Close()) // the service is stopped
		},
		"restore": func(string) {
			s.texts[restored] = now()
			s.open()
			require.False(t, s.stored()["carol"].Locked)
			require.Len(t, s.stored()["u-1042"].State.Devices, 1)
			require.NoFileExists(t, s.path("/var/lib/service/reseal.json"))
		},
		"replay": func(string) {
			require.True(t, s.stored()["carol"].Locked)
			require.Empty(t, s.stored()["u-1042"].State.Devices)
		},
	}
	for _, block := range regexp.MustCompile("(?s)<!-- run: ([a-z]+)(?:, exit (\\d))? -->\n```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		if strings.HasPrefix(block[1], "pg") {
			continue // TestEveryCommandOnPostgres
		}
		output := s.run(block[3], block[2])
		check := after[block[1]]
		require.NotNil(t, check, "nothing checks what %s has done", block[1])
		check(output)
		if block[1] != "backup" {
			before = s.start() // the rest of the processes are restarted too
		}
		delete(after, block[1])
	}
	require.Empty(t, after, "steps that the page does not have")
}

// The commands of the page for PostgreSQL.
func TestEveryCommandOnPostgres(t *testing.T) {
	dsn := pgtest.Need(t).Database(t)
	text, err := os.ReadFile("../../OPERATIONS.md")
	require.NoError(t, err)
	s := &service{t: t, root: t.TempDir(), texts: map[string]string{"postgres://db.example.com/service": "'" + dsn + "'"}}
	for _, dir := range dirs {
		require.NoError(t, os.MkdirAll(s.path(dir), 0o700))
	}
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	s.store, err = sqlstore.New(t.Context(), db, sqlstore.DialectPostgres, sqlstore.Config{})
	require.NoError(t, err)
	require.NoError(t, s.store.Migrate(t.Context()))
	require.NoError(t, s.store.Put(t.Context(), credential.Account{ID: "alice"}))
	require.NoError(t, s.store.Put(t.Context(), credential.Account{ID: "bob"}))
	before := s.stored()
	after := map[string]func(){
		"pgbackup": func() {
			require.NoError(t, s.store.SetLocked(t.Context(), "alice", true))
			_, err := s.store.Delete(t.Context(), "bob")
			require.NoError(t, err)
			require.NoError(t, s.store.Put(t.Context(), credential.Account{ID: "carol"}))
		},
		"pgrestore": func() { require.Equal(t, before, s.stored()) },
	}
	for _, block := range regexp.MustCompile("(?s)<!-- run: (pg[a-z]+) -->\n```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		s.run(block[2], "")
		after[block[1]]()
		delete(after, block[1])
	}
	require.Empty(t, after, "steps that the page does not have")
}

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
