package main

import (
	"encoding/base32"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	"example.com/devicetotp/verifier"
)

// A checker turns what the file says into accounts and gathers what is wrong
// with it.
type checker struct {
	jsonFile
	first map[string]string // field and value that no two accounts may share -> path of the first
}

// maxFaults is how many faults are reported at once.
const maxFaults = 10

func (c *checker) err() error {
	if more := len(c.faults) - maxFaults; more > 0 {
		return errors.Join(append(c.faults[:maxFaults:maxFaults], fmt.Errorf("and %d more", more))...)
	}
	return errors.Join(c.faults...)
}

var (
	tokenForm = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`) // RFC 6750 section 2.1
	uuidForm  = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// maxAgo is longer than anybody has been registered.
const maxAgo = 100 * 365 * 24 * time.Hour

func (c *checker) account(at string, w writtenAccount) fileAccount {
	c.required(at, "id", "token")
	a := fileAccount{
		id:       c.text(at+".id", w.ID, sqlstore.MaxID),
		token:    credential.NewSecret(c.text(at+".token", w.Token, 4096)),
		password: credential.Optional(c.text(at+".password", w.Password, verifier.MaxPasswordSize)),
		pin:      credential.Optional(c.text(at+".pin", w.PIN, verifier.MaxPINSize)),
		scopes:   w.Scopes,
		linked:   w.Linked || !c.has(at+".linked_identity"),
		locked:   w.Locked,
	}
	c.once(at+".id", "id", w.ID)
	c.once(at+".token", "token", w.Token)
	if w.Token != "" && !tokenForm.MatchString(w.Token) {
		c.fault(at+".token", "cannot be sent as a bearer token: only A-Z a-z 0-9 - . _ ~ + / and = at the end")
	}
	if ago := c.duration(at+".registered_ago", w.RegisteredAgo, 0, maxAgo); c.has(at + ".registered_ago") {
		a.registeredAgo = &ago
	}
	if !c.has(at + ".scopes") {
		a.scopes = []string{jsonapi.ScopeCreate, jsonapi.ScopeCreateAfterLogin, jsonapi.ScopeRead, jsonapi.ScopeManage}
	}
	for i, scope := range w.Scopes {
		c.text(fmt.Sprintf("%s.scopes[%d]", at, i), scope, 256)
	}
	for i, o := range w.OTPs {
		a.otps = append(a.otps, c.code(fmt.Sprintf("%s.otps[%d]", at, i), i, o))
	}
	if len(w.Devices) > credential.MaxDevices {
		c.fault(at+".devices", "%d devices, at most %d", len(w.Devices), credential.MaxDevices)
		return a
	}
	ids := map[string]bool{}
	for i, d := range w.Devices {
		path := fmt.Sprintf("%s.devices[%d]", at, i)
		device := c.device(path, d)
		if device.id != "" && ids[device.id] {
			c.fault(path, "the account has a device of this id already")
		}
		ids[device.id] = true
		a.devices = append(a.devices, device)
	}
	return a
}

func (c *checker) code(at string, i int, w writtenCode) fileCode {
	c.required(at, "code", "expires_in")
	code := credential.NewSecret(w.Code)
	if c.has(at+".code") && !credential.IsCode(code) {
		c.fault(at+".code", "must be %d to %d digits", credential.MinCodeDigits, credential.MaxCodeDigits)
	}
	if c.has(at+".kind") && w.Kind != verifier.KindAccount {
		c.fault(at+".kind", "must be %q: no other kind is sent to users here", verifier.KindAccount)
	}
	if i > 0 {
		c.fault(at, "a second code of kind %q: a new one would replace the old", verifier.KindAccount)
	}
	return fileCode{code, verifier.KindAccount, c.duration(at+".expires_in", w.ExpiresIn, 1, devicetotp.MaxCodeTTL)}
}

// device takes a secret in base32 of any case, with padding or without.
func (c *checker) device(at string, w writtenDevice) fileDevice {
	c.required(at, "id", "secret")
	id := strings.ToLower(w.ID)
	if c.has(at+".id") && !uuidForm.MatchString(id) {
		c.fault(at+".id", "must be a UUID as 8-4-4-4-12 hexadecimal digits")
	}
	padless := strings.TrimRight(strings.ToUpper(w.Secret), "=")
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(padless)
	switch {
	case !c.has(at + ".secret"):
	case err != nil:
		c.fault(at+".secret", "is not base32")
	case len(raw) < verifier.MinSecretSize || len(raw) > verifier.MaxSecretSize:
		c.fault(at+".secret", "has %d bytes, must be from %d to %d", len(raw), verifier.MinSecretSize, verifier.MaxSecretSize)
	}
	return fileDevice{id, credential.NewSecret(string(raw))}
}

func (c *checker) required(at string, names ...string) {
	for _, name := range names {
		if !c.has(at + "." + name) {
			c.fault(at, "has no %q", name)
		}
	}
}

// text returns value, which must have 1 to most bytes if it is in the file.
func (c *checker) text(path, value string, most int) string {
	if c.has(path) && (value == "" || len(value) > most || strings.ContainsRune(value, 0)) {
		c.fault(path, "must have 1 to %d bytes, none of them NUL", most)
	}
	return value
}

// duration is a Go duration, such as "10m" or "1h30m".
func (c *checker) duration(path, value string, least, most time.Duration) time.Duration {
	if !c.has(path) {
		return 0
	}
	d, err := time.ParseDuration(value)
	if err != nil {
		c.fault(path, "%v", err)
	} else if d < least || d > most {
		c.fault(path, "is %v, must be from %v to %v", d, least, most)
	}
	return d
}

// once reports a value that an earlier account has in the same field.
func (c *checker) once(path, field, value string) {
	key := field + "=" + value
	if first, again := c.first[key]; value != "" && again {
		c.fault(path, "is the same as %s", first)
		return
	}
	c.first[key] = path
}
