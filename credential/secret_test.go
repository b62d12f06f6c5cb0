package credential_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// Absent is something else than present and empty.
func TestPresence(t *testing.T) {
	empty, value := "", "8299"
	for _, tc := range []struct {
		name    string
		s       credential.Secret
		present bool
		value   string
	}{
		{"zero value", credential.Secret{}, false, ""},
		{"NewSecret", credential.NewSecret(value), true, value},
		{"NewSecret of empty", credential.NewSecret(""), true, ""},
		{"Optional", credential.Optional(value), true, value},
		{"Optional of empty", credential.Optional(""), false, ""},
		{"FromPtr", credential.FromPtr(&value), true, value},
		{"FromPtr to empty", credential.FromPtr(&empty), true, ""},
		{"FromPtr of nil", credential.FromPtr(nil), false, ""},
	} {
		require.Equal(t, tc.present, tc.s.Present(), tc.name)
		require.Equal(t, tc.value, tc.s.Reveal(), tc.name)
	}
	s := credential.FromPtr(&value)
	value = "0000"
	require.Equal(t, "8299", s.Reveal(), "the value was copied")
}

func TestEqual(t *testing.T) {
	a, absent, empty := credential.NewSecret("8299"), credential.Secret{}, credential.NewSecret("")
	require.True(t, a.Equal(credential.NewSecret("8299")))
	require.True(t, empty.Equal(credential.NewSecret("")))
	for _, other := range []credential.Secret{credential.NewSecret("8298"), credential.NewSecret("82990"), empty, absent} {
		require.False(t, a.Equal(other))
		require.False(t, other.Equal(a))
	}
	require.False(t, absent.Equal(absent), "nothing proves nothing")
	require.False(t, absent.Equal(empty))
	require.False(t, empty.Equal(absent))
}

// A Secret cannot be had by decoding, so that no redacted word becomes one.
func TestSecretIsNotDecoded(t *testing.T) {
	var s struct{ PIN credential.Secret }
	require.Error(t, json.Unmarshal([]byte(`{"PIN":"[redacted]"}`), &s))
	require.False(t, s.PIN.Present())
}
