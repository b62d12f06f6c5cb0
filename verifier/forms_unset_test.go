package verifier

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// Django keeps "!" and random text for users who have no password. Such an account
// must look like any other without one, and not like a fault.
func TestUnusablePasswordOfDjangoIsWrong(t *testing.T) {
	h := smallHasher(t, 64, 1, 0)
	for _, stored := range []string{"!", "!" + strings.Repeat("azAZ09aZ", 5)} {
		for _, value := range []string{"x", "", stored, stored[1:]} {
			ok, outdated, err := h.Compare(t.Context(), stored, credential.NewSecret(value))
			require.NoError(t, err)
			require.False(t, ok || outdated)
		}
	}
	refused := []string{"!hunter2", "!" + strings.Repeat("a", 39), "!" + strings.Repeat("a", 41)}
	for _, c := range "$/:@[`{" { // those beside the letters and digits among them
		refused = append(refused, "!"+strings.Repeat("a", 39)+string(c))
	}
	for _, stored := range refused {
		_, _, err := h.Compare(t.Context(), stored, credential.NewSecret("x"))
		require.ErrorIs(t, err, ErrHash)
	}
}
