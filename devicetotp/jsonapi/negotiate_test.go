package jsonapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAccept(t *testing.T) {
	const api = "application/vnd.api+json"
	lines := func(l ...string) []string { return l }
	for _, c := range []struct {
		rule   string
		accept []string
		ok     bool
	}{
		{"absent", nil, true},
		{"empty", lines(""), true},
		{"an empty list", lines(" , ,"), true},
		{"anything", lines("*/*"), true},
		{"any application", lines("application/*"), true},
		{"the media type", lines(api), true},
		{"without case", lines("Application/VND.api+JSON"), true},
		{"another type", lines("application/json"), false},
		{"another kind", lines("text/*"), false},
		{"a prefix of it", lines("application/vnd.api"), false},
		{"one of a list", lines("text/html, application/json;q=0.9 ,\t" + api + ";q=0.1"), true},
		{"several lines are one list", lines("text/html", api), true},
		{"several lines without it", lines("text/html", "application/json"), false},

		{"q=0 means no", lines(api + ";q=0"), false},
		{"q=0.000 means no", lines(api + "; Q=0.000"), false},
		{"q=0.001 means yes", lines(api + ";q=0.001"), true},
		{"q=1.000", lines(api + ";q=1.000"), true},
		{"q without a zero, as Java's client sends it", lines("text/html, image/gif, *; q=.2, */*; q=.2"), true},
		{"q of a profile, behind it", lines(api + `;profile="https://example.com/p";q=0`), false},
		{"q in front of a profile", lines(api + `;q=0;profile="https://example.com/p"`), false},
		{"q beyond 1 is unreadable", lines(api + ";q=2"), false},
		{"q beyond 1 by a bit is unreadable", lines(api + ";q=1.001"), false},
		{"q without a number is unreadable", lines(api + ";q=x"), false},
		{"q of a point is unreadable", lines(api + ";q=."), false},
		{"q twice is unreadable", lines(api + ";q=1;q=1"), false},
		{"the most specific wins: no", lines("*/*, application/*;q=1, " + api + ";q=0"), false},
		{"the most specific wins: yes", lines(api + ", application/*;q=0, */*;q=0"), true},
		{"any application before anything: no", lines("*/*, application/*;q=0"), false},
		{"any application before anything: yes", lines("*/*;q=0, application/*"), true},
		{"anything declined", lines("*/*;q=0"), false},
		{"listed twice, the second yes is enough", lines(api + ";q=0, " + api), true},
		{"listed twice, the first yes is enough", lines(api + ", " + api + ";q=0"), true},

		{"a profile is ignored", lines(api + `;profile="https://example.com/a https://example.com/b"`), true},
		{"an extension nobody supports", lines(api + `;ext="https://jsonapi.org/ext/atomic"`), false},
		{"an extension as a token", lines(api + `;EXT=atomic`), false},
		{"an extension in vain beside anything", lines(api+`;ext="https://jsonapi.org/ext/atomic"`, "*/*"), false},
		{"no extension within ext", lines(api + `;ext=""`), true},
		{"one instance without extension", lines(api + `;ext="https://jsonapi.org/ext/atomic", ` + api), true},
		{"another parameter", lines(api + "; charset=utf-8"), false},
		{"another parameter, even beside anything", lines("*/*, application/*, " + api + ";version=1"), false},
		{"one instance without another parameter", lines(api + ";version=1, " + api + ";q=0.5"), true},
		{"anything with a parameter is not this", lines("*/*;version=1"), false},
		{"any application with a parameter is not this", lines("application/*;version=1"), false},

		{"a comma within quotes", lines(api + `;profile="a,b", text/html`), true},
		{"a media type within quotes", lines(`text/html;x="` + api + `, */*"`), false},
		{"an escaped quote", lines(api + `;profile="a\",text/html;ext=b", text/html`), true},
		{"a quote without end", lines(`text/html;x=", ` + api), false},
		{"empty parameters", lines(api + ";;; ;q=1;"), true},
		{"space round the semicolon", lines(api + " \t;\tq=1"), true},
		{"space round the equals sign", lines(api + ";q = 1"), false},
		{"a broken element is passed over", lines("text, /, a/, ;q=1, a b, a/b c, a/b;, a/b;x, a/b;x=, a/b;=y, " + api), true},
		{"nothing but broken elements", lines("text"), false},
		{"bad bytes", lines("\xff/\x00"), false},
	} {
		t.Run(c.rule, func(t *testing.T) {
			issuer := &creator{}
			r := request(plainBody)
			r.Header["Accept"] = c.accept
			a := serve(t, handlerOf(t, issuer), r)
			if c.ok {
				require.Equal(t, http.StatusCreated, a.Code)
				return
			}
			require.Equal(t, http.StatusNotAcceptable, a.Code)
			require.Equal(t, []string{"not-acceptable header:Accept"}, a.summary())
			require.Empty(t, issuer.got)
		})
	}
}

