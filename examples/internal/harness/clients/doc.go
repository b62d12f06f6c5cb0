// Package clients calls the endpoint, in its tests, with JSON:API clients that
// were not written here: google/jsonapi, hashicorp/jsonapi and DataDog/jsonapi
// for Go, and, in the folder npm, kitsu, devour-client, spraypaint and
// jsonapi-validator.
package clients
