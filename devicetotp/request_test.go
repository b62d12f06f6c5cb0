package devicetotp_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// report keeps what a failing assertion would have printed.
type report struct{ strings.Builder }

func (r *report) Errorf(format string, args ...any) { fmt.Fprintf(r, format, args...) }

// A host's failing test prints what differs, by reflection, into the log of its
// build; the credentials are not in it, and what is the same is equal.
func TestDiffsOfRequestsAndAnswersShowNoSecret(t *testing.T) {
	for _, build := range []func(value string) any{
		func(value string) any {
			return devicetotp.CreateRequest{AccountID: "acct", OTP: secret(value), Password: secret(value + "p"), PIN: secret(value + "i")}
		},
		func(value string) any {
			return devicetotp.ProveRequest{AccountID: "acct", OTP: secret(value), Password: secret(value + "p"), PIN: secret(value + "i")}
		},
		func(value string) any {
			return devicetotp.RotateRequest{AccountID: "acct", OTP: secret(value), Password: secret(value + "p"), PIN: secret(value + "i")}
		},
		func(value string) any { return devicetotp.ImportRequest{AccountID: "acct", Secret: secret(value)} },
		func(value string) any { return credential.URI{Secret: secret(value)} },
		func(value string) any { return devicetotp.VerifyRequest{AccountID: "acct", Code: secret(value)} },
		func(value string) any {
			return &devicetotp.AddCodeRequest{AccountID: "acct", Code: secret(value)}
		},
		func(value string) any {
			return devicetotp.DeviceTOTP{ID: deviceID, Secret: secret(value), Algorithm: credential.AlgorithmSHA1}
		},
	} {
		require.Equal(t, build(leakPassword), build(leakPassword))
		require.Equal(t, build(""), build(""))
		var r report
		require.False(t, assert.Equal(&r, build(leakPassword), build(leakSecret)))
		require.Contains(t, r.String(), "Diff:")
		for _, value := range []string{leakPassword, leakSecret} {
			for name, form := range encodings(value) {
				require.NotContains(t, r.String(), form, name)
			}
		}
	}
	require.Equal(t, devicetotp.CreateRequest{AccountID: "acct"}, devicetotp.CreateRequest{AccountID: "acct"})
}
