package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// A node is a JSON value and the place where it begins. Decoding into a struct
// would lose the place, and would take {"PIN": ...} for "pin" and the last of
// two members of one name.
type node struct {
	offset  int
	value   any // string, json.Number, bool or nil; for the others: see kind
	kind    kind
	members []member // of an object
	items   []node   // of an array
}

type kind string

const (
	isObject kind = "an object"
	isArray  kind = "an array"
	isString kind = "a string"
	isNumber kind = "a number"
	isBool   kind = "true or false"
	isNull   kind = "null"
)

type member struct {
	name  string
	value node
}

// maxDepth is more than the accounts file needs.
const maxDepth = 8

// A syntaxError is a fault at a place in the text.
type syntaxError struct {
	offset int
	text   string
}

func (e *syntaxError) Error() string { return e.text }

// parseTree reads one JSON value and nothing after it.
func parseTree(data []byte) (node, error) {
	if at := invalidUTF8(data); at >= 0 {
		return node{}, &syntaxError{at, "not UTF-8"}
	}
	p := &treeParser{data: data, decoder: json.NewDecoder(bytes.NewReader(data))}
	p.decoder.UseNumber()
	root, err := p.value(0)
	if err != nil {
		return node{}, err
	}
	if rest := p.next(); rest < len(data) {
		return node{}, &syntaxError{rest, "something after the end"}
	}
	return root, nil
}

func invalidUTF8(data []byte) int {
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}

type treeParser struct {
	data    []byte
	decoder *json.Decoder
}

// next is where the next token begins.
func (p *treeParser) next() int {
	at := int(p.decoder.InputOffset())
	for at < len(p.data) && bytes.IndexByte([]byte(" \t\r\n,:"), p.data[at]) >= 0 {
		at++
	}
	return at
}

func (p *treeParser) token() (json.Token, int, error) {
	at := p.next()
	token, err := p.decoder.Token()
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return token, at, nil
	case errors.As(err, &syntax):
		return nil, at, &syntaxError{min(max(int(syntax.Offset)-1, at), len(p.data)), syntax.Error()}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, at, &syntaxError{len(p.data), "ends too early"}
	default:
		return nil, at, &syntaxError{at, err.Error()}
	}
}

func (p *treeParser) value(depth int) (node, error) {
	token, at, err := p.token()
	if err != nil {
		return node{}, err
	}
	if depth > maxDepth {
		return node{}, &syntaxError{at, fmt.Sprintf("nested more than %d deep", maxDepth)}
	}
	n := node{offset: at, value: token}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return p.object(n, depth)
		}
		return p.array(n, depth)
	case string:
		n.kind = isString
	case json.Number:
		n.kind = isNumber
	case bool:
		n.kind = isBool
	default:
		n.kind = isNull
	}
	return n, nil
}

func (p *treeParser) object(n node, depth int) (node, error) {
	n.kind, n.value = isObject, nil
	for p.decoder.More() {
		name, _, err := p.token()
		if err != nil {
			return node{}, err
		}
		value, err := p.value(depth + 1)
		if err != nil {
			return node{}, err
		}
		n.members = append(n.members, member{name.(string), value}) // the decoder allows nothing else here
	}
	_, _, err := p.token()
	return n, err
}

func (p *treeParser) array(n node, depth int) (node, error) {
	n.kind, n.value = isArray, nil
	for p.decoder.More() {
		item, err := p.value(depth + 1)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	_, _, err := p.token()
	return n, err
}
