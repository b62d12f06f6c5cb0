package examples

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pages returns the text of every page of the repository, by its path from here.
func pages(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, pattern := range []string{"../*.md", "../devicetotp/*.md", "*.md", "*/*.md"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			texts[file] = string(text)
		}
	}
	require.Contains(t, texts, "../README.md")
	require.Contains(t, texts, "embed/README.md")
	return texts
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

// The README is short enough to decide from: between 9,000 and 11,000 bytes, with
// what it is, its guarantees, status and limits first.
func TestReadmeIsShort(t *testing.T) {
	readme := pages(t)["../README.md"]
	require.Greater(t, len(readme), 9_000)
	require.Less(t, len(readme), 11_000)
	var sections []string
	for _, heading := range regexp.MustCompile(`(?m)^## (.*)$`).FindAllStringSubmatch(readme, -1) {
		sections = append(sections, heading[1])
	}
	require.Equal(t, []string{
		"Status and limits", "Install", "Start here", "The rules", "Bring your own", "HTTP and gRPC", "Errors", "Testing your rules",
		"Operate", "Security", "Further reading",
	}, sections)
}

// What pages say of the explorer is said once, in TRACKRECORD.md.
func TestPagesQuoteTheExplorer(t *testing.T) {
	sentence := regexp.MustCompile(`Every history of [^:]* is covered: [\d,]+ histories, [\d,]+ executed, the rest equal in state to one of those`)
	texts := pages(t)
	said := sentence.FindString(texts["../devicetotp/TRACKRECORD.md"])
	require.NotEmpty(t, said)
	quoted := 0
	for page, text := range texts {
		for _, found := range sentence.FindAllString(text, -1) {
			require.Equal(t, said, found, page)
			quoted++
		}
	}
	require.GreaterOrEqual(t, quoted, 2)
}

// What the page beside the quickstart shows is what the quickstart prints.
func TestPageShowsTheQuickstart(t *testing.T) {
	printed := command(t, ".", "go", "run", "./quickstart")
	require.Contains(t, pages(t)["quickstart/README.md"], "```text\n"+printed+"```")
}

// Mermaid takes a semicolon for the end of a line, and then draws nothing.
func TestDiagrams(t *testing.T) {
	drawn := 0
	for page, text := range pages(t) {
		for _, diagram := range regexp.MustCompile("(?s)```mermaid\n(.*?)```").FindAllStringSubmatch(text, -1) {
			require.NotContains(t, diagram[1], ";", page)
			drawn++
		}
	}
	require.NotZero(t, drawn)
}
