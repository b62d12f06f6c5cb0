// Package operations has the code that OPERATIONS.md shows: metrics for
// Prometheus, what is repeated after a backup was restored, and how an account gets
// a new id. Its tests run them, and every command on that page.
package operations
