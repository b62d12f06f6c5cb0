-- The users of this service, as they were before. An id is never given out
-- twice, and created_at decides about the first five minutes: see users.go.
CREATE TABLE users (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email         text        NOT NULL UNIQUE,
    password_hash text        NOT NULL, -- bcrypt
    pin_hash      text,                 -- bcrypt; NULL: none set
    locked        boolean     NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL
);
