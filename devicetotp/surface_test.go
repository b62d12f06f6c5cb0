package devicetotp_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp"
)

var updateSurface = flag.Bool("update", false, "write testdata/surface.txt again")

const surfaceFile = "testdata/surface.txt"

// The exported surface of every package is kept in testdata/surface.txt, so
// that a change of it is seen in review. After an intended change:
//
//	go test ./devicetotp -run Surface -update
func TestSurface(t *testing.T) {
	var listing strings.Builder
	for _, dir := range strings.Fields(goCommand(t, "list", "-f", "{{.Dir}}", "./...")) {
		writeSurface(t, &listing, dir)
	}
	if *updateSurface {
		require.NoError(t, os.WriteFile(surfaceFile, []byte(listing.String()), 0o644))
	}
	want, err := os.ReadFile(surfaceFile)
	require.NoError(t, err)
	if changes := changedLines(string(want), listing.String()); changes != "" {
		t.Errorf("the exported surface changed; see the comment of TestSurface:\n%s", changes)
	}
}

// What go doc prints of the package is read before anything is looked up.
func TestGoDocOfThePackageIsShort(t *testing.T) {
	require.LessOrEqual(t, strings.Count(goCommand(t, "doc", "./devicetotp"), "\n"), 110, "lines")
}

// The documentation of the package says of each operation what it does.
func TestPackageDocumentationHasEveryOperation(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	operations := reflect.TypeFor[*devicetotp.Issuer]()
	for i := range operations.NumMethod() {
		require.Contains(t, string(doc), "\n//   - [Issuer."+operations.Method(i).Name+"] ")
	}
}

// changedLines returns the lines that want has and have has not, marked "-", and
// those that only have has, marked "+", in order and below the line that begins
// their package; "" if there are none.
func changedLines(want, have string) string {
	a, b := strings.Split(want, "\n"), strings.Split(have, "\n")
	// common[i][j] is the length of the longest common subsequence of a[i:] and b[j:].
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			common[i][j] = max(common[i+1][j], common[i][j+1])
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	var out strings.Builder
	heading := ""
	for i, j := 0, 0; i < len(a) || j < len(b); {
		if i < len(a) && j < len(b) && a[i] == b[j] {
			if strings.HasPrefix(a[i], "package ") {
				heading = a[i] + "\n"
			}
			i, j = i+1, j+1
			continue
		}
		out.WriteString(heading)
		heading = ""
		if j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1] {
			out.WriteString("- " + a[i] + "\n")
			i++
		} else {
			out.WriteString("+ " + b[j] + "\n")
			j++
		}
	}
	return out.String()
}

func TestOnlyChangedLinesOfTheSurfaceAreShown(t *testing.T) {
	const before = "package a\n\nfunc A()\nfunc B()\n\npackage b\n\ntype C struct {\n\tOne int\n\tTwo int\n}\n"
	require.Empty(t, changedLines(before, before))
	after := strings.NewReplacer("func B()\n", "", "\tTwo int\n", "\tTwo string\n\tThree int\n").Replace(before)
	require.Equal(t, "package a\n- func B()\npackage b\n- \tTwo int\n+ \tTwo string\n+ \tThree int\n", changedLines(before, after))
	require.Equal(t, "package b\n- \tOne int\n", changedLines(before, strings.Replace(before, "\tOne int\n", "", 1)))
	swapped := strings.Replace(before, "\tOne int\n\tTwo int\n", "\tTwo int\n\tOne int\n", 1)
	require.NotEmpty(t, changedLines(before, swapped), "the order of fields is part of the surface")
}

func writeSurface(t *testing.T, out *strings.Builder, dir string) {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	name, err := filepath.Rel(root, dir)
	require.NoError(t, err)
	if slices.Contains(strings.Split(filepath.ToSlash(name), "/"), "internal") {
		return // nobody else can import it
	}
	lines := exported(t, dir)
	slices.Sort(lines)
	fmt.Fprintf(out, "package %s\n\n%s\n\n", filepath.ToSlash(name), strings.Join(lines, "\n"))
}

// exported returns the exported declarations of the package in dir, without
// bodies and comments. It fails on one without a doc comment.
func exported(t *testing.T, dir string) (decls []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, file, nil, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.FileExports(parsed)
		for _, decl := range parsed.Decls {
			if ofUnexported(decl) {
				continue
			}
			requireDoc(t, fset, decl)
			if text := declaration(t, decl); text != "" {
				decls = append(decls, text)
			}
		}
	}
	return decls
}

// ofUnexported reports whether decl is a method of an unexported type.
func ofUnexported(decl ast.Decl) bool {
	f, ok := decl.(*ast.FuncDecl)
	if !ok || f.Recv == nil {
		return false
	}
	receiver := f.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	name, ok := receiver.(*ast.Ident)
	return ok && !name.IsExported()
}

// requireDoc fails the test for an exported name without a doc comment. A group
// of constants or variables may share one.
func requireDoc(t *testing.T, fset *token.FileSet, decl ast.Decl) {
	t.Helper()
	where := fset.Position(decl.Pos())
	switch d := decl.(type) {
	case *ast.FuncDecl:
		require.NotEmpty(t, d.Doc.Text(), "%v: %s has no doc comment", where, d.Name)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				require.NotEmpty(t, d.Doc.Text()+s.Doc.Text(), "%v: %s has no doc comment", where, s.Name)
			case *ast.ValueSpec:
				require.NotEmpty(t, d.Doc.Text()+s.Doc.Text()+s.Comment.Text(), "%v: %s has no doc comment", where, s.Names[0])
			}
		}
	}
}

// declaration prints one declaration without body and comments.
func declaration(t *testing.T, decl ast.Decl) string {
	t.Helper()
	switch d := decl.(type) {
	case *ast.FuncDecl:
		d.Doc, d.Body = nil, nil
	case *ast.GenDecl:
		if d.Tok == token.IMPORT {
			return ""
		}
		d.Doc = nil
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				s.Doc, s.Comment = nil, nil
			case *ast.ValueSpec:
				s.Doc, s.Comment = nil, nil
			}
		}
	}
	ast.Inspect(decl, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok {
			f.Doc, f.Comment = nil, nil
		}
		return true
	})
	var b bytes.Buffer
	require.NoError(t, printer.Fprint(&b, token.NewFileSet(), decl))
	return b.String()
}
