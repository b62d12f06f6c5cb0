-- What a service adds to its schema, on PostgreSQL and on SQLite. A user without
-- a row here has not used a device TOTP yet, so there is nothing to fill in. The
-- row goes with its user (SQLite: only with foreign_keys(1) in the DSN, which is
-- off otherwise); never delete, copy back or edit one by itself: it is
-- what remembers spent codes and counts wrong guesses.
CREATE TABLE device_totp_states (
    user_id bigint NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    state   bytea  NOT NULL,
    version bigint NOT NULL
);
