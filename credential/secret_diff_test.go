package credential_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// report keeps what a failing assertion would have printed.
type report struct{ strings.Builder }

func (r *report) Errorf(format string, args ...any) { fmt.Fprintf(r, format, args...) }

// login is a request as a host's test would compare it.
type login struct {
	Name     string
	Password credential.Secret
	pin      *credential.Secret
}

func loginOf(name, password, pin string) login {
	p := credential.NewSecret(pin)
	return login{name, credential.NewSecret(password), &p}
}

// A failing test prints both sides of a comparison by reflection: methods are
// not asked, pointers are followed and unexported fields are read.
func TestADiffShowsNoSecret(t *testing.T) {
	const other = "Another-Value!\x02\xfd"
	for _, pair := range [][2]any{
		{loginOf("a", sentinel, other), loginOf("b", sentinel, other)},
		{loginOf("a", sentinel, "0"), loginOf("a", other, "0")},
		{loginOf("a", "0", sentinel), loginOf("a", "0", other)},
		{loginOf("a", sentinel, "0"), login{Name: "a"}},
		{credential.NewSecret(sentinel), credential.NewSecret(other)},
		{[]credential.Secret{credential.NewSecret(sentinel)}, []credential.Secret{{}}},
		{map[string]credential.Secret{"k": credential.NewSecret(sentinel)}, map[string]credential.Secret{"k": credential.NewSecret(other)}},
		{credential.Key{ID: "k", Secret: credential.NewSecret(sentinel)}, credential.Key{ID: "k", Secret: credential.NewSecret(other)}},
	} {
		var r report
		require.False(t, assert.Equal(&r, pair[0], pair[1]), "%T", pair[0])
		require.Contains(t, r.String(), "Diff:")
		assert.EqualExportedValues(&r, pair[0], pair[1])
		assert.ElementsMatch(&r, []any{pair[0]}, []any{pair[1]})
		assert.Contains(&r, []any{pair[0]}, pair[1])
		assert.Empty(&r, pair[0])
		text := r.String() + "\n" + walk(reflect.ValueOf(pair))
		for _, value := range []string{sentinel, other} {
			for _, form := range forms(value) {
				require.NotContains(t, text, form)
			}
		}
	}
}

// What does not name the value tells whether it is the same: equal structs are
// equal for reflection too, and different ones are not.
func TestEqualSecretsAreDeeplyEqual(t *testing.T) {
	require.Equal(t, loginOf("a", sentinel, "8299"), loginOf("a", sentinel, "8299"))
	require.Equal(t, login{Name: "a"}, login{Name: "a"})
	require.Equal(t, loginOf("", "", ""), loginOf("", "", ""))
	for _, other := range []login{
		loginOf("a", sentinel, "8298"), loginOf("a", sentinel[1:], "8299"), loginOf("a", "", "8299"), {Name: "a"},
	} {
		require.NotEqual(t, loginOf("a", sentinel, "8299"), other)
	}
	require.NotEqual(t, credential.Secret{}, credential.NewSecret(""), "absent is something else than empty")
}

// walk writes everything that reflection reaches from v, as text and as hex.
func walk(v reflect.Value) string {
	var b strings.Builder
	var visit func(v reflect.Value)
	visit = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			if !v.IsNil() {
				visit(v.Elem())
			}
		case reflect.Struct:
			for i := range v.NumField() {
				visit(v.Field(i))
			}
		case reflect.Slice, reflect.Array:
			for i := range v.Len() {
				visit(v.Index(i))
			}
			b.WriteByte('\n')
		case reflect.Map:
			for _, key := range v.MapKeys() {
				visit(key)
				visit(v.MapIndex(key))
			}
		case reflect.String:
			fmt.Fprintf(&b, "%s\n%x\n", v.String(), v.String())
		case reflect.Uint8:
			fmt.Fprintf(&b, "%02x", v.Uint())
		default:
		}
	}
	visit(v)
	return b.String()
}

// The walk itself finds what is there.
func TestTheWalkFindsValues(t *testing.T) {
	value := sentinel
	type plain struct{ value *string }
	require.Contains(t, walk(reflect.ValueOf(struct{ v any }{&plain{&value}})), sentinel)
	require.Contains(t, walk(reflect.ValueOf([]byte(sentinel))), fmt.Sprintf("%x", sentinel))
}
