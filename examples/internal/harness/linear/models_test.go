package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// history has each operation begin when the one before has ended, unless it says
// otherwise.
func history(model string, operations ...operation) []operation {
	for i := range operations {
		o := &operations[i]
		o.ID, o.Client, o.Model, o.Account = i, i, model, "a"
		if o.Call == 0 {
			o.Call, o.Return = int64(10*i+1), int64(10*i+5)
		}
	}
	return operations
}

func returned(in input, out output) operation { return operation{Input: in, Output: &out} }

func never(in input) operation { return operation{Input: in} }

// requireVerdict checks the history, and that a picture is left if, and only if,
// it is wrong.
func requireVerdict(t *testing.T, right bool, model string, operations ...operation) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	found, err := check(history(model, operations...))
	require.NoError(t, err)
	require.Equal(t, right, found == nil)
	pictures, err := filepath.Glob(filepath.Join(os.TempDir(), "*", "history.html"))
	require.NoError(t, err)
	if found != nil {
		require.Equal(t, []string{found.picture}, pictures)
	} else {
		require.Empty(t, pictures)
	}
}

func TestStoreModel(t *testing.T) {
	ok := output{Result: resultDone}
	conflict := output{Result: resultConflict}
	first := account{Exists: true, Version: 1, Mark: 1, Password: "p"}
	second := account{Exists: true, Version: 2, Mark: 2, Password: "p"}
	insert := returned(input{Op: opInsert, Base: first}, ok)
	save := input{Op: opSave, Base: first, Next: 2, Mark: 2}
	other := input{Op: opSave, Base: first, Next: 3, Mark: 3}
	sees := func(a account) operation { return returned(input{Op: opLoad}, output{Result: resultDone, Loaded: a}) }
	lock := returned(input{Op: opLock, Locked: true}, ok)
	locked := first
	locked.Locked = true
	for name, c := range map[string]struct {
		right      bool
		operations []operation
	}{
		"a save is seen":                           {true, []operation{insert, returned(save, ok), sees(second)}},
		"a stale load":                             {false, []operation{insert, returned(save, ok), sees(first)}},
		"two saves of one version":                 {false, []operation{insert, returned(save, ok), returned(other, ok)}},
		"one of two saves is refused":              {true, []operation{insert, returned(save, ok), returned(other, conflict)}},
		"a conflict for nothing":                   {false, []operation{insert, returned(save, conflict)}},
		"a save over the host's change":            {false, []operation{insert, lock, returned(save, ok)}},
		"the host's change is a conflict":          {true, []operation{insert, lock, returned(save, conflict), sees(locked)}},
		"a version that came back":                 {false, []operation{insert, returned(input{Op: opSave, Base: account{Exists: true, Version: 1, Mark: 9, Password: "p"}, Next: 2}, ok)}},
		"what never returned is seen":              {true, []operation{insert, never(save), sees(second)}},
		"what never returned is not seen":          {true, []operation{insert, never(save), sees(first)}},
		"what never returned is seen late":         {true, []operation{insert, never(save), sees(first), sees(second)}},
		"what never returned comes and goes":       {false, []operation{insert, never(save), sees(second), sees(first)}},
		"a lost save":                              {false, []operation{insert, returned(save, ok), returned(input{Op: opLoad}, output{Result: resultNotFound})}},
		"an account that comes back":               {false, []operation{insert, returned(input{Op: opDelete}, ok), sees(first)}},
		"a delete of nothing":                      {true, []operation{returned(input{Op: opDelete}, output{Result: resultNothing})}},
		"put keeps the state":                      {true, []operation{insert, returned(input{Op: opPut, Base: account{Password: "q"}}, ok), sees(account{Exists: true, Version: 1, Mark: 1, Password: "q"})}},
		"put over the state":                       {false, []operation{insert, returned(input{Op: opPut, Base: account{Password: "q"}}, ok), sees(account{Exists: true, Password: "q"})}},
		"rotate compares":                          {false, []operation{insert, returned(input{Op: opRotate, From: "x", To: "q"}, ok)}},
		"what was not sent says nothing":           {true, []operation{insert, returned(save, output{Result: resultNotSent}), sees(first)}},
		"an unknown load says nothing":             {true, []operation{insert, returned(input{Op: opLoad}, output{Result: resultUnknown})}},
		"a second insert reports that it did none": {true, []operation{insert, returned(input{Op: opInsert, Base: second}, output{Result: resultNothing}), sees(first)}},
	} {
		t.Run(name, func(t *testing.T) { requireVerdict(t, c.right, "store", c.operations...) })
	}
}

func TestStoreModelAllowsEitherOrderOfWhatOverlaps(t *testing.T) {
	first := account{Exists: true, Version: 1}
	write := returned(input{Op: opInsert, Base: first}, output{Result: resultDone})
	write.Call, write.Return = 1, 100
	for _, out := range []output{{Result: resultNotFound}, {Result: resultDone, Loaded: first}} {
		read := returned(input{Op: opLoad}, out)
		read.Call, read.Return = 10, 20
		requireVerdict(t, true, "store", write, read)
	}
}

