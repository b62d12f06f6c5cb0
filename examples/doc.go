// Package examples holds the README to its word: its code is compiled, and the
// store that it shows is proved. Its tests also show that requests compare with
// go-cmp and that a reader of another author scans the QR codes.
//
// The folders beside it are the examples, and those in internal/harness drive
// the library harder than an example does. README.md says what each of them is,
// and what to read first.
package examples
