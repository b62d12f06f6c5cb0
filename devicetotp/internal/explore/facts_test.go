package explore

// Equal states are found by what led to them. What a client does next depends on
// nothing but what it was told, and a stored value on nothing but its writer and
// what that one had been told; random numbers make no difference. So each client
// and each value is named by a chain of facts, and equal chains get equal names.

// names gives a number to each chain of facts, and remembers the dump of each
// value that has one.
type names struct {
	facts map[fact]int
	dumps map[int]string
}

func newNames() *names { return &names{map[fact]int{}, map[int]string{}} }

// fact is one more thing that was told, or done, after the chain named before.
type fact struct {
	before int
	what   happening
	a, b   int
}

type happening uint8

const (
	isClient happening = iota + 1
	readClock
	loaded
	loadFailed
	foundNothing
	saved
	conflicted
	saveFailed
	crashed
	hungUp
	wrote
	foreignWrote
	hostChanged
)

func (n *names) of(f fact) int {
	id, known := n.facts[f]
	if !known {
		id = len(n.facts) + 1
		n.facts[f] = id
	}
	return id
}
