package devicetotp_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// phrases are those that a reader has to read twice, each with what to write. They
// are not for grammar's sake: every one of them was in the documentation once, and
// stopped somebody.
var phrases = []struct{ pattern, instead string }{
	{`\btells? (whether|if)\b`, `"reports whether", as the standard library has it`},
	{`\banew\b`, `"again", or "renewed"`},
	{`\bwhom\b|\bbe it\b`, `a sentence with a subject`},
	{`\bcomes? to (the same|nothing|this|that)\b`, `"is the same as", "results in"`},
	{`\b(is|are|was|were|be|been) told\b`, `who is notified, or what is returned`},
	{`\b(is|are) (that|those) of\b`, `what it is: "is copied from", "belongs to", "has the same"`},
	{`\blooked at\b`, `a value is "checked" or "compared", a field "read"`},
	{`\blost answer\b`, `"lost response"`},
	{`\brepetition\b`, `a request is "retried"; an act is "repeated"`},
	{`\bdearer\b`, `"more expensive"`},
	{`\bforetold\b`, `"predictable"`},
	{`\b(is|are) there twice\b`, `"duplicate"`},
	{`\bfor how long yet\b`, `"for how much longer"`},
	{`\b(tak(e|es|ing|en)|took)( \w+){0,4} away\b`, `"removed", "revoked"`},
	{`(^|[.;] )(Nil|Zero|Empty|Else): `, `the condition: "If nil, ..."`},
}

// Comments of Go files that are no tests, their texts, and every page.
func TestProse(t *testing.T) {
	var rules []*regexp.Regexp
	for _, p := range phrases {
		rules = append(rules, regexp.MustCompile("(?i)"+p.pattern))
	}
	check := func(where, text string) {
		text = strings.Join(strings.Fields(text), " ")
		for i, rule := range rules {
			if found := rule.FindStringIndex(text); found != nil {
				t.Errorf("%s: %q: write %s", where, text[max(0, found[0]-40):min(len(text), found[1]+40)], phrases[i].instead)
			}
		}
	}
	read := 0
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if err != nil {
			return err
		}
		switch {
		case strings.HasSuffix(path, ".md"):
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			for _, paragraph := range strings.Split(string(text), "\n\n") {
				check(path, paragraph)
			}
			read++
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(path, ".pb.go"):
			checkGo(t, path, check)
			read++
		}
		return nil
	}))
	require.Greater(t, read, 200)
	for _, planted := range []string{"tells whether it is", "Observer. Nil: nothing is hashed", "which is that of the error"} {
		matched := false
		for _, rule := range rules {
			matched = matched || rule.MatchString(planted)
		}
		require.True(t, matched, planted)
	}
}

// checkGo checks the comments of a file, paragraph by paragraph, and its texts.
func checkGo(t *testing.T, path string, check func(where, text string)) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.ParseComments)
	require.NoError(t, err)
	for _, comment := range file.Comments {
		for _, paragraph := range strings.Split(comment.Text(), "\n\n") {
			check(files.Position(comment.Pos()).String(), paragraph)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
			check(files.Position(text.Pos()).String(), strings.Trim(text.Value, "\"`"))
		}
		return true
	})
}
