package jsonapi

import (
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"

	totperrors "example.com/devicetotp/errors"
)

// contain is deferred, and makes a panic an error. http.ErrAbortHandler is the one
// that is meant for the server.
func contain(err *error) {
	if v := recover(); v != nil {
		if v == http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
			panic(v)
		}
		*err = &Problem{Code: totperrors.CodeInternal, Err: &panicError{v, debug.Stack()}}
	}
}

// panicError is the panic of a collaborator. It is not unwrapped: a panic is a
// fault of the service even if it panicked with a refusal.
type panicError struct {
	value any
	stack []byte
}

// Error names the type, but not the value, which may hold a token or a
// credential, unless the runtime itself made it. The stack shows where it was.
func (e *panicError) Error() string {
	if err, ok := e.value.(runtime.Error); ok {
		return "devicetotp/jsonapi: " + err.Error()
	}
	return fmt.Sprintf("devicetotp/jsonapi: panic with a %T", e.value)
}
