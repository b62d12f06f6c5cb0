package jsonapi

import (
	"errors"
	"net/http"
	"time"

	totperrors "example.com/devicetotp/errors"
)

// The codes of this transport; the domain's are in package errors.
const (
	codeUnauthorized          totperrors.Code = "unauthorized"
	codeMissingLinkedIdentity totperrors.Code = "missing-linked-identity"
	codeInsufficientScope     totperrors.Code = "insufficient-scope"
	codeMethodNotAllowed      totperrors.Code = "method-not-allowed"
	codeNotAcceptable         totperrors.Code = "not-acceptable"
	codeUnsupportedMediaType  totperrors.Code = "unsupported-media-type"
	codeInvalidDocument       totperrors.Code = "invalid-document"
	codeInvalidType           totperrors.Code = "invalid-type"
	codeInvalidAttribute      totperrors.Code = "invalid-attribute"
)

const detailMissingToken = "The request brings no access token."

// rule is what does not change for a code. detail is what is said where the
// occurrence has no more to say.
type rule struct {
	status        int
	title, detail string
}

var rules = map[totperrors.Code]rule{
	codeUnauthorized: {http.StatusUnauthorized, "Unauthorized",
		"The access token is invalid or no longer valid."},
	codeMissingLinkedIdentity: {http.StatusUnauthorized, "Missing linked identity for authorized access",
		"The user must first log in with a third party or authorize it."},
	codeInsufficientScope: {http.StatusForbidden, "Insufficient scope",
		"The access token does not have the scope " + ScopeCreate + "."},
	codeMethodNotAllowed: {http.StatusMethodNotAllowed, "Method not allowed",
		"Only POST is possible here."},
	codeNotAcceptable: {http.StatusNotAcceptable, "Not acceptable",
		"The answer can only be " + MediaType + ", without an extension."},
	codeUnsupportedMediaType: {http.StatusUnsupportedMediaType, "Unsupported media type",
		"The body must be " + MediaType + ", without a parameter other than profile."},
	codeInvalidDocument: {http.StatusUnprocessableEntity, "Invalid document",
		"The body is not a JSON:API document with a resource object."},
	codeInvalidType: {http.StatusUnprocessableEntity, "Invalid type",
		"The type must be the string " + resourceType + "."},
	codeInvalidAttribute: {http.StatusUnprocessableEntity, "Invalid attribute",
		"The attribute must be a string of Unicode characters, or null, or left out."},

	totperrors.CodeInvalidID: {http.StatusUnprocessableEntity, "Invalid id",
		"The id must be a UUID of the form 8-4-4-4-12, or null, or left out."},
	totperrors.CodeIDInUse: {http.StatusUnprocessableEntity, "Id in use",
		"There is a device of this id already, made by another request. Choose a new id."},
	totperrors.CodeInvalidArgument: {http.StatusUnprocessableEntity, "Invalid argument",
		"A value of the request can never be accepted here."},
	totperrors.CodeNotFound: {http.StatusNotFound, "Not found",
		"The account has no device with this id."},
	totperrors.CodeInvalidCredentials: {http.StatusForbidden, "Invalid credentials",
		"None of the presented values was accepted."},
	totperrors.CodeCredentialsRequired: {http.StatusForbidden, "Credentials required",
		"Present a one-time code, a password or a PIN."},
	totperrors.CodeTooManyAttempts: {http.StatusForbidden, "Too many attempts",
		"What was presented is blocked after too many failed attempts."},
	totperrors.CodeAccountLocked: {http.StatusForbidden, "Account locked",
		"The account is locked."},
	totperrors.CodeDeviceLimitReached: {http.StatusForbidden, "Device limit reached",
		"The account has as many devices as it may have."},
	totperrors.CodeUnavailable: {http.StatusInternalServerError, "Temporarily unavailable",
		"The request could not be answered just now and may or may not have taken effect. Send the same request again."},
	totperrors.CodeInternal: {http.StatusInternalServerError, "Internal error",
		"Something went wrong on the server."},
}

// problem is one error object before it is written.
type problem struct {
	code       totperrors.Code
	detail     string // empty: that of the rule
	source     source
	retryAfter time.Duration
	tokenSent  bool  // of unauthorized: a token came with the request
	cause      error // for the log, never sent
}

func (p problem) rule() rule { return rules[p.code] }

// Error is for the log.
func (p problem) Error() string {
	if p.cause != nil {
		return p.cause.Error()
	}
	return "devicetotp/jsonapi: " + string(p.code)
}

func (p problem) Unwrap() error { return p.cause }

// problems are the faults of one request. They all have the same status.
type problems []problem

func (ps problems) Error() string { return ps[0].Error() }

func (ps *problems) add(code totperrors.Code, pointer, detail string) {
	*ps = append(*ps, problem{code: code, detail: detail, source: pointerSource(pointer)})
}

// problemsOf describes any error but nil.
func problemsOf(err error) problems {
	var several problems
	var one problem
	switch {
	case errors.As(err, &several):
		return several
	case errors.As(err, &one):
		return problems{one}
	default:
		return problems{describe(err)}
	}
}

// describe is the table of [Status] and [WriteError]: errors of the domain,
// and those of an Authenticator. Any other is internal.
func describe(err error) problem {
	var domain *totperrors.Error
	if !errors.As(err, &domain) {
		if p, ok := refusal(err); ok {
			return p
		}
	}
	return domainProblem(err)
}

// domainProblem describes an error of the Issuer. A code that is not the
// domain's is a fault of whoever made it.
func domainProblem(err error) problem {
	p := problem{code: totperrors.CodeOf(err), cause: err}
	if p.code.Class() == totperrors.ClassInternal && p.code != totperrors.CodeUnavailable {
		p.code = totperrors.CodeInternal
	}
	var domain *totperrors.Error
	if errors.As(err, &domain) {
		p.retryAfter = domain.RetryAfter
	}
	return p
}

// Status returns the HTTP status for an error of an Issuer or of an
// [Authenticator]: 401, 403, 422 or 500, and 500 for any error that is neither.
// It is 201 for nil, which is what creating a device is answered with.
func Status(err error) int {
	if err == nil {
		return http.StatusCreated
	}
	return problemsOf(err)[0].rule().status
}

// source is what in the request an error object is about: nothing, a place in
// the body (which may be the whole of it: ""), or a header.
type source struct {
	member string // "", "pointer" or "header"
	value  string
}

func pointerSource(pointer string) source { return source{"pointer", pointer} }
func headerSource(name string) source     { return source{"header", name} }
