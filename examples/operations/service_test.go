package operations

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
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
// that the page names; "" is 0.
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

// newRoot makes the directories of the page.
func newRoot(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	for _, dir := range dirs {
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o700))
	}
	return root
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{t: t, root: newRoot(t), clock: clocktest.New(time.Now()), texts: map[string]string{}}
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