func TestIssuerModel(t *testing.T) {
	ok := output{Result: resultDone}
	refused := func(code string) output { return output{Result: code} }
	wrong := refused("invalid-credentials")
	given := output{Result: resultDone, Secret: "s"}
	add := func(code string) operation { return returned(input{Op: opAddCode, Code: code}, ok) }
	create := func(device, code string) input { return input{Op: opCreate, Device: device, Code: code} }
	look := func(spent int, pending bool, devices ...string) operation {
		return returned(input{Op: opLook}, output{Result: resultDone, Spent: spent, Pending: pending, Devices: devices})
	}
	for name, c := range map[string]struct {
		right      bool
		operations []operation
	}{
		"a code makes a device":                 {true, []operation{add("1"), look(0, true), returned(create("d", "1"), given), look(1, false, "d")}},
		"a code makes two devices":              {false, []operation{add("1"), returned(create("d", "1"), given), returned(create("e", "1"), given)}},
		"a code is used twice":                  {false, []operation{add("1"), returned(create("d", "1"), given), returned(input{Op: opProve, Code: "1"}, ok)}},
		"a repetition":                          {true, []operation{add("1"), returned(create("d", "1"), given), returned(create("d", "1"), given)}},
		"a repetition with another secret":      {false, []operation{add("1"), returned(create("d", "1"), given), returned(create("d", "1"), output{Result: resultDone, Secret: "x"})}},
		"a repetition of what never returned":   {true, []operation{add("1"), never(create("d", "1")), returned(create("d", "1"), given)}},
		"a device of what never returned":       {true, []operation{add("1"), never(create("d", "1")), look(1, false, "d")}},
		"a right code is refused":               {false, []operation{add("1"), returned(create("d", "1"), wrong)}},
		"a right code waits":                    {true, []operation{add("1"), returned(create("d", "1"), refused("too-many-attempts"))}},
		"a device without a spent code":         {false, []operation{add("1"), returned(create("d", "1"), given), look(0, true, "d")}},
		"a spent code without its device":       {false, []operation{add("1"), returned(create("d", "1"), given), look(1, false)}},
		"a code that nobody announced":          {false, []operation{returned(create("d", "1"), given)}},
		"a spent code is not revived":           {false, []operation{add("1"), returned(input{Op: opProve, Code: "1"}, ok), add("1"), look(1, true)}},
		"a newer code replaces":                 {false, []operation{add("1"), add("2"), returned(create("d", "1"), given)}},
		"a code announced again replaces none":  {true, []operation{add("1"), add("2"), add("1"), returned(create("d", "2"), given)}},
		"another code replaces the device":      {true, []operation{add("1"), returned(create("d", "1"), given), add("2"), returned(create("d", "2"), output{Result: resultDone, Secret: "x"}), look(2, false, "d")}},
		"the earlier code of a device":          {true, []operation{add("1"), returned(create("d", "1"), given), add("2"), returned(create("d", "2"), given), returned(create("d", "1"), refused("id-in-use"))}},
		"id-in-use for nothing":                 {false, []operation{add("1"), returned(create("d", "1"), refused("id-in-use"))}},
		"a revoked device does not come back":   {false, []operation{add("1"), returned(create("d", "1"), given), returned(input{Op: opRevoke, Device: "d"}, ok), returned(create("d", "1"), given)}},
		"a revoked id is taken":                 {true, []operation{add("1"), returned(create("d", "1"), given), returned(input{Op: opRevoke, Device: "d"}, ok), returned(create("d", "1"), refused("id-in-use")), look(1, false)}},
		"an internal error":                     {false, []operation{add("1"), returned(create("d", "1"), refused("internal-error"))}},
		"an account that is gone":               {false, []operation{add("1"), returned(input{Op: opLook}, output{Result: resultNotFound})}},
		"an account that nobody has called yet": {true, []operation{returned(input{Op: opLook}, output{Result: resultNotFound}), add("1")}},
	} {
		t.Run(name, func(t *testing.T) { requireVerdict(t, c.right, "issuer", c.operations...) })
	}
}

func TestRestsOnLoad(t *testing.T) {
	for _, c := range []struct {
		rests bool
		o     operation
	}{
		{true, operation{Model: "store", Input: input{Op: opLoad}, Output: &output{Result: resultDone}}},
		{true, operation{Model: "store", Input: input{Op: opSave}, Output: &output{Result: resultConflict}}},
		{false, operation{Model: "store", Input: input{Op: opSave}, Output: &output{Result: resultDone}}},
		{false, operation{Model: "store", Input: input{Op: opSave}}},
		{true, operation{Model: "issuer", Input: input{Op: opLook}, Output: &output{Result: resultDone}}},
		{true, operation{Model: "issuer", Input: input{Op: opCreate}, Output: &output{Result: "id-in-use"}}},
		{false, operation{Model: "issuer", Input: input{Op: opCreate}, Output: &output{Result: "invalid-credentials"}}},
		{false, operation{Model: "issuer", Input: input{Op: opCreate}, Output: &output{Result: resultUnknown}}},
	} {
		require.Equal(t, c.rests, restsOnLoad(c.o), "%+v", c.o.Input)
	}
}

func TestIsWrongFromTheFirstMomentOn(t *testing.T) {
	first := account{Exists: true, Version: 1}
	h := history("store",
		returned(input{Op: opInsert, Base: first}, output{Result: resultDone}),
		returned(input{Op: opDelete}, output{Result: resultDone}),
		returned(input{Op: opLoad}, output{Result: resultDone, Loaded: first}), // from 21 to 25
		never(input{Op: opDelete}),
	)
	for moment, want := range map[int64]bool{0: false, 11: false, 20: false, 24: false, 25: true, 100: true} {
		require.Equal(t, want, isWrong(until(h, moment)), "%d", moment)
	}
	require.Len(t, until(h, 24), 3)
	require.NotNil(t, h[2].Output, "the history itself stays as it is")
}
