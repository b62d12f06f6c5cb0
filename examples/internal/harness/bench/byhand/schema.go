package byhand

import (
	"context"
	"strings"
	"time"

	"example.com/devicetotp/credential"
)

// The tables, with the indexes that the statements need. Times are milliseconds
// since 1970. The UNIQUE on otp_id is what Fewest spends a one-time code with.
const schema = `
CREATE TABLE hand_users (
	id TEXT_ID PRIMARY KEY, registered BIGINT NOT NULL, locked BOOLEAN NOT NULL,
	password_hash TEXT_HASH NOT NULL, pin_hash TEXT_HASH NOT NULL,
	otp_failures INTEGER NOT NULL, otp_failed_at BIGINT NOT NULL);
CREATE TABLE hand_otps (
	id BIGINT PRIMARY KEY, user_id TEXT_ID NOT NULL, digest BYTES NOT NULL, expires BIGINT NOT NULL, used BIGINT);
CREATE INDEX hand_otps_user ON hand_otps (user_id);
CREATE TABLE hand_devices (
	id TEXT_ID PRIMARY KEY, user_id TEXT_ID NOT NULL, sealed BYTES NOT NULL, basis TEXT_ID NOT NULL,
	created BIGINT NOT NULL, last_step BIGINT NOT NULL, otp_id BIGINT UNIQUE);
CREATE INDEX hand_devices_user ON hand_devices (user_id)`

// Tables are the names of the tables.
var Tables = []string{"hand_users", "hand_otps", "hand_devices"}

// CreateTables makes them.
func (d Database) CreateTables(ctx context.Context) error {
	types := strings.NewReplacer("TEXT_ID", "TEXT", "TEXT_HASH", "TEXT", "BYTES", "BYTEA")
	if d.MySQL {
		types = strings.NewReplacer("TEXT_ID", "VARBINARY(64)", "TEXT_HASH", "VARBINARY(255)", "BYTES", "VARBINARY(255)")
	}
	for statement := range strings.SplitSeq(types.Replace(schema), ";") {
		if _, err := d.DB.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// A User is what the tables have of one at the beginning.
type User struct {
	ID           string
	Registered   time.Time
	PasswordHash string // the PIN hash is as long
	Number       int64  // names the one-time code
	Code         string // "" for none
	Device       Device // the zero one for none
}

// Rows returns what Insert adds of u to each of the Tables.
func (d Database) Rows(u User) (user, code, device []any, err error) {
	user = []any{u.ID, u.Registered.UnixMilli(), false, u.PasswordHash, u.PasswordHash, 0, int64(0)}
	if u.Code != "" {
		digest, err := d.digest(u.ID, u.Code)
		if err != nil {
			return nil, nil, nil, err
		}
		code = []any{u.Number, u.ID, digest, d.Now().Add(time.Hour).UnixMilli(), nil}
	}
	if u.Device.ID != "" {
		row := stored{id: u.Device.ID, basis: "grace", created: u.Registered.UnixMilli()}
		sealed, err := d.Keys.Seal(row.scope(u.ID), credential.NewSecret(u.Device.Secret))
		if err != nil {
			return nil, nil, nil, err
		}
		device = []any{row.id, u.ID, sealed, row.basis, row.created, int64(0), nil}
	}
	return user, code, device, nil
}

// Insert adds a user.
func (d Database) Insert(ctx context.Context, u User) error {
	user, code, device, err := d.Rows(u)
	if err != nil {
		return err
	}
	for i, row := range [][]any{user, code, device} {
		if row == nil {
			continue
		}
		marks := strings.TrimSuffix(strings.Repeat("?,", len(row)), ",")
		if _, err := d.DB.ExecContext(ctx, d.sql("INSERT INTO "+Tables[i]+" VALUES ("+marks+")"), row...); err != nil {
			return err
		}
	}
	return nil
}
