package sqltest

import (
	"os"
	"testing"

	"example.com/devicetotp/credential/sqlstore/sqltest/mariadbtest"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

func TestMain(m *testing.M) {
	os.Exit(mariadbtest.Main(func() int { return pgtest.Main(m) }))
}
