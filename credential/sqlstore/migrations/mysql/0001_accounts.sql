CREATE TABLE IF NOT EXISTS {{table}} (
    id             VARBINARY(1024) NOT NULL PRIMARY KEY,
    registered_sec BIGINT          NOT NULL DEFAULT -62135596800,
    registered_ns  INTEGER         NOT NULL DEFAULT 0 CHECK (registered_ns BETWEEN 0 AND 999999999),
    password_hash  VARBINARY(4096) NOT NULL DEFAULT '',
    pin_hash       VARBINARY(4096) NOT NULL DEFAULT '',
    locked         BOOLEAN         NOT NULL DEFAULT FALSE CHECK (locked IN (0, 1)),
    state          MEDIUMBLOB      NOT NULL DEFAULT (''),
    version        BIGINT          NOT NULL DEFAULT 0 CHECK (version >= 0)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
