package jsonapi

import "net/http"

// MediaType is the media type of every body, in and out (JSON:API 1.1).
const MediaType = "application/vnd.api+json"

// Negotiate checks the headers of a request to one of a service's own endpoints as
// the handlers do: that the client can read [MediaType] and, if the endpoint takes
// a body, that it has sent that. Its error is a *[Problem], 406 or 415 with the
// header at fault, for [WriteError].
func Negotiate(r *http.Request, takesBody bool) error {
	takes := ""
	if takesBody {
		takes = MediaType
	}
	return negotiate(r.Header, takes)
}

// negotiate checks the headers that say what the client can read and what it
// has sent to an operation that takes a body of the given type, or none.
func negotiate(h http.Header, takes string) error {
	if !acceptable(h["Accept"]) {
		return &Problem{Code: CodeNotAcceptable, Source: Header("Accept")}
	}
	if takes == "" {
		return nil
	}
	if !supported(h["Content-Type"], takes) {
		return &Problem{Code: CodeUnsupportedMediaType, Source: Header("Content-Type")}
	}
	for _, coding := range h["Content-Encoding"] {
		if skipSpace(coding) != "" {
			return &Problem{
				Code:   CodeUnsupportedMediaType,
				Detail: "The body must be sent as it is, without a Content-Encoding.",
				Source: Header("Content-Encoding"),
			}
		}
	}
	return nil
}

// supported reports whether Content-Type is the media type taken, that of
// JSON:API. A profile may be ignored, an extension may not, and there is no other
// parameter (JSON:API 1.1, server responsibilities).
func supported(headers []string, taken string) bool {
	if len(headers) != 1 {
		return false
	}
	m, rest, ok := parseMedia(skipSpace(headers[0]))
	return ok && rest == "" && m.is(taken) && !m.ext && !m.weight && !m.other
}

// preference is what Accept says about one media range, however often it is
// listed: one weight above 0 is enough.
type preference uint8

const (
	unlisted preference = iota
	refused             // listed, always with a weight of 0
	wanted
)

func (p *preference) list(m media) {
	if m.declined {
		*p = max(*p, refused)
	} else {
		*p = wanted
	}
}

// acceptable reports whether Accept takes the media type of JSON:API without
// parameters. No header, or an empty list, takes everything. Elements that
// cannot be parsed do not count.
func acceptable(headers []string) bool {
	var exact, application, anything preference
	instances, elements := 0, 0
	for _, list := range headers {
		for list != "" {
			element := skipSpace(list)
			if element != "" && element[0] != ',' {
				elements++
			}
			m, rest, ok := parseMedia(element)
			list = nextElement(rest)
			if !ok {
				continue
			}
			// A range that asks for parameters does not match what has none,
			// except that profiles are ignored (JSON:API 1.1).
			plain := !m.other && !m.extURI
			switch {
			case m.is(MediaType):
				instances++
				if plain {
					exact.list(m)
				}
			case m.is("application/*") && plain:
				application.list(m)
			case m.is("*/*") && plain:
				anything.list(m)
			}
		}
	}
	switch { // RFC 9110 section 12.5.1: the most specific range decides
	case exact != unlisted:
		return exact == wanted
	case instances > 0:
		return false // every instance asks for what is not there: 406 even beside */*
	case application != unlisted:
		return application == wanted
	default:
		return anything == wanted || elements == 0
	}
}
