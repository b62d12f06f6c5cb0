package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// checkPostgres looks at two connections: settings belong to one, so those that
// were executed instead of written down are missing on the second. And where a
// pooler makes one connection of the two, what was prepared on the first is in the
// way of the second, as it would be later.
func checkPostgres(ctx context.Context, db *sql.DB) error {
	connect := func(ctx context.Context, db *sql.DB) (*sql.Conn, error) {
		conn, err := db.Conn(ctx)
		if err != nil {
			return nil, fmt.Errorf("cannot read the settings: %w", err)
		}
		return conn, nil
	}
	return errors.Join(checkTwo(ctx, db, connect, checkPostgresConn), checkWhole(ctx, db))
}

// checkPostgresConn reads the settings that decide whether a Save that returned
// can be lost or a Load can be stale or wrong.
func checkPostgresConn(ctx context.Context, conn *sql.Conn) error {
	var commit, encoding, output string
	var standby, readOnly bool
	err := conn.QueryRowContext(ctx, `SELECT current_setting('synchronous_commit'), current_setting('server_encoding'), `+
		`current_setting('bytea_output'), pg_is_in_recovery(), current_setting('transaction_read_only')::boolean`).
		Scan(&commit, &encoding, &output, &standby, &readOnly)
	if err != nil {
		return fmt.Errorf("cannot read the settings: %w", withAdvice(err))
	}
	var faults []error
	switch {
	case standby:
		faults = append(faults, errors.New("the server is a standby: accounts must be read from the primary"))
	case readOnly:
		faults = append(faults, fmt.Errorf("default_transaction_read_only is on, must be off: %s", alter("default_transaction_read_only", "off")))
	}
	if commit == "off" || commit == "local" {
		faults = append(faults, fmt.Errorf("synchronous_commit is %q, must be on, remote_write or remote_apply: %s",
			commit, alter("synchronous_commit", "on")))
	}
	if encoding != "UTF8" {
		faults = append(faults, fmt.Errorf("server_encoding is %q, must be UTF8", encoding))
	}
	if err := checkBytes(ctx, conn); err != nil {
		faults = append(faults, fmt.Errorf("bytea_output is %q, must be hex for this driver, which does not read bytes as they are (%w): %s",
			output, err, alter("bytea_output", "hex")))
	}
	return errors.Join(faults...)
}

// alter says how to set something so that it is also set behind a pooler, which
// takes no settings in a DSN.
func alter(setting, value string) string {
	return fmt.Sprintf("remove it where it is set, or run ALTER DATABASE ... SET %s = %s, which new connections have", setting, value)
}

// checkBytes reads a few bytes as a Load does. Where a driver uses the simple
// protocol they come as text, of which some know one form only.
func checkBytes(ctx context.Context, conn *sql.Conn) error {
	var got []byte
	if err := conn.QueryRowContext(ctx, `SELECT decode('005cff', 'hex')`).Scan(&got); err != nil {
		return err
	}
	if !bytes.Equal(got, []byte{0x00, 0x5c, 0xff}) {
		return fmt.Errorf("%q instead of three bytes", got)
	}
	return nil
}

// checkWhole returns an error if the driver sends a statement and its parameters
// apart, as lib/pq does by default. In between, a pooler in transaction mode may let
// another client use the connection, and then the parameters meet its statement: a
// Load ran as a Delete.
//
// It sends one parameter too many. A driver that asks the server about the
// statement first sees that by itself, and sends no parameters. One that sends
// all together gets an error of the server.
func checkWhole(ctx context.Context, db *sql.DB) error {
	if strings.HasPrefix(packageOf(db), "github.com/jackc/pgx/") {
		return nil // so that there is no error in the server's log
	}
	var one int
	err := db.QueryRowContext(ctx, `SELECT 1`, "too many").Scan(&one)
	switch {
	case err == nil, sqlState(err) != "":
		return nil
	case strings.Contains(err.Error(), "expected 0 arguments"), strings.Contains(err.Error(), "unused argument"):
		return nil // pgx, behind a driver that wraps it; its statements have names of their own, or are whole
	case strings.Contains(err.Error(), "parameters but the statement requires"):
		return errors.New("lib/pq sends a statement and its parameters apart, and behind a pooler they can meet those of another client: " +
			"write binary_parameters=yes in the DSN")
	default:
		return fmt.Errorf("cannot find out whether the driver sends a statement and its parameters together: %w", err)
	}
}

// packageOf returns the import path of the driver.
func packageOf(db *sql.DB) string {
	t := reflect.TypeOf(db.Driver())
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath()
}
