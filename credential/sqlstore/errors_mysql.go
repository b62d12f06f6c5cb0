package sqlstore

import "reflect"

// Numbers of errors of MariaDB and MySQL.
const (
	mysqlUnknownCommand  = 1047 // a node of Galera without quorum refuses every statement
	mysqlDuplicateKey    = 1062
	mysqlNoSuchTable     = 1146
	mysqlLockWaitTimeout = 1205 // the statement was rolled back, and in autocommit it is all there was
	mysqlDeadlock        = 1213 // also a certification that Galera lost; the transaction was rolled back
	mysqlReadOnlyServer  = 1290
	mysqlReadOnlySession = 1792
	mysqlReadOnlyMode    = 1836
)

// mysqlNumber returns the number of an error of MariaDB or MySQL; 0 if it is
// none. github.com/go-sql-driver/mysql reports them as a *MySQLError, whose field
// Number has no method that an interface could ask for. The field is part of
// that package's API; the text of its errors is not, and has changed before.
func mysqlNumber(err error) uint16 {
	if err == nil {
		return 0
	}
	if v := reflect.Indirect(reflect.ValueOf(err)); v.Kind() == reflect.Struct && v.Type().Name() == "MySQLError" {
		if number := v.FieldByName("Number"); number.Kind() == reflect.Uint16 {
			return uint16(number.Uint())
		}
	}
	switch wrapper := err.(type) { //nolint:errorlint // this is the walk through the chain, because errors.As finds no fields
	case interface{ Unwrap() error }:
		return mysqlNumber(wrapper.Unwrap())
	case interface{ Unwrap() []error }:
		for _, err := range wrapper.Unwrap() {
			if number := mysqlNumber(err); number != 0 {
				return number
			}
		}
	}
	return 0
}
