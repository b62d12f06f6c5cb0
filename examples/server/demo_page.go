package main

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"time"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
)

// demoFiles are the demo page, whole: it loads nothing from anywhere else.
//
//go:embed demo
var demoFiles embed.FS

// demoPolicy lets the page load its own script and style, show images that came
// as data, and call this server; nothing else, and nobody may frame it. A form
// that is sent without the script would put what was typed into the address, so
// forms may not be sent at all.
const demoPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// A demo is the page, and what only the page needs.
type demo struct {
	issuer *devicetotp.Issuer
	auth   jsonapi.Authenticator
	opts   jsonapi.Config
}

// routes serves the page at /demo. It names the demo accounts if they are there.
func (d *demo) routes(mux *http.ServeMux, demoAccounts bool) error {
	page, err := demoPage(demoAccounts)
	if err != nil {
		return err
	}
	mux.Handle("GET /demo", demoFile("page.html", page))
	for _, name := range []string{"page.css", "page.js"} {
		content, err := demoFiles.ReadFile("demo/" + name)
		if err != nil {
			return err
		}
		mux.Handle("GET /demo/"+name, demoFile(name, content))
	}
	mux.Handle("POST /demo/devices", d.handle(jsonapi.ScopeCreate, d.enrol))
	mux.Handle("POST /demo/recovery-codes", d.handle(jsonapi.ScopeManage, d.recoveryCodes))
	return nil
}

// demoPage returns the page, with a hint of the demo accounts or without one.
func demoPage(demoAccounts bool) ([]byte, error) {
	page, err := template.ParseFS(demoFiles, "demo/page.html")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = page.Execute(&out, struct{ DemoAccounts bool }{demoAccounts})
	return out.Bytes(), err
}

func demoFile(name string, content []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", demoPolicy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	})
}
