package sqlstore

import "strings"

// statements are the queries of one Store, with its table's name in them. Each
// method of Store sends exactly one.
type statements struct {
	load, save                string
	put, insert, delete, list string
	setLocked                 string
	rotatePassword, rotatePIN string
}

func newStatements(d Dialect, table string) statements {
	// The placeholders are rewritten first: a table's name may contain a $.
	sql := func(query string) string {
		return strings.ReplaceAll(d.placeholders(query), "TABLE", table)
	}
	p := d.phrases()
	return statements{
		load: sql(`SELECT registered_sec, registered_ns, password_hash, pin_hash, locked, state, version FROM TABLE WHERE id = $1`),
		save: sql(`UPDATE TABLE SET state = $1, version = $2 WHERE id = $3 AND version = $4 ` +
			`AND registered_sec = $5 AND registered_ns = $6 AND password_hash = $7 AND pin_hash = $8 AND locked = $9`),
		put: sql(`INSERT INTO TABLE (id, registered_sec, registered_ns, password_hash, pin_hash, locked) ` +
			`VALUES ($1, $2, $3, $4, $5, $6) ` + p.orUpdate("registered_sec", "registered_ns", "password_hash", "pin_hash", "locked")),
		insert: sql(`INSERT INTO TABLE (id, registered_sec, registered_ns, password_hash, pin_hash, locked, state, version) ` +
			`VALUES ($1, $2, $3, $4, $5, $6, $7, $8)` + p.orNothing),
		delete:         sql(`DELETE FROM TABLE WHERE id = $1`),
		list:           sql(`SELECT id FROM TABLE WHERE id > $1 ORDER BY id LIMIT $2`),
		setLocked:      sql(`UPDATE TABLE SET ` + p.set("locked") + ` WHERE id = $2`),
		rotatePassword: sql(`UPDATE TABLE SET ` + p.set("password_hash") + ` WHERE id = $2 AND password_hash = $3`),
		rotatePIN:      sql(`UPDATE TABLE SET ` + p.set("pin_hash") + ` WHERE id = $2 AND pin_hash = $3`),
	}
}

// phrases are what the dialects say in different words.
type phrases struct {
	orUpdate  func(columns ...string) string // at the end of an INSERT whose id may be there
	orNothing string                         // at the end of an INSERT whose id must not be there
	set       func(column string) string     // gives the column a value that it may have already
}

func (d Dialect) phrases() phrases {
	if d == DialectMySQL {
		return mysqlPhrases
	}
	return phrases{
		orUpdate: func(columns ...string) string {
			return `ON CONFLICT (id) DO UPDATE SET ` + assign(columns, `COLUMN = excluded.COLUMN`)
		},
		orNothing: ` ON CONFLICT (id) DO NOTHING`,
		set:       func(column string) string { return column + ` = $1` },
	}
}

// mysqlPhrases work whether or not the DSN says clientFoundRows. Without it an
// UPDATE reports the rows that it changed, so that a value which is there already
// looks like a row which is not. So the statement also remembers a number above 0
// for each row that it finds, as LAST_INSERT_ID does with an argument, and the
// server reports that number in the same response.
//
// INSERT IGNORE would be no way to leave a row alone: it turns every other error
// into a warning too.
var mysqlPhrases = phrases{
	orUpdate: func(columns ...string) string {
		return `ON DUPLICATE KEY UPDATE ` + assign(columns, `COLUMN = VALUES(COLUMN)`)
	},
	set: func(column string) string {
		// The argument is a column, so that it cannot be computed before there is a row.
		return column + ` = IF(LAST_INSERT_ID(registered_ns + 1) > 0, $1, ` + column + `)`
	},
}

func assign(columns []string, form string) string {
	all := make([]string, len(columns))
	for i, column := range columns {
		all[i] = strings.ReplaceAll(form, "COLUMN", column)
	}
	return strings.Join(all, ", ")
}