func TestContentType(t *testing.T) {
	const api = "application/vnd.api+json"
	for _, c := range []struct {
		rule   string
		header []string
		ok     bool
	}{
		{"the media type", []string{api}, true},
		{"without case", []string{" APPLICATION/vnd.API+json "}, true},
		{"a profile is ignored", []string{api + `; profile="https://example.com/p"`}, true},
		{"an empty parameter", []string{api + ";"}, true},
		{"missing", nil, false},
		{"empty", []string{""}, false},
		{"given twice", []string{api, api}, false},
		{"a list", []string{api + "," + api}, false},
		{"another type", []string{"application/json"}, false},
		{"a range", []string{"*/*"}, false},
		{"charset", []string{api + ";charset=utf-8"}, false},
		{"an extension", []string{api + `;ext="https://jsonapi.org/ext/atomic"`}, false},
		{"a weight", []string{api + ";q=1"}, false},
		{"unparsable", []string{api + ";profile"}, false},
		{"rubbish behind it", []string{api + " x"}, false},
	} {
		t.Run(c.rule, func(t *testing.T) {
			issuer := &creator{}
			r := request(plainBody)
			r.Header["Content-Type"] = c.header
			a := serve(t, handlerOf(t, issuer), r)
			if c.ok {
				require.Equal(t, http.StatusCreated, a.Code)
				return
			}
			require.Equal(t, http.StatusUnsupportedMediaType, a.Code)
			require.Equal(t, []string{"unsupported-media-type header:Content-Type"}, a.summary())
			require.Empty(t, issuer.got)
		})
	}
}

func TestContentEncodingIsRefused(t *testing.T) {
	for _, coding := range []string{"gzip", "identity", "br, gzip"} {
		r := request(plainBody)
		r.Header.Set("Content-Encoding", coding)
		a := serve(t, handlerOf(t, &creator{}), r)
		require.Equal(t, http.StatusUnsupportedMediaType, a.Code, coding)
		require.Equal(t, []string{"unsupported-media-type header:Content-Encoding"}, a.summary())
	}
	r := request(plainBody)
	r.Header.Set("Content-Encoding", "")
	require.Equal(t, http.StatusCreated, serve(t, handlerOf(t, &creator{}), r).Code, "empty is none")
}

func TestLongAcceptIsReadInOnePassWithoutMemory(t *testing.T) {
	for name, accept := range map[string]string{
		"commas":              strings.Repeat(",", 100_000) + "text/html",
		"quotes without end":  strings.Repeat(`"`, 100_001),
		"semicolons":          "text/html" + strings.Repeat(";", 100_000),
		"media types":         strings.Repeat("text/html;q=0.1,", 100_000),
		"parameters of quote": "text/html" + strings.Repeat(`;a="\""`, 100_000),
	} {
		h := handlerOf(t, &creator{})
		allocs := func(accept string) float64 {
			return testing.AllocsPerRun(3, func() {
				r := request(plainBody)
				r.Header.Set("Accept", accept)
				require.Equal(t, http.StatusNotAcceptable, serve(t, h, r).Code, name)
			})
		}
		require.InDelta(t, allocs("text/html"), allocs(accept), 20, name)
	}
}
