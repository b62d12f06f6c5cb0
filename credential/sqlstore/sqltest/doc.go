// Package sqltest holds the tests of sqlstore that need a database driver. It
// is a module of its own, so that no driver is among the requirements of the
// library. Package pgtest in it starts a PostgreSQL for tests, pgbouncertest a pooler in
// front of it, and mariadbtest a MariaDB or a Galera cluster.
//
// A server named by DEVICETOTP_POSTGRES_DSN must let its role create databases,
// roles and the extension pageinspect. One named by DEVICETOTP_MYSQL_DSN must let
// its user create databases and triggers; with it the tests run on MySQL too:
//
//	DEVICETOTP_MYSQL_DSN='root:password@tcp(127.0.0.1:3306)/' go test ./...
package sqltest
