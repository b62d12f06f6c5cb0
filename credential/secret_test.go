package credential_test

import (
	"encoding/json"
	"strings"
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

// Equal and Matches differ where nothing is there: for a test nothing is equal
// to nothing, for a credential nothing proves nothing.
func TestEqualAndMatches(t *testing.T) {
	long := strings.Repeat("x", 1000)
	absent, values := credential.Secret{}, []string{"", "8299", "8298", "82990", "\x008299", long, long + "y"}
	for _, value := range values {
		a := credential.NewSecret(value)
		for _, other := range values {
			b := credential.NewSecret(other)
			require.Equal(t, value == other, a.Equal(b), "%q %q", value, other)
			require.Equal(t, value == other, a.Matches(b), "%q %q", value, other)
		}
		require.False(t, a.Equal(absent), "%q", value)
		require.False(t, absent.Equal(a), "%q", value)
		require.False(t, a.Matches(absent), "%q", value)
		require.False(t, absent.Matches(a), "%q", value)
	}
	require.True(t, absent.Equal(credential.Secret{}))
	require.False(t, absent.Matches(credential.Secret{}), "nothing proves nothing")
}

// A secret is made with one allocation and read with none.
func TestSecretsAreCheap(t *testing.T) {
	value := strings.Repeat("s", 128)
	s, other := credential.NewSecret(value), credential.NewSecret(value[1:])
	for name, c := range map[string]struct {
		most float64
		do   func()
	}{
		"NewSecret": {1, func() { s = credential.NewSecret(value) }},
		"Reveal":    {0, func() { value = s.Reveal() }},
		"Present":   {0, func() { _ = s.Present() }},
	} {
		require.LessOrEqual(t, testing.AllocsPerRun(100, c.do), c.most, name)
	}
	require.False(t, s.Equal(other))
}

// A Secret cannot be had by decoding, so that no redacted word becomes one.
func TestSecretIsNotDecoded(t *testing.T) {
	var s struct{ PIN credential.Secret }
	require.Error(t, json.Unmarshal([]byte(`{"PIN":"[redacted]"}`), &s))
	require.False(t, s.PIN.Present())
}
