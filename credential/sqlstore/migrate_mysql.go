package sqlstore

import (
	"context"
	"errors"
	"fmt"
)

// migrateMySQL does the pending steps. It takes no lock, because none crosses the
// nodes of Galera: each CREATE TABLE commits by itself, and what another process
// has done already is left as it is. So every step must be one that can be done
// again.
func (s *Store) migrateMySQL(ctx context.Context) error {
	for {
		err := s.apply(ctx, s.db)
		if err == nil {
			return s.checkMySQLTable(ctx, s.db)
		}
		// What undid this process's step is another process at the same steps.
		if !isUndone(err) || ctx.Err() != nil {
			return err
		}
	}
}

// mysqlColumns is what the table must be for nothing to be cut short, and for ids
// and hashes to be compared byte by byte.
var mysqlColumns = []struct {
	name, kind string
	length     int64 // bytes, at least; 0 for a number
}{
	{"id", "varbinary", 1024},
	{"registered_sec", "bigint", 0},
	{"registered_ns", "int", 0},
	{"password_hash", "varbinary", 4096},
	{"pin_hash", "varbinary", 4096},
	{"locked", "tinyint", 0},
	{"state", "mediumblob", 1<<24 - 1},
	{"version", "bigint", 0},
}

// checkMySQLTable returns an error unless the accounts' table is what the steps
// make: CREATE TABLE IF NOT EXISTS also accepts a table of somebody else, and a
// server can replace the engine.
func (s *Store) checkMySQLTable(ctx context.Context, q querier) error {
	// Names are compared like the server does. The columns of the catalogue
	// ignore case by themselves.
	const where = ` WHERE table_schema = COALESCE(NULLIF(?, ''), DATABASE()) AND table_name = ? ` +
		`AND (@@lower_case_table_names <> 0 OR BINARY table_name = ?)`
	o := s.names.options
	var engine string
	err := q.QueryRowContext(ctx, `SELECT COALESCE(engine, '') FROM information_schema.tables`+where, o.Schema, o.Table, o.Table).Scan(&engine)
	if err != nil {
		return fmt.Errorf("cannot look at table %s: %w", s.names.accounts, err)
	}
	var faults []error
	if engine != "InnoDB" {
		faults = append(faults, fmt.Errorf("the engine is %s, must be InnoDB", engine))
	}
	rows, err := q.QueryContext(ctx, `SELECT column_name, data_type, COALESCE(character_maximum_length, 0), column_key `+
		`FROM information_schema.columns`+where, o.Schema, o.Table, o.Table)
	if err != nil {
		return err
	}
	defer rows.Close()
	type column struct {
		kind, key string
		length    int64
	}
	columns := map[string]column{}
	for rows.Next() {
		var name string
		var c column
		if err := rows.Scan(&name, &c.kind, &c.length, &c.key); err != nil {
			return err
		}
		columns[name] = c
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, want := range mysqlColumns {
		got := columns[want.name]
		if got.kind != want.kind || got.length < want.length {
			faults = append(faults, fmt.Errorf("column %s is %q of %d bytes, must be %s of %d", want.name, got.kind, got.length, want.kind, want.length))
		}
	}
	if columns["id"].key != "PRI" {
		faults = append(faults, errors.New("column id is not the primary key"))
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("table %s already exists and is another one: %w", s.names.accounts, errors.Join(faults...))
}
