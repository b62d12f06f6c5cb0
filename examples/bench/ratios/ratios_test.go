package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const output = `goos: linux
BenchmarkMatch/hit/ours-2         	  100	      1900 ns/op	    1161 B/op	      11 allocs/op
BenchmarkMatch/hit/ours-2         	  100	      9900 ns/op	    1161 B/op	      11 allocs/op
BenchmarkMatch/hit/pquerna-2      	  100	      2000 ns/op	    1160 B/op	      12 allocs/op
BenchmarkCreateHashed/argon2id-2  13  70 ns/op  100 bare-ns  103 ours-ns
BenchmarkCreateHashed/argon2id-2  13  70 ns/op  100 bare-ns  500 ours-ns
BenchmarkCreateHashed/argon2id-2  13  70 ns/op  200 bare-ns  202 ours-ns
BenchmarkServer/plain-2         	   10	    100 ns/op
BenchmarkServer/jsonapi-2       	   10	    200 ns/op
BenchmarkDevices/1_devices/Verify_a_wrong_code-2	10	  8000 ns/op	 303 state-bytes
PASS
`

func TestTheLeastTimesAreComparedWithTheGoal(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(strings.NewReader(output), &out, ""))
	require.True(t, strings.HasPrefix(out.String(), output), "benchstat reads what is passed on")
	added := strings.TrimPrefix(out.String(), output)
	require.Regexp(t, `(?m)^match a right device code.* 1\.90 us +2\.00 us +0\.950 +1\.00  met +11, 12$`, added)
	require.Regexp(t, `(?m)^HTTP behind a server.* 200 ns +100 ns +2\.000 +1\.54  missed`, added)
	require.Regexp(t, `(?m)^Create on a PIN, argon2id.* 103 ns +100 ns +1\.030 +1\.02  missed +-$`, added, "the run in the middle")
	require.Regexp(t, `(?m)^Create on a PIN, bcrypt.* did not run$`, added)
	require.NotContains(t, added, "Benchmark", "benchstat does not take it for a result")
}

func TestAFailedBenchmarkIsAFailure(t *testing.T) {
	for _, line := range []string{"--- FAIL: BenchmarkMatch", "FAIL\texample.com/x 1s"} {
		require.Error(t, run(strings.NewReader(line+"\n"), &bytes.Buffer{}, ""))
	}
}
