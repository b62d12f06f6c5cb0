package sqltest

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/internal/hosttest"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/mariadbtest"
)

// What a DSN can say changes nothing: rows that are counted as found or as
// changed, parameters that the driver or the server puts into the statement, the
// character set of the connection, and the rules for quotes.
func TestMySQLHostSideWhateverTheDSNSays(t *testing.T) {
	d := needMySQL(t)
	for _, c := range []struct{ key, value string }{
		{"clientFoundRows", "true"},
		{"interpolateParams", "false"},
		{"charset", "latin1"},
		{"charset", "utf8"},
		{"charset", "ascii"},
		{"sql_mode", "'STRICT_TRANS_TABLES,ANSI_QUOTES,NO_BACKSLASH_ESCAPES'"},
	} {
		t.Run(c.key+" "+c.value, func(t *testing.T) {
			d := database{d.driver, mariadbtest.With(d.dsn, c.key, c.value), d.dialect}
			hosttest.Run(t, func(t *testing.T) hosttest.Store { return d.emptied(t) })
		})
	}
}

// A collation of text would fold these into fewer ids, and an id that is stored
// as another charset would not be found.
func TestMySQLIdsAreBytes(t *testing.T) {
	ids := []string{"A", "a", "a ", "a  ", "ä", "á", "a\u0308", "\U0001F511", "'", `\`, "`", "?", "\n", strings.Repeat("k", sqlstore.MaxID)}
	for _, interpolate := range []string{"true", "false"} {
		d := needMySQL(t)
		d.dsn = mariadbtest.With(d.dsn, "interpolateParams", interpolate)
		store := d.emptied(t)
		for i, id := range ids {
			inserted, err := store.Insert(context.Background(), credential.Account{ID: id, PasswordHash: id, Version: int64(i)})
			require.NoError(t, err)
			require.True(t, inserted, "%q", id)
		}
		for i, id := range ids {
			a := load(t, store, id)
			require.Equal(t, id, a.PasswordHash)
			require.EqualValues(t, i, a.Version)
		}
	}
}

// A hash that does not fit is refused, never cut short.
func TestMySQLKeepsHashesWhole(t *testing.T) {
	ctx := context.Background()
	store := needMySQL(t).emptied(t)
	longest, tooLong := strings.Repeat("h", 4096), strings.Repeat("h", 4097)
	require.NoError(t, store.Put(ctx, credential.Account{ID: "a", PasswordHash: longest, PINHash: longest}))
	want := load(t, store, "a")
	require.Equal(t, longest, want.PasswordHash)
	require.ErrorContains(t, store.Put(ctx, credential.Account{ID: "a", PasswordHash: tooLong}), "1406")
	require.ErrorContains(t, store.RotateHash(ctx, "a", credential.FactorPIN, longest, tooLong), "1406")
	_, err := store.Insert(ctx, credential.Account{ID: "b", PINHash: tooLong})
	require.ErrorContains(t, err, "1406")
	require.Equal(t, want, load(t, store, "a"))
	other := want
	other.PasswordHash = tooLong
	require.ErrorIs(t, save(store, other), credential.ErrConflict)
}

// A BLOB holds 65,535 bytes, and a State may have more.
func TestMySQLKeepsTheLargestState(t *testing.T) {
	store := needMySQL(t).emptied(t)
	const each = 32 * 1024
	var state credential.State
	size := func() int {
		raw, err := state.MarshalBinary()
		require.NoError(t, err)
		return len(raw)
	}
	for size()+each < credential.MaxStateBytes {
		id := fmt.Sprint(len(state.Devices))
		room := min(each, credential.MaxStateBytes-size()-200) // the rest of a device, and the lengths
		state.Devices = append(state.Devices, credential.Device{ID: id, Sealed: bytes.Repeat([]byte{0xff}, room)})
	}
	last := &state.Devices[len(state.Devices)-1]
	for size() < credential.MaxStateBytes {
		last.Sealed = append(last.Sealed, make([]byte, max(1, credential.MaxStateBytes-size()-8))...)
	}
	require.Equal(t, credential.MaxStateBytes, size())
	require.NoError(t, store.Put(context.Background(), credential.Account{ID: "a"}))
	require.NoError(t, save(store, credential.Account{ID: "a", State: state}))
	require.Equal(t, state.Devices, load(t, store, "a").State.Devices)
}

// Load and Save look one key up.
func TestMySQLLooksOneKeyUpInTheIndex(t *testing.T) {
	ctx := context.Background()
	d := needMySQL(t)
	store, spy := d.spied(t)
	for i := range 100 {
		require.NoError(t, store.Put(ctx, credential.Account{ID: fmt.Sprint(i)}))
	}
	spy.take()
	require.NoError(t, save(store, load(t, store, "7")))
	calls := spy.take()
	require.Len(t, calls, 2)
	calls[1].args[3].Value = calls[1].args[1].Value // the version in the condition: it has just been saved
	for i, access := range []string{"const", "range"} {
		args := make([]any, len(calls[i].args))
		for j, arg := range calls[i].args {
			args[j] = arg.Value
		}
		plan := planOf(t, d.open(t), calls[i].query, args)
		require.Len(t, plan, 1)
		require.Equal(t, access, plan[0]["type"])
		require.Equal(t, "PRIMARY", plan[0]["key"])
		require.Equal(t, "1", plan[0]["rows"])
	}
}

// planOf returns what EXPLAIN says, column by column; MySQL has some that MariaDB
// has not.
func planOf(t *testing.T, db *sql.DB, query string, args []any) (plan []map[string]string) {
	t.Helper()
	rows, err := db.Query(`EXPLAIN `+query, args...)
	require.NoError(t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		pointers := make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		require.NoError(t, rows.Scan(pointers...))
		step := map[string]string{}
		for i, name := range columns {
			step[name] = values[i].String
		}
		plan = append(plan, step)
	}
	require.NoError(t, rows.Err())
	return plan
}
