package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp/jsonapi"
)

func TestAccountsFile(t *testing.T) {
	accounts, err := parseAccounts("accounts.json", []byte(`[{"id": "acct-1", "token": "good", "registered_ago": "10m",
		"password": "superSecret12345!", "pin": "8299",
		"otps": [{"code": "526271", "kind": "account", "expires_in": "5m"}],
		"devices": [{"id": "738E379F-fe30-45ab-819c-ba88804b6368", "secret": "PBVDSNDDKZ4HGZ3UG5CHUUSEMJCTCSCU"}],
		"scopes": ["user:device-totps:create"], "linked_identity": false, "locked": true},
		{"id": "acct-2", "token": "other", "registered_ago": null, "password": null, "pin": null}]`))
	require.NoError(t, err)
	require.Len(t, accounts, 2)

	a := accounts[0]
	require.Equal(t, "acct-1", a.id)
	require.Equal(t, "good", a.token.Reveal())
	require.Equal(t, 10*time.Minute, *a.registeredAgo)
	require.Equal(t, "superSecret12345!", a.password.Reveal())
	require.Equal(t, "8299", a.pin.Reveal())
	require.Equal(t, "526271", a.otps[0].code.Reveal())
	require.Equal(t, 5*time.Minute, a.otps[0].expiresIn)
	require.Equal(t, documentedID, a.devices[0].id, "ids are compared in lower case")
	require.Len(t, a.devices[0].secret.Reveal(), 20)
	require.Equal(t, []string{jsonapi.ScopeCreate}, a.scopes)
	require.False(t, a.linked)
	require.True(t, a.locked)

	b := accounts[1]
	require.Nil(t, b.registeredAgo, "absent: unknown")
	require.False(t, b.password.Present())
	require.False(t, b.pin.Present())
	require.Equal(t, []string{jsonapi.ScopeCreate, jsonapi.ScopeCreateAfterLogin, jsonapi.ScopeRead, jsonapi.ScopeManage}, b.scopes, "absent: all")
	require.True(t, b.linked)
	require.False(t, b.locked)
}

func TestDemoAccountsAreValid(t *testing.T) {
	accounts, err := readAccounts("")
	require.NoError(t, err)
	require.NotEmpty(t, accounts)
}

