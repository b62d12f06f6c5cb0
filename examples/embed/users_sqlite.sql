-- The same for SQLite. AUTOINCREMENT: without it the id of the last user would
-- be given out again. created_at is text, and compared as such: write it from
-- Go only, in UTC, so that an instant has one spelling.
CREATE TABLE users (
    id            INTEGER   PRIMARY KEY AUTOINCREMENT,
    email         text      NOT NULL UNIQUE,
    password_hash text      NOT NULL, -- bcrypt
    pin_hash      text,               -- bcrypt; NULL: none set
    locked        boolean   NOT NULL DEFAULT false,
    created_at    timestamp NOT NULL
);
