package sqltest

import (
	"database/sql"
	"testing"

	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/mariadbtest"
	"example.com/devicetotp/credential/storetest"
)

// The tests whose name begins with TestEngine run the whole suite on servers that
// few laptops have. make engines runs them; make test leaves them out.

func TestEngineMariaDBKeepsTheContract(t *testing.T) {
	d := needMySQL(t)
	migrated(t, d.open(t), d.dialect, sqlstore.Config{})
	storetest.Run(t, func(t *testing.T) storetest.Backend {
		return backend(t, d.open(t), d.dialect, sqlstore.Config{}, func() *sql.DB { return d.open(t) })
	})
}

func TestEngineGalera(t *testing.T) {
	c := mariadbtest.NeedCluster(t)
	dsn := c.Nodes[0].Database(t)
	_ = dsn
}
