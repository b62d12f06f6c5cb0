package examples

import (
	"bytes"
	"context"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// imports are the packages that the blocks of the README use, by name.
var imports = map[string]string{
	"clock":          "example.com/devicetotp/clock",
	"context":        "context",
	"credential":     "example.com/devicetotp/credential",
	"devicetotp":     "example.com/devicetotp/devicetotp",
	"devicetotptest": "example.com/devicetotp/devicetotp/devicetotptest",
	"errors":         "errors",
	"fmt":            "fmt",
	"http":           "net/http",
	"math":           "math",
	"jsonapi":        "example.com/devicetotp/devicetotp/jsonapi",
	"sql":            "database/sql",
	"strconv":        "strconv",
	"testing":        "testing",
	"time":           "time",
	"verifier":       "example.com/devicetotp/verifier",
}

// A block is Go code of the README, with what the comment before it says:
// a "file", "declarations", or "statements" and the parameters they stand on.
var block = regexp.MustCompile("(?s)(?:<!-- go: (declarations|statements|file)(?: (\\([^\n]*\\)))? -->\n)?```go\n(.*?)```")

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	return string(text)
}

// Every Go block of the README compiles against the library as it is, in a
// module that imports it as the README says, and those that are tests pass.
func TestReadmeCode(t *testing.T) {
	dir := t.TempDir()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	found := block.FindAllStringSubmatch(readme(t), -1)
	require.NotEmpty(t, found)
	for i, b := range found {
		require.NotEmpty(t, b[1], "nothing says what this block stands on:\n%s", b[3])
		code := b[3]
		require.Equal(t, strings.TrimSpace(code), strings.TrimSpace(gofmt(t, b[1], code)), "not formatted")
		if b[1] == "statements" {
			code = "func _" + b[2] + " error {\n" + code + "\nreturn nil\n}\n"
		}
		pkg := string(rune('a' + i))
		require.NoError(t, os.Mkdir(filepath.Join(dir, pkg), 0o700))
		if b[1] != "file" {
			code = string(withImports(t, pkg, code))
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, pkg, "block_test.go"), []byte(code), 0o600))
	}
	sums, err := os.ReadFile("go.sum")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module readme\n\ngo 1.26.0\n"), 0o600))
	command(t, dir, "go", "mod", "edit", "-require", "example.com/devicetotp@v0.0.0", "-replace", "example.com/devicetotp="+root)
	command(t, dir, "go", "mod", "tidy")
	command(t, dir, "go", "test", "-vet=off", "./...")
}

// gofmt formats a block: a file without its package clause, or the inside of a
// function.
func gofmt(t *testing.T, kind, code string) string {
	t.Helper()
	clause := ""
	if kind == "declarations" {
		clause = "package p\n\n"
	}
	formatted, err := format.Source([]byte(clause + code))
	require.NoError(t, err, code)
	return strings.TrimPrefix(string(formatted), clause)
}

// withImports makes a file of declarations, with the imports that they need.
func withImports(t *testing.T, pkg, declarations string) []byte {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), pkg, "package p\n"+declarations, parser.SkipObjectResolution)
	require.NoError(t, err, declarations)
	needed := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if name, ok := selector.X.(*ast.Ident); ok && imports[name.Name] != "" {
				needed[name.Name] = true
			}
		}
		return true
	})
	var text bytes.Buffer
	text.WriteString("package " + pkg + "\n\n")
	for _, name := range slices.Sorted(maps.Keys(needed)) {
		text.WriteString("import \"" + imports[name] + "\"\n")
	}
	text.WriteString(declarations)
	return text.Bytes()
}

// What the README shows of the quickstart is what the quickstart prints.
func TestReadmeShowsTheQuickstart(t *testing.T) {
	printed := command(t, ".", "go", "run", "./quickstart")
	require.Contains(t, readme(t), "```text\n"+printed+"```")
}

