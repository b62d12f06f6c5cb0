package jsonapi

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"net/http"
	"sync/atomic"
	"time"
)

const requestIDHeader = "Request-Id"

type requestIDKey struct{}

// RequestID returns the id of the request that ctx belongs to, or "" outside
// of one. Within the handler every context has one: the Authenticator's, the
// Issuer's with all its collaborators and its Observer, and that of the log
// lines. It is the Request-Id of the answer and the id of its error objects.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// WithRequestID returns a copy of r with a request id in its context: the one that is
// there already, or else the Request-Id that the request brings if that is 20
// characters 0-9 and a-v, or else a new one. The handler and [WriteError] do
// this themselves; use it in a middleware in front of them that logs the id.
func WithRequestID(r *http.Request) *http.Request {
	return r.WithContext(identified(r))
}

// identified is the context of r with a request id in it.
func identified(r *http.Request) context.Context {
	if RequestID(r.Context()) != "" {
		return r.Context()
	}
	id := incomingRequestID(r.Header)
	if id == "" {
		id = requestIDs.next(time.Now())
	}
	return context.WithValue(r.Context(), requestIDKey{}, id)
}

// incomingRequestID returns the id in h if there is exactly one and it is
// well-formed: anything else could forge log lines.
func incomingRequestID(h http.Header) string {
	if v := h[requestIDHeader]; len(v) == 1 && isRequestID(v[0]) {
		return v[0]
	}
	return ""
}

func isRequestID(s string) bool {
	if len(s) != requestIDLen {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'v') {
			return false
		}
	}
	return true
}

// An xid is 12 bytes in base32hex: seconds since 1970 (4), the process (5) and
// a counter (3). It sorts by time and is unique; it is not a secret.
const requestIDLen = 20

var xidEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

type xidSource struct {
	process [5]byte
	counter atomic.Uint32
}

var requestIDs = newXIDSource()

func newXIDSource() *xidSource {
	var seed [9]byte
	_, _ = rand.Read(seed[:]) // never fails: crypto/rand ends the process instead
	s := &xidSource{process: [5]byte(seed[:5])}
	s.counter.Store(binary.BigEndian.Uint32(seed[5:]))
	return s
}

func (s *xidSource) next(now time.Time) string {
	var raw [12]byte
	// The counter first: its top byte is then overwritten by the process.
	binary.BigEndian.PutUint32(raw[8:], s.counter.Add(1))
	binary.BigEndian.PutUint32(raw[:4], uint32(now.Unix()))
	copy(raw[4:9], s.process[:])
	var out [requestIDLen]byte
	xidEncoding.Encode(out[:], raw[:])
	return string(out[:])
}
