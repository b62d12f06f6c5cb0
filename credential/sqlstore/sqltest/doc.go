// Package sqltest holds the tests of sqlstore that need a database driver. It
// is a module of its own, so that no driver is among the requirements of the
// library. Package pgtest in it starts a PostgreSQL for tests.
package sqltest
