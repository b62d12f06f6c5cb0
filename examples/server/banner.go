package main

import (
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/google/uuid"
)

// documentedBody is the request of the published API description.
const documentedBody = `{"data":{"type":"deviceTOTP","id":"%s","attributes":{"pin":"8299","password":"superSecret12345!","otp":"526271"}}}`

// printBanner prints a curl line that works as printed. Each start has a new
// device id in it, because the one of an earlier start may be taken. It shows no
// token and no password of somebody's own accounts file.
func printBanner(w io.Writer, addr net.Addr, o options) {
	token, body := "good", fmt.Sprintf(documentedBody, uuid.NewString())
	if o.accounts != "" {
		token, body = "TOKEN", fmt.Sprintf(`{"data":{"type":"deviceTOTP","id":"%s","attributes":{}}}`, uuid.NewString())
	}
	base := "http://" + reachable(addr)
	fmt.Fprintf(w, "Serving on %s, accounts in %s. Create a device TOTP:\n\n", base, o.store)
	fmt.Fprintln(w, strings.Join([]string{
		"curl -i " + base + "/user/2025-1" + endpoint,
		`-H "Authorization: Bearer ` + token + `"`,
		`-H "Content-Type: application/vnd.api+json"`,
		"-d '" + body + "'",
	}, " "))
	fmt.Fprintln(w)
	if o.demo {
		fmt.Fprintf(w, "Or try it in a browser: %s/demo\n\n", base)
	}
}

// reachable is addr as a client on this machine can call it.
func reachable(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return addr.String()
}
