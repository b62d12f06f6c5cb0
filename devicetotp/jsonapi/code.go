package jsonapi

import (
	"net/http"

	totperrors "example.com/devicetotp/errors"
)

// The codes of this transport, beside those of package devicetotp.
const (
	// CodeUnauthorized: no token, or one that is not valid. 401.
	CodeUnauthorized totperrors.Code = "unauthorized"
	// CodeMissingLinkedIdentity: the user must log in with a third party. 401.
	CodeMissingLinkedIdentity totperrors.Code = "missing-linked-identity"
	// CodeInsufficientScope: the token is good, but not for this. 403.
	CodeInsufficientScope totperrors.Code = "insufficient-scope"
	// CodeMethodNotAllowed: the address has no such method. 405, with Allow.
	CodeMethodNotAllowed totperrors.Code = "method-not-allowed"
	// CodeNotAcceptable: the client cannot read the answer. 406.
	CodeNotAcceptable totperrors.Code = "not-acceptable"
	// CodeUnsupportedMediaType: the body is of a type that is not taken. 415.
	CodeUnsupportedMediaType totperrors.Code = "unsupported-media-type"
	// CodeInvalidDocument: the body is no document of JSON:API. 422.
	CodeInvalidDocument totperrors.Code = "invalid-document"
	// CodeInvalidType: the resource object has another type. 422.
	CodeInvalidType totperrors.Code = "invalid-type"
	// CodeInvalidAttribute: an attribute does not have its form. 422.
	CodeInvalidAttribute totperrors.Code = "invalid-attribute"
)

// rule is what does not change for a code. detail is what is said where the
// occurrence has no more to say; it is true of every endpoint.
type rule struct {
	status        int
	title, detail string
}

var rules = map[totperrors.Code]rule{
	CodeUnauthorized: {http.StatusUnauthorized, "Unauthorized",
		"The access token is invalid or no longer valid."},
	CodeMissingLinkedIdentity: {http.StatusUnauthorized, "Missing linked identity for authorized access",
		"The user must first log in with a third party or authorize it."},
	CodeInsufficientScope: {http.StatusForbidden, "Insufficient scope",
		"The access token lacks a scope that this request needs."},
	CodeMethodNotAllowed: {http.StatusMethodNotAllowed, "Method not allowed",
		"This method is not allowed."},
	CodeNotAcceptable: {http.StatusNotAcceptable, "Not acceptable",
		"The response can only be " + MediaType + ", without an extension."},
	CodeUnsupportedMediaType: {http.StatusUnsupportedMediaType, "Unsupported media type",
		"The body must be " + MediaType + ", without a parameter other than profile."},
	CodeInvalidDocument: {http.StatusUnprocessableEntity, "Invalid document",
		"The body is not a JSON:API document with a resource object."},
	CodeInvalidType: {http.StatusUnprocessableEntity, "Invalid type",
		"The type is not the expected one."},
	CodeInvalidAttribute: {http.StatusUnprocessableEntity, "Invalid attribute",
		"The attribute does not have the expected form."},

	totperrors.CodeInvalidID: {http.StatusUnprocessableEntity, "Invalid id",
		"The id must be a UUID of the form 8-4-4-4-12."},
	totperrors.CodeIDInUse: {http.StatusUnprocessableEntity, "Id in use",
		"A device with this id already exists. Choose a different id."},
	totperrors.CodeInvalidArgument: {http.StatusUnprocessableEntity, "Invalid argument",
		"A value in the request is not acceptable."},
	totperrors.CodeNotFound: {http.StatusNotFound, "Not found",
		"There is no such resource."},
	totperrors.CodeInvalidCredentials: {http.StatusForbidden, "Invalid credentials",
		"None of the presented values was accepted."},
	totperrors.CodeCredentialsRequired: {http.StatusForbidden, "Credentials required",
		"A credential must be presented."},
	totperrors.CodeTooManyAttempts: {http.StatusForbidden, "Too many attempts",
		"The presented values are blocked after too many failed attempts."},
	totperrors.CodeAccountLocked: {http.StatusForbidden, "Account locked",
		"The account is locked."},
	totperrors.CodeDeviceLimitReached: {http.StatusForbidden, "Device limit reached",
		"The account has reached its device limit."},
	totperrors.CodeUnavailable: {http.StatusInternalServerError, "Temporarily unavailable",
		"The request could not be completed and may have taken effect. Retry the same request."},
	totperrors.CodeInternal: {http.StatusInternalServerError, "Internal error",
		"Something went wrong on the server."},
}

// Sentences that say more than those of their codes.
const (
	detailMissingToken   = "The request has no access token."
	detailType           = "The type must be the string " + resourceType + "."
	detailOptionalID     = "The id must be a UUID of the form 8-4-4-4-12, or null, or left out."
	detailOptionalString = "The attribute must be a string of Unicode characters, or null, or left out."
	detailAnyFactor      = "Present a one-time code, a password or a PIN."
	detailNoDevice       = "The account has no device with this id."
	detailName           = "The name must have at most 64 characters, no control characters or line breaks, " +
		"none that change the direction of text, and no space at either end."
)

// details are what is said of a code where an operation of the domain says more,
// so that the same error has the same text whoever writes it.
var details = map[totperrors.Op]map[totperrors.Code]string{
	totperrors.OpCreate: {
		totperrors.CodeInvalidID:           detailOptionalID,
		totperrors.CodeCredentialsRequired: detailAnyFactor,
	},
	totperrors.OpProve: {totperrors.CodeCredentialsRequired: detailAnyFactor},
	totperrors.OpRotate: {
		totperrors.CodeCredentialsRequired: detailAnyFactor,
		totperrors.CodeIDInUse:             "This id belongs to another request for a new secret, or to one that is over. Retry with a new id.",
		totperrors.CodeTooManyAttempts:     "The presented values are blocked after too many failed attempts, or the device was given too many new secrets lately.",
		totperrors.CodeNotFound:            detailNoDevice,
	},
	totperrors.OpRename: {totperrors.CodeNotFound: detailNoDevice},
}

// detailOf is what is said of a domain error; "" if no more than of its code.
func detailOf(e *totperrors.Error, code totperrors.Code) string {
	if code == totperrors.CodeInvalidArgument && e.Field == totperrors.FieldName {
		return detailName
	}
	return details[e.Op][code]
}
