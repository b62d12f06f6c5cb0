package examples

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// Requests compare with go-cmp, which many hosts' tests use, as they do with
// testify: equal ones are equal, absent credentials included, and what differs
// is named without a value.
func TestRequestsCompareWithGoCmp(t *testing.T) {
	request := func(password string) devicetotp.CreateRequest {
		return devicetotp.CreateRequest{AccountID: "alice", Password: credential.Optional(password)}
	}
	require.Empty(t, cmp.Diff(request(""), request("")), "absent credentials are equal")
	require.Empty(t, cmp.Diff(request("correct horse"), request("correct horse")))

	diff := cmp.Diff(request("correct horse"), request("battery staple"))
	require.Contains(t, diff, "Password")
	require.NotContains(t, diff, "correct")
	require.NotContains(t, diff, "battery")
	require.NotEmpty(t, cmp.Diff(request("correct horse"), request("")))

	// Without the method, by whatever fields there are.
	type bare credential.Secret
	every := cmp.Exporter(func(reflect.Type) bool { return true })
	require.Empty(t, cmp.Diff(bare(credential.NewSecret("correct horse")), bare(credential.NewSecret("correct horse")), every))
	diff = cmp.Diff(bare(credential.NewSecret("correct horse")), bare(credential.NewSecret("battery staple")), every)
	require.NotEmpty(t, diff)
	require.NotContains(t, diff, "correct")
	require.NotContains(t, diff, "battery")
}
