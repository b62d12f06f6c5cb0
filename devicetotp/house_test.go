package devicetotp_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func goCommand(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = ".."
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	return string(out)
}

// Who imports the core gets no transport, no database and no test library.
func TestTheCoreLinksNoTransportDatabaseOrTesting(t *testing.T) {
	deps := strings.Fields(goCommand(t, "list", "-deps", "./devicetotp", "./verifier", "./credential", "./clock", "./errors", "./credential/memstore"))
	for _, dep := range deps {
		for _, banned := range []string{"net/http", "database/sql", "testing", "github.com/stretchr/", "github.com/davecgh/", "google.golang.org/grpc"} {
			require.False(t, dep == banned || strings.HasPrefix(dep, banned), "%s is linked", dep)
		}
	}
	require.NotContains(t, goCommand(t, "list", "-deps", "./devicetotp/jsonapi"), "\ntesting\n")
	require.NotContains(t, goCommand(t, "list", "-deps", "./credential/sqlstore"), "\ntesting\n")
	for _, kit := range []string{"./devicetotp/devicetotptest", "./clock/clocktest", "./credential/storetest"} {
		require.NotContains(t, goCommand(t, "list", "-deps", kit), "github.com/stretchr/", "kits for tests use the standard library")
	}
}

// What verifies codes is another implementation than the one that plays the
// device in tests.
func TestTheVerifierDoesNotLinkThePeer(t *testing.T) {
	require.NotContains(t, goCommand(t, "list", "-deps", "./verifier"), "github.com/pquerna/otp")
	require.Contains(t, goCommand(t, "list", "-deps", "./devicetotp/devicetotptest"), "github.com/pquerna/otp/totp")
}

// Imports run one way.
func TestImportsRunOneWay(t *testing.T) {
	allowed := map[string][]string{
		"clock": {}, "clock/clocktest": {}, "errors": {}, "credential": {},
		"credential/internal/hostside": {"credential"}, "credential/internal/hosttest": {"credential"},
		"credential/memstore": {"credential", "credential/internal/hostside"}, "credential/sqlstore": {"credential", "credential/internal/hostside"},
		"credential/storetest":          {"credential"},
		"verifier":                      {"credential"},
		"devicetotp/internal/pairbench": {}, "devicetotp/internal/deadline": {}, "devicetotp/internal/nilcheck": {}, "devicetotp/internal/deviceid": {},
		"devicetotp/internal/rounds": {"clock", "credential", "devicetotp/internal/deadline", "errors", "verifier"},
		"devicetotp":                 {"clock", "credential", "devicetotp/internal/nilcheck", "devicetotp/internal/deviceid", "devicetotp/internal/rounds", "errors", "verifier"},
		"devicetotp/jsonapi":         {"credential", "devicetotp", "devicetotp/internal/deadline", "devicetotp/internal/nilcheck", "devicetotp/internal/deviceid", "errors"},
		"devicetotp/devicetotptest":  {"clock", "clock/clocktest", "credential", "credential/memstore", "devicetotp", "verifier"},
	}
	decoder := json.NewDecoder(strings.NewReader(goCommand(t, "list", "-json=ImportPath,Imports", "./...")))
	const module = "example.com/devicetotp/"
	seen := 0
	for decoder.More() {
		var p struct {
			ImportPath string
			Imports    []string
		}
		require.NoError(t, decoder.Decode(&p))
		may, ok := allowed[strings.TrimPrefix(p.ImportPath, module)]
		require.True(t, ok, "%s is not in the list", p.ImportPath)
		for _, i := range p.Imports {
			if inner, ours := strings.CutPrefix(i, module); ours {
				require.True(t, slices.Contains(may, inner), "%s imports %s", p.ImportPath, inner)
			}
		}
		seen++
	}
	require.Equal(t, len(allowed), seen)
}

func TestTheCoreHasThreeDirectRequirements(t *testing.T) {
	direct := strings.Fields(goCommand(t, "list", "-m", "-f", "{{if not (or .Indirect .Main)}}{{.Path}}{{end}}", "all"))
	slices.Sort(direct)
	require.Equal(t, []string{"github.com/pquerna/otp", "github.com/stretchr/testify", "golang.org/x/crypto"}, direct)
}
