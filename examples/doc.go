// Package examples has no code of its own: it holds the README to its word, and
// its folders are the examples.
//
//   - quickstart is the life of one account, in one file.
//   - embed is a store over a users table that is there already.
//   - server serves the documented endpoint on SQLite, PostgreSQL or memory.
package examples
