// Package examples checks the pages of the repository: their code is compiled, what
// they quote is in its file, and their links lead somewhere. Its tests also show
// that requests compare with go-cmp and that a reader of another author scans the
// QR codes.
//
// The folders beside it are the examples, and those in internal/harness drive
// the library harder than an example does. README.md says what each of them is,
// and what to read first.
package examples
