package pgtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// CreateDatabase makes an empty database and returns its DSN, which pgx and
// lib/pq both understand, and what drops it together with every connection to
// it.
func (s *Server) CreateDatabase(ctx context.Context) (dsn string, drop func(context.Context) error, err error) {
	name := "devicetotp_" + strings.ToLower(rand.Text())
	if dsn, err = withDatabase(s.dsn, name); err != nil {
		return "", nil, err
	}
	if err := execute(ctx, s.dsn, "CREATE DATABASE "+name); err != nil {
		return "", nil, err
	}
	return dsn, func(ctx context.Context) error {
		return execute(ctx, s.dsn, "DROP DATABASE "+name+" WITH (FORCE)")
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

// withDatabase replaces the database in a DSN of either form.
func withDatabase(dsn, name string) (string, error) {
	if !isURL(dsn) {
		return dsn + " dbname=" + name, nil // the last value of a key counts
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "", errNotURL // the error would show the password
	}
	u.Path = "/" + name
	return u.String(), nil
}

var errNotURL = fmt.Errorf("pgtest: %s is neither a URL nor key=value pairs", EnvDSN)

func isURL(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// With adds a parameter of the connection or a setting of the session, such as
// synchronous_commit, to a DSN of either form. value must not have a quote or a
// backslash in it.
func With(dsn, key, value string) string {
	if !isURL(dsn) {
		return fmt.Sprintf("%s %s='%s'", dsn, key, value)
	}
	separator := "?"
	if strings.Contains(dsn, "?") {
		separator = "&"
	}
	// libpq's URLs, unlike forms, have no + for a space.
	return dsn + separator + key + "=" + strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}

func execute(ctx context.Context, dsn, statement string) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("pgtest: %s: %w", statement, err)
	}
	return nil
}

func ping(ctx context.Context, dsn string) error { return execute(ctx, dsn, "SELECT 1") }
