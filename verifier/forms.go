package verifier

import (
	"fmt"
	"strings"
)

// prefixes are what other systems put before a hash that is otherwise of an
// accepted form, and what that form has in its place.
var prefixes = []struct{ prefix, instead string }{
	{"argon2$", "$"}, {"bcrypt$", ""}, // Django
	{"{argon2}", ""}, {"{argon2@SpringSecurity_v5_8}", ""}, {"{bcrypt}", ""}, // Spring
	{"{ARGON2ID}", ""}, {"{BLF-CRYPT}", ""}, {"{CRYPT}", ""}, // Dovecot
	{"{ARGON2}", ""}, // OpenLDAP, which has {CRYPT} too
}

// splitPrefix takes the prefix of another system off a stored hash.
func splitPrefix(stored string) (prefix, hash string) {
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(stored, p.prefix); ok {
			return p.prefix, p.instead + rest
		}
	}
	return "", stored
}

// isUnset reports whether stored says that there is no hash. Django writes "!" and 40
// random letters and digits then, and old releases of it "!" alone.
func isUnset(stored string) bool {
	rest, unusable := strings.CutPrefix(stored, "!")
	if !unusable {
		return stored == ""
	}
	for i := range len(rest) {
		if c := rest[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return rest == "" || len(rest) == 40
}

// foreignForms are how hashes begin that are not accepted, as the programs of
// other systems write them. An error may quote these and nothing else of a stored
// hash: what only looks like the name of a form may be a password in the clear.
var foreignForms = []string{
	"$argon2i$", "$argon2d$", // PHC string format
	"$bcrypt-sha256$",                                                                     // passlib
	"$1$", "$2$", "$2x$", "$5$", "$6$", "$7$", "$y$", "$gy$", "$md5$", "$sha1$", "$apr1$", // crypt(5), htpasswd(1)
	"$P$", "$H$", "$S$", "$wp$", // PHP: phpass, Drupal, WordPress
	"bcrypt_sha256$", "md5$", "sha1$", // Django
	"{scrypt}", "{scrypt@SpringSecurity_v5_8}", "{pbkdf2}", "{pbkdf2@SpringSecurity_v5_8}", "{sha256}", "{noop}", // Spring
	"{MD5}", "{SMD5}", "{SHA}", "{SSHA}", "{SHA256}", "{SSHA256}", "{SHA512}", "{SSHA512}", // LDAP, Dovecot
	"{ARGON2I}", "{PBKDF2}", "{MD5-CRYPT}", "{SHA256-CRYPT}", "{SHA512-CRYPT}", "{PLAIN}", "{CRAM-MD5}", // Dovecot
	"$sealed$", // credential.Keyring.SealPINHash, where a bare hash is due
}

// foreignForm returns the form that stored begins with, or "".
func foreignForm(stored string) string {
	for _, form := range foreignForms {
		if strings.HasPrefix(stored, form) {
			return form
		}
	}
	return ""
}

const acceptedForms = "accepted are argon2id in PHC form, bcrypt ($2a$, $2b$, $2y$), and PBKDF2 and scrypt of Django, passlib and Werkzeug"

// unknownForm is the error about a stored hash that is of no accepted form.
func unknownForm(stored string) error {
	prefix, hash := splitPrefix(stored)
	form := foreignForm(hash)
	switch {
	case form != "":
		return fmt.Errorf("%w: form %s%s is not accepted; %s", ErrHash, prefix, form, acceptedForms)
	case prefix != "":
		return fmt.Errorf("%w: what follows %s is of no known form; %s", ErrHash, prefix, acceptedForms)
	default:
		return fmt.Errorf("%w: its form is not known; %s", ErrHash, acceptedForms)
	}
}
