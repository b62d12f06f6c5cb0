package credential_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// frozenFiles are the files of a folder's subfolder frozen, and their list.
type frozenFiles struct{ folder string }

func (f frozenFiles) path(file string) string { return filepath.Join(f.folder, "frozen", file) }
func (f frozenFiles) listPath() string        { return filepath.Join(f.folder, "frozen.sha256") }

// listed is a line of the list, as sha256sum writes it: the hash of a file, two
// spaces, and its path.
type listed struct{ hash, file string }

func (l listed) String() string { return l.hash + "  frozen/" + l.file }

// name is that of the shape: the file without its ending.
func (l listed) name() string { return strings.TrimSuffix(l.file, filepath.Ext(l.file)) }

func (f frozenFiles) list() (all []listed, err error) {
	text, err := os.ReadFile(f.listPath())
	if os.IsNotExist(err) {
		return nil, nil
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		hash, file, ok := strings.Cut(lines.Text(), "  frozen/")
		if !ok {
			return nil, fmt.Errorf("%s: %q is not a line of sha256sum", f.listPath(), lines.Text())
		}
		all = append(all, listed{hash, file})
	}
	return all, err
}

// freeze writes the file of a shape that is not listed, and adds it to the list. It
// never writes a file again: one that is listed is left alone, also if it is gone.
func (f frozenFiles) freeze(name string, content func() []byte) error {
	all, err := f.list()
	if err != nil || slices.ContainsFunc(all, func(l listed) bool { return l.name() == name }) {
		return err
	}
	ending, text := packed(content())
	if err := os.MkdirAll(f.path(""), 0o700); err != nil {
		return err
	}
	if err := write(f.path(name+ending), os.O_EXCL, text); err != nil {
		return err
	}
	line := listed{hashOf(text), name + ending}.String() + "\n"
	return write(f.listPath(), os.O_APPEND, []byte(line))
}

func write(path string, how int, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|how, 0o600)
	if err != nil {
		return err
	}
	if _, err = file.Write(text); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// packed returns the form of a file that shows best what is in it: text as it is, a
// few bytes in hexadecimal, and many compressed.
func packed(content []byte) (ending string, text []byte) {
	switch {
	case len(content) > 8192:
		var b bytes.Buffer
		w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		_, _ = w.Write(content)
		_ = w.Close()
		return ".gz", b.Bytes()
	case utf8.Valid(content) && !bytes.ContainsFunc(content, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }):
		return ".txt", content
	default:
		for line := range slices.Chunk(content, 32) {
			text = append(append(text, hex.EncodeToString(line)...), '\n')
		}
		return ".hex", text
	}
}

func unpacked(file string, text []byte) ([]byte, error) {
	switch filepath.Ext(file) {
	case ".gz":
		r, err := gzip.NewReader(bytes.NewReader(text))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	case ".hex":
		return hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	default:
		return text, nil
	}
}

// stored returns what was stored of a shape.
func (f frozenFiles) stored(name string) ([]byte, error) {
	all, err := f.list()
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(all, func(l listed) bool { return l.name() == name })
	if at < 0 {
		return nil, fmt.Errorf("%s is not in %s", name, f.listPath())
	}
	text, err := os.ReadFile(f.path(all[at].file))
	if err != nil {
		return nil, err
	}
	return unpacked(all[at].file, text)
}

// faults returns what the list, the files and the shapes of the code do not agree
// on: none can be taken away, added or changed alone.
func (f frozenFiles) faults(shapes map[string]shape) (out []string) {
	fault := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	all, err := f.list()
	if err != nil {
		return []string{err.Error()}
	}
	seen := map[string]bool{}
	for _, l := range all {
		if seen[l.name()] {
			fault("%s is listed twice", l.name())
		}
		seen[l.name()] = true
		if _, known := shapes[l.name()]; !known {
			fault("%s is listed, and no shape of the code", l.name())
		}
		if text, err := os.ReadFile(f.path(l.file)); err != nil {
			fault("%s is listed, and cannot be read: %v", l.file, err)
		} else if hashOf(text) != l.hash {
			fault("%s is not what was frozen", l.file)
		}
	}
	for name := range shapes {
		if !seen[name] {
			fault("%s is a shape of the code, and not listed", name)
		}
	}
	files, err := os.ReadDir(f.path(""))
	if err != nil {
		fault("%v", err)
	}
	for _, file := range files {
		if !slices.ContainsFunc(all, func(l listed) bool { return l.file == file.Name() }) {
			fault("%s is there, and not listed", file.Name())
		}
	}
	return out
}

