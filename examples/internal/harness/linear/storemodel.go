package main

import "github.com/anishathalye/porcupine"

// storeModel is the contract of credential.Store and of the host's side of the
// stores of this repository, for one account: a register with compare-and-set on
// everything that Load returns.
var storeModel = porcupine.Model{
	Init: func() any { return account{} },
	Step: func(state, in, out any) (bool, any) {
		possible, next := storeStep(state.(account), in.(input), out.(*output))
		return possible, next
	},
	DescribeOperation: describeOperation,
	DescribeState:     func(state any) string { return state.(account).String() },
}

func describeOperation(in, out any) string {
	i := in.(input)
	return i.String() + ": " + out.(*output).describe(i.Op)
}

// storeStep reports whether the operation can have returned that on the account,
// and returns the account after it. What never returned can have done what it
// does, or nothing: where it comes last, nobody saw it.
func storeStep(a account, in input, out *output) (possible bool, next account) {
	next, result := storeDo(a, in)
	switch {
	case !out.settled():
		return true, next
	case out.Result != result:
		return false, a
	case in.Op == opLoad && result == resultDone:
		return out.Loaded == a, a
	default:
		return true, next
	}
}

// storeDo is what each operation does to an account, and what it returns.
func storeDo(a account, in input) (next account, result string) {
	switch in.Op {
	case opSave:
		if !a.Exists || a != in.Base {
			return a, resultConflict
		}
		a.Version, a.Mark = in.Next, in.Mark
	case opPut:
		if !a.Exists {
			a = account{Exists: true}
		}
		a.Password, a.Locked = in.Base.Password, in.Base.Locked
	case opInsert:
		if a.Exists {
			return a, resultNothing
		}
		a = in.Base
	case opDelete:
		if !a.Exists {
			return a, resultNothing
		}
		a = account{}
	case opLock:
		if !a.Exists {
			return a, resultNotFound
		}
		a.Locked = in.Locked
	case opRotate:
		if !a.Exists || a.Password != in.From {
			return a, resultConflict
		}
		a.Password = in.To
	case opLoad:
		if !a.Exists {
			return a, resultNotFound
		}
	}
	return a, resultDone
}
