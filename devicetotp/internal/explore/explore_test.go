package explore

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp"
)

var (
	long    = flag.Bool("long", false, "explore for twenty minutes")
	only    = flag.String("only", "", "explore these scenarios only, separated by commas")
	history = flag.String("history", "", "a history to repeat")
	update  = flag.Bool("update", false, "write the totals")
)

// summary is the last line of a run.
var summary string

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // all that is explored is short-lived
	code := m.Run()
	if code == 0 && summary != "" {
		fmt.Println(summary)
	}
	os.Exit(code)
}

// load is scenarios and how many faults each history of them has at most.
type load struct {
	scenarios []*scenario
	faults    int
}

// tally is what was explored.
type tally struct {
	mu        sync.Mutex
	histories uint64
	executed  int
	scenarios int
	lines     []string // exact totals
}

func (y *tally) add(s *search) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.histories += s.histories
	y.executed += s.executed
	y.scenarios++
	y.lines = append(y.lines, fmt.Sprintf("%s %d %d", s.name, s.faults, s.histories))
}

// explore runs all histories of the loads.
func explore(t *testing.T, loads ...load) *tally {
	t.Helper()
	total := &tally{}
	t.Run("all", func(t *testing.T) {
		for _, l := range loads {
			for _, sc := range l.scenarios {
				if *only != "" && !slices.Contains(strings.Split(*only, ","), sc.name) {
					continue
				}
				t.Run(fmt.Sprintf("%s-%d", sc.name, l.faults), func(t *testing.T) {
					t.Parallel()
					bubble(t, func(t *testing.T) {
						s := newSearch(sc, l.faults)
						if s.run(); s.violation != nil {
							t.Fatal(s.report())
						}
						total.add(s)
						t.Logf("%s %d histories, %d executed", sc.words, s.histories, s.executed)
					})
				})
			}
		}
	})
	return total
}

// bubble runs f where waiting takes no time.
func bubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// requireTotals holds that the number of histories of each scenario is the one
// that is written down, so that a choice that is lost is noticed.
func (y *tally) requireTotals(t *testing.T, file string) {
	t.Helper()
	slices.Sort(y.lines)
	have := strings.Join(y.lines, "\n") + "\n"
	path := filepath.Join("testdata", file)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(have), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), have, "other histories than before: if that is right, run with -update")
}

// TestEveryHistory explores what fits into a minute on two cores: the named
// scenarios and every pair of operations, with one fault and a repetition. Where the
// race detector or the coverage tool makes it slow there is no fault.
func TestEveryHistory(t *testing.T) {
	faults := affordable(1)
	total := explore(t, load{named(), faults}, load{pairs(), faults})
	if !t.Failed() && *only == "" && faults == 1 {
		total.requireTotals(t, "totals.txt")
		total.summarize("1 fault")
	}
}

// affordable returns the number of faults, or one less where every step is slow.
func affordable(faults int) int {
	if underRace || testing.CoverMode() != "" {
		return faults - 1
	}
	return faults
}

func (y *tally) summarize(faults string) {
	summary = fmt.Sprintf("%d histories, %d executed, %d scenarios, %s a history, 0 violations", y.histories, y.executed, y.scenarios, faults)
}

// TestEveryHistoryAtLength explores what takes twenty minutes: the named scenarios
// and each pair of operations with two faults, and every three operations, and what
// is named and as large, with one.
func TestEveryHistoryAtLength(t *testing.T) {
	if !*long {
		t.Skip("for make explore: run with -long")
	}
	light := slices.DeleteFunc(named(), (*scenario).heavy)
	heavy := slices.DeleteFunc(named(), func(s *scenario) bool { return !s.heavy() })
	total := explore(t, load{light, 2}, load{heavy, 1}, load{couples(), 2}, load{triples(), 1})
	if !t.Failed() && *only == "" {
		total.summarize("up to 2 faults")
	}
}

// TestHistory repeats one history, and fails if it violates something.
func TestHistory(t *testing.T) {
	words := strings.Fields(*history)
	if len(words) == 0 {
		t.Skip("no -history given")
	}
	for _, sc := range slices.Concat(named(), pairs(), couples(), triples()) {
		if sc.name == words[0] {
			bubble(t, func(t *testing.T) { repeat(t, sc, words[1:]) })
			return
		}
	}
	t.Fatalf("there is no scenario %q", words[0])
}

func repeat(t *testing.T, sc *scenario, words []string) {
	s := newSearch(sc, len(words))
	moves, err := s.parse(words)
	require.NoError(t, err)
	fmt.Print(s.tell(moves))
	if _, found := s.look(moves, len(moves), map[string]bool{}); found != nil {
		t.Fatalf("VIOLATION: %s\n%s", found.kind, found.detail)
	}
}

// Each operation has an item for the combinations, so that none can be forgotten.
func TestEachOperationHasItsItem(t *testing.T) {
	var have []string
	for _, item := range items {
		have = append(have, item(1).method)
	}
	issuer := reflect.TypeFor[*devicetotp.Issuer]()
	for i := range issuer.NumMethod() {
		require.Contains(t, have, issuer.Method(i).Name, "register an item in a file item_..._test.go")
	}
}
