package sqltest

import (
	"os"
	"testing"

	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
