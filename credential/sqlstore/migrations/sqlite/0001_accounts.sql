CREATE TABLE {{table}} (
    id             TEXT    NOT NULL PRIMARY KEY,
    registered_sec INTEGER NOT NULL DEFAULT -62135596800,
    registered_ns  INTEGER NOT NULL DEFAULT 0 CHECK (registered_ns BETWEEN 0 AND 999999999),
    password_hash  TEXT    NOT NULL DEFAULT '',
    pin_hash       TEXT    NOT NULL DEFAULT '',
    locked         INTEGER NOT NULL DEFAULT 0 CHECK (locked IN (0, 1)),
    state          BLOB    NOT NULL DEFAULT x'',
    version        INTEGER NOT NULL DEFAULT 0 CHECK (version >= 0)
) STRICT