// The command that moves the module leaves one that works. Where the module has
// been moved already, the command has nothing left to change.
func TestReadmeMove(t *testing.T) {
	want := strings.TrimSpace(command(t, "..", "go", "list", "-m"))
	if strings.HasPrefix(want, "example.com/") {
		want = "github.com/you/devicetotp"
	}
	for _, tool := range []string{"git", "perl", "xargs"} {
		if _, err := exec.LookPath(tool); err != nil {
			pgtest.Skip(t, err)
		}
	}
	if err := exec.CommandContext(t.Context(), "git", "-C", "..", "rev-parse", "--verify", "HEAD").Run(); err != nil {
		pgtest.Skip(t, "this is not a clone, and the command needs one")
	}
	move := regexp.MustCompile(`(?m)^git grep .*$`).FindString(readme(t))
	require.NotEmpty(t, move)
	dir := filepath.Join(t.TempDir(), "moved")
	command(t, "..", "git", "clone", "--quiet", ".", dir)
	command(t, dir, "sh", "-c", move)
	require.Equal(t, want, strings.TrimSpace(command(t, dir, "go", "list", "-m")))
	command(t, dir, "go", "build", "./...")
	for _, example := range []string{"./quickstart", "./grpc"} { // grpc: its generated code is read when it starts
		command(t, filepath.Join(dir, "examples"), "go", "run", example)
	}
}

// The store of the README is the one of examples/embed, which is proved there,
// and so is the SQL.
func TestReadmeStore(t *testing.T) {
	store, err := os.ReadFile("embed/store.go")
	require.NoError(t, err)
	_, code, _ := strings.Cut(string(store), ")\n\n")
	require.Contains(t, readme(t), "```go\n"+code+"```")
	statements, err := os.ReadFile("embed/add.sql")
	require.NoError(t, err)
	require.Contains(t, readme(t), "```sql\n"+string(statements)+"```")
}

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

// Every test and fuzz target that a document names is there, and SECURITY.md
// names every fuzz target.
func TestDocumentsNameTests(t *testing.T) {
	there, documents := theTests(t), []string{"../README.md", "../SECURITY.md", "../CONTRIBUTING.md", "README.md"}
	security := map[string]bool{}
	for _, document := range documents {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		for _, name := range testName.FindAllStringSubmatch(string(text), -1) {
			require.True(t, there[name[1]], "%s names %s", document, name[1])
			security[name[1]] = security[name[1]] || document == "../SECURITY.md"
		}
	}
	for name := range there {
		require.True(t, security[name] || strings.HasPrefix(name, "Test"), name)
	}
}

// Each row of a table of SECURITY.md whose last column is "shown by" names a test
// there, and every table of what is promised is such a table.
func TestSecurityNamesTests(t *testing.T) {
	text, err := os.ReadFile("../SECURITY.md")
	require.NoError(t, err)
	section, shown, rows := "", false, map[string]int{}
	for line := range strings.Lines(string(text)) {
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

// Every file and every heading that the documents point to is there.
func TestLinks(t *testing.T) {
	documents, err := filepath.Glob("../*.md")
	require.NoError(t, err)
	require.NotEmpty(t, documents)
	documents = append(documents, "README.md")
	for _, document := range documents {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		for _, link := range regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]+))?\)`).FindAllStringSubmatch(string(text), -1) {
			target := document
			if link[1] != "" {
				target = filepath.Join(filepath.Dir(document), link[1])
			}
			_, err := os.Stat(target)
			require.NoError(t, err, document)
			if link[2] != "" {
				require.Contains(t, anchors(t, target), link[2], document)
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
			if entry.IsDir() && entry.Name() != "internal" {
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

// Mermaid takes a semicolon for the end of a line, and then draws nothing.
func TestReadmeDiagram(t *testing.T) {
	diagrams := regexp.MustCompile("(?s)```mermaid\n(.*?)```").FindAllStringSubmatch(readme(t), -1)
	require.NotEmpty(t, diagrams)
	for _, diagram := range diagrams {
		require.NotContains(t, diagram[1], ";")
	}
}

func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOFLAGS=-mod=mod -buildvcs=false", "GOWORK=off")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	require.NoError(t, err, "%s %s:\n%s%s", name, strings.Join(args, " "), out, &stderr)
	return string(out)
}
