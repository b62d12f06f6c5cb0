// Package sqltest holds the tests of sqlstore that need a database driver. It
// is a module of its own, so that no driver is among the requirements of the
// library. Package pgtest in it starts a PostgreSQL for tests.
//
// A server named by DEVICETOTP_POSTGRES_DSN must let its role create databases,
// roles and the extension pageinspect.
package sqltest
