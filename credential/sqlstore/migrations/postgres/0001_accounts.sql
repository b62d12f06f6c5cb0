CREATE TABLE {{table}} (
    id             text    COLLATE "C" NOT NULL PRIMARY KEY,
    registered_sec bigint  NOT NULL DEFAULT -62135596800,
    registered_ns  integer NOT NULL DEFAULT 0 CHECK (registered_ns BETWEEN 0 AND 999999999),
    password_hash  text    NOT NULL DEFAULT '',
    pin_hash       text    NOT NULL DEFAULT '',
    locked         boolean NOT NULL DEFAULT false,
    state          bytea   NOT NULL DEFAULT '',
    version        bigint  NOT NULL DEFAULT 0 CHECK (version >= 0)
) WITH (fillfactor = 70)
