package main

import (
	_ "embed"
	"fmt"
	"os"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	"example.com/devicetotp/verifier"
)

//go:embed demo.json
var demoAccounts []byte

// A fileAccount is one account of the accounts file, checked. Its values are
// plain, for demonstrations and tests, and are hashed when it is loaded.
type fileAccount struct {
	id            string
	token         credential.Secret
	registeredAgo *time.Duration // nil: unknown
	password, pin credential.Secret
	otps          []fileCode
	devices       []fileDevice
	scopes        []string
	linked        bool
	locked        bool
}

type fileCode struct {
	code      credential.Secret
	kind      string
	expiresIn time.Duration
}

type fileDevice struct {
	id     string            // lower case
	secret credential.Secret // raw bytes
}

// readAccounts reads and checks the accounts file, or the demo accounts if path
// is empty. The error names the place of each fault, and no value of a secret.
func readAccounts(path string) ([]fileAccount, error) {
	if path == "" {
		return parseAccounts("the demo accounts", demoAccounts)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("accounts file: %w", err)
	}
	return parseAccounts(path, data)
}

func parseAccounts(name string, data []byte) ([]fileAccount, error) {
	c := &checker{name: name, data: data}
	root, err := parseTree(data)
	if err != nil {
		c.syntax(err)
		return nil, c.err()
	}
	items := c.array(root, "the file")
	accounts := make([]fileAccount, len(items))
	for i, item := range items {
		accounts[i] = c.account(item, fmt.Sprintf("[%d]", i))
	}
	return accounts, c.err()
}

func (c *checker) account(n node, path string) fileAccount {
	a := fileAccount{linked: true, scopes: []string{jsonapi.ScopeCreate, jsonapi.ScopeCreateAfterLogin}}
	c.object(n, path, []string{"id", "token"}, fields{
		"id": func(v node, at string) {
			a.id = c.text(v, at, sqlstore.MaxID)
			c.unique("id", a.id, v, at)
		},
		"token": func(v node, at string) {
			token := c.token(v, at)
			a.token = credential.NewSecret(token)
			c.unique("token", token, v, at)
		},
		"registered_ago":  func(v node, at string) { a.registeredAgo = c.optionalAgo(v, at) },
		"password":        func(v node, at string) { a.password = c.optionalSecret(v, at, verifier.MaxPasswordSize) },
		"pin":             func(v node, at string) { a.pin = c.optionalSecret(v, at, verifier.MaxPINSize) },
		"otps":            func(v node, at string) { a.otps = c.codes(v, at) },
		"devices":         func(v node, at string) { a.devices = c.devices(v, at) },
		"scopes":          func(v node, at string) { a.scopes = c.texts(v, at) },
		"linked_identity": func(v node, at string) { a.linked = c.boolean(v, at) },
		"locked":          func(v node, at string) { a.locked = c.boolean(v, at) },
	})
	return a
}

func (c *checker) codes(n node, path string) []fileCode {
	var codes []fileCode
	kinds := map[string]bool{}
	for i, item := range c.array(n, path) {
		code := fileCode{kind: verifier.KindAccount}
		at := fmt.Sprintf("%s[%d]", path, i)
		c.object(item, at, []string{"code", "expires_in"}, fields{
			"code":       func(v node, at string) { code.code = c.code(v, at) },
			"expires_in": func(v node, at string) { code.expiresIn = c.duration(v, at, 1, devicetotp.MaxCodeTTL) },
			"kind": func(v node, at string) {
				code.kind = c.text(v, at, 32)
				if code.kind != verifier.KindAccount {
					c.fault(v, at, "must be %q: no other kind is sent to users here", verifier.KindAccount)
				}
			},
		})
		if kinds[code.kind] {
			c.fault(item, at, "a second code of kind %q: a new one would replace the old", code.kind)
		}
		kinds[code.kind] = true
		codes = append(codes, code)
	}
	return codes
}

func (c *checker) devices(n node, path string) []fileDevice {
	items := c.array(n, path)
	if len(items) > credential.MaxDevices {
		c.fault(n, path, "%d devices, at most %d", len(items), credential.MaxDevices)
		return nil
	}
	var devices []fileDevice
	ids := map[string]bool{}
	for i, item := range items {
		var device fileDevice
		at := fmt.Sprintf("%s[%d]", path, i)
		c.object(item, at, []string{"id", "secret"}, fields{
			"id":     func(v node, at string) { device.id = c.uuid(v, at) },
			"secret": func(v node, at string) { device.secret = c.base32(v, at) },
		})
		if device.id != "" && ids[device.id] {
			c.fault(item, at, "the account has a device of this id already")
		}
		ids[device.id] = true
		devices = append(devices, device)
	}
	return devices
}
