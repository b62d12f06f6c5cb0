package examples

import (
	"bytes"
	"context"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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

// The command that moves the module leaves one that builds.
func TestReadmeMove(t *testing.T) {
	for _, tool := range []string{"git", "perl", "xargs"} {
		if _, err := exec.LookPath(tool); err != nil {
			require.NotEqual(t, "true", os.Getenv("CI"), "%s is not installed", tool)
			t.Skipf("%s is not installed", tool)
		}
	}
	move := regexp.MustCompile(`(?m)^git grep .*$`).FindString(readme(t))
	require.NotEmpty(t, move)
	dir := filepath.Join(t.TempDir(), "moved")
	command(t, "..", "git", "clone", "--quiet", ".", dir)
	command(t, dir, "sh", "-c", move)
	require.Equal(t, "github.com/you/devicetotp", strings.TrimSpace(command(t, dir, "go", "list", "-m")))
	command(t, dir, "go", "build", "./...")
	command(t, filepath.Join(dir, "examples"), "go", "build", "-o", os.DevNull, "./quickstart")
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

// Every test that the README names is there.
func TestReadmeNamesTests(t *testing.T) {
	names := regexp.MustCompile("`(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(readme(t), -1)
	require.NotEmpty(t, names)
	for _, name := range names {
		command(t, "..", "git", "grep", "-q", "func "+name[1]+"(", "--", "*_test.go")
	}
}

// Every file that the README points to is there.
func TestReadmeLinks(t *testing.T) {
	for _, link := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(readme(t), -1) {
		require.FileExists(t, filepath.Join("..", link[1]))
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
