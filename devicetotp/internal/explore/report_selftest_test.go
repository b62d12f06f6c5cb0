package explore

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp"
)

// careless is an operation that answers although a conflict kept it from saving.
func careless() request {
	r := createWith(1, code, "")
	do := r.do
	r.do = func(ctx context.Context, i *devicetotp.Issuer) answer {
		if a := do(ctx, i); a.code == "" {
			return a
		}
		return answer{text: "granted all the same", granted: "anything"}
	}
	return r
}

// A violation is told with its kind, the shortest history with the fewest faults, what
// is stored at its end, and a line that repeats it.
func TestAViolationIsTold(t *testing.T) {
	sc := &scenario{name: "careless", account: home(nil), clients: [][]request{{verify("", homeCode(0)), verify("", wrongCode)}, {careless()}}}
	bubble(t, func(t *testing.T) {
		s := newSearch(sc, 2)
		s.run()
		require.NotNil(t, s.violation)
		told := s.report()
		require.True(t, strings.HasPrefix(told, "VIOLATION: an answer before its Save (I1)\n"), told)
		require.Contains(t, told, "a history of 5 moves:", "two for each request but the last: no shorter one ends")
		require.Contains(t, told, "Load: it fails and has no effect")
		require.Contains(t, told, "is answered: granted all the same")
		require.Contains(t, told, `Stored at the end (account locked: false, deleted: false):`)
		require.Contains(t, told, `"basis":"pin"`)

		_, line, found := strings.Cut(told, `-history "`)
		require.True(t, found)
		line, _, _ = strings.Cut(line, `"`)
		words := strings.Fields(line)
		require.Equal(t, "careless", words[0])
		moves, err := s.parse(words[1:])
		require.NoError(t, err)
		_, again := s.look(moves, 1, map[string]bool{})
		require.NotNil(t, again)
		require.Equal(t, s.violation.kind, again.kind)

		_, err = s.parse([]string{"go:1", "land=3"})
		require.ErrorContains(t, err, `move 2, "land=3"`)
	})
}
