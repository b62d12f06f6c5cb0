package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// patience is how long the checker may think about one account.
const patience = time.Minute

var models = map[string]porcupine.Model{"store": storeModel, "issuer": issuerModel}

// A violation is a history that no order of its operations explains.
type violation struct {
	model, account string
	picture        string // a path
}

// A part of a history is of one account.
type part struct{ model, account string }

func partsOf(history []operation) map[part][]operation {
	parts := map[part][]operation{}
	for _, o := range history {
		if tells(o) {
			p := part{o.Model, o.Account}
			parts[p] = append(parts[p], o)
		}
	}
	return parts
}

// isWrong reports whether check will find a violation in a history that goes on from
// there. It begins with what is short, and does not know of what takes long.
func isWrong(history []operation) bool {
	const soon = time.Second / 5
	parts := slices.SortedFunc(maps.Values(partsOf(history)), func(a, b []operation) int { return len(a) - len(b) })
	return slices.ContainsFunc(parts, func(part []operation) bool {
		return porcupine.CheckOperationsTimeout(models[part[0].Model], asPorcupine(part), soon) == porcupine.Illegal
	})
}

// until is what a history was at a moment: what had not returned then, had not yet.
func until(history []operation, moment int64) []operation {
	var was []operation
	for _, o := range history {
		if o.Call > moment {
			continue
		}
		if o.Return > moment {
			o.Output, o.Return = nil, 0
		}
		was = append(was, o)
	}
	return was
}

// check looks at each account of each model by itself: they share nothing. It
// returns the first violation, and leaves its picture in a new directory.
func check(history []operation) (*violation, error) {
	parts := partsOf(history)
	for _, p := range slices.SortedFunc(maps.Keys(parts), func(a, b part) int {
		return slices.Compare([]string{a.model, a.account}, []string{b.model, b.account})
	}) {
		model := models[p.model]
		result, info := porcupine.CheckOperationsVerbose(model, asPorcupine(parts[p]), patience)
		switch result {
		case porcupine.Ok:
		case porcupine.Unknown:
			return nil, fmt.Errorf("%s of %s: %d operations are too many to check in %s", p.model, p.account, len(parts[p]), patience)
		default:
			picture, err := draw(model, info)
			return &violation{p.model, p.account, picture}, err
		}
	}
	return nil, nil
}

// tells reports whether an operation says anything: one that was not sent does
// not, nor does one that changes nothing and did not return.
func tells(o operation) bool {
	if o.Output != nil && o.Output.Result == resultNotSent {
		return false
	}
	return o.Output.settled() || o.Input.Op != opLoad && o.Input.Op != opLook
}

// asPorcupine gives what never returned an end after everything else.
func asPorcupine(history []operation) []porcupine.Operation {
	end := int64(0)
	for _, o := range history {
		end = max(end, o.Call, o.Return)
	}
	operations := make([]porcupine.Operation, len(history))
	clients := map[int]int{} // which number the picture gives a client
	next := 0
	for i, o := range history {
		if _, known := clients[o.Client]; !known {
			clients[o.Client] = next
			next++
		}
		operations[i] = porcupine.Operation{ClientId: clients[o.Client], Input: o.Input, Call: o.Call, Output: o.Output, Return: o.Return}
		if !o.Output.settled() {
			operations[i].Return = end + 1
			delete(clients, o.Client) // it goes on, in a line of its own
		}
	}
	return operations
}

func draw(model porcupine.Model, info porcupine.LinearizationInfo) (path string, err error) {
	dir, err := os.MkdirTemp("", "linear")
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "history.html")
	return path, porcupine.VisualizePath(model, info, path)
}
