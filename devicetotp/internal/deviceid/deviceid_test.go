package deviceid

import (
	"encoding/hex"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential/drawtest"
)

var uuidForm = regexp.MustCompile(`\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\z`)

func TestNewUUIDsAreOfVersion4(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		id := New()
		require.Regexp(t, uuidForm, id)
		require.Equal(t, byte('4'), id[14], "the version")
		require.Contains(t, "89ab", id[19:20], "the variant")
		require.False(t, seen[id])
		seen[id] = true
		again, ok := Parse(id)
		require.True(t, ok)
		require.Equal(t, id, again)
	}
}

// 122 bits are drawn; the version and the variant are fixed.
func TestNewUUIDsAreRandom(t *testing.T) {
	require.NoError(t, drawtest.Bits(16, 6, func() ([]byte, error) {
		return hex.DecodeString(strings.ReplaceAll(New(), "-", ""))
	}))
}

// An id is taken in exactly one form but for its case, so that no device can go
// by two ids.
func FuzzParse(f *testing.F) {
	const id = "738e379f-fe30-45ab-819c-ba88804b6368"
	for _, seed := range []string{
		id, strings.ToUpper(id), "", id[1:], id + "0", "{" + id + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", ""),
		strings.Replace(id, "-", "_", 1), strings.Replace(id, "b", "g", 1), id[:35] + "\x00", id[:34] + "\u0661", id[:33] + "\u212a",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := Parse(text)
		require.Equal(t, uuidForm.MatchString(asciiLower(text)), ok, "%q", text)
		if !ok {
			require.Empty(t, id)
			return
		}
		require.Equal(t, asciiLower(text), id)
		again, ok := Parse(strings.ToUpper(id))
		require.True(t, ok)
		require.Equal(t, id, again)
	})
}

// asciiLower leaves alone what is not ASCII: of the Kelvin sign, for one, the
// lower case is.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
