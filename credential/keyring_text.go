package credential

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// ParseKeyring reads keys from text, oldest first: one "id:base64" a line, or
// several on a line separated by commas, the base64 being standard and padded,
// of 32 bytes. A "*" before the id marks the primary; a single key needs no
// mark. Empty lines, and lines that start with "#" as a whole, are skipped.
// Errors name the line and the rule, never a key and nothing that may be one,
// such as what stands where the id belongs.
//
// Make a key with [NewKey] and [KeyText], or with a shell: the output of
// "openssl rand -base64 32" after an id and a colon.
//
//	# devicetotp keys, oldest first
//	2025-11:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
//	*2026-05:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=
func ParseKeyring(text string) (*Keyring, error) {
	var parsed keyringText
	for i, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "#") {
			continue
		}
		for entry := range strings.SplitSeq(line, ",") {
			if entry = strings.TrimSpace(entry); entry == "" {
				continue
			}
			if err := parsed.add(entry); err != nil {
				parsed.mistakes = append(parsed.mistakes, fmt.Errorf("credential: keyring line %d: %w", i+1, err))
			}
		}
	}
	return parsed.keyring()
}

// keyringText is what has been read of a keyring.
type keyringText struct {
	keys      []Key
	primaries []string
	mistakes  []error
}

func (t *keyringText) add(entry string) error {
	rest, primary := strings.CutPrefix(entry, "*")
	id, encoded, ok := strings.Cut(rest, ":")
	if !ok {
		return errors.New("not id:base64")
	}
	b, ok := strictBase64(base64.StdEncoding, encoded)
	if !ok {
		return errors.New("the key is not standard padded base64")
	}
	key := Key{ID: id, Secret: NewSecret(string(b))}
	if err := checkKey(key); err != nil {
		return err
	}
	t.keys = append(t.keys, key)
	if primary {
		t.primaries = append(t.primaries, id)
	}
	return nil
}

func (t *keyringText) keyring() (*Keyring, error) {
	if len(t.primaries) == 0 && len(t.keys) == 1 {
		t.primaries = []string{t.keys[0].ID}
	}
	if len(t.primaries) != 1 && len(t.keys) > 0 {
		t.mistakes = append(t.mistakes, fmt.Errorf(
			"credential: keyring: %d of %d keys are marked * as primary, not one", len(t.primaries), len(t.keys)))
	}
	if len(t.mistakes) > 0 {
		return nil, errors.Join(t.mistakes...)
	}
	if len(t.keys) == 0 {
		return nil, errors.New("credential: keyring: no key")
	}
	return NewKeyring(t.primaries[0], t.keys...)
}

// strictBase64 decodes s if it is the one text that encodes its bytes. The
// decoders of the standard library skip line breaks, strict ones too.
func strictBase64(encoding *base64.Encoding, s string) ([]byte, bool) {
	b, err := encoding.Strict().DecodeString(s)
	return b, err == nil && !strings.ContainsAny(s, "\r\n")
}

// KeyringFromFile reads the file at path with [ParseKeyring]. Keep the file
// readable for the service alone, which is mode 0600 or 0400, and out of the
// database's backups. The mode is not checked, because what it says differs between
// systems and kinds of mounts; a service can warn. Keys from a key management
// service need no file: give their text to [ParseKeyring]. The error
// of a file that cannot be read does not show path, which may be the text of a
// keyring given by mistake; it wraps the cause, such as [os.ErrNotExist].
func KeyringFromFile(path string) (*Keyring, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		var withPath *os.PathError
		if errors.As(err, &withPath) {
			err = withPath.Err
		}
		return nil, fmt.Errorf("credential: keyring: cannot read the file: %w", err)
	}
	ring, err := ParseKeyring(string(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ring, nil
}

// KeyringFromEnv reads the environment variable of that name with
// [ParseKeyring]. If it is not set, the error shows name only if that has the
// usual form, as DEVICETOTP_KEYS has; it may be the text of a keyring given by
// mistake.
func KeyringFromEnv(name string) (*Keyring, error) {
	text, ok := os.LookupEnv(name)
	if !ok && variableName.MatchString(name) {
		return nil, fmt.Errorf("credential: keyring: environment variable %s is not set", name)
	}
	if !ok {
		return nil, errors.New("credential: keyring: the environment variable is not set")
	}
	ring, err := ParseKeyring(text)
	if err != nil {
		return nil, fmt.Errorf("environment variable %s: %w", name, err)
	}
	return ring, nil
}

// variableName is words in capitals with an underscore between them. No usual
// spelling of a key has underscores and capitals only.
var variableName = regexp.MustCompile(`^[A-Z]+(_[A-Z]+)+$`)

// KeyText returns the line of key that [ParseKeyring] reads. It reveals the key.
func KeyText(key Key) string {
	return key.ID + ":" + base64.StdEncoding.EncodeToString([]byte(key.Secret.Reveal()))
}
