package sqlstore

import (
	"context"
	"database/sql"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamesAreQuotedInEveryStatement(t *testing.T) {
	for _, c := range []struct {
		name    string
		dialect Dialect
		options Config
		want    [2]string // accounts, migrations
	}{
		{"default", DialectPostgres, Config{}, [2]string{`"devicetotp_accounts"`, `"devicetotp_accounts_migrations"`}},
		{"schema", DialectPostgres, Config{Table: "T", Schema: "auth"}, [2]string{`"auth"."T"`, `"auth"."T_migrations"`}},
		{"quotes", DialectPostgres, Config{Table: `a"; DROP TABLE x; --`, Schema: `"`}, [2]string{`""""."a""; DROP TABLE x; --"`, `""""."a""; DROP TABLE x; --_migrations"`}},
		{"backticks", DialectMySQL, Config{Table: "a`; DROP TABLE x; --\"", Schema: "`"}, [2]string{"````.`a``; DROP TABLE x; --\"`", "````.`a``; DROP TABLE x; --\"_migrations`"}},
		{"dots do not separate", DialectSQLite, Config{Table: "main.x"}, [2]string{`"main.x"`, `"main.x_migrations"`}},
		{"longest", DialectPostgres, Config{Table: strings.Repeat("x", 52)}, [2]string{`"` + strings.Repeat("x", 52) + `"`, `"` + strings.Repeat("x", 52) + `_migrations"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.options.names(c.dialect)
			require.NoError(t, err)
			require.Equal(t, c.want, [2]string{got.accounts, got.migrations})
			s := newStatements(c.dialect, got.accounts)
			for _, query := range []string{
				s.load, s.save, s.put, s.insert, s.delete, s.list, s.setLocked, s.rotatePassword, s.rotatePIN,
			} {
				require.Equal(t, 1, strings.Count(query, got.accounts), query)
			}
		})
	}
}

func TestNamesThatADatabaseWouldCutOrRefuseAreRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		dialect Dialect
		options Config
		want    string
	}{
		{"long table", DialectPostgres, Config{Table: strings.Repeat("x", 53)}, "Config.Table: 53 bytes, at most 52"},
		{"long schema", DialectPostgres, Config{Schema: strings.Repeat("x", 64)}, "Config.Schema: 64 bytes, at most 63"},
		{"NUL", DialectSQLite, Config{Table: "a\x00"}, "Config.Table: not UTF-8 without NUL"},
		{"not UTF-8", DialectPostgres, Config{Schema: "\xff"}, "Config.Schema: not UTF-8 without NUL"},
		{"schema in SQLite", DialectSQLite, Config{Schema: "main"}, "Config.Schema: SQLite has no schemas"},
		{"both", DialectPostgres, Config{Table: "\x00", Schema: "\x00"}, "Config.Table: not UTF-8 without NUL\nConfig.Schema: not UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(context.Background(), new(sql.DB), c.dialect, c.options)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestNewRefusesWhatIsMissing(t *testing.T) {
	_, err := New(context.Background(), nil, DialectPostgres, Config{})
	require.ErrorContains(t, err, "db is nil")
	_, err = New(context.Background(), new(sql.DB), 0, Config{})
	require.ErrorContains(t, err, "dialect(0) is not a dialect: use sqlstore.DialectPostgres, sqlstore.DialectSQLite or sqlstore.DialectMySQL")
}

func TestPlaceholdersInATableNameAreLeftAlone(t *testing.T) {
	s := newStatements(DialectSQLite, `"costs $1"`)
	require.Equal(t, `DELETE FROM "costs $1" WHERE id = ?1`, s.delete)
	s = newStatements(DialectMySQL, "`costs $1`")
	require.Equal(t, "DELETE FROM `costs $1` WHERE id = ?", s.delete)
}

// MySQL's parameters have no numbers, so that they must be named in their order.
func TestParametersAreInOrderAndNamedOnce(t *testing.T) {
	s := newStatements(DialectPostgres, "x")
	for _, query := range []string{s.load, s.save, s.put, s.insert, s.delete, s.list, s.setLocked, s.rotatePassword, s.rotatePIN} {
		for i, name := range regexp.MustCompile(`\$\d+`).FindAllString(query, -1) {
			require.Equal(t, "$"+strconv.Itoa(i+1), name, query)
		}
		require.NotContains(t, query, "$10", "a prefix of it is a parameter too")
	}
}

// INSERT IGNORE would make a warning of every error.
func TestMySQLNeverIgnoresAnError(t *testing.T) {
	s := newStatements(DialectMySQL, "x")
	require.Equal(t, "INSERT INTO x (id, registered_sec, registered_ns, password_hash, pin_hash, locked, state, version) "+
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?)", s.insert)
}

func TestMigrationsAreNumberedFromOneAndNameTheTable(t *testing.T) {
	for _, d := range []Dialect{DialectPostgres, DialectSQLite, DialectMySQL} {
		t.Run(d.String(), func(t *testing.T) {
			n, err := Config{Table: "accounts"}.names(d)
			require.NoError(t, err)
			s := &Store{dialect: d, names: n}
			all := s.Migrations()
			require.NotEmpty(t, all)
			for i, m := range all {
				require.Equal(t, i+1, m.Version)
				require.NotEmpty(t, m.Name)
				require.Contains(t, m.SQL, n.accounts)
				require.NotContains(t, m.SQL, "{{")
			}
		})
	}
}
