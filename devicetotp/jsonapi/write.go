package jsonapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.com/devicetotp/devicetotp"
	totperrors "example.com/devicetotp/errors"
)

// WriteError answers a request with the error document for err, which must not
// be nil: status, headers and body as the handler of this package has them. It
// is for the other endpoints of a service, under any router that has an
// http.ResponseWriter, and takes what [Status] takes. Any error it does not
// know is an internal-error; the cause of a 500 goes to opts.Logger and not to
// the caller.
//
// Use it before anything was written to w. The error objects have no source:
// only the endpoint knows the document.
func WriteError(w http.ResponseWriter, r *http.Request, err error, opts Config) {
	opts.writeProblems(identified(r), w, problemsOf(err))
}

func (o Config) writeProblems(ctx context.Context, w http.ResponseWriter, ps problems) {
	first := ps[0]
	o.logFailure(ctx, first)
	h := w.Header()
	switch first.rule().status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", o.challenge(first.tokenSent))
	case http.StatusMethodNotAllowed:
		h.Set("Allow", http.MethodPost)
	}
	if after := retrySeconds(first); after > 0 {
		h.Set("Retry-After", strconv.FormatInt(after, 10))
	}
	id := RequestID(ctx)
	body := make([]byte, 0, 512)
	body = append(body, `{"errors":[`...)
	for i, p := range ps {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendProblem(body, id, p)
	}
	body = append(body, `]}`...)
	write(w, id, first.rule().status, body)
}

// write sends one answer. An error of Write means that the client is gone.
func write(w http.ResponseWriter, id string, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", MediaType)
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept") // a middleware may have its own
	h.Set(requestIDHeader, id)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// challenge is the value of WWW-Authenticate (RFC 6750 section 3).
func (o Config) challenge(tokenSent bool) string {
	realm := o.Realm
	if realm == "" {
		realm = defaultRealm
	}
	c := "Bearer realm=" + quotedString(realm)
	if tokenSent {
		c += `, error="invalid_token"`
	}
	return c
}

// quotedString quotes s as RFC 9110 section 5.6.4 has it, without what a
// header cannot hold.
func quotedString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		if c == '"' || c == '\\' {
			b.WriteByte('\\')
		}
		if ' ' <= c && c <= '~' {
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// retrySeconds is the Retry-After of p, rounded up; 0 for none. Whoever finds
// the service unavailable always gets a Retry-After.
func retrySeconds(p problem) int64 {
	if p.code != totperrors.CodeUnavailable && p.code != totperrors.CodeTooManyAttempts {
		return 0
	}
	seconds := int64(p.retryAfter / time.Second)
	if p.retryAfter%time.Second > 0 {
		seconds++
	}
	if p.code == totperrors.CodeUnavailable {
		return max(seconds, 1)
	}
	return max(seconds, 0)
}

// logFailure logs the cause of a 500 under the id that the caller receives.
func (o Config) logFailure(ctx context.Context, p problem) {
	if p.rule().status != http.StatusInternalServerError {
		return
	}
	level := slog.LevelError
	if p.code == totperrors.CodeUnavailable {
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{
		slog.String("request_id", RequestID(ctx)),
		slog.String("code", string(p.code)),
		slog.String("error", p.Error()),
	}
	var panicked *panicError
	if errors.As(p.cause, &panicked) {
		attrs = append(attrs, slog.String("stack", string(panicked.stack)))
	}
	logger := o.Logger
	if logger == nil {
		logger = slog.Default()
	}
	logger.LogAttrs(ctx, level, "devicetotp: request failed", attrs...)
}

// appendProblem appends the error object of p.
func appendProblem(b []byte, id string, p problem) []byte {
	rule := p.rule()
	detail := p.detail
	if detail == "" {
		detail = rule.detail
	}
	b = append(b, `{"id":`...)
	b = appendString(b, id)
	b = append(b, `,"status":"`...)
	b = strconv.AppendInt(b, int64(rule.status), 10)
	b = append(b, `","code":`...)
	b = appendString(b, string(p.code))
	b = append(b, `,"title":`...)
	b = appendString(b, rule.title)
	b = append(b, `,"detail":`...)
	b = appendString(b, detail)
	if p.source.member != "" {
		b = append(b, `,"source":{`...)
		b = appendString(b, p.source.member)
		b = append(b, ':')
		b = appendString(b, p.source.value)
		b = append(b, '}')
	}
	if after := retrySeconds(p); after > 0 && p.code == totperrors.CodeTooManyAttempts {
		b = append(b, `,"meta":{"retryAfter":`...)
		b = strconv.AppendInt(b, after, 10)
		b = append(b, '}')
	}
	return append(b, '}')
}

// appendDevice appends the document of a 201, for a device that is complete.
func appendDevice(b []byte, d devicetotp.DeviceTOTP) []byte {
	b = append(b, `{"data":{"type":"`+resourceType+`","id":`...)
	b = appendString(b, d.ID)
	b = append(b, `,"attributes":{"secret":`...)
	b = appendString(b, d.Base32())
	b = append(b, `,"period":`...)
	b = strconv.AppendInt(b, int64(d.Period/time.Second), 10)
	b = append(b, `,"digits":`...)
	b = strconv.AppendInt(b, int64(d.Digits), 10)
	b = append(b, `,"algorithm":`...)
	b = appendString(b, d.Algorithm.String())
	return append(b, `}}}`...)
}

// appendString appends s as a JSON string. Nothing that this package writes
// needs an escape: texts and pointers are its own, ids have been checked.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
