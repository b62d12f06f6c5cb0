package examples

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// imports are the packages that blocks use without importing them, by name.
var imports = map[string]string{
	"context":        "context",
	"credential":     "example.com/devicetotp/credential",
	"devicetotp":     "example.com/devicetotp/devicetotp",
	"devicetotptest": "example.com/devicetotp/devicetotp/devicetotptest",
	"http":           "net/http",
	"jsonapi":        "example.com/devicetotp/devicetotp/jsonapi",
	"slog":           "log/slog",
	"sql":            "database/sql",
	"sqlstore":       "example.com/devicetotp/credential/sqlstore",
	"storetest":      "example.com/devicetotp/credential/storetest",
	"testing":        "testing",
	"time":           "time",
	"verifier":       "example.com/devicetotp/verifier",
}

// A block is Go code of a page, with what the comment before it says: a "program",
// "declarations", or "statements" and the parameters they stand on; or "quote" and
// the file that has it.
var block = regexp.MustCompile("(?s)(?:<!-- (?:go: (program|declarations|statements)|(quote): (\\S+))(?: (\\([^\n]*\\)))? -->\n)?```(go|sql)\n(.*?)```\n(?:\n```text\n(.*?)```)?")

// Every block of Go of every page compiles against the library as it is, in a
// module that imports it as the README says. Those that are tests pass, and
// programs print what stands below them. What is quoted is in its file.
func TestReadmeCode(t *testing.T) {
	dir := t.TempDir()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	printed := map[string]string{} // by package
	texts := pages(t)
	for _, page := range slices.Sorted(maps.Keys(texts)) {
		for _, b := range block.FindAllStringSubmatch(texts[page], -1) {
			kind, quoted, file, parameters, language, code := b[1], b[2], b[3], b[4], b[5], b[6]
			if quoted != "" {
				source, err := os.ReadFile(filepath.Join("..", file))
				require.NoError(t, err, page)
				require.Contains(t, string(source), code, "%s quotes %s", page, file)
				continue
			}
			require.Equal(t, "go", language, "%s: quote it from a file:\n%s", page, code)
			require.NotEmpty(t, kind, "%s: nothing says what this block stands on:\n%s", page, code)
			require.Equal(t, strings.TrimSpace(code), strings.TrimSpace(gofmt(t, kind, code)), "%s: not formatted", page)
			pkg, name := fmt.Sprintf("p%d", len(printed)), "block_test.go"
			printed[pkg] = ""
			switch kind {
			case "program":
				name, printed[pkg] = "main.go", b[7]
				require.NotEmpty(t, b[7], "%s: nothing says what this prints:\n%s", page, code)
			case "statements":
				code = "func _" + parameters + " error {\n" + code + "\nreturn nil\n}\n"
				fallthrough
			default:
				code = string(withImports(t, pkg, code))
			}
			require.NoError(t, os.Mkdir(filepath.Join(dir, pkg), 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(dir, pkg, name), []byte(code), 0o600))
		}
	}
	sums, err := os.ReadFile("go.sum")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module pages\n\ngo 1.26.0\n"), 0o600))
	command(t, dir, "go", "mod", "edit", "-require", "example.com/devicetotp@v0.0.0", "-replace", "example.com/devicetotp="+root)
	command(t, dir, "go", "mod", "tidy")
	command(t, dir, "go", "test", "-vet=off", "./...")
	programs := 0
	for pkg, want := range printed {
		if want != "" {
			require.Equal(t, want, command(t, dir, "go", "run", "./"+pkg))
			programs++
		}
	}
	require.NotZero(t, programs)
}

// gofmt formats a block: a file, a file without its package clause, or the inside
// of a function.
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
