// Package jsonapi serves POST .../user/devices/totp, as the published API
// description has it, over JSON:API 1.1, and beside it the operations that a
// settings page needs: to list, rename and remove devices.
//
// [NewHandlers] makes the two http.Handlers, from an Issuer and an [Authenticator];
// [Bearer] makes the Authenticator of a service that knows its callers by a
// bearer token. Mount them wherever you like:
//
//	devices, device, err := jsonapi.NewHandlers(issuer, jsonapi.Bearer(verifyToken), jsonapi.Config{})
//	mux.Handle("/user/2025-1/user/devices/totp", devices)
//	mux.Handle("/user/2025-1/user/devices/totp/{id}", device)
//
// [NewHandler] makes the handler of the published operation alone. Mount them for
// every method, as above: they answer 405 to a method that they do not have, with
// Allow and as a JSON:API document. HEAD is answered where GET is. A service with
// another transport needs nothing of this package.
//
// # Scopes
//
// A request is refused with 403 insufficient-scope if its [Principal] does not have
// the scope of the operation. If your tokens have no scopes, set Config.IgnoreScopes:
// otherwise every request is refused.
//
//	POST           ScopeCreate, and ScopeCreateAfterLogin for the grace window
//	GET            ScopeRead
//	PATCH, DELETE  ScopeManage
//
// # Requests
//
// A request is refused at the first of these that fails, so that everything
// that can be refused without checking a credential is refused before anything
// is counted or spent:
//
//	authenticate   401, or 500 if the Authenticator itself fails
//	scope          403
//	Accept         406
//	Content-Type   415, a Content-Encoding too, if there is to be a body
//	body           422, with one error object for each fault
//	the Issuer     201, 403, 422 or 500
//
// The body of a POST is one JSON value of at most [MaxBodyBytes] bytes:
//
//	{"data": {"type": "deviceTOTP", "id": "<uuid>",
//	          "attributes": {"pin": "8299", "password": "...", "otp": "526271"}}}
//
// id and attributes may be left out or null, and so may each attribute; an
// attribute that is "" counts as presented, and is wrong. Without an id the
// server makes one, but a retry of the request cannot be recognized: clients
// that retry after a lost response should send one. Member names are compared
// with case, and two members of one name in the document, in data or in
// attributes are refused. Other members are ignored.
//
// Every attribute goes to the Issuer as it was sent, because that is what the
// published description has: an OTP with a space in it is wrong, and counts as
// a failure. A client removes what people type between digits before it sends
// them, and a service does so at endpoints of its own, with
// credential.TypedCode; the handlers never do. Passwords are normalized by the
// verifier, if at all: see verifier.Normalized.
//
// # Responses
//
// The body of a 201 has the secret, in base32 of upper case without padding, and what
// an app must know besides; period is in seconds. A retried request gets the same body
// and status again:
//
//	{"data": {"type": "deviceTOTP", "id": "738e379f-fe30-45ab-819c-ba88804b6368",
//	          "attributes": {"secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
//	                         "period": 30, "digits": 6, "algorithm": "SHA1"}}}
//
// The status of a POST is always 201, 401, 403, 406, 415, 422 or 500. JSON:API
// would have 409 for an id in use and for a wrong type; the published
// description has 422 and no 409, and clients made from it cannot read one, so
// it is 422 here. For the same reason a body that is too large, malformed or
// late is 422, too many attempts are 403, and a temporary failure is 500 with a
// Retry-After and the code unavailable. A wrong credential is never 401:
// clients react to a 401 by renewing the token and retrying, which would count
// twice.
//
// Every response is application/vnd.api+json without parameters, must not be
// cached, and carries a Request-Id: 20 characters 0-9 and a-v, which is also
// the id of its error objects and the request_id of its log lines. A Request-Id
// of that form in the request is kept; see [RequestID].
//
// An error object's code is stable and its title never changes for a code:
//
//	unauthorized, missing-linked-identity                401
//	insufficient-scope                                   403
//	invalid-credentials, credentials-required            403
//	too-many-attempts                                    403, Retry-After if a time is known
//	account-locked, device-limit-reached                 403
//	not-found                                            404, never for a POST
//	method-not-allowed                                   405, Allow
//	not-acceptable                                       406
//	unsupported-media-type                               415
//	invalid-document, invalid-type, invalid-attribute    422
//	invalid-id, id-in-use, invalid-argument              422
//	unavailable                                          500, Retry-After
//	internal-error                                       500
//
// Which status a code has belongs to the operation: invalid-type and invalid-id
// of a PATCH that contradicts its address are 409. What caused a 500 is logged
// and never sent. A response with invalid-credentials is the same whatever the
// reason was, except for its id and the pointer, which follows from the request
// alone.
//
// # List, get, rename and remove
//
// These are not in the published description, and neither are their scopes:
//
//	GET    .../totp        200  the devices, oldest first     ScopeRead
//	GET    .../totp/{id}   200  one of them; 404              ScopeRead
//	PATCH  .../totp/{id}   200  the device; 404, 409, 422     ScopeManage
//	DELETE .../totp/{id}   204  also if it is gone            ScopeManage
//
// A device has the attributes name, algorithm, digits, period (in seconds),
// createdAt, lastUsedAt (null if it was never used, or was imported and nobody knows
// when it was) and blockedUntil (null if it is not blocked, and 9999-12-31T23:59:59Z
// if no time ends that). Times are of RFC 3339, in UTC. There is no secret among
// them, and nothing that says what the device was created on. Imported devices have
// periods and digits that the published operation never issues.
//
// The list leaves out devices that were created on grace, were never used and are
// younger than the retry window and the tolerance of clocks: whoever has the token
// and such an id is given the secret, see [devicetotp.DeviceOverview]. Who knows the id already may get, rename
// and remove the device.
//
// A PATCH changes the name and nothing else. It needs type and id, as JSON:API
// has it. A name of "" removes the name; one that is null or left out stays as
// it is, and other attributes are ignored. A DELETE works on a locked account,
// and can be repeated: for the retry window no device of the same id can be
// made. Whether the token is enough to remove a device is the service's
// decision; see [devicetotp.Issuer.Prove].
//
// Query parameters are ignored, include and sort too, for which JSON:API would have
// 400. An account that the store does not know has no devices.
//
// # Endpoints of the service's own
//
// [Authenticate] and [Negotiate] check a request as the handlers do, and [WriteError]
// answers it as they do: an error of an Issuer or of an Authenticator, or a [Problem],
// which has any code of the table with a pointer or a header, a sentence and a status.
// The same error has the same status, code, headers and text, whoever writes it. One
// status differs: a 404 is a 500 where it would answer a POST of this package.
//
// # What does not reach the handler
//
// net/http answers some requests by itself, not as JSON:API: 400 for what is no HTTP
// or has no Host, 417 for an Expect other than 100-continue, 431 for a head that is
// too long, 501 for a transfer coding other than chunked, and 505 for another version.
// A mux answers 404 for other paths, a slash at the end included, and 307 for one that
// is not clean. Clients of the published operation can read none of these: mount the
// handlers at the exact paths.
//
// A body that is longer than MaxBodyBytes by its own Content-Length is refused without
// being asked for (Expect: 100-continue), and the connection is closed.
//
// A client that goes away ends its request where nothing has been counted or spent
// yet; the log has that at level Debug. On HTTP/1 a client that shuts down its sending
// half (a half-closed connection) counts as gone, since net/http cannot tell the two
// apart, and is answered 500 unavailable. Neither is seen before the body has been read.
//
// # What is left to the service
//
// TLS; the limits of the server (header size, ReadHeaderTimeout, WriteTimeout,
// IdleTimeout), and of how many connections it takes, in all and from one address:
// net/http has no such limit; and rate limits by address. The handler bounds the size
// of the body, the time it may take and the time the Authenticator may take.
//
// For a client in a browser, CORS: a middleware must answer the preflight (OPTIONS is
// 405 here), allow the headers Authorization, Content-Type and Request-Id, and expose
// Request-Id and Retry-After.
//
// [OpenAPI] is the description of the endpoints in OpenAPI 3.1.
//
// Compatibility: codes, statuses, titles and exported names stay. New codes may
// be added, each with one of the statuses above.
package jsonapi
