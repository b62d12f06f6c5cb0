package operations

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/examples/internal/accounts/accountstest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func pageText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../OPERATIONS.md")
	require.NoError(t, err)
	return string(text)
}

// A step is a block of commands of the page.
type step struct{ name, exit, script string }

// stepsOf returns the steps of the page, in its order: those for PostgreSQL, or all
// others.
func stepsOf(page string, postgres bool) (steps []step) {
	for _, block := range regexp.MustCompile("(?s)<!-- run: ([a-z]+)(?:, exit (\\d))? -->\n```sh\n(.*?)```").FindAllStringSubmatch(page, -1) {
		if strings.HasPrefix(block[1], "pg") == postgres {
			steps = append(steps, step{block[1], block[2], block[3]})
		}
	}
	return steps
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
	page := pageText(t)
	for _, command := range regexp.MustCompile("(?s)\n```sh\n").FindAllStringIndex(page, -1) {
		require.Regexp(t, `<!-- run: [a-z]+(, exit \d)? -->$`, page[:command[0]], "a command that no test runs")
	}
	s := newService(t)
	for _, file := range regexp.MustCompile("(?s)<!-- file: (\\S+) -->\n```text\n(.*?)```").FindAllStringSubmatch(page, -1) {
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
	for _, step := range stepsOf(page, false) {
		output := s.run(step.script, step.exit)
		check := after[step.name]
		require.NotNil(t, check, "nothing checks what %s has done", step.name)
		check(output)
		if step.name != "backup" {
			before = s.start() // the rest of the processes are restarted too
		}
		delete(after, step.name)
	}
	require.Empty(t, after, "steps that the page does not have")
}

// The commands of the page for PostgreSQL.
func TestEveryCommandOnPostgres(t *testing.T) {
	b := accountstest.OnPostgres(t)
	s := &service{t: t, root: newRoot(t), store: b.Store, texts: map[string]string{"postgres://db.example.com/service": "'" + b.Name + "'"}}
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
	for _, step := range stepsOf(pageText(t), true) {
		s.run(step.script, step.exit)
		check := after[step.name]
		require.NotNil(t, check, "nothing checks what %s has done", step.name)
		check()
		delete(after, step.name)
	}
	require.Empty(t, after, "steps that the page does not have")
}
