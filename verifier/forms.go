package verifier

import (
	"fmt"
	"strings"
)

// foreignForms are how the hashes of other systems begin, as their programs
// write them. An error may quote these and nothing else of a stored hash: what
// only looks like the name of a form may be a password in the clear.
var foreignForms = []string{
	"$argon2i$", "$argon2d$", // PHC string format
	"$scrypt$", "$pbkdf2$", "$pbkdf2-sha1$", "$pbkdf2-sha256$", "$pbkdf2-sha512$", "$bcrypt-sha256$", // passlib
	"$1$", "$2$", "$2x$", "$5$", "$6$", "$7$", "$y$", "$gy$", "$md5$", "$sha1$", "$apr1$", // crypt(5), htpasswd(1)
	"$P$", "$H$", "$S$", "$wp$", // PHP: phpass, Drupal, WordPress
	"argon2$", "bcrypt$", "bcrypt_sha256$", "scrypt$", "pbkdf2_sha1$", "pbkdf2_sha256$", // Django
	"scrypt:", "pbkdf2:sha1:", "pbkdf2:sha256:", "pbkdf2:sha512:", // Werkzeug
	"{argon2}", "{bcrypt}", "{scrypt}", "{pbkdf2}", "{noop}", // Spring
	"{CRYPT}", "{MD5}", "{SMD5}", "{SHA}", "{SSHA}", "{SSHA256}", "{SSHA512}", "{ARGON2}", // LDAP
	"$sealed$", // credential.Keyring.SealPINHash, where a bare hash is due
}

// foreignForm returns the form of another system that stored begins with, or "".
func foreignForm(stored string) string {
	for _, form := range foreignForms {
		if strings.HasPrefix(stored, form) {
			return form
		}
	}
	return ""
}

const acceptedForms = "accepted are argon2id in PHC form and bcrypt ($2a$, $2b$, $2y$)"

// unknownForm is the error about a stored hash that is of neither accepted form.
func unknownForm(stored string) error {
	if form := foreignForm(stored); form != "" {
		return fmt.Errorf("%w: form %s is not accepted; %s", ErrHash, form, acceptedForms)
	}
	return fmt.Errorf("%w: its form is not known; %s", ErrHash, acceptedForms)
}