// Each fault is told with its line and column, counted from 1, and its field.
func TestAccountsFileFaults(t *testing.T) {
	account := func(members string) string { return `[{"id":"a","token":"t",` + "\n" + members + `}]` }
	for name, c := range map[string]struct{ text, want string }{
		"empty":                  {``, "f:1:1: unexpected end of JSON input"},
		"cut off":                {`[{"id": "a"`, "f:1:11: unexpected end of JSON input"},
		"syntax":                 {"[{\n\"id\": x}]", "f:2:7: invalid character 'x'"},
		"something after":        {`[] []`, "f:1:4: invalid character '[' after top-level value"},
		"not UTF-8":              {"[\n\"\xff\"]", "f:2:2: not UTF-8"},
		"deep":                   {strings.Repeat("[", 20) + strings.Repeat("]", 20), "f:1:2: [0]: is an array, must be an object"},
		"very deep":              {"[\n" + strings.Repeat("[", 20_000), "f:2:10000: invalid character '[' exceeded max depth"},
		"not an array":           {`{}`, "f:1:1: the file: is an object, must be an array"},
		"not an object":          {`["a"]`, "f:1:2: [0]: is a string, must be an object"},
		"no id":                  {`[{"token":"t"}]`, `f:1:2: [0]: has no "id"`},
		"no token":               {`[{"id":"a"}]`, `f:1:2: [0]: has no "token"`},
		"empty id":               {`[{"id":"","token":"t"}]`, "f:1:8: [0].id: must have 1 to 1024 bytes"},
		"id twice":               {`[{"id":"a","token":"t"},` + "\n" + `{"id":"a","token":"u"}]`, "f:2:7: [1].id: is the same as [0].id"},
		"token twice":            {`[{"id":"a","token":"t"},` + "\n" + `{"id":"b","token":"t"}]`, "f:2:19: [1].token: is the same as [0].token"},
		"token with a space":     {`[{"id":"a","token":"t t"}]`, "f:1:20: [0].token: cannot be sent as a bearer token"},
		"unknown field":          {account(`"PIN":"8299"`), "f:2:7: [0].PIN: no such field"},
		"unknown and deep":       {account(`"more":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000)), "f:2:8: [0].more: no such field"},
		"unknown and a number":   {account(`"PIN":8299`), "f:2:7: [0].PIN: no such field"},
		"nested and unknown":     {account(`"otps":[{"pin":"1"}]`), "f:2:16: [0].otps[0].pin: no such field"},
		"field twice":            {account(`"pin":"1","pin":"2"`), "f:2:17: [0].pin: is a duplicate"},
		"field null and twice":   {account(`"pin":null,"pin":"2"`), "f:2:18: [0].pin: is a duplicate"},
		"pin is an array":        {account(`"pin":[1]`), "f:2:7: [0].pin: is an array, must be a string"},
		"pin is an object":       {account(`"pin":{"pin":1}`), "f:2:7: [0].pin: is an object, must be a string"},
		"id is null":             {`[{"id":null,"token":"t"}]`, "f:1:8: [0].id: is null"},
		"null file":              {`null`, "f:1:1: the file: is null"},
		"null account":           {`[null]`, "f:1:2: [0]: is null"},
		"null scope":             {account(`"scopes":[null]`), "f:2:11: [0].scopes[0]: is null"},
		"scopes are null":        {account(`"scopes":null`), "f:2:10: [0].scopes: is null"},
		"locked is null":         {account(`"locked":null`), "f:2:10: [0].locked: is null"},
		"pin is a number":        {account(`"pin":8299`), "f:2:7: [0].pin: is a number, must be a string"},
		"fields after the fault": {account(`"pin":8299,` + "\n" + `"locked":true,"password":null`), "f:2:7: [0].pin: is a number, must be a string"},
		"pin is empty":           {account(`"pin":""`), "f:2:7: [0].pin: must have 1 to 64 bytes"},
		"password too long":      {account(`"password":"` + strings.Repeat("x", 1025) + `"`), "f:2:12: [0].password: must have 1 to 1024 bytes"},
		"bad duration":           {account(`"registered_ago":"soon"`), `f:2:18: [0].registered_ago: time: invalid duration "soon"`},
		"future registration":    {account(`"registered_ago":"-1m"`), "f:2:18: [0].registered_ago: is -1m0s, must be from 0s"},
		"otp with letters":       {account(`"otps":[{"code":"12345a","expires_in":"5m"}]`), "f:2:17: [0].otps[0].code: must be 6 to 10 digits"},
		"otp without expiry":     {account(`"otps":[{"code":"123456"}]`), `f:2:9: [0].otps[0]: has no "expires_in"`},
		"otp for too long":       {account(`"otps":[{"code":"123456","expires_in":"11m"}]`), "[0].otps[0].expires_in: is 11m0s, must be from 1ns to 10m0s"},
		"otp of another kind":    {account(`"otps":[{"code":"123456","expires_in":"5m","kind":"device-totp"}]`), `[0].otps[0].kind: must be "account"`},
		"two otps of a kind":     {account(`"otps":[{"code":"123456","expires_in":"5m"},{"code":"234567","expires_in":"5m"}]`), `[0].otps[1]: a second code of kind "account"`},
		"device without secret":  {account(`"devices":[{"id":"` + otherID + `"}]`), `f:2:12: [0].devices[0]: has no "secret"`},
		"device id":              {account(`"devices":[{"id":"7","secret":"PBVDSNDDKZ4HGZ3UG5CHUUSEMJCTCSCU"}]`), "[0].devices[0].id: must be a UUID"},
		"device secret":          {account(`"devices":[{"id":"` + otherID + `","secret":"!"}]`), "[0].devices[0].secret: is not base32"},
		"device secret long":     {account(`"devices":[{"id":"` + otherID + `","secret":"` + strings.Repeat("A", 208) + `"}]`), "[0].devices[0].secret: has 130 bytes, must be from 10 to 128"},
		"device secret short":    {account(`"devices":[{"id":"` + otherID + `","secret":"PBVDSNDD"}]`), "[0].devices[0].secret: has 5 bytes, must be from 10 to 128"},
		"device twice": {account(`"devices":[{"id":"` + otherID + `","secret":"PBVDSNDDKZ4HGZ3UG5CHUUSEMJCTCSCU"},{"id":"` +
			strings.ToUpper(otherID) + `","secret":"PBVDSNDDKZ4HGZ3UG5CHUUSEMJCTCSCU"}]`), "[0].devices[1]: the account has a device of this id already"},
		"too many devices":   {account(`"devices":[` + strings.Repeat("{},", 100) + `{}]`), "[0].devices: 101 devices, at most 100"},
		"scope is a number":  {account(`"scopes":[1]`), "f:2:11: [0].scopes[0]: is a number, must be a string"},
		"scope is empty":     {account(`"scopes":[""]`), "f:2:11: [0].scopes[0]: must have 1 to 256 bytes"},
		"expiry is a number": {account(`"otps":[{"code":"123456",` + "\n" + `"expires_in":5}]`), "f:3:14: [0].otps[0].expires_in: is a number, must be a string"},
		"locked is a word":   {account(`"locked":"yes"`), "f:2:10: [0].locked: is a string, must be true or false"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseAccounts("f", []byte(c.text))
			require.ErrorContains(t, err, c.want)
		})
	}
}

// What is in a value that should not be there is neither a fault of its own nor
// looked at, however deep it is.
func TestAccountsFileWrongValuesAreOneFault(t *testing.T) {
	_, err := parseAccounts("f", []byte(`[{"id":"a","token":{"token":null,"x":1}}]`))
	require.EqualError(t, err, "f:1:20: [0].token: is an object, must be a string")

	f := &jsonFile{name: "f", data: []byte(`[{"more":[[1]]}]`)}
	f.read(&[]writtenAccount{}, accountShape)
	require.Len(t, f.faults, 1)
	require.True(t, f.has("[0].more[0]"))
	require.False(t, f.has("[0].more[0][0]"))
}

// Several faults are told at once, but not a thousand.
func TestAccountsFileTellsSeveralFaults(t *testing.T) {
	_, err := parseAccounts("f", []byte(`[`+strings.Repeat("{},", 99)+`{}]`))
	require.ErrorContains(t, err, `[0]: has no "id"`)
	require.ErrorContains(t, err, "and 190 more")
	require.Equal(t, maxFaults, strings.Count(err.Error(), "has no"))
}

// A fault never repeats a secret.
func TestAccountsFileFaultsHideValues(t *testing.T) {
	const secret = "do not show me"
	_, err := parseAccounts("f", []byte(`[{"id":"a","token":"`+secret+`","otps":[{"code":"`+secret+`","expires_in":"5m"}],
		"devices":[{"id":"`+otherID+`","secret":"`+secret+`"}]}]`))
	require.Error(t, err)
	require.NotContains(t, err.Error(), secret)
	require.NotContains(t, err.Error(), strings.ToUpper(secret))
}
