// Package verifier decides whether one presented value is right, and how many
// wrong ones are too many.
//
// A [Verifier] looks at one factor of one account and gives a [Verdict].
// [Password], [PIN] and [OTP] are the ready ones; a host with a password or
// OTP service of its own implements the interface and gives it to the Issuer.
// [Off] accepts nothing.
//
// A verifier only reads. Counting failures, spending proofs and ordering the
// factors is the Issuer's work, in one place, so that no verifier and no
// transport can bypass it. [AttemptPolicy] has the numbers.
//
// A host that lets users set passwords and PINs hashes them with a [Hasher],
// and calls [CheckPIN] first.
//
// # Hashes of other systems
//
// A table of users that another system made keeps working. Stored hashes of these
// forms are accepted as they are, for passwords and for PINs:
//
//	form                                             of                               up to
//	$argon2id$v=19$m=...,t=...,p=...$...$...         PHC string format: Go, PHP, ...  256 MiB, t=10, p=255
//	$2a$, $2b$, $2y$                                 bcrypt                           cost 14
//	argon2$argon2id$..., bcrypt$$2b$...              Django                           as above
//	{argon2}, {argon2@SpringSecurity_v5_8}, {bcrypt} Spring                           as above
//	{ARGON2ID}, {BLF-CRYPT}, {CRYPT}, {ARGON2}       Dovecot, OpenLDAP                as above
//	pbkdf2_sha256$..., pbkdf2_sha1$...               Django                           2,000,000 iterations
//	$pbkdf2-sha512$, $pbkdf2-sha256$, $pbkdf2$       passlib                          2,000,000 iterations
//	pbkdf2:sha512:, pbkdf2:sha256:, pbkdf2:sha1:     Werkzeug                         2,000,000 iterations
//	scrypt$..., $scrypt$ln=..., scrypt:...           Django, passlib, Werkzeug        N*r*p=2^21, so 256 MiB
//
// What Django stores for a user who has no password ("!" and 40 letters and digits)
// is read as no hash.
//
// Behind the prefixes in braces, {CRYPT} included, must be argon2id or bcrypt.
// Whatever is not argon2id without a prefix is outdated, so if Config.OnRehash of
// the Issuer is set, it is replaced by argon2id when its user next signs in.
//
// Not accepted are argon2i and argon2d; the older forms of crypt(5), yescrypt, MD5
// and SHA, salted or not; Spring's {scrypt}, {pbkdf2} and {noop}; phpass; and
// bcrypt over another hash (bcrypt_sha256$, $bcrypt-sha256$). The error about a
// stored hash names such a form, never the hash. To accept one, or one of your own,
// wrap [Password] in a [Rehasher]: its example does that.
//
// # What an attacker would do
//
// Send a password of a megabyte, two hundred at once, or a code with a space in
// it; plant a hash that takes a gigabyte; use the same code twice; measure
// whether an account has a PIN at all. [Hasher] bounds memory and the queue,
// refuses stored hashes beyond its limits before any work, and does the same
// work when there is nothing to compare with. [TOTP] accepts ASCII digits only
// and returns the time step, so that the Issuer can refuse it the next time.
package verifier
