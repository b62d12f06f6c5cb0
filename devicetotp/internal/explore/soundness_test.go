package explore

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Merging equal states loses no history and no end of one: a search that merges
// counts as many histories as one that runs each, and reaches the same ends. The
// states that it merges are equal in everything that is stored, known and waited for.
func TestMergingIsSound(t *testing.T) {
	three := [][]request{{createWith(1, code, "")}, {createWith(2, "", "0000")}, {verify("", homeCode(0))}}
	two := [][]request{{createWith(1, code, "")}, {verify("", homeCode(0))}}
	for _, c := range []struct {
		scenario
		faults int
	}{
		{scenario{name: "three", clients: three}, 0},
		{scenario{name: "two with a fault", clients: two}, 1},
		{scenario{name: "two and the host", clients: two, menu: quiet, hostChanges: []hostChange{newPIN, erases}, crowded: true}, affordable(2)},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c.account = home(nil)
				merged, plain := newSearch(&c.scenario, c.faults), newSearch(&c.scenario, c.faults)
				merged.checks, merged.ends = true, map[string]uint64{}
				plain.unmerged, plain.ends = true, map[string]uint64{}
				merged.run()
				plain.run()
				require.Nil(t, merged.violation)
				require.Nil(t, plain.violation)
				require.Equal(t, plain.histories, merged.histories)
				require.EqualValues(t, plain.executed, plain.histories)
				require.Less(t, merged.executed, plain.executed)
				for end := range plain.ends {
					require.Contains(t, merged.ends, end)
				}
				require.Len(t, merged.ends, len(plain.ends))
			})
		})
	}
}

// What merging compares is compared in every named scenario, too.
func TestMergedStatesAreEqual(t *testing.T) {
	for _, sc := range named() {
		if sc.heavy() {
			continue
		}
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				s := newSearch(sc, affordable(1))
				s.checks = true
				s.run()
				require.Nil(t, s.violation)
			})
		})
	}
}
