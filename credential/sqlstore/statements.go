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
	return statements{
		load: sql(`SELECT registered_sec, registered_ns, password_hash, pin_hash, locked, state, version FROM TABLE WHERE id = $1`),
		save: sql(`UPDATE TABLE SET state = $1, version = $2 WHERE id = $3 AND version = $4 ` +
			`AND registered_sec = $5 AND registered_ns = $6 AND password_hash = $7 AND pin_hash = $8 AND locked = $9`),
		put: sql(`INSERT INTO TABLE (id, registered_sec, registered_ns, password_hash, pin_hash, locked) VALUES ($1, $2, $3, $4, $5, $6) ` +
			`ON CONFLICT (id) DO UPDATE SET registered_sec = excluded.registered_sec, registered_ns = excluded.registered_ns, ` +
			`password_hash = excluded.password_hash, pin_hash = excluded.pin_hash, locked = excluded.locked`),
		insert: sql(`INSERT INTO TABLE (id, registered_sec, registered_ns, password_hash, pin_hash, locked, state, version) ` +
			`VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`),
		delete:         sql(`DELETE FROM TABLE WHERE id = $1`),
		list:           sql(`SELECT id FROM TABLE WHERE id > $1 ORDER BY id LIMIT $2`),
		setLocked:      sql(`UPDATE TABLE SET locked = $1 WHERE id = $2`),
		rotatePassword: sql(`UPDATE TABLE SET password_hash = $1 WHERE id = $2 AND password_hash = $3`),
		rotatePIN:      sql(`UPDATE TABLE SET pin_hash = $1 WHERE id = $2 AND pin_hash = $3`),
	}
}
