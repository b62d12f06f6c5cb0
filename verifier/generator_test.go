package verifier

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// A generator that is used again has nothing of the last secret in it: neither
// in its own fields nor in its hashes.
func TestAnErasedGeneratorHasNoSecret(t *testing.T) {
	for _, tc := range []struct {
		algorithm credential.Algorithm
		size      int
		reusable  bool
	}{
		{credential.AlgorithmSHA1, 10, true},
		{credential.AlgorithmSHA1, 64, true},
		{credential.AlgorithmSHA1, 65, false},
		{credential.AlgorithmSHA1, 100, false},
		{credential.AlgorithmSHA256, 64, true},
		{credential.AlgorithmSHA256, 100, false},
		{credential.AlgorithmSHA512, 100, true},
		{credential.AlgorithmSHA512, 128, true},
	} {
		t.Run(fmt.Sprint(tc.algorithm, " ", tc.size), func(t *testing.T) {
			p := TOTP{
				Secret:    credential.NewSecret(strings.Repeat("\xa7", tc.size)),
				Algorithm: tc.algorithm, Digits: 6, Period: 30 * time.Second,
			}
			g := p.generator()
			require.True(t, holds(g), "the test sees a secret where there is one")
			g.code(1)
			require.Equal(t, tc.reusable, g.erase())
			if tc.reusable {
				require.False(t, holds(g))
				require.Nil(t, g.mac)
			}
		})
	}
}

// holds reports whether three bytes of the secret are in g or its hashes.
func holds(g *generator) bool {
	inside := fmt.Sprintf("%v %v %v", g.key, g.hashes[0], g.hashes[1])
	return strings.Contains(inside, "167 167 167")
}
