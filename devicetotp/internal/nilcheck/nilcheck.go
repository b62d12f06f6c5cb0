// Package nilcheck sees what comparing with nil does not.
package nilcheck

import "reflect"

// IsNil reports whether v is nil, or holds a nil pointer, function, map, slice or
// channel: a collaborator that would only fail when it is first asked.
func IsNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
		return r.IsNil()
	default:
		return false
	}
}
