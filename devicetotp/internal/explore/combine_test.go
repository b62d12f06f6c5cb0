package explore

import "fmt"

// items are the requests that combinations are made of, at least one for each
// method of devicetotp.Issuer, in the file of its operation. An item is given the
// number of its client, from 1, so that two of the same kind can differ where they
// must.
var items []func(client int) request

func register(item func(client int) request) { items = append(items, item) }

// used is the household after a code of its device was accepted, so that it can be
// rotated.
func used() *household { return home(nil, verify("", homeCode(-1))) }

// pairs returns every ordered pair of items. In each, the first client sends its
// request a second time, as one that never got the answer does.
func pairs() (out []*scenario) {
	at := used()
	for i, a := range items {
		for j, b := range items {
			out = append(out, &scenario{
				name: fmt.Sprintf("pair-%d-%d", i, j), account: at, words: a(1).words + ", twice; " + b(2).words,
				clients: [][]request{{a(1), a(1)}, {b(2)}},
			})
		}
	}
	return out
}

// couples returns every pair of items, each sent once.
func couples() (out []*scenario) {
	at := used()
	for i, a := range items {
		for j, b := range items[i:] {
			out = append(out, &scenario{
				name: fmt.Sprintf("couple-%d-%d", i, i+j), account: at, words: a(1).words + "; " + b(2).words,
				clients: [][]request{{a(1)}, {b(2)}},
			})
		}
	}
	return out
}

// triples returns every three operations at once, the first item of each.
func triples() (out []*scenario) {
	at := used()
	first := firsts()
	for i, a := range first {
		for j, b := range first[i:] {
			for k, c := range first[i+j:] {
				out = append(out, &scenario{
					name: fmt.Sprintf("triple-%d-%d-%d", i, i+j, i+j+k), account: at,
					words:   a(1).words + "; " + b(2).words + "; " + c(3).words,
					clients: [][]request{{a(1)}, {b(2)}, {c(3)}},
				})
			}
		}
	}
	return out
}

// firsts returns the first item of each operation.
func firsts() (out []func(int) request) {
	seen := map[string]bool{}
	for _, item := range items {
		if m := item(1).method; !seen[m] {
			seen[m] = true
			out = append(out, item)
		}
	}
	return out
}
