// Package operations has the code that OPERATIONS.md shows: metrics for
// Prometheus, and what is repeated after a backup was restored. Its tests run
// them, and every command on that page.
package operations
