package verifier

import (
	"fmt"
	"hash"
	"slices"
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
			g := newGenerator(p, p.Secret.Reveal())
			require.True(t, holds(g), "the test sees a secret where there is one")
			g.code(1)
			g.code(2)
			require.Equal(t, tc.algorithm == credential.AlgorithmSHA1, keepsState(g), "what the HMAC goes back to")
			require.Equal(t, tc.reusable, g.erase())
			if tc.reusable {
				require.False(t, holds(g))
				require.False(t, keepsState(g))
				require.Nil(t, g.mac)
			}
		})
	}
}

// Whoever asks a hash for its state twice has two states.
func TestTheStatesOfAKeyedHashAreApart(t *testing.T) {
	h := newKeyedSHA1().(*keyedSHA1)
	var states, sums [3][]byte
	for i := range states {
		h.Write([]byte("key"))
		state, err := h.MarshalBinary()
		require.NoError(t, err)
		require.Len(t, state, sha1StateSize, "a longer one would be allocated, and left behind")
		states[i], sums[i] = state, h.Sum(nil)
	}
	for _, i := range []int{0, 2, 1, 0} {
		h.Reset()
		require.NoError(t, h.UnmarshalBinary(states[i]))
		require.Equal(t, sums[i], h.Sum(nil), i)
	}
}

// holds reports whether three bytes of the secret are in g or its hashes.
func holds(g *generator) bool {
	inside := fmt.Sprint(g.key)
	for _, h := range g.hashes {
		if keyed, ok := h.(*keyedSHA1); ok {
			h = keyed.savedHash
		}
		inside += fmt.Sprintf(" %v", h)
	}
	return strings.Contains(inside, "167 167 167")
}

// keepsState reports whether the state of a keyed hash is in g.
func keepsState(g *generator) bool {
	return slices.ContainsFunc(g.hashes[:], func(h hash.Hash) bool {
		keyed, ok := h.(*keyedSHA1)
		return ok && keyed.keyed != [sha1StateSize]byte{}
	})
}
