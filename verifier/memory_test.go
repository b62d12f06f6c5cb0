package verifier_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

const hashMiB = 19 // of the default cost

// What the stored hashes cost: the default, and the most memory that is accepted.
const (
	defaultCost   = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$ODknSyvjzuf7qXFWafd7wtlXEuMyjdXNEEINIOgvMLc"
	highestMemory = "$argon2id$v=19$m=262144,t=1,p=1$c2FsdHNhbHRzYWx0$ODknSyvjzuf7qXFWafd7wtlXEuMyjdXNEEINIOgvMLc"
)

// peakMemory runs the command in testdata/peakmemory in a process of its own
// with GOMAXPROCS=2, so that the default hasher runs one hash at a time. The
// process keeps live MiB besides.
func peakMemory(t *testing.T, program string, requests int, stored string, live int, limit string) (out struct {
	PeakKiB         int
	Answered, Wrong int64
}) {
	t.Helper()
	run := exec.CommandContext(t.Context(), program, "-requests", strconv.Itoa(requests), "-stored", stored, "-live", strconv.Itoa(live))
	run.Env = append(os.Environ(), "GOMAXPROCS=2", "GOGC=100", "GOMEMLIMIT="+limit)
	run.Stderr = os.Stderr
	b, err := run.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &out))
	t.Logf("%d requests: peak %d MiB, %d answered meanwhile", requests, out.PeakKiB/1024, out.Answered)
	return out
}

// requireBelow holds that the best of three runs peaks below most, in KiB.
func requireBelow(t *testing.T, most int, peak func() int) {
	t.Helper()
	best := most
	for run := 0; run < 3 && best >= most; run++ {
		best = peak()
	}
	require.Less(t, best, most)
}

// Two hundred passwords at once stay below 100 MB in one process with the
// default cost, and who needs no hashing is answered meanwhile. Where other
// programs keep the processors busy the garbage collector falls behind and adds
// to the peak, but nothing takes from it: so the best of three runs counts, and
// each stays far below the 3.9 GB that two hundred hashes side by side take.
//
// A process that keeps something alive takes more, because the garbage collector
// waits until the heap has doubled. GOMEMLIMIT with room for what lives and for two
// hashes, one computed and one not yet collected, keeps it from that.
//
// One imported hash of 256 MiB does not take that times the number of requests.
func TestPeakMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the high-water mark of memory is read from Linux's /proc")
	}
	if testing.Short() {
		t.Skip("hashes for several seconds")
	}
	program := filepath.Join(t.TempDir(), "peakmemory")
	build := exec.CommandContext(t.Context(), "go", "build", "-race=false", "-o", program, "./testdata/peakmemory")
	build.Stderr = os.Stderr
	require.NoError(t, build.Run())
	t.Run("200 passwords of the default cost", func(t *testing.T) {
		const limit = 100_000_000 / 1024
		requireBelow(t, limit, func() int {
			got := peakMemory(t, program, 200, defaultCost, 0, "off")
			require.Zero(t, got.Wrong)
			require.Less(t, got.PeakKiB, 3*limit)
			require.Greater(t, got.PeakKiB, hashMiB*1024, "the hashing was measured at all")
			require.GreaterOrEqual(t, got.Answered, int64(200), "others were answered meanwhile")
			return got.PeakKiB
		})
	})
	t.Run("beside what a service keeps, with GOMEMLIMIT", func(t *testing.T) {
		const live = 12
		const limit = live + 4 + 2*hashMiB            // as OPERATIONS.md says: 4 for the runtime, Parallel is 1
		requireBelow(t, (limit+11)*1024, func() int { // 11 for the program
			got := peakMemory(t, program, 60, defaultCost, live, fmt.Sprintf("%dMiB", limit))
			require.Zero(t, got.Wrong)
			require.Greater(t, got.PeakKiB, (live+hashMiB)*1024, "the hashing was measured at all")
			return got.PeakKiB
		})
	})
	t.Run("12 requests against a hash of 256 MiB", func(t *testing.T) {
		got := peakMemory(t, program, 12, highestMemory, 0, "off")
		require.Zero(t, got.Wrong)
		require.Less(t, got.PeakKiB, 8*262144, "twelve times 256 MiB would be 3 GiB")
		require.Greater(t, got.PeakKiB, 262144)
	})
}
