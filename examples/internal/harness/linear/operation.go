package main

import (
	"fmt"
	"strings"
)

// An operation is one call of one client, as it is written down. Call and Return
// are readings of one clock, which all processes of a machine share.
type operation struct {
	ID      int     `json:"id"`
	Client  int     `json:"client"`
	Model   string  `json:"model"`
	Account string  `json:"account"`
	Input   input   `json:"input"`
	Output  *output `json:"output,omitempty"` // nil if it never returned
	Call    int64   `json:"call"`
	Return  int64   `json:"return,omitempty"`
}

// What clients call.
const (
	opLoad   = "Load"
	opSave   = "Save"
	opPut    = "Put"
	opLock   = "SetLocked"
	opRotate = "RotateHash"
	opInsert = "Insert"
	opDelete = "Delete"

	opAddCode = "AddCode"
	opCreate  = "Create"
	opProve   = "Prove"
	opRevoke  = "Revoke"
	opLook    = "look" // at what is stored
)

// input is what was called. Which fields are used depends on Op.
type input struct {
	Op     string  `json:"op"`
	Base   account `json:"base"` // what Save was loaded as; what Put and Insert are given
	Next   int64   `json:"next,omitempty"`
	Mark   int     `json:"mark,omitempty"`
	Locked bool    `json:"locked,omitempty"`
	From   string  `json:"from,omitempty"`
	To     string  `json:"to,omitempty"`
	Code   string  `json:"code,omitempty"`
	Device string  `json:"device,omitempty"`
}

// account is what a store keeps. Mark stands for the whole State.
type account struct {
	Exists   bool   `json:"exists,omitempty"`
	Version  int64  `json:"version,omitempty"`
	Mark     int    `json:"mark,omitempty"`
	Password string `json:"password,omitempty"`
	Locked   bool   `json:"locked,omitempty"`
}

// What an operation can come to, beside the error codes of the library.
const (
	resultDone     = "done"
	resultNothing  = "nothing" // there was nothing to delete, or something there already
	resultConflict = "conflict"
	resultNotFound = "not found"
	resultUnknown  = "unknown"
	resultNotSent  = "not sent"
)

// output is what the client got.
type output struct {
	Result  string   `json:"result"`
	Loaded  account  `json:"loaded"`
	Secret  string   `json:"secret,omitempty"` // a fingerprint of the one that was given
	Devices []string `json:"devices,omitempty"`
	Pending bool     `json:"pending,omitempty"` // a code waits to be used
	Spent   int      `json:"spent,omitempty"`
	Detail  string   `json:"detail,omitempty"` // an error's text, for the picture
}

func (a account) String() string {
	if !a.Exists {
		return "no account"
	}
	locked := ""
	if a.Locked {
		locked = " locked"
	}
	return fmt.Sprintf("v%d state %d %q%s", a.Version, a.Mark, a.Password, locked)
}

func (i input) String() string {
	switch i.Op {
	case opSave:
		return fmt.Sprintf("Save(%s; v%d state %d)", i.Base, i.Next, i.Mark)
	case opPut, opInsert:
		return fmt.Sprintf("%s(%s)", i.Op, i.Base)
	case opLock:
		return fmt.Sprintf("SetLocked(%t)", i.Locked)
	case opRotate:
		return fmt.Sprintf("RotateHash(%q, %q)", i.From, i.To)
	case opAddCode, opProve:
		return fmt.Sprintf("%s(%s)", i.Op, i.Code)
	case opCreate:
		return fmt.Sprintf("Create(%s, %s)", short(i.Device), i.Code)
	case opRevoke:
		return fmt.Sprintf("Revoke(%s)", short(i.Device))
	default:
		return i.Op
	}
}

func (o *output) describe(op string) string {
	switch {
	case o == nil:
		return "never returned"
	case o.Result != resultDone:
		return strings.TrimSpace(o.Result + " " + o.Detail)
	case op == opLoad:
		return o.Loaded.String()
	case op == opCreate:
		return "a device with secret " + o.Secret
	case op == opLook:
		devices := make([]string, len(o.Devices))
		for i, d := range o.Devices {
			devices[i] = short(d)
		}
		return fmt.Sprintf("devices %v, %d spent, pending: %t", devices, o.Spent, o.Pending)
	default:
		return o.Result
	}
}

// short is the end of an id, which is where ours differ.
func short(id string) string { return id[max(0, len(id)-4):] }

// settled reports whether it is known what became of the operation.
func (o *output) settled() bool { return o != nil && o.Result != resultUnknown }
