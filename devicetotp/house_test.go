package devicetotp_test

import (
	"encoding/json"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The rules of the house: which package may import which, and what reaches the
// builds of users. They are said here and nowhere else.

// linked returns the packages that end up in a program which imports pkgs.
func linked(t *testing.T, pkgs ...string) []string {
	t.Helper()
	return strings.Fields(goCommand(t, append([]string{"list", "-deps"}, pkgs...)...))
}

// Programs that import the core link no transport, no database and no test
// library. The endpoint and the SQL store link no test library either.
func TestTheCoreLinksNoTransportDatabaseOrTesting(t *testing.T) {
	core := []string{"./devicetotp", "./verifier", "./credential", "./clock", "./errors", "./credential/memstore"}
	for _, banned := range []string{"net/http", "database/sql", "testing"} {
		require.NotContains(t, linked(t, core...), banned)
	}
	require.NotContains(t, linked(t, "./devicetotp/jsonapi", "./credential/sqlstore"), "testing")
}

// Nothing that users import links a module beyond these: no driver, no framework
// and, although the kits for users' tests are among them, no test library. The
// tests of this module need testify and no more.
func TestNoOtherModuleReachesUsers(t *testing.T) {
	modules := func(args ...string) []string {
		all := strings.Fields(goCommand(t, append([]string{"list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}"}, args...)...))
		slices.Sort(all)
		return slices.Compact(all)
	}
	shipped := []string{"github.com/boombuler/barcode", "github.com/pquerna/otp", "golang.org/x/crypto", "golang.org/x/sys"}
	require.Equal(t, shipped, modules("./..."))
	for _, m := range modules("-test", "./...") {
		require.Contains(t, append(shipped, "github.com/stretchr/testify", "github.com/davecgh/go-spew", "github.com/pmezard/go-difflib", "go.yaml.in/yaml/v3", "gopkg.in/yaml.v3"), m)
	}
}

// What verifies codes is another implementation than the one that plays the
// device in tests.
func TestTheVerifierDoesNotLinkThePeer(t *testing.T) {
	for _, generates := range []string{"github.com/pquerna/otp/totp", "github.com/pquerna/otp/hotp"} { // package otp itself reads addresses
		require.NotContains(t, linked(t, "./verifier"), generates)
	}
	require.Contains(t, linked(t, "./devicetotp/devicetotptest"), "github.com/pquerna/otp/totp")
}

// Imports run one way.
func TestImportsRunOneWay(t *testing.T) {
	allowed := map[string][]string{
		"clock": {}, "clock/clocktest": {}, "errors": {}, "credential": {}, "credential/drawtest": {},
		"credential/internal/hostside": {"credential"}, "credential/internal/hosttest": {"credential"},
		"credential/memstore": {"credential", "credential/internal/hostside"}, "credential/sqlstore": {"credential", "credential/internal/hostside"},
		"credential/storetest":          {"credential"},
		"verifier":                      {"credential"},
		"devicetotp/internal/pairbench": {}, "devicetotp/internal/explore": {}, "devicetotp/internal/deadline": {}, "devicetotp/internal/nilcheck": {}, "devicetotp/internal/deviceid": {},
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

// Whatever needs drivers or frameworks is a module of its own, below this one in
// name as in place, and is built against the library beside it.
func TestNestedModulesUseTheLibraryBesideThem(t *testing.T) {
	core := strings.TrimSpace(goCommand(t, "list", "-m"))
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	nested := 0
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		dir, relErr := filepath.Rel(root, filepath.Dir(path))
		require.NoError(t, relErr)
		if err != nil || d.Name() != "go.mod" || dir == "." {
			return err
		}
		nested++
		var m struct {
			Module  struct{ Path string }
			Require []struct{ Path, Version string }
			Replace []struct{ Old, New struct{ Path string } }
		}
		require.NoError(t, json.Unmarshal([]byte(goCommand(t, "-C", dir, "mod", "edit", "-json")), &m))
		require.Equal(t, core+"/"+filepath.ToSlash(dir), m.Module.Path)
		places := map[string]string{}
		for _, r := range m.Replace {
			places[r.Old.Path] = filepath.Join(dir, r.New.Path)
		}
		for _, r := range m.Require {
			if r.Path == core || strings.HasPrefix(r.Path, core+"/") {
				require.Equal(t, "v0.0.0", r.Version, "%s requires %s", dir, r.Path)
				require.Equal(t, filepath.Join(".", strings.TrimPrefix(r.Path, core)), places[r.Path], "%s replaces %s", dir, r.Path)
				delete(places, r.Path)
			}
		}
		require.Empty(t, places, "%s replaces what it does not require", dir)
		return nil
	}))
	require.NotZero(t, nested)
}

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
