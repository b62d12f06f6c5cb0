package main

import (
	_ "embed"
	"fmt"
	"os"
	"time"

	"example.com/devicetotp/credential"
)

//go:embed demo.json
var demoAccounts []byte

// A fileAccount is one account of the accounts file, checked. Its values are
// plain, for demonstrations and tests, and are hashed when it is loaded.
type fileAccount struct {
	id            string
	token         credential.Secret
	registeredAgo *time.Duration // nil if unknown
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

// A writtenAccount is one account as the file has it.
type writtenAccount struct {
	ID            string          `json:"id"`
	Token         string          `json:"token"`
	RegisteredAgo string          `json:"registered_ago"`
	Password      string          `json:"password"`
	PIN           string          `json:"pin"`
	OTPs          []writtenCode   `json:"otps"`
	Devices       []writtenDevice `json:"devices"`
	Scopes        []string        `json:"scopes"`
	Linked        bool            `json:"linked_identity"`
	Locked        bool            `json:"locked"`
}

type writtenCode struct {
	Code      string `json:"code"`
	Kind      string `json:"kind"`
	ExpiresIn string `json:"expires_in"`
}

type writtenDevice struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
}

var accountShape = shape{
	"id": nil, "token": nil, "registered_ago": nil, "password": nil, "pin": nil, "scopes": nil, "linked_identity": nil, "locked": nil,
	"otps":    {"code": nil, "kind": nil, "expires_in": nil},
	"devices": {"id": nil, "secret": nil},
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
	c := &checker{jsonFile: jsonFile{name: name, data: data}, first: map[string]string{}}
	var written []writtenAccount
	c.read(&written, accountShape)
	if len(c.faults) > 0 {
		return nil, c.err()
	}
	accounts := make([]fileAccount, len(written))
	for i, w := range written {
		accounts[i] = c.account(fmt.Sprintf("[%d]", i), w)
	}
	return accounts, c.err()
}
