// Package jsonapi serves POST .../user/devices/totp, as the published API
// description has it, over JSON:API 1.1.
//
// [NewHandler] makes the http.Handler, from an Issuer and an [Authenticator];
// [Bearer] makes the Authenticator of a service that knows its callers by a
// bearer token. Mount the handler wherever you like:
//
//	h, err := jsonapi.NewHandler(issuer, jsonapi.Bearer(verifyToken), jsonapi.Config{})
//	mux.Handle("/user/2025-1/user/devices/totp", h)
//
// Mount it for every method, as above: it answers 405 to all but POST itself,
// as a JSON:API document. A service with another transport needs nothing of
// this package, and one with other JSON:API endpoints of its own can answer
// their errors with [WriteError] and [Status].
//
// # What comes in
//
// A request is refused at the first of these that fails, so that everything
// that can be refused without looking at a credential is refused before
// anything is counted or spent:
//
//	authenticate   401, or 500 if the Authenticator itself fails
//	scope          403
//	Accept         406
//	Content-Type   415, a Content-Encoding too
//	body           422, with one error object for each fault
//	the Issuer     201, 403, 422 or 500
//
// The body is one JSON value of at most [MaxBodyBytes] bytes:
//
//	{"data": {"type": "deviceTOTP", "id": "<uuid>",
//	          "attributes": {"pin": "8299", "password": "...", "otp": "526271"}}}
//
// id and attributes may be left out or null, and so may each attribute; an
// attribute that is "" was presented, and is wrong. Without an id the server
// makes one, but a repetition of the request cannot be recognised: clients that
// repeat after a lost answer should send one. Member names are compared with
// case, and two members of one name in the document, in data or in attributes
// are refused. Other members are ignored.
//
// # What goes out
//
// The status of a POST is always 201, 401, 403, 406, 415, 422 or 500. JSON:API
// would have 409 for an id in use and for a wrong type; the published
// description has 422 and no 409, and clients made from it cannot read one, so
// it is 422 here. For the same reason a body that is too large, malformed or
// late is 422, too many attempts are 403, and what passes is 500 with a
// Retry-After and the code unavailable. A wrong credential is never 401:
// clients answer a 401 with a new token and send again, which would count twice.
// A request that net/http itself refuses, for instance with 431 because its
// head is too long, does not reach the handler and is not answered as JSON:API.
//
// Every answer is application/vnd.api+json without parameters, is not to be
// cached, and carries a Request-Id: 20 characters 0-9 and a-v, which is also the
// id of its error objects and the request_id of its log lines. A Request-Id of
// that form in the request is kept; see [RequestID].
//
// An error object's code is stable and its title never changes for a code:
//
//	unauthorized, missing-linked-identity                401
//	insufficient-scope                                   403
//	invalid-credentials, credentials-required            403
//	too-many-attempts                                    403, Retry-After if a time is known
//	account-locked, device-limit-reached                 403
//	not-acceptable                                       406
//	unsupported-media-type                               415
//	invalid-document, invalid-type, invalid-attribute    422
//	invalid-id, id-in-use                                422
//	unavailable                                          500, Retry-After
//	internal-error                                       500
//	method-not-allowed                                   405, never for a POST
//
// What caused a 500 is logged and never sent. An answer invalid-credentials is
// the same whatever the reason was, but for its id and for the pointer, which
// follows from the request alone.
//
// # What is left to the service
//
// TLS, the limits of the server (header size, ReadHeaderTimeout, WriteTimeout,
// IdleTimeout) and rate limits by address. The handler bounds the size of the
// body, the time it may take and the time the Authenticator may take.
//
// [OpenAPI] is the description of the endpoint in OpenAPI 3.1.
//
// Compatibility: codes, statuses, titles and exported names stay. New codes may
// be added, each with one of the statuses above.
package jsonapi