// Whatever happens to a frozen file, or to the list, is noticed, and freezing again
// does not mend it.
func TestFrozenFilesAreGuarded(t *testing.T) {
	contents := map[string]string{"a-text": "two\nlines\n", "some-bytes": "\x00\x01\xff", "many-bytes": strings.Repeat("\x00many", 5000)}
	of := func(names ...string) map[string]shape {
		all := map[string]shape{}
		for _, name := range names {
			all[name] = shape{}
		}
		return all
	}
	all := of("a-text", "some-bytes", "many-bytes")
	for what, c := range map[string]struct {
		happens func(f frozenFiles) error
		shapes  map[string]shape
		fault   string
	}{
		"nothing":               {func(frozenFiles) error { return nil }, all, ""},
		"changed":               {func(f frozenFiles) error { return os.WriteFile(f.path("a-text.txt"), []byte("two\nlines"), 0o600) }, all, "a-text.txt is not what was frozen"},
		"removed":               {func(f frozenFiles) error { return os.Remove(f.path("some-bytes.hex")) }, all, "some-bytes.hex is listed, and cannot be read"},
		"added":                 {func(f frozenFiles) error { return os.WriteFile(f.path("b"), nil, 0o600) }, all, "b is there, and not listed"},
		"removed from the code": {func(frozenFiles) error { return nil }, of("a-text", "some-bytes"), "many-bytes is listed, and no shape of the code"},
		"added to the code":     {func(frozenFiles) error { return nil }, of("a-text", "some-bytes", "many-bytes", "b"), "b is a shape of the code, and not listed"},
		"removed from the list and the folder": {func(f frozenFiles) error {
			text, err := os.ReadFile(f.listPath())
			if err != nil {
				return err
			}
			lines := slices.DeleteFunc(strings.SplitAfter(string(text), "\n"), func(line string) bool { return strings.Contains(line, "a-text") })
			if err := os.WriteFile(f.listPath(), []byte(strings.Join(lines, "")), 0o600); err != nil {
				return err
			}
			return os.Remove(f.path("a-text.txt"))
		}, all, "a-text is a shape of the code, and not listed"},
		"listed twice": {func(f frozenFiles) error {
			return write(f.listPath(), os.O_APPEND, []byte(listed{hashOf(nil), "a-text.hex"}.String()+"\n"))
		}, all, "a-text is listed twice"},
		"a list of something else": {func(f frozenFiles) error { return os.WriteFile(f.listPath(), []byte("# a list\n"), 0o600) }, all, "is not a line of sha256sum"},
	} {
		t.Run(what, func(t *testing.T) {
			f := frozenFiles{t.TempDir()}
			for name, content := range contents {
				require.NoError(t, f.freeze(name, func() []byte { return []byte(content) }))
				stored, err := f.stored(name)
				require.NoError(t, err)
				require.Equal(t, content, string(stored))
			}
			require.NoError(t, c.happens(f))
			if c.fault == "" {
				require.Empty(t, f.faults(c.shapes))
				return
			}
			require.Contains(t, strings.Join(f.faults(c.shapes), "\n"), c.fault)
			if what != "removed" && what != "changed" {
				return
			}
			for name := range contents {
				require.NoError(t, f.freeze(name, func() []byte { panic("made again") }))
			}
			require.Contains(t, strings.Join(f.faults(c.shapes), "\n"), c.fault)
		})
	}
}
