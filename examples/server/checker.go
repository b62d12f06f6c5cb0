package main

import (
	"bytes"
	"encoding/base32"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// A checker reads values out of a tree and gathers what is wrong with them,
// each with its place: "accounts.json:4:12: [0].pin: must be ...".
type checker struct {
	name   string
	data   []byte
	seen   map[string]string // value of a unique field -> where it was first
	faults []error
}

// maxFaults is how many are told at once.
const maxFaults = 10

func (c *checker) fault(n node, path, format string, args ...any) {
	line, column := c.position(n.offset)
	c.faults = append(c.faults, fmt.Errorf("%s:%d:%d: %s: %s", c.name, line, column, path, fmt.Sprintf(format, args...)))
}

// syntax reports what parseTree found.
func (c *checker) syntax(err error) {
	offset := 0
	var syntax *syntaxError
	if errors.As(err, &syntax) {
		offset = syntax.offset
	}
	line, column := c.position(offset)
	c.faults = append(c.faults, fmt.Errorf("%s:%d:%d: %w", c.name, line, column, err))
}

// position counts lines and bytes from 1.
func (c *checker) position(offset int) (line, column int) {
	before := c.data[:offset]
	return 1 + bytes.Count(before, []byte("\n")), offset - bytes.LastIndexByte(before, '\n')
}

func (c *checker) err() error {
	if more := len(c.faults) - maxFaults; more > 0 {
		return errors.Join(append(c.faults[:maxFaults:maxFaults], fmt.Errorf("and %d more", more))...)
	}
	return errors.Join(c.faults...)
}

func (c *checker) is(n node, path string, want kind) bool {
	if n.kind != want {
		c.fault(n, path, "is %s, must be %s", n.kind, want)
	}
	return n.kind == want
}

// unique reports a value that an earlier account has in the same field.
func (c *checker) unique(field, value string, n node, path string) {
	if value == "" {
		return
	}
	key := field + "=" + value
	if first, again := c.seen[key]; again {
		c.fault(n, path, "is the same as %s", first)
		return
	}
	if c.seen == nil {
		c.seen = map[string]string{}
	}
	c.seen[key] = path
}

type fields map[string]func(v node, path string)

// object hands each member to its field, and reports those that are unknown,
// there twice, or missing.
func (c *checker) object(n node, path string, required []string, known fields) {
	if !c.is(n, path, isObject) {
		return
	}
	seen := map[string]bool{}
	for _, m := range n.members {
		at := path + "." + m.name
		field, ok := known[m.name]
		switch {
		case !ok:
			c.fault(m.value, at, "no such field")
		case seen[m.name]:
			c.fault(m.value, at, "is there twice")
		default:
			field(m.value, at)
		}
		seen[m.name] = true
	}
	for _, name := range required {
		if !seen[name] {
			c.fault(n, path, "has no %q", name)
		}
	}
}

func (c *checker) array(n node, path string) []node {
	c.is(n, path, isArray)
	return n.items
}

func (c *checker) boolean(n node, path string) bool {
	c.is(n, path, isBool)
	value, _ := n.value.(bool)
	return value
}

// text is a string of 1 to most bytes.
func (c *checker) text(n node, path string, most int) string {
	if !c.is(n, path, isString) {
		return ""
	}
	value, _ := n.value.(string)
	if value == "" || len(value) > most || strings.ContainsRune(value, 0) {
		c.fault(n, path, "must have 1 to %d bytes, none of them NUL", most)
	}
	return value
}

func (c *checker) texts(n node, path string) []string {
	texts := []string{}
	for i, item := range c.array(n, path) {
		texts = append(texts, c.text(item, fmt.Sprintf("%s[%d]", path, i), 256))
	}
	return texts
}

// optionalSecret is a string, or null for none.
func (c *checker) optionalSecret(n node, path string, most int) credential.Secret {
	if n.kind == isNull {
		return credential.Secret{}
	}
	return credential.Optional(c.text(n, path, most))
}

var tokenForm = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`) // RFC 6750 section 2.1

func (c *checker) token(n node, path string) string {
	token := c.text(n, path, 4096)
	if token != "" && !tokenForm.MatchString(token) {
		c.fault(n, path, "cannot be sent as a bearer token: only A-Z a-z 0-9 - . _ ~ + / and = at the end")
	}
	return token
}

func (c *checker) code(n node, path string) credential.Secret {
	code := credential.NewSecret(c.text(n, path, 64))
	if n.kind == isString && !credential.IsCode(code) {
		c.fault(n, path, "must be %d to %d digits", credential.MinCodeDigits, credential.MaxCodeDigits)
	}
	return code
}

// duration is a Go duration, such as "10m" or "1h30m".
func (c *checker) duration(n node, path string, least, most time.Duration) time.Duration {
	text := c.text(n, path, 64)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		c.fault(n, path, "%v", err)
	} else if d < least || d > most {
		c.fault(n, path, "is %v, must be from %v to %v", d, least, most)
	}
	return d
}

// maxAgo is longer than anybody has been registered.
const maxAgo = 100 * 365 * 24 * time.Hour

func (c *checker) optionalAgo(n node, path string) *time.Duration {
	if n.kind == isNull {
		return nil
	}
	d := c.duration(n, path, 0, maxAgo)
	return &d
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (c *checker) uuid(n node, path string) string {
	id := strings.ToLower(c.text(n, path, 64))
	if id != "" && !uuidForm.MatchString(id) {
		c.fault(n, path, "must be a UUID as 8-4-4-4-12 hexadecimal digits")
	}
	return id
}

// base32 is the secret of a device, of any case, with padding or without.
func (c *checker) base32(n node, path string) credential.Secret {
	text := strings.TrimRight(strings.ToUpper(c.text(n, path, 256)), "=")
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	switch {
	case n.kind != isString:
	case err != nil:
		c.fault(n, path, "is not base32")
	case len(raw) < verifier.MinSecretSize || len(raw) > verifier.MaxSecretSize:
		c.fault(n, path, "has %d bytes, must be from %d to %d", len(raw), verifier.MinSecretSize, verifier.MaxSecretSize)
	}
	return credential.NewSecret(string(raw))
}
