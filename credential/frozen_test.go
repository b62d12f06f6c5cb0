package credential_test

import (
	"flag"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// What a version stores, every later one reads, verifies and writes back without a
// loss. testdata/frozen holds what was stored, one file a shape, and
// testdata/frozen.sha256 the list of them. A file is made once and never written
// again: if a test here fails, mend the code, or give the change a format of its
// own, and leave the files.
var writeFrozen = flag.Bool("write-frozen", false, "freeze the shapes that testdata/frozen.sha256 does not list")

// shape is something that is stored.
type shape struct {
	// make makes it, once and for all.
	make func(t *testing.T) []byte
	// read shows that it is still understood.
	read func(t *testing.T, stored []byte)
}

func shapes() map[string]shape {
	all := map[string]shape{}
	for _, some := range []map[string]shape{sealedShapes(), digestShapes(), hashShapes(), stateShapes(), accountShapes()} {
		for name, s := range some {
			all[name] = s
		}
	}
	return all
}

func TestFrozenShapesAreReadForEver(t *testing.T) {
	all := shapes()
	files := frozenFiles{"testdata"}
	if *writeFrozen {
		for name, s := range all {
			require.NoError(t, files.freeze(name, func() []byte { return s.make(t) }))
		}
	}
	require.Empty(t, files.faults(all), "what was ever frozen stays, and what is new is frozen with -write-frozen")
	for name, s := range all {
		t.Run(name, func(t *testing.T) {
			stored, err := files.stored(name)
			require.NoError(t, err)
			s.read(t, stored)
		})
	}
}

// Each purpose of a key has its shapes: under an older key, and under the primary.
func TestEachPurposeIsFrozen(t *testing.T) {
	for _, p := range credential.Purposes() {
		for _, key := range []string{"old", "new"} {
			found := 0
			for name := range shapes() {
				if strings.Contains(name, "."+string(p)+".") && strings.HasSuffix(name, ".key-"+key) {
					found++
				}
			}
			require.Positive(t, found, "%s under the key %q", p, key)
		}
	}
}

// The keys that made the frozen values: the text of a key file is a format, too.
// The bytes are 32 times the letter o and 32 times the letter n.
const (
	frozenOldKey = "old:b29vb29vb29vb29vb29vb29vb29vb29vb29vb29vb28="
	frozenNewKey = "new:bm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm4="
)

// frozenKeys returns a keyring of the older key, of the newer one, or of both, which
// has the newer one as its primary.
func frozenKeys(t *testing.T, which string) *credential.Keyring {
	t.Helper()
	text, known := map[string]string{
		"old": frozenOldKey, "new": frozenNewKey, "both": "# oldest first\n" + frozenOldKey + "\n*" + frozenNewKey + "\n",
	}[which]
	require.True(t, known)
	keys, err := credential.ParseKeyring(text)
	require.NoError(t, err)
	return keys
}
