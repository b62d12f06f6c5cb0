// Package unprivileged starts servers that refuse to run as root, which the tests
// of a container often are.
package unprivileged
