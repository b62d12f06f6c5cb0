package examples

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// theTests returns the names of the tests and fuzz targets of every module.
func theTests(t *testing.T) map[string]bool {
	t.Helper()
	there := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, name := range function.FindAllSubmatch(text, -1) {
			there[string(name[1])] = true
		}
		return err
	}))
	return there
}

var testName = regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")

// Every test and fuzz target that a page names is there, and SECURITY.md names
// every fuzz target.
func TestPagesNameTests(t *testing.T) {
	there, security := theTests(t), map[string]bool{}
	for page, text := range pages(t) {
		for _, name := range testName.FindAllStringSubmatch(text, -1) {
			require.True(t, there[name[1]], "%s names %s", page, name[1])
			security[name[1]] = security[name[1]] || page == "../SECURITY.md"
		}
	}
	for name := range there {
		require.True(t, security[name] || strings.HasPrefix(name, "Test"), name)
	}
}

// Each row of a table of SECURITY.md whose last column is "shown by" names a test
// there, and every table of what is promised is such a table.
func TestSecurityNamesTests(t *testing.T) {
	section, shown, rows := "", false, map[string]int{}
	for line := range strings.Lines(pages(t)["../SECURITY.md"]) {
		heading, isHeading := strings.CutPrefix(line, "## ")
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		last := strings.TrimSpace(cells[len(cells)-1])
		switch {
		case isHeading:
			section = strings.TrimSpace(heading)
		case !strings.HasPrefix(line, "|"):
			shown = false
		case strings.HasPrefix(line, "|---"):
			require.True(t, shown || section != "What it promises", "a table of promises without its tests:\n%s", line)
		case last == "shown by":
			shown = true
		case shown:
			require.Regexp(t, testName, last, "no test shows it:\n%s", line)
			rows[section]++
		}
	}
	for _, section := range []string{"What it promises", "Numbers", "Departures from standards", "What is left"} {
		require.NotZero(t, rows[section], section)
	}
}

// Every file and every heading that the pages point to is there.
func TestLinks(t *testing.T) {
	for page, text := range pages(t) {
		for _, link := range regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]+))?\)`).FindAllStringSubmatch(text, -1) {
			target := page
			if link[1] != "" {
				target = filepath.Join(filepath.Dir(page), link[1])
			}
			_, err := os.Stat(target)
			require.NoError(t, err, page)
			if link[2] != "" {
				require.Contains(t, anchors(t, target), link[2], page)
			}
		}
	}
}

// The README beside the examples has a link into each folder, of an example or
// of a harness.
func TestFoldersAreNamed(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, parent := range []string{".", "internal/harness"} {
		entries, err := os.ReadDir(parent)
		require.NoError(t, err)
		for _, entry := range entries {
			if entry.IsDir() && entry.Name() != "internal" && entry.Name() != "testdata" {
				require.Contains(t, string(text), "]("+path.Join(parent, entry.Name())+"/")
			}
		}
	}
}

// anchors are the headings of a document, as links spell them.
func anchors(t *testing.T, document string) (names []string) {
	t.Helper()
	text, err := os.ReadFile(document)
	require.NoError(t, err)
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(text), -1) {
		name := regexp.MustCompile(`[^\w -]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}
