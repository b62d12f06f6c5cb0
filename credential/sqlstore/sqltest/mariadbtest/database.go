package mariadbtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql" // the driver "mysql"
)

// CreateDatabase makes an empty database and returns its DSN, and what drops it.
func (s *Server) CreateDatabase(ctx context.Context) (dsn string, drop func(context.Context) error, err error) {
	name := "devicetotp_" + strings.ToLower(rand.Text())
	if dsn, err = withDatabase(s.dsn, name); err != nil {
		return "", nil, err
	}
	if err := execute(ctx, s.dsn, "CREATE DATABASE "+name); err != nil {
		return "", nil, err
	}
	return dsn, func(ctx context.Context) error {
		return execute(ctx, s.dsn, "DROP DATABASE "+name)
	}, nil
}

// Database makes an empty database for t and returns its DSN. It is dropped at
// the end of t.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	dsn, drop, err := s.CreateDatabase(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := drop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return dsn
}

// withDatabase replaces the database in a DSN.
func withDatabase(dsn, name string) (string, error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return "", errNotDSN // the error could show the password
	}
	c.DBName = name
	return c.FormatDSN(), nil
}

// WithDatabaseOf returns dsn with the database that other names.
func WithDatabaseOf(dsn, other string) (string, error) {
	name, err := databaseOf(other)
	if err != nil {
		return "", err
	}
	return withDatabase(dsn, name)
}

// databaseOf returns the name of the database in a DSN.
func databaseOf(dsn string) (string, error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return "", errNotDSN
	}
	return c.DBName, nil
}

var errNotDSN = errors.New("mariadbtest: " + EnvDSN + " is not of the form user:password@protocol(address)/?key=value")

// With adds a parameter of the driver, or a setting of the session such as
// wsrep_sync_wait, to a DSN. A setting that is text needs its quotes in value.
func With(dsn, key, value string) string {
	separator := "?"
	if strings.Contains(dsn, "?") {
		separator = "&"
	}
	return dsn + separator + key + "=" + url.QueryEscape(value)
}

func execute(ctx context.Context, dsn, statement string) error {
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		return fmt.Errorf("mariadbtest: %w", err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("mariadbtest: %s: %w", statement, err)
	}
	return nil
}

func ping(ctx context.Context, dsn string) error { return execute(ctx, dsn, "SELECT 1") }
