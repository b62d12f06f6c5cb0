package etcdstore

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"example.com/devicetotp/credential"
)

// recordFormat begins the value of an account key. Six fields with a NUL between
// them: the format, Unix seconds, nanoseconds, 0 or 1, and the two hashes, which
// are text without NUL. There is one way to write an account, because Save
// compares the whole value.
const recordFormat = "1"

const recordFields = 6

// errRecord says no more: the value has hashes in it.
var errRecord = errors.New("the account's record is not one that this release writes")

// formatRecord returns the host's fields as they are stored.
func formatRecord(a credential.Account) string {
	locked := "0"
	if a.Locked {
		locked = "1"
	}
	return strings.Join([]string{
		recordFormat, strconv.FormatInt(a.RegisteredAt.Unix(), 10), strconv.Itoa(a.RegisteredAt.Nanosecond()),
		locked, a.PasswordHash, a.PINHash,
	}, "\x00")
}

// parseRecord returns an account with the host's fields. It refuses what
// formatRecord does not write, because no Save would ever match it.
func parseRecord(id, record string) (credential.Account, error) {
	fields := strings.Split(record, "\x00")
	if len(fields) != recordFields {
		return credential.Account{}, errRecord
	}
	sec, secErr := strconv.ParseInt(fields[1], 10, 64)
	nsec, nsecErr := strconv.ParseInt(fields[2], 10, 64)
	if secErr != nil || nsecErr != nil {
		return credential.Account{}, errRecord
	}
	a := credential.Account{
		ID: id, RegisteredAt: time.Unix(sec, nsec).UTC(), Locked: fields[3] == "1", PasswordHash: fields[4], PINHash: fields[5],
	}
	if formatRecord(a) != record {
		return credential.Account{}, errRecord
	}
	return a, nil
}
