package main

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// address turns "key=value key=value" into the postgres:// form of the flag.
func address(t *testing.T, dsn string) string {
	t.Helper()
	if strings.Contains(dsn, "://") {
		return dsn
	}
	values := url.Values{}
	for _, field := range strings.Fields(dsn) {
		key, value, ok := strings.Cut(field, "=")
		require.True(t, ok, dsn)
		values.Set(key, strings.Trim(value, "'"))
	}
	return "postgres:///?" + values.Encode()
}

// The server on PostgreSQL, and a second one on the same database.
func TestPostgres(t *testing.T) {
	store := address(t, pgtest.Need(t).Database(t))
	args := []string{"-store", store, "-key-file", filepath.Join(t.TempDir(), "keys")}
	one := start(t, documentedAccount, args...)
	two := start(t, documentedAccount, args...)

	first := one.create(documentedRequest)
	first.device(t)
	require.Equal(t, first.body, two.create(documentedRequest).body, "the other process gives the same device again")
	two.create(request(otherID, `{"otp":"526271"}`)).refused(t, http.StatusForbidden, "invalid-credentials")
	one.stop()
	two.stop()
	require.NotContains(t, one.stdout.String()+one.log.String(), store, "the address may hold a password")
}
