package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed migrations
var migrationFiles embed.FS

// A Migration is one step of the table's history.
type Migration struct {
	// Version counts from 1, in the order in which they are applied.
	Version int
	// Name is what the step does, in a word.
	Name string
	// SQL is one statement, with the store's table name in it.
	SQL string
}

// Migrations returns the steps in order, for hosts whose own tool applies them
// instead of [Store.Migrate]. Use the one or the other: steps that were applied
// by another tool are not known to Migrate.
func (s *Store) Migrations() []Migration {
	dir := path.Join("migrations", s.dialect.String())
	entries, err := migrationFiles.ReadDir(dir)
	if err != nil {
		panic("sqlstore: " + err.Error()) // the files are in the binary
	}
	var all []Migration
	for _, entry := range entries {
		text, err := migrationFiles.ReadFile(path.Join(dir, entry.Name()))
		if err != nil {
			panic("sqlstore: " + err.Error())
		}
		number, name, _ := strings.Cut(strings.TrimSuffix(entry.Name(), ".sql"), "_")
		version, err := strconv.Atoi(number)
		if err != nil {
			panic("sqlstore: " + err.Error())
		}
		all = append(all, Migration{version, name, strings.ReplaceAll(string(text), "{{table}}", s.names.accounts)})
	}
	slices.SortFunc(all, func(a, b Migration) int { return cmp.Compare(a.Version, b.Version) })
	return all
}

// Migrate creates the table, or brings it up to date. Any number of processes
// may call it at once, at every start: they wait for each other, and one does
// the work. If nothing is to be done, it only reads, so that a role without the
// right to create tables can call it too. It does all steps or none; in MySQL,
// where each CREATE TABLE commits by itself, call it again after an error.
func (s *Store) Migrate(ctx context.Context) error {
	if err := s.migrate(ctx); err != nil {
		return failed(ctx, "migrate", err)
	}
	return nil
}

func (s *Store) migrate(ctx context.Context) error {
	if s.dialect == DialectMySQL {
		return s.migrateMySQL(ctx)
	}
	pending, err := s.pending(ctx, s.db)
	if err != nil || len(pending) == 0 {
		return err
	}
	exclusively := s.exclusivelyPostgres
	if s.dialect == DialectSQLite {
		exclusively = s.exclusivelySQLite
	}
	return exclusively(ctx, func(q querier) error { return s.apply(ctx, q) })
}

// A querier is a database, one connection of it, or a transaction.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// pending returns the steps that have not been applied.
func (s *Store) pending(ctx context.Context, q querier) ([]Migration, error) {
	exists, err := s.migrationsTableExists(ctx, q)
	if err != nil {
		return nil, err
	}
	all := s.Migrations()
	if !exists {
		return all, nil
	}
	rows, err := q.QueryContext(ctx, `SELECT version FROM `+s.names.migrations)
	if mysqlNumber(err) == mysqlNoSuchTable {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var version int
		if err := rows.Scan(&version); err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(m Migration) bool { return m.Version == version })
	}
	return all, rows.Err()
}

// migrationsTableExists reads the catalogue as a table. PostgreSQL's to_regclass
// would not do: it can answer from a cache of before the wait for the lock. In
// MySQL it is always true: reading the table itself has an error of its own if it
// is not there, and nothing then needs to be rolled back.
func (s *Store) migrationsTableExists(ctx context.Context, q querier) (exists bool, err error) {
	table := s.names.options.Table + migrationsSuffix
	switch s.dialect {
	case DialectMySQL:
		return true, nil
	case DialectSQLite:
		err = q.QueryRowContext(ctx, `SELECT count(*) > 0 FROM sqlite_master `+
			`WHERE type = 'table' AND name = ?1 COLLATE NOCASE`, table).Scan(&exists)
		return exists, err
	}
	err = q.QueryRowContext(ctx, `SELECT count(*) > 0 FROM pg_catalog.pg_class c `+
		`JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = $1::text AND n.nspname = `+
		`ANY (CASE WHEN $2::text = '' THEN current_schemas(false) ELSE ARRAY[$2::name] END)`,
		table, s.names.options.Schema).Scan(&exists)
	return exists, err
}

// apply does the pending steps. The caller holds the lock and the transaction,
// where the database has them.
func (s *Store) apply(ctx context.Context, q querier) error {
	pending, err := s.pending(ctx, q)
	if err != nil || len(pending) == 0 {
		return err
	}
	create := `CREATE TABLE IF NOT EXISTS ` + s.names.migrations + ` (version integer NOT NULL PRIMARY KEY, name text NOT NULL)`
	if s.dialect == DialectMySQL {
		create += ` ENGINE = InnoDB`
	}
	if _, err := q.ExecContext(ctx, create); err != nil {
		return err
	}
	for _, m := range pending {
		if err := s.step(ctx, q, m); err != nil {
			return fmt.Errorf("step %d (%s): %w", m.Version, m.Name, err)
		}
	}
	return nil
}

// step does one step and records it.
func (s *Store) step(ctx context.Context, q querier, m Migration) error {
	if _, err := q.ExecContext(ctx, m.SQL); err != nil {
		return err
	}
	if s.dialect == DialectMySQL {
		if err := s.checkMySQLTable(ctx, q); err != nil {
			return err
		}
	}
	record := `INSERT INTO ` + s.names.migrations + s.dialect.placeholders(` (version, name) VALUES ($1, $2)`)
	_, err := q.ExecContext(ctx, record, m.Version, m.Name)
	if mysqlNumber(err) == mysqlDuplicateKey {
		return nil // another process did the same
	}
	return err
}

// migrationLock names the advisory lock. It is one for all tables of a
// database, because one table can be named in several ways.
const migrationLock = 0x64657674_6f7470 // "devtotp"

// exclusivelyPostgres runs work in a transaction while no other process is in
// here. READ COMMITTED, because a stricter level would show the tables as they
// were before the wait for the lock.
func (s *Store) exclusivelyPostgres(ctx context.Context, work func(querier) error) error {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(migrationLock)); err != nil {
		return err
	}
	if err := work(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// exclusivelySQLite runs work in a transaction that takes the write lock at its
// beginning: one that takes it later can fail instead of wait.
func (s *Store) exclusivelySQLite(ctx context.Context, work func(querier) error) error {
	done, err := s.takeTurn(ctx)
	if err != nil {
		return err
	}
	defer done()
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		return err
	}
	if err := work(conn); err != nil {
		rollback(ctx, conn)
		return err
	}
	if _, err := conn.ExecContext(ctx, `COMMIT`); err != nil {
		rollback(ctx, conn)
		return err
	}
	return nil
}

// rollback ends the transaction even if ctx is what ended the work, so that the
// connection goes back to the pool without one.
func rollback(ctx context.Context, conn *sql.Conn) {
	_, _ = conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
}
