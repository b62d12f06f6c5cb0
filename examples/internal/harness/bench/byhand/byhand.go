// Package byhand is what a service would write in place of this library, twice: as
// it is usually written ([Usual]), and with the fewest statements that its author
// found ([Fewest]). It is the peer of the benchmark and is not to be copied; the
// doc of each type says what it does not do.
//
// Both make and check codes with pquerna/otp, and seal secrets and digest codes as
// the library does, with its Keyring.
package byhand

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"example.com/devicetotp/credential"
)

// ErrDenied says that the user may not have what was asked for.
var ErrDenied = errors.New("byhand: denied")

const (
	grace       = 5 * time.Minute
	maxDevices  = 20
	maxFailures = 5
	slowDown    = time.Minute // after maxFailures
	period      = 30 * time.Second
)

// A Service answers the three requests that are compared.
type Service interface {
	CreateOnGrace(ctx context.Context, user string) (Device, error)
	CreateOnOTP(ctx context.Context, user, code string) (Device, error)
	Verify(ctx context.Context, user, code string) error
}

// A Device is what the user's app is given.
type Device struct {
	ID, Secret string
}

// A Database is a handle, and what is the same for every service on it.
type Database struct {
	DB    *sql.DB
	MySQL bool // MariaDB; otherwise PostgreSQL
	Keys  *credential.Keyring
	Now   func() time.Time
}

// sql returns the statement in the words of the database: PostgreSQL numbers its
// parameters.
func (d Database) sql(query string) string {
	if d.MySQL {
		return query
	}
	parts := strings.Split(query, "?")
	var out strings.Builder
	for i, part := range parts {
		if i > 0 {
			out.WriteString("$" + strconv.Itoa(i))
		}
		out.WriteString(part)
	}
	return out.String()
}

// stored is a row of the devices.
type stored struct {
	id, basis string
	sealed    []byte
	lastStep  int64
	created   int64
}

// scope binds the secret to its user and its row.
func (s *stored) scope(user string) credential.Scope {
	basis := credential.BasisOTP
	if s.basis == "grace" {
		basis = credential.BasisGrace
	}
	return credential.DeviceScope(user, &credential.Device{
		ID: s.id, Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: period,
		Basis: basis, CreatedAt: time.UnixMilli(s.created),
	})
}

// newDevice makes a secret, and the row that keeps it.
func (d Database) newDevice(user, basis string, now time.Time) (Device, stored, error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: "bench", AccountName: user, SecretSize: 20})
	if err != nil {
		return Device{}, stored{}, err
	}
	row := stored{id: uuid.NewString(), basis: basis, created: now.UnixMilli()}
	row.sealed, err = d.Keys.Seal(row.scope(user), credential.NewSecret(key.Secret()))
	return Device{ID: row.id, Secret: key.Secret()}, row, err
}

// digest is how a one-time code is stored and found.
func (d Database) digest(user, code string) ([]byte, error) {
	scope := credential.Scope{Purpose: credential.PurposeOneTimeCode, AccountID: user, Subject: "otp"}
	return d.Keys.Digest(scope, credential.NewSecret(code))
}

// step returns the time step of the code if it is one of the device and newer than
// the last one: pquerna's Validate would not say which step it is.
func (d Database) step(user string, row *stored, code string, now time.Time) (int64, bool, error) {
	secret, _, err := d.Keys.Open(row.scope(user), row.sealed)
	if err != nil {
		return 0, false, err
	}
	for _, skew := range []time.Duration{0, -period, period} {
		at := now.Add(skew)
		step := at.Unix() / int64(period/time.Second)
		if step <= row.lastStep {
			continue
		}
		want, err := totp.GenerateCodeCustom(secret.Reveal(), at, totp.ValidateOpts{
			Period: uint(period / time.Second), Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
		})
		if err != nil {
			return 0, false, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			return step, true, nil
		}
	}
	return 0, false, nil
}

// slowed reports whether the user must wait after so many failures.
func slowed(failures int, failedAt int64, now time.Time) bool {
	return failures >= maxFailures && now.UnixMilli() < failedAt+slowDown.Milliseconds()
}
