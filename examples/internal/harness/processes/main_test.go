package processes

import (
	"fmt"
	"net/url"
	"os"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// TestMain lets the test binary be the server of an engine.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == serve {
		fmt.Fprintln(os.Stderr, serveEngine(os.Args[2:]))
		os.Exit(1)
	}
	code := pgtest.Main(m)
	_ = os.RemoveAll(binaryDir) // what stays is a temporary file
	os.Exit(code)
}

// asURL writes a DSN in the form that the server's flag takes.
func asURL(t *testing.T, dsn string) string {
	t.Helper()
	c, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	u := url.URL{Scheme: "postgres", User: url.UserPassword(c.User, c.Password), Path: "/" + c.Database}
	u.RawQuery = url.Values{"host": {c.Host}, "port": {strconv.Itoa(int(c.Port))}, "sslmode": {"disable"}}.Encode()
	return u.String()
}
