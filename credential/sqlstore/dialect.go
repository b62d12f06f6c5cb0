package sqlstore

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"example.com/devicetotp/credential/internal/hostside"
)

// A Dialect is the kind of database. The zero value is none and is refused.
type Dialect uint8

// The dialects.
const (
	DialectPostgres Dialect = iota + 1 // PostgreSQL 13 or newer
	DialectSQLite                      // SQLite 3.37 or newer
	DialectMySQL                       // MariaDB 10.6 or newer, Galera too, or MySQL 8.0.16 or newer
)

// String returns "postgres", "sqlite" or "mysql".
func (d Dialect) String() string {
	switch d {
	case DialectPostgres:
		return "postgres"
	case DialectSQLite:
		return "sqlite"
	case DialectMySQL:
		return "mysql"
	default:
		return "dialect(" + strconv.Itoa(int(d)) + ")"
	}
}

// DefaultTable is the table's name if [Config.Table] is empty.
const DefaultTable = "devicetotp_accounts"

// Config names the table. The zero value is right for most hosts.
type Config struct {
	// Table is the table's name, [DefaultTable] if empty: 1 to 52 bytes of
	// UTF-8 without NUL. It is quoted, so every character is kept. SQLite, and
	// MySQL if lower_case_table_names is not 0, take two cases of a letter for
	// the same; MySQL has no characters above U+FFFF in names. A second table,
	// of the same name with "_migrations" after it, remembers which migrations
	// have been applied.
	Table string
	// Schema is the schema in PostgreSQL and the database in MySQL, which must
	// exist. If empty, it is the first one of the connection's search_path, or
	// the connection's database. It is quoted too, at most 63 bytes, and must
	// be empty for SQLite.
	Schema string
}

// PostgreSQL cuts longer names short without an error, so that two different
// names could mean one table. MySQL allows 64 characters.
const (
	maxSchemaName = 63
	maxTableName  = maxSchemaName - len(migrationsSuffix)
)

const migrationsSuffix = "_migrations"

// names are the quoted names of the tables, and the options as they are used.
type names struct {
	accounts, migrations string
	options              Config
}

func (o Config) names(d Dialect) (names, error) {
	if o.Table == "" {
		o.Table = DefaultTable
	}
	errTable := checkName("Table", o.Table, maxTableName)
	var errSchema error
	switch {
	case o.Schema == "":
	case d == DialectSQLite:
		errSchema = errors.New("Config.Schema: SQLite has no schemas; leave it empty")
	default:
		errSchema = checkName("Schema", o.Schema, maxSchemaName)
	}
	if err := errors.Join(errTable, errSchema); err != nil {
		return names{}, err
	}
	qualifier := ""
	if o.Schema != "" {
		qualifier = d.quote(o.Schema) + "."
	}
	return names{
		accounts:   qualifier + d.quote(o.Table),
		migrations: qualifier + d.quote(o.Table+migrationsSuffix),
		options:    o,
	}, nil
}

func checkName(field, name string, limit int) error {
	if len(name) > limit {
		return fmt.Errorf("Config.%s: %d bytes, at most %d", field, len(name), limit)
	}
	if !hostside.IsText(name) {
		return fmt.Errorf("Config.%s: not UTF-8 without NUL", field)
	}
	return nil
}

// quote makes name an SQL identifier.
func (d Dialect) quote(name string) string {
	mark := `"`
	if d == DialectMySQL {
		mark = "`"
	}
	return mark + strings.ReplaceAll(name, mark, mark+mark) + mark
}

// placeholders turns $1 into what the dialect calls a parameter. In MySQL they
// have no numbers, so a statement must name each once, in their order.
func (d Dialect) placeholders(query string) string {
	switch d {
	case DialectSQLite:
		return strings.ReplaceAll(query, "$", "?")
	case DialectMySQL:
		for n := 1; strings.Contains(query, "$"); n++ {
			query = strings.ReplaceAll(query, "$"+strconv.Itoa(n), "?")
		}
	}
	return query
}
