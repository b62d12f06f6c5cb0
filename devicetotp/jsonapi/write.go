package jsonapi

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	totperrors "example.com/devicetotp/errors"
)

// WriteError answers a request with the error document for err: status, headers and
// body as the handlers of this package have them. It is for the other endpoints of a
// service, under any router that has an http.ResponseWriter. It takes an error of an
// Issuer or of an [Authenticator], a *[Problem] or several, and what [Authenticate]
// and [Negotiate] return. Any error it does not know, and nil, is an internal-error;
// the cause of a 500 goes to opts.Logger and not to the caller.
//
// Use it before anything was written to w. Only a Problem can have a Source, since
// only the endpoint knows the document: see [ProblemOf].
func WriteError(w http.ResponseWriter, r *http.Request, err error, opts Config) {
	opts.writeProblems(identified(r), w, problemsOf(err))
}

func (o *Config) writeProblems(ctx context.Context, w http.ResponseWriter, ps problems) {
	first := ps[0]
	o.logFailure(ctx, first)
	h := w.Header()
	switch status := first.status(); {
	case status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", o.challenge(first.tokenSent))
	case status == http.StatusMethodNotAllowed && len(first.Allow) > 0:
		h.Set("Allow", strings.Join(first.Allow, ", "))
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
	write(w, id, first.status(), body)
}

// write sends one answer; without a document if body is nil. An error of Write means
// that the client is gone.
func write(w http.ResponseWriter, id string, status int, body []byte) {
	h := w.Header()
	if body != nil {
		h.Set("Content-Type", MediaType)
	}
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept") // a middleware may have its own
	h.Set(requestIDHeader, id)
	w.WriteHeader(status)
	if body != nil {
		_, _ = w.Write(body)
	}
}

// challenge is the value of WWW-Authenticate (RFC 6750 section 3).
func (o *Config) challenge(tokenSent bool) string {
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
func retrySeconds(p *Problem) int64 {
	if p.Code != totperrors.CodeUnavailable && p.Code != totperrors.CodeTooManyAttempts {
		return 0
	}
	seconds := int64(p.RetryAfter / time.Second)
	if p.RetryAfter%time.Second > 0 {
		seconds++
	}
	if p.Code == totperrors.CodeUnavailable {
		return max(seconds, 1)
	}
	return max(seconds, 0)
}

// appendProblem appends the error object of p.
func appendProblem(b []byte, id string, p *Problem) []byte {
	rule := rules[p.Code]
	detail := cmp.Or(p.Detail, onlyMethods(p), rule.detail)
	b = append(b, `{"id":`...)
	b = appendString(b, id)
	b = append(b, `,"status":"`...)
	b = strconv.AppendInt(b, int64(p.status()), 10)
	b = append(b, `","code":`...)
	b = appendString(b, string(p.Code))
	b = append(b, `,"title":`...)
	b = appendString(b, rule.title)
	b = append(b, `,"detail":`...)
	b = appendString(b, detail)
	if p.Source.member != "" {
		b = append(b, `,"source":{`...)
		b = appendString(b, p.Source.member)
		b = append(b, ':')
		b = appendString(b, p.Source.value)
		b = append(b, '}')
	}
	if after := retrySeconds(p); after > 0 && p.Code == totperrors.CodeTooManyAttempts {
		b = append(b, `,"meta":{"retryAfter":`...)
		b = strconv.AppendInt(b, after, 10)
		b = append(b, '}')
	}
	return append(b, '}')
}

// onlyMethods says which methods are possible, of method-not-allowed; else "".
func onlyMethods(p *Problem) string {
	switch last := len(p.Allow) - 1; {
	case p.Code != CodeMethodNotAllowed || last < 0:
		return ""
	case last == 0:
		return "Only " + p.Allow[0] + " is possible here."
	default:
		return "Only " + strings.Join(p.Allow[:last], ", ") + " and " + p.Allow[last] + " are possible here."
	}
}
