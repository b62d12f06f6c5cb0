package devicetotp_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A fuzz target without its seeds tests little when it is run as a test. The
// targets of every package are found, not listed.
func TestFuzzSeedsExist(t *testing.T) {
	target := regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)
	var found []string
	for _, dir := range strings.Fields(goCommand(t, "list", "-f", "{{.Dir}}", "./...")) {
		tests, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		require.NoError(t, err)
		for _, file := range tests {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, match := range target.FindAllSubmatch(text, -1) {
				found = append(found, string(match[1]))
				requireSeeds(t, filepath.Join(dir, "testdata", "fuzz", string(match[1])))
			}
		}
	}
	require.Subset(t, found, []string{"FuzzHandler", "FuzzIsCode", "FuzzParseArgon", "FuzzParse", "FuzzParseKeyring", "FuzzProvisioning", "FuzzUnmarshalState"})
}

func requireSeeds(t *testing.T, dir string) {
	t.Helper()
	seeds, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(seeds), 3, "seeds in %s", dir)
	for _, name := range seeds {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Regexp(t, `\Ago test fuzz v1\n`, string(b), name)
	}
}
