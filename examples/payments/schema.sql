-- What the service had before. It has no PINs.
CREATE TABLE users (
    id            uuid        NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(),
    email         text        NOT NULL UNIQUE,
    password_hash text        NOT NULL, -- bcrypt
    locked        boolean     NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL  -- when the user registered: decides about the first five minutes
);
CREATE TABLE payments (
    id          uuid   NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id     uuid   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    cents       bigint NOT NULL,
    approved_by text -- the device; NULL: not approved
);

-- What is added for the library, and for the notices that its users are sent.
CREATE TABLE device_totp_states (
    user_id uuid   NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    state   bytea  NOT NULL,
    version bigint NOT NULL
);
CREATE TABLE device_notices (
    user_id    uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_id  text        NOT NULL,
    created_at timestamptz NOT NULL,
    basis      text        NOT NULL,
    sent_at    timestamptz, -- NULL: still to be sent
    PRIMARY KEY (user_id, device_id, created_at)
);
