package etcdstore

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

func TestRecordIsWrittenInOneWayOnly(t *testing.T) {
	for record, a := range map[string]credential.Account{
		"1\x00-62135596800\x000\x000\x00\x00":                    {},
		"1\x005\x006\x001\x00p'\"$1\n\x00q\u00fc":                {RegisteredAt: time.Unix(5, 6), Locked: true, PasswordHash: "p'\"$1\n", PINHash: "q\u00fc"},
		"1\x00-1\x00999999999\x000\x00\x00q":                     {RegisteredAt: time.Unix(0, -1), PINHash: "q"},
		"1\x009223371974719179007\x00999999999\x000\x00p\x00":    {RegisteredAt: time.Unix(math.MaxInt64-62135596800, 999999999), PasswordHash: "p"},
		"1\x00-62135596800\x000\x000\x00" + "p" + "\x00" + " q ": {PasswordHash: "p", PINHash: " q "},
	} {
		a.ID = "a"
		require.Equal(t, record, formatRecord(a))
		got, err := parseRecord("a", record)
		require.NoError(t, err)
		require.True(t, a.SameHostFields(got), "%q", record)
		require.Equal(t, time.UTC, got.RegisteredAt.Location())
	}
}

func TestRecordOfAnotherFormIsRefused(t *testing.T) {
	const right = "1\x005\x006\x000\x00secret-p\x00secret-q"
	_, err := parseRecord("a", right)
	require.NoError(t, err)
	for _, record := range []string{
		"", "1", strings.Replace(right, "1", "2", 1), strings.Replace(right, "1", "", 1),
		strings.Replace(right, "5", "05", 1), strings.Replace(right, "5", "+5", 1), strings.Replace(right, "5", "", 1),
		strings.Replace(right, "6", "1000000000", 1), strings.Replace(right, "6", "-6", 1), strings.Replace(right, "6", "x", 1),
		strings.Replace(right, "\x000\x00", "\x002\x00", 1), strings.Replace(right, "\x000\x00", "\x00true\x00", 1),
		right + "\x00", strings.Replace(right, "\x00secret-q", "", 1),
		strings.Replace(right, "5", "99999999999999999999", 1),
	} {
		_, err := parseRecord("a", record)
		require.ErrorIs(t, err, errRecord, "%q", record)
		require.NotContains(t, err.Error(), "secret")
	}
}

func FuzzRecord(f *testing.F) {
	f.Add("1\x005\x006\x001\x00p\x00q")
	f.Add("1\x00-62135596800\x000\x000\x00\x00")
	f.Fuzz(func(t *testing.T, record string) {
		if a, err := parseRecord("a", record); err == nil && formatRecord(a) != record {
			t.Errorf("%q is read, and written as %q", record, formatRecord(a))
		}
	})
}

func TestVersionIsWrittenInOneWayOnly(t *testing.T) {
	for _, v := range []int64{0, 1, 10, credential.MaxVersion} {
		got, err := parseVersion([]byte(formatVersion(v)))
		require.NoError(t, err)
		require.Equal(t, v, got)
	}
	for _, text := range []string{"", "-1", "+1", "01", "1 ", "x", formatVersion(credential.MaxVersion + 1)} {
		_, err := parseVersion([]byte(text))
		require.Error(t, err, "%q", text)
	}
}
