package sqlstore

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamesAreQuotedInEveryStatement(t *testing.T) {
	for _, c := range []struct {
		name    string
		dialect Dialect
		options Options
		want    [2]string // accounts, migrations
	}{
		{"default", Postgres, Options{}, [2]string{`"devicetotp_accounts"`, `"devicetotp_accounts_migrations"`}},
		{"schema", Postgres, Options{Table: "T", Schema: "auth"}, [2]string{`"auth"."T"`, `"auth"."T_migrations"`}},
		{"quotes", Postgres, Options{Table: `a"; DROP TABLE x; --`, Schema: `"`}, [2]string{`""""."a""; DROP TABLE x; --"`, `""""."a""; DROP TABLE x; --_migrations"`}},
		{"dots do not separate", SQLite, Options{Table: "main.x"}, [2]string{`"main.x"`, `"main.x_migrations"`}},
		{"longest", Postgres, Options{Table: strings.Repeat("x", 52)}, [2]string{`"` + strings.Repeat("x", 52) + `"`, `"` + strings.Repeat("x", 52) + `_migrations"`}},
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
		options Options
		want    string
	}{
		{"long table", Postgres, Options{Table: strings.Repeat("x", 53)}, "Options.Table: 53 bytes, at most 52"},
		{"long schema", Postgres, Options{Schema: strings.Repeat("x", 64)}, "Options.Schema: 64 bytes, at most 63"},
		{"NUL", SQLite, Options{Table: "a\x00"}, "Options.Table: not UTF-8 without NUL"},
		{"not UTF-8", Postgres, Options{Schema: "\xff"}, "Options.Schema: not UTF-8 without NUL"},
		{"schema in SQLite", SQLite, Options{Schema: "main"}, "Options.Schema: SQLite has no schemas"},
		{"both", Postgres, Options{Table: "\x00", Schema: "\x00"}, "Options.Table: not UTF-8 without NUL\nOptions.Schema: not UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(context.Background(), new(sql.DB), c.dialect, c.options)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestNewRefusesWhatIsMissing(t *testing.T) {
	_, err := New(context.Background(), nil, Postgres, Options{})
	require.ErrorContains(t, err, "db is nil")
	_, err = New(context.Background(), new(sql.DB), 0, Options{})
	require.ErrorContains(t, err, "dialect(0) is not a dialect: use sqlstore.Postgres or sqlstore.SQLite")
}

func TestPlaceholdersInATableNameAreLeftAlone(t *testing.T) {
	s := newStatements(SQLite, `"costs $1"`)
	require.Equal(t, `DELETE FROM "costs $1" WHERE id = ?1`, s.delete)
}

func TestMigrationsAreNumberedFromOneAndNameTheTable(t *testing.T) {
	for _, d := range []Dialect{Postgres, SQLite} {
		t.Run(d.String(), func(t *testing.T) {
			n, err := Options{Table: "accounts"}.names(d)
			require.NoError(t, err)
			s := &Store{dialect: d, names: n}
			all := s.Migrations()
			require.NotEmpty(t, all)
			for i, m := range all {
				require.Equal(t, i+1, m.Version)
				require.NotEmpty(t, m.Name)
				require.Contains(t, m.SQL, `"accounts"`)
				require.NotContains(t, m.SQL, "{{")
			}
		})
	}
}
