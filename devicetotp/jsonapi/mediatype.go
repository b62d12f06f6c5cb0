package jsonapi

import "strings"

// media is one media type with parameters (RFC 9110 section 8.3.1): the value
// of Content-Type or one element of Accept. Only what matters here is kept.
type media struct {
	name     string // "type/subtype" as it was written
	ext      bool   // there is an ext parameter
	extURI   bool   // and it names an extension
	weight   bool   // there is a q parameter
	declined bool   // and it is 0
	other    bool   // there is a parameter other than ext, profile and q
}

func (m media) is(name string) bool { return strings.EqualFold(m.name, name) }

// parseMedia reads one media type from the beginning of s, up to a comma or
// the end, and returns what follows. It keeps nothing but parts of s, so that
// a long header costs no memory.
func parseMedia(s string) (m media, rest string, ok bool) {
	main := tokenLen(s)
	if main == 0 || main == len(s) || s[main] != '/' {
		return media{}, s, false
	}
	sub := tokenLen(s[main+1:])
	if sub == 0 {
		return media{}, s, false
	}
	m.name, s = s[:main+1+sub], s[main+1+sub:]
	for {
		s = skipSpace(s)
		if s == "" || s[0] == ',' {
			return m, s, true
		}
		if s[0] != ';' {
			return media{}, s, false
		}
		s = skipSpace(s[1:])
		if s == "" || s[0] == ',' || s[0] == ';' {
			continue // RFC 9110 section 5.6.6: a parameter may be empty
		}
		var name, value string
		if name, value, s, ok = parseParameter(s); !ok || !m.take(name, value) {
			return media{}, s, false
		}
	}
}

// take notes one parameter; false if it makes no sense.
func (m *media) take(name, value string) bool {
	switch {
	case strings.EqualFold(name, "profile"): // a profile nobody here knows is ignored
	case strings.EqualFold(name, "ext"):
		m.ext = true
		m.extURI = m.extURI || strings.Trim(value, " ") != ""
	case strings.EqualFold(name, "q"):
		if m.weight {
			return false
		}
		m.weight = true
		var ok bool
		m.declined, ok = parseWeight(value)
		return ok
	default:
		m.other = true
	}
	return true
}

// parseWeight reports whether a qvalue (RFC 9110 section 12.4.2) is 0. Whether
// it is more does not matter to who has one representation to offer. A missing
// zero in front of the point and more than three digits are taken, because
// clients send them.
func parseWeight(s string) (zero, ok bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	if strings.Trim(whole+fraction, "0123456789") != "" || whole+fraction == "" {
		return false, false
	}
	nothing := strings.Trim(fraction, "0") == ""
	switch whole {
	case "", "0":
		return nothing, true
	case "1":
		return false, nothing
	default:
		return false, false
	}
}

// parseParameter reads name=value, where value is a token or a quoted string;
// of the latter it returns what is between the quotes, as it was written.
func parseParameter(s string) (name, value, rest string, ok bool) {
	n := tokenLen(s)
	if n == 0 || n == len(s) || s[n] != '=' {
		return "", "", s, false
	}
	name, s = s[:n], s[n+1:]
	if n = tokenLen(s); n > 0 {
		return name, s[:n], s[n:], true
	}
	n = quotedLen(s)
	if n == 0 {
		return "", "", s, false
	}
	return name, s[1 : n-1], s[n:], true
}

// nextElement returns what follows the next comma of s that is not within a
// quoted string.
func nextElement(s string) string {
	for s != "" {
		switch s[0] {
		case ',':
			return s[1:]
		case '"':
			n := quotedLen(s)
			if n == 0 {
				return "" // the quote never ends
			}
			s = s[n:]
		default:
			s = s[1:]
		}
	}
	return ""
}

// quotedLen returns the length of the quoted string (RFC 9110 section 5.6.4)
// at the beginning of s with its quotes; 0 if there is none or it has no end.
func quotedLen(s string) int {
	if s == "" || s[0] != '"' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return 0
}

// tokenLen returns the length of the token (RFC 9110 section 5.6.2) at the
// beginning of s.
func tokenLen(s string) int {
	for i := range len(s) {
		if c := s[i]; !isAlphaNum(c) && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return i
		}
	}
	return len(s)
}

func skipSpace(s string) string { return strings.TrimLeft(s, " \t") }
