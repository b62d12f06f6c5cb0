package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
)

// columns of the store's table, in the order of row.
var columns = []string{"id", "registered_sec", "registered_ns", "password_hash", "pin_hash", "locked", "state", "version"}

// fill makes a table with so many accounts of so many devices each.
func (t target) fill(ctx context.Context, keys *credential.Keyring, table string, accounts, devices int) error {
	db, err := t.open(2)
	if err != nil {
		return err
	}
	defer db.Close()
	store, err := sqlstore.New(ctx, db, t.dialect, sqlstore.Config{Table: table})
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	pinHash, err := keys.SealPINHash("any", passwordHash)
	if err != nil {
		return err
	}
	next := 0
	row := func() ([]any, error) {
		if next == accounts {
			return nil, nil // that is all
		}
		a, err := newAccount(keys, pinHash, next, devices)
		if err != nil {
			return nil, err
		}
		next++
		state, err := a.State.MarshalBinary()
		return []any{a.ID, a.RegisteredAt.Unix(), int32(0), a.PasswordHash, a.PINHash, a.Locked, state, a.Version}, err
	}
	if t.dialect == sqlstore.DialectPostgres {
		return t.copyIn(ctx, db, table, row)
	}
	return t.insertAll(ctx, db, table, row)
}

// copyIn is PostgreSQL's way for many rows.
func (t target) copyIn(ctx context.Context, db *sql.DB, table string, row func() ([]any, error)) error {
	conn, err := pgx.Connect(ctx, t.dsn)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(row)); err != nil {
		return err
	}
	// Now, and not while something is measured.
	for _, statement := range []string{"VACUUM ANALYZE " + pgx.Identifier{table}.Sanitize(), "CHECKPOINT"} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// inserted are the rows of one INSERT: the more, the fewer messages. SQLite takes
// 32,766 values at most.
const inserted = 100

// insertAll is one transaction. What SQLite has in its log is then taken into the
// file.
func (t target) insertAll(ctx context.Context, db *sql.DB, table string, row func() ([]any, error)) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	one := "(" + strings.TrimSuffix(strings.Repeat("?,", len(columns)), ",") + ")"
	for {
		var values []any
		rows := 0
		for ; rows < inserted; rows++ {
			next, err := row()
			if err != nil {
				return err
			}
			if next == nil {
				break
			}
			values = append(values, next...)
		}
		if rows == 0 {
			break
		}
		marks := strings.TrimSuffix(strings.Repeat(one+",", rows), ",")
		if _, err := tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO %s (%s) VALUES %s`, table, strings.Join(columns, ","), marks), values...); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil || t.dialect != sqlstore.DialectSQLite {
		return err
	}
	_, err = db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return err
}
