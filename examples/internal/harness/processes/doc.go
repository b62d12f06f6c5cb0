// Package processes has no code of its own. Its tests run the library as a
// deployment does: many processes of the example server on one database, and
// a network between them and it that cuts, delays and swallows what is sent.
package processes
