package main

import (
	"context"
	"database/sql"
	"fmt"
)

// bare returns requests that are the two statements and nothing else: a row is
// read, and written back as it was. It is the least that a service could do
// with this table and this driver.
func bare(db *sql.DB, send statements, t *turns) request {
	return func(ctx context.Context) error {
		return send.readAndWriteBack(ctx, db, accountID(t.account(t.take())))
	}
}

func (s statements) readAndWriteBack(ctx context.Context, db *sql.DB, id string) error {
	var sec, nsec, version int64
	var password, pin string
	var locked bool
	var state []byte
	err := db.QueryRowContext(ctx, s.Load, id).Scan(&sec, &nsec, &password, &pin, &locked, &state, &version)
	if err != nil {
		return err
	}
	result, err := db.ExecContext(ctx, s.Save, state, version+1, id, version, sec, nsec, password, pin, locked)
	if err != nil {
		return err
	}
	if rows, err := result.RowsAffected(); err != nil || rows != 1 {
		return fmt.Errorf("%d rows changed: %w", rows, err)
	}
	return nil
}
