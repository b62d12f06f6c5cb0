// Package openapi holds, in its tests, the endpoint's answers of every status and
// code against the OpenAPI document that package jsonapi ships, and the document
// against the published API description.
package openapi
