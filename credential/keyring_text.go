package credential

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
)

// ParseKeyring reads keys from text, oldest first: one "id:base64" a line (or
// separated by commas), the base64 being standard and padded, of 32 bytes. A
// "*" before the id marks the primary; a single key needs no mark. Empty lines
// and lines that start with "#" are skipped. Errors name the line and the rule,
// never a key.
//
//	# devicetotp keys, oldest first
//	2025-11:2Y3FfQx0cSx0Z8bQ0Xy0cQm4kq0mJH1c7Z8bQ0Xy0cQ=
//	*2026-05:b3v9Hq3mVx0cSx0Z8bQ0Xy0cQm4kq0mJH1c7Z8bQ0Xw=
func ParseKeyring(text string) (*Keyring, error) {
	var keys []Key
	var primaries []string
	var mistakes []error
	for i, line := range strings.Split(strings.ReplaceAll(text, ",", "\n"), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		rest, primary := strings.CutPrefix(line, "*")
		id, encoded, ok := strings.Cut(rest, ":")
		if !ok {
			mistakes = append(mistakes, fmt.Errorf("credential: keyring line %d: not id:base64", i+1))
			continue
		}
		b, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("credential: keyring line %d: the key is not standard padded base64", i+1))
			continue
		}
		key := Key{ID: id, Secret: NewSecret(string(b))}
		if err := checkKey(key); err != nil {
			mistakes = append(mistakes, fmt.Errorf("credential: keyring line %d: %w", i+1, err))
			continue
		}
		keys = append(keys, key)
		if primary {
			primaries = append(primaries, id)
		}
	}
	if len(primaries) == 0 && len(keys) == 1 {
		primaries = []string{keys[0].ID}
	}
	if len(primaries) != 1 && len(keys) > 0 {
		mistakes = append(mistakes, fmt.Errorf(
			"credential: keyring: %d of %d keys are marked * as primary, not one", len(primaries), len(keys)))
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	if len(keys) == 0 {
		return nil, errors.New("credential: keyring: no key")
	}
	return NewKeyring(primaries[0], keys...)
}

// KeyringFromFile reads the file at path with [ParseKeyring]. Keep the file
// readable for the service alone, and out of the database's backups.
func KeyringFromFile(path string) (*Keyring, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("credential: keyring: %w", err)
	}
	ring, err := ParseKeyring(string(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ring, nil
}

// KeyringFromEnv reads the environment variable of that name with
// [ParseKeyring].
func KeyringFromEnv(name string) (*Keyring, error) {
	text, ok := os.LookupEnv(name)
	if !ok {
		return nil, fmt.Errorf("credential: keyring: environment variable %s is not set", name)
	}
	ring, err := ParseKeyring(text)
	if err != nil {
		return nil, fmt.Errorf("environment variable %s: %w", name, err)
	}
	return ring, nil
}

// KeyText returns the line of key that [ParseKeyring] reads. It reveals the key.
func KeyText(key Key) string {
	return key.ID + ":" + base64.StdEncoding.EncodeToString([]byte(key.Secret.Reveal()))
}
