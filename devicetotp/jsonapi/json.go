package jsonapi

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// The strict reading of JSON. Decoding into a struct would compare names
// without case, let the last of several members of one name win, turn bad
// UTF-8 into U+FFFD and leave what follows unread: each a way for two readers
// of one body to see two requests.

// maxDepth bounds the nesting of a body; a request needs three levels.
const maxDepth = 64

// value is the text of one JSON value, known to be valid, without the white
// space around it.
type value []byte

func (v value) isNull() bool   { return v[0] == 'n' }
func (v value) isObject() bool { return v[0] == '{' }
func (v value) isString() bool { return v[0] == '"' }

// parseJSON returns text as one value; fault says in a sentence what is wrong
// with it otherwise.
func parseJSON(text []byte) (v value, fault string) {
	switch {
	case !utf8.Valid(text):
		return nil, "The body is not UTF-8."
	case bytes.HasPrefix(text, []byte("\ufeff")):
		return nil, "The body begins with a byte order mark."
	case nestedDeeper(text, maxDepth):
		return nil, "The body is nested deeper than " + strconv.Itoa(maxDepth) + " levels."
	case !json.Valid(text): // more than one value, or none, included
		return nil, "The body is not one JSON value."
	default:
		return bytes.TrimRight(skipWhite(text), whiteSpace), ""
	}
}

// member is one member of an object. Its name is decoded.
type member struct {
	name  []byte
	value value
}

// object holds the members of a JSON object, sorted by name.
type object []member

// get returns the member's value; nil if there is none.
func (o object) get(name string) value {
	for _, m := range o {
		if string(m.name) == name {
			return m.value
		}
	}
	return nil
}

// object reads the members of v, which must be an object; fault says in a
// sentence what is wrong with their names.
func (v value) object() (o object, fault string) {
	o = make(object, 0, 4)
	for rest := skipWhite(v[1:]); rest[0] != '}'; {
		name, ok := value(rest[:stringLen(rest)]).text()
		if !ok {
			return nil, "A member name has half of a surrogate pair in it."
		}
		rest = skipWhite(rest[stringLen(rest):])
		rest = skipWhite(rest[1:]) // the colon
		end := valueLen(rest)
		o = append(o, member{name, value(rest[:end])})
		if rest = skipWhite(rest[end:]); rest[0] == ',' {
			rest = skipWhite(rest[1:])
		}
	}
	slices.SortFunc(o, func(a, b member) int { return bytes.Compare(a.name, b.name) })
	for i := 1; i < len(o); i++ {
		if bytes.Equal(o[i-1].name, o[i].name) {
			return nil, "Two members have the same name."
		}
	}
	return o, ""
}

// text decodes v, which must be a string. It is not ok if an escape stands for
// half of a surrogate pair, which is no character.
func (v value) text() (s []byte, ok bool) {
	raw := v[1 : len(v)-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw, true
	}
	s = make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			s = append(s, raw[i])
			i++
			continue
		}
		if raw[i+1] != 'u' {
			s = append(s, unescape(raw[i+1]))
			i += 2
			continue
		}
		r := hexRune(raw[i+2:])
		i += 6
		if utf16.IsSurrogate(r) {
			if !bytes.HasPrefix(raw[i:], []byte(`\u`)) {
				return nil, false
			}
			if r = utf16.DecodeRune(r, hexRune(raw[i+2:])); r == utf8.RuneError {
				return nil, false
			}
			i += 6
		}
		s = utf8.AppendRune(s, r)
	}
	return s, true
}

// unescape returns what a backslash and c stand for.
func unescape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default: // the quote, the backslash and the slash stand for themselves
		return c
	}
}

// hexRune reads the four hexadecimal digits at the beginning of b.
func hexRune(b []byte) rune {
	n, _ := strconv.ParseUint(string(b[:4]), 16, 16) // digits: the text is valid
	return rune(n)
}

// valueLen returns the length of the value at the beginning of b, which is a
// part of valid JSON.
func valueLen(b []byte) int {
	switch b[0] {
	case '"':
		return stringLen(b)
	case '{', '[':
		depth := 0
		for i := 0; ; {
			switch b[i] {
			case '"':
				i += stringLen(b[i:])
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			if i++; depth == 0 {
				return i
			}
		}
	default:
		if n := bytes.IndexAny(b, ",]}"+whiteSpace); n >= 0 {
			return n
		}
		return len(b)
	}
}

// stringLen returns the length of the string at the beginning of b with its
// quotes; len(b) if it has no end.
func stringLen(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(b)
}

// nestedDeeper reports whether text, which may be anything, opens more than
// limit arrays and objects without closing them.
func nestedDeeper(text []byte, limit int) bool {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += stringLen(text[i:]) - 1
		case '{', '[':
			if depth++; depth > limit {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

const whiteSpace = " \t\r\n"

func skipWhite(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	return b
}
