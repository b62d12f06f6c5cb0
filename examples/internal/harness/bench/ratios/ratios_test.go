package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const output = `goos: linux
BenchmarkMatch/hit-2  13  11 ours-allocs  1200 ours-ns  12 peer-allocs  2000 peer-ns
BenchmarkMatch/hit-2  13  11 ours-allocs  9900 ours-ns  12 peer-allocs  2000 peer-ns
BenchmarkMatch/hit-2  13  11 ours-allocs  500 ours-ns  12 peer-allocs  2000 peer-ns
BenchmarkServer-2  10  13 ours-allocs  200 ours-ns  12 peer-allocs  100 peer-ns
BenchmarkDevices/1_devices/Verify_a_wrong_code-2	10	  8000 ns/op	 303 state-bytes
PASS
`

func TestTheRunInTheMiddleIsComparedWithTheGoal(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(strings.NewReader(output), &out, ""))
	require.True(t, strings.HasPrefix(out.String(), output), "benchstat reads what is passed on")
	added := strings.TrimPrefix(out.String(), output)
	require.Regexp(t, `(?m)^match a right device code.* 1\.20 us +2\.00 us +0\.600 +0\.65  met +11, 12$`, added)
	require.Regexp(t, `(?m)^HTTP behind a server.* 200 ns +100 ns +2\.000 +1\.54  missed +13, 12$`, added)
	require.Regexp(t, `(?m)^Create on a PIN, bcrypt.* did not run$`, added)
	require.NotContains(t, added, "Benchmark", "benchstat does not take it for a result")
}

func TestAFailedBenchmarkIsAFailure(t *testing.T) {
	for _, line := range []string{"--- FAIL: BenchmarkMatch", "FAIL\texample.com/x 1s"} {
		require.Error(t, run(strings.NewReader(line+"\n"), &bytes.Buffer{}, ""))
	}
}

func TestALimitHasNoGoal(t *testing.T) {
	var out bytes.Buffer
	line := "BenchmarkVerifyTwentyDevices/alone-2  10  73 ours-allocs  3000 ours-ns  60 peer-allocs  2000 peer-ns\n"
	require.NoError(t, run(strings.NewReader(line), &out, ""))
	require.Regexp(t, `(?m)^the same; peer: opening 20 .* 1\.500 +none +73, 60$`, out.String())
}
