package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// checkMySQL looks at two connections: most settings belong to one, so those that
// were executed instead of written in the DSN are missing on the second.
func checkMySQL(ctx context.Context, db *sql.DB) error {
	connect := func(ctx context.Context, db *sql.DB) (*sql.Conn, error) {
		conn, err := db.Conn(ctx)
		if err != nil {
			return nil, fmt.Errorf("cannot read the settings: %w", err)
		}
		return conn, nil
	}
	return checkTwo(ctx, db, connect, checkMySQLConn)
}

// A mysqlSetting is one that decides whether a Save that returned can be lost or
// cut short, or a Load can be stale.
type mysqlSetting struct {
	name   string
	onlyIf string // the setting that must be ON for this one to matter; "" if it always does
	right  func(value string) bool
	must   string
}

var mysqlSettings = []mysqlSetting{
	{"sql_mode", "", isStrict, "contain STRICT_TRANS_TABLES, without which what is too long is cut short in silence: " +
		"write sql_mode=%27STRICT_TRANS_TABLES%27 in the DSN or set it in the server"},
	{"autocommit", "", oneOf("ON"), "be ON, without which no Save is ever committed: write autocommit=1 in the DSN"},
	{"read_only", "", oneOf("OFF"), "be OFF: accounts must be read from the primary"},
	{"innodb_flush_log_at_trx_commit", "", oneOf("1"), "be 1, without which a crash loses the last transactions: set it in the server"},
	{"sync_binlog", "log_bin", oneOf("1"), "be 1 while log_bin is ON, without which a crash loses the last transactions: set it in the server"},
	{"wsrep_sync_wait", "wsrep_on", waitsForCluster, "be 3 while wsrep_on is ON, without which a node reads and updates what is stale: " +
		"write wsrep_sync_wait=3 in the DSN or set it in the server"},
}

// isStrict reports whether values that do not fit are refused.
func isStrict(mode string) bool {
	for _, m := range strings.Split(mode, ",") {
		if m == "STRICT_TRANS_TABLES" || m == "STRICT_ALL_TABLES" {
			return true
		}
	}
	return false
}

// waitsForCluster reports whether reads (1), and updates and deletes (2), wait
// until the node has what the others had.
func waitsForCluster(wait string) bool {
	const both = 1 | 2
	bits, err := strconv.Atoi(wait)
	return err == nil && bits&both == both
}

func checkMySQLConn(ctx context.Context, conn *sql.Conn) error {
	values, err := mysqlVariables(ctx, conn)
	if err != nil {
		return fmt.Errorf("cannot read the settings: %w", err)
	}
	var faults []error
	for _, s := range mysqlSettings {
		if s.onlyIf != "" && values[s.onlyIf] != "ON" {
			continue
		}
		if value := values[s.name]; !s.right(value) {
			faults = append(faults, fmt.Errorf("%s is %q, must %s", s.name, value, s.must))
		}
	}
	return errors.Join(faults...)
}

// mysqlVariables returns the settings of the session. What the server does not
// have, such as wsrep_on outside of Galera, is missing.
func mysqlVariables(ctx context.Context, conn *sql.Conn) (map[string]string, error) {
	rows, err := conn.QueryContext(ctx, `SHOW SESSION VARIABLES WHERE Variable_name IN (`+
		`'sql_mode', 'autocommit', 'read_only', 'innodb_flush_log_at_trx_commit', 'log_bin', 'sync_binlog', 'wsrep_on', 'wsrep_sync_wait')`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	values := map[string]string{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		values[name] = value
	}
	return values, rows.Err()
}
