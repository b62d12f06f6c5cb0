package rounds

import (
	"fmt"
	"runtime"
	"strings"
)

// panicError is a contained panic. It says where it was and of which type, but
// not the value, which may hold anything, unless the runtime itself made it.
type panicError struct{ text string }

func (e *panicError) Error() string { return e.text }

// Contain is deferred around code of the host's: it turns a panic in it into an
// error.
func Contain(what string, err *error) {
	if r := recover(); r != nil {
		*err = panicked(what, r)
	}
}

// panicked is called by the deferred function that recovered r.
func panicked(what string, r any) error {
	text := fmt.Sprintf("%s panicked with a %T", what, r)
	if e, ok := r.(runtime.Error); ok {
		text = fmt.Sprintf("%s panicked: %v", what, e)
	}
	// Past the frames of recovering and of the runtime is where it happened.
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		frame, more := frames.Next()
		if frame.Function != "" && !strings.HasPrefix(frame.Function, "runtime.") {
			return &panicError{fmt.Sprintf("%s in %s, line %d", text, frame.Function, frame.Line)}
		}
		if !more {
			return &panicError{text}
		}
	}
}

// Contain is deferred around a whole request: a panic in it is an internal error.
func (c *Call) Contain(err *error) {
	if r := recover(); r != nil {
		*err = c.Internal(panicked("the Issuer", r))
	}
}
