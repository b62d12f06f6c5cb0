package page

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const doc = "# Title\n<!-- begin a -->\nold\n<!-- end a -->\nrest\n<!-- begin b -->\n<!-- end b -->\n"

func TestOnlyWhatIsBetweenTheLinesIsReplaced(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	require.NoError(t, os.WriteFile(file, []byte(doc), 0o600))
	require.NoError(t, Insert(file, "a", "\nnew\n"))
	require.NoError(t, Insert(file, "b", "other"))
	require.NoError(t, Insert(file, "a", "newer"), "again and again")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "# Title\n<!-- begin a -->\n\nnewer\n\n<!-- end a -->\nrest\n<!-- begin b -->\n\nother\n\n<!-- end b -->\n", string(text))
}

func TestAPageWithoutTheLinesIsLeftAlone(t *testing.T) {
	for _, text := range []string{"", "<!-- begin a -->\n", "<!-- end a -->\n<!-- begin a -->\n", doc + doc} {
		file := filepath.Join(t.TempDir(), "page.md")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		require.ErrorContains(t, Insert(file, "a", "new"), "there must be one line")
		left, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, text, string(left))
	}
}
