package credential_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// stateShapes are the frozen States, which are read and written byte for byte.
func stateShapes() map[string]shape {
	all := map[string]shape{}
	for name, s := range credential.FrozenStates() {
		all["state."+name] = shape{
			func(t *testing.T) []byte { return encoded(t, s) },
			func(t *testing.T, stored []byte) {
				require.Equal(t, stored, encoded(t, s), "it is written as it was")
				back := decoded(t, stored)
				require.Equal(t, s, back, "it is read as it was")
				require.Equal(t, stored, encoded(t, back), "what was read is written without a loss")
				require.Equal(t, stored, encoded(t, back.Clone()), "and so is a copy of it")
			},
		}
	}
	return all
}

func encoded(t *testing.T, s credential.State) []byte {
	t.Helper()
	b, err := s.MarshalBinary()
	require.NoError(t, err)
	require.NoError(t, s.Check())
	return b
}

func decoded(t *testing.T, b []byte) (s credential.State) {
	t.Helper()
	require.NoError(t, s.UnmarshalBinary(b))
	return s
}

// Each field of a State, at every level, is set in a frozen shape.
func TestEachFieldOfAStateIsFrozen(t *testing.T) {
	set := map[string]bool{}
	for _, s := range credential.FrozenStates() {
		mark(set, "State", reflect.ValueOf(s))
	}
	for _, path := range paths("State", reflect.TypeFor[credential.State]()) {
		require.True(t, set[path], "no frozen State has a %s: add a shape", path)
	}
}

// mark notes the path of each field below v that is not zero.
func mark(set map[string]bool, path string, v reflect.Value) {
	if !v.IsZero() {
		set[path] = true
	}
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			mark(set, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			mark(set, path, v.Index(i))
		}
	case v.Kind() == reflect.Pointer && !v.IsNil():
		mark(set, path, v.Elem())
	}
}

// paths returns the path of each field that a value of type t may have.
func paths(path string, t reflect.Type) (out []string) {
	out = []string{path}
	switch {
	case t == reflect.TypeFor[time.Time]():
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			out = append(out, paths(path+"."+t.Field(i).Name, t.Field(i).Type)...)
		}
	case t.Kind() == reflect.Pointer, t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		out = append(out, paths(path, t.Elem())...)
	}
	return out
}
