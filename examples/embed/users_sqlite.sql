-- The same for SQLite. AUTOINCREMENT: without it the id of the last user would
-- be given out again. created_at is text, with an offset or in UTC: see
-- NewSQLiteStore.
CREATE TABLE users (
    id            INTEGER   PRIMARY KEY AUTOINCREMENT,
    email         text      NOT NULL UNIQUE,
    password_hash text      NOT NULL, -- bcrypt
    pin_hash      text,               -- bcrypt; NULL: none set
    locked        boolean   NOT NULL DEFAULT false,
    created_at    timestamp NOT NULL
);
