package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A jsonFile is a JSON file with the places of its values, so that a fault is
// reported with its line, column and path: "accounts.json:4:12: [0].pin: ...".
type jsonFile struct {
	name   string
	data   []byte
	places map[string]int // path of a value -> offset where it begins
	faults []error
}

// A shape has the names of an object's fields, and the shapes of their values.
type shape map[string]shape

// nullable are the fields in which null means the same as no field.
var nullable = map[string]bool{"registered_ago": true, "password": true, "pin": true}

// read decodes the file into v, whose fields known lists. It refuses what
// encoding/json lets pass: text that is not UTF-8, names that are duplicates or
// differ in case, and null.
func (f *jsonFile) read(v any, known shape) {
	for i, r := range string(f.data) {
		if r == utf8.RuneError && !bytes.HasPrefix(f.data[i:], []byte(string(r))) {
			f.faultAt(i, "not UTF-8")
			return
		}
	}
	err := json.Unmarshal(f.data, v)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		f.faultAt(max(int(syntax.Offset)-1, 0), syntax.Error())
		return
	}
	f.places = map[string]int{}
	err = errors.Join(f.walk(json.NewDecoder(bytes.NewReader(f.data)), "", known), f.wrongType(err))
	if err != nil {
		f.faultAt(0, err.Error())
	}
}

// wrongType reports a value of the wrong type, and returns any other error. The
// value is the last one to begin before the offset of the error.
func (f *jsonFile) wrongType(err error) error {
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return err
	}
	path := ""
	for p, at := range f.places {
		if at < int(wrong.Offset) && at > f.places[path] {
			path = p
		}
	}
	f.fault(path, "is %s, must be %s", kinds[wrong.Value], kinds[wrong.Type.Kind().String()])
	return nil
}

// kinds are the words for what packages json and reflect call a value.
var kinds = map[string]string{
	"object": "an object", "struct": "an object", "array": "an array", "slice": "an array",
	"string": "a string", "number": "a number", "bool": "true or false",
}

// walk notes the place of the next value and of the values in it. Values that
// have no place in the file, which may be deep, are not looked into.
func (f *jsonFile) walk(d *json.Decoder, path string, known shape) error {
	rest := bytes.TrimLeft(f.data[d.InputOffset():], " \t\r\n,:")
	f.places[path] = len(f.data) - len(rest)
	switch name := path[strings.LastIndexByte(path, '.')+1:]; {
	case rest[0] == '{' && known != nil:
		return f.members(d, path, known)
	case rest[0] == '[' && !strings.HasSuffix(path, "]"):
		_, err := d.Token()
		for i := 0; err == nil && d.More(); i++ {
			err = f.walk(d, fmt.Sprintf("%s[%d]", path, i), known)
		}
		_, end := d.Token()
		return errors.Join(err, end)
	case rest[0] == 'n' && nullable[name]:
		delete(f.places, path)
	case rest[0] == 'n':
		f.fault(path, "is null")
	}
	return d.Decode(&json.RawMessage{})
}

func (f *jsonFile) members(d *json.Decoder, path string, known shape) error {
	seen := map[string]bool{}
	_, err := d.Token()
	for err == nil && d.More() {
		var token json.Token
		if token, err = d.Token(); err != nil {
			break
		}
		name := fmt.Sprint(token)
		at := path + "." + name
		fields, ok := known[name]
		if err = f.walk(d, at, fields); !ok {
			f.fault(at, "no such field")
		} else if seen[name] {
			f.fault(at, "is a duplicate")
		}
		seen[name] = true
	}
	_, end := d.Token()
	return errors.Join(err, end)
}

func (f *jsonFile) has(path string) bool {
	_, ok := f.places[path]
	return ok
}

// fault adds a fault of the value with this path.
func (f *jsonFile) fault(path, format string, args ...any) {
	f.faultAt(f.places[path], cmp.Or(path, "the file")+": "+fmt.Sprintf(format, args...))
}

// faultAt counts lines and bytes from 1.
func (f *jsonFile) faultAt(offset int, text string) {
	before := f.data[:offset]
	line, column := 1+bytes.Count(before, []byte("\n")), offset-bytes.LastIndexByte(before, '\n')
	f.faults = append(f.faults, fmt.Errorf("%s:%d:%d: %s", f.name, line, column, text))
}
