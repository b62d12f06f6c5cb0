package examples

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the list of licences")

// allowed are the licences under which a service may link the library and whatever
// the examples and tests need, by a phrase of their text. Each but the
// last asks for no more than a notice.
var allowed = []struct{ name, phrase string }{
	{"Apache-2.0", "Apache License\nVersion 2.0"},
	{"BSD-3-Clause", "may be used to endorse or promote"},
	{"BSD-2-Clause", "Redistributions in binary form must reproduce"},
	{"ISC", "Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee"},
	{"ISC", "Permission to use, copy, modify, and distribute this software for any purpose with or without fee"},
	{"MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy"},
	{weak, "Mozilla Public License Version 2.0"},
}

// weak asks for changes of its own files to be published. What services link does
// not have it.
const weak = "MPL-2.0"

// licence returns the licence in the folder of a module.
func licence(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		if name := strings.ToUpper(entry.Name()); !strings.HasPrefix(name, "LICENSE") && !strings.HasPrefix(name, "LICENCE") && !strings.HasPrefix(name, "COPYING") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		require.NoError(t, err)
		plain := strings.Join(strings.Fields(string(text)), " ")
		for _, a := range allowed {
			if strings.Contains(plain, strings.Join(strings.Fields(a.phrase), " ")) {
				return a.name
			}
		}
	}
	return "unknown"
}

// modules returns the folders of the repository with a go.mod.
func modules(t *testing.T) (dirs []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if err == nil && d.Name() == "go.mod" {
			dirs = append(dirs, filepath.Dir(path))
		}
		return err
	}))
	require.GreaterOrEqual(t, len(dirs), 3)
	return dirs
}

// linked returns the modules that are linked into the packages of the module in dir,
// each with its folder.
func linked(t *testing.T, dir string, args ...string) []string {
	t.Helper()
	const module = "{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}"
	args = append(append([]string{"list", "-deps", "-f", module}, args...), "./...")
	lines := strings.Split(command(t, dir, "go", args...), "\n")
	slices.Sort(lines)
	return slices.DeleteFunc(slices.Compact(lines), func(line string) bool { return line == "" || strings.HasPrefix(line, "example.com/") })
}

// Every module that is linked into the library, the examples or their tests has a
// licence of the list above. testdata/licences.txt has them all.
func TestLicences(t *testing.T) {
	var services, tests []string
	for _, dir := range modules(t) {
		tests = append(tests, linked(t, dir, "-test")...)
		neverTagged := []string{"../examples", "../credential/sqlstore/sqltest", "../credential/etcdstore/etcdtest"}
		if !slices.Contains(neverTagged, filepath.ToSlash(dir)) {
			services = append(services, linked(t, dir)...)
		}
	}
	slices.Sort(services)
	slices.Sort(tests)
	var list strings.Builder
	seen := map[string]bool{} // lines: a module may be there in two versions
	write := func(title string, lines []string, fine func(name string) bool) {
		fmt.Fprintln(&list, title)
		for _, line := range lines {
			path, dir, _ := strings.Cut(line, " ")
			name := licence(t, dir)
			require.True(t, fine(name), "%s has the licence %s, see %s", path, name, dir)
			if text := path + " " + name; !seen[text] {
				fmt.Fprintln(&list, text)
				seen[text] = true
			}
		}
	}
	write("# linked into services", services, func(name string) bool { return name != "unknown" && name != weak })
	write("# linked into examples and tests", tests, func(name string) bool { return name != "unknown" })
	const file = "testdata/licences.txt"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(list.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), list.String(), "if that is right: go -C examples test . -run Licences -update")
}
