package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"example.com/devicetotp/devicetotp"
)

// issuerModel is what the library promises about one account: a code is used
// once, and there is a device if, and only if, its proof is spent. It knows
// nothing of how failures are counted: too-many-attempts is always possible, and
// changes nothing here.
var issuerModel = porcupine.Model{
	Init: func() any { return household{} },
	Step: func(state, in, out any) (bool, any) {
		return issuerStep(state.(household), in.(input), out.(*output))
	},
	Equal:             reflect.DeepEqual,
	DescribeOperation: describeOperation,
	DescribeState:     func(state any) string { return state.(household).String() },
}

// household is one account with its devices. Its maps are never changed, and nil
// where they are empty.
type household struct {
	pending string // the code that can be used; "" for none
	codes   map[string]bool
	devices map[string]device
	revoked map[string]bool
	spent   int
}

// device stands on a code.
type device struct {
	code   string
	secret string // "" if nobody has seen it yet
}

func (h household) String() string {
	return fmt.Sprintf("pending %q, devices %v, revoked %v, %d spent", h.pending, h.devices, slices.Sorted(maps.Keys(h.revoked)), h.spent)
}

// with returns m with one entry more or another.
func with[V any](m map[string]V, key string, value V) map[string]V {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]V{}
	}
	m[key] = value
	return m
}

func without[V any](m map[string]V, key string) map[string]V {
	m = maps.Clone(m)
	delete(m, key)
	if len(m) == 0 {
		return nil
	}
	return m
}

func issuerStep(h household, in input, out *output) (possible bool, next household) {
	if out.settled() && out.Result == string(devicetotp.CodeTooManyAttempts) {
		return in.Op != opLook && in.Op != opRevoke, h
	}
	switch in.Op {
	case opAddCode:
		return !out.settled() || out.Result == resultDone, h.addCode(in.Code)
	case opCreate:
		return h.create(in, out)
	case opProve:
		return h.prove(in, out)
	case opRevoke:
		return !out.settled() || out.Result == resultDone, h.revoke(in.Device)
	default:
		return h.look(out), h
	}
}

// addCode announces a code. One that was announced before is not revived.
func (h household) addCode(code string) household {
	if !h.codes[code] {
		h.codes, h.pending = with(h.codes, code, true), code
	}
	return h
}

func (h household) spend() household {
	h.pending, h.spent = "", h.spent+1
	return h
}

func (h household) prove(in input, out *output) (possible bool, next household) {
	good := in.Code == h.pending
	switch {
	case !out.settled() && !good:
		return true, h
	case !out.settled():
		return true, h.spend()
	case out.Result == resultDone:
		return good, h.spend()
	default:
		return !good && out.Result == string(devicetotp.CodeInvalidCredentials), h
	}
}

// create gives a device on the pending code; gives the same again to a request
// that presents what it was made on; and refuses everything else.
func (h household) create(in input, out *output) (possible bool, next household) {
	d, there := h.devices[in.Device]
	again := there && d.code == in.Code
	first := !again && in.Code == h.pending && !h.revoked[in.Device]
	given := h
	switch {
	case first:
		given = h.spend()
		given.devices = with(h.devices, in.Device, device{code: in.Code, secret: secretOf(out)})
	case again && d.secret == "":
		given.devices = with(h.devices, in.Device, device{code: in.Code, secret: secretOf(out)})
	}
	switch {
	case !out.settled():
		return true, given
	case out.Result == resultDone:
		return first || again && (d.secret == "" || d.secret == out.Secret), given
	case out.Result == string(devicetotp.CodeIDInUse):
		return !first && !again && (there || h.revoked[in.Device]), h
	default:
		return !first && !again && out.Result == string(devicetotp.CodeInvalidCredentials), h
	}
}

func secretOf(out *output) string {
	if out == nil {
		return ""
	}
	return out.Secret
}

func (h household) revoke(id string) household {
	if _, there := h.devices[id]; there {
		h.devices, h.revoked = without(h.devices, id), with(h.revoked, id, true)
	}
	return h
}

// look compares what is stored.
func (h household) look(out *output) bool {
	if !out.settled() {
		return true
	}
	if out.Result == resultNotFound { // nobody has called it yet
		return len(h.codes) == 0
	}
	return out.Result == resultDone && out.Pending == (h.pending != "") && out.Spent == h.spent &&
		strings.Join(out.Devices, " ") == strings.Join(slices.Sorted(maps.Keys(h.devices)), " ")
}
