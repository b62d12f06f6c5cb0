//go:build !race

package verifier

import "testing"

// Those that take too long under the race detector, which has nothing to find here.
func TestSchemesAgreeWithLongPublishedVectors(t *testing.T) {
	requireVectors(t, []vector{
		{"RFC 7914 section 11", "Password", "pbkdf2:sha256:80000$NaCl$4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"},
		{"RFC 7914 section 12", "pleaseletmein", "scrypt:16384:8:1$SodiumChloride$7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2" + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"},
		{"Django, tests/auth_tests", "l\u00e8tmein", "scrypt$16384$seasalt$8$1$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw=="},
		{"Django, tests/auth_tests", "l\u00e8tmein", "pbkdf2_sha256$1000000$seasalt$r1uLUxoxpP2Ued/qxvmje7UH9PUJBkRrvf9gGPL7Cps="},
		{"passlib, passlib.hash.scrypt", "password", "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"},
	})
}
