package sqltest

import (
	"database/sql"
	"testing"

	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/mariadbtest"
	"example.com/devicetotp/credential/storetest"
)

// The tests whose names begin with TestEngine run the whole suite on servers that
// few laptops have. make engines runs them; make test leaves them out.

func TestEngineMariaDB(t *testing.T) {
	for _, found := range []string{"false", "true"} {
		t.Run("interpolateParams and clientFoundRows "+found, func(t *testing.T) {
			d := needMySQL(t)
			d.dsn = mariadbtest.With(mariadbtest.With(d.dsn, "interpolateParams", found), "clientFoundRows", found)
			migrated(t, d.open(t), d.dialect, sqlstore.Config{})
			storetest.Run(t, func(t *testing.T) storetest.Backend {
				return backend(t, d.open(t), d.dialect, sqlstore.Config{}, func() *sql.DB { return d.open(t) })
			})
		})
	}
}
