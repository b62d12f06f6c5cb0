package verifier_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

const (
	composed   = "caf\u00e9 au lait"
	decomposed = "cafe\u0301 au lait"
)

// compose stands for the normal form of Unicode, as far as these tests need it.
func compose(s string) string { return strings.ReplaceAll(s, "e\u0301", "\u00e9") }

// comparing counts what is compared and hashed.
type comparing struct {
	verifier.Rehasher
	compared, hashed []string
}

func (c *comparing) Verify(ctx context.Context, q verifier.Query) (verifier.Verdict, error) {
	c.compared = append(c.compared, q.Presented.Reveal())
	return c.Rehasher.Verify(ctx, q)
}

func (c *comparing) Rehash(ctx context.Context, q verifier.Query) (string, error) {
	c.hashed = append(c.hashed, q.Presented.Reveal())
	return c.Rehasher.Rehash(ctx, q)
}

func TestNormalizedAcceptsAPasswordHoweverItIsTyped(t *testing.T) {
	hasher := configured(t, 64, 1)
	hashOf := func(password string) string {
		hash, err := hasher.Hash(t.Context(), credential.NewSecret(password))
		require.NoError(t, err)
		return hash
	}
	for _, c := range []struct {
		name, stored, presented string
		status                  verifier.Status
		compared                int
	}{
		{"normal, as typed here", composed, composed, verifier.StatusValid, 1},
		{"normal, as typed there", composed, decomposed, verifier.StatusValid, 1},
		{"stored before, as typed then", decomposed, decomposed, verifier.StatusValid, 2},
		{"stored before, as typed elsewhere", decomposed, composed, verifier.StatusWrong, 1},
		{"wrong", composed, "cafe au lait", verifier.StatusWrong, 1},
		{"wrong, and not normal", composed, decomposed + "!", verifier.StatusWrong, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			inner := &comparing{Rehasher: verifier.Password(hasher)}
			v := verifier.Normalized(inner, compose)
			stored := hashOf(c.stored)
			q := verifier.Query{AccountID: "alice", Presented: credential.NewSecret(c.presented), Hash: credential.NewSecret(stored)}
			verdict, err := v.Verify(t.Context(), q)
			require.NoError(t, err)
			require.Equal(t, c.status, verdict.Status)
			require.Len(t, inner.compared, c.compared, "%q", inner.compared)
			if c.status != verifier.StatusValid {
				return
			}
			renewed, err := v.Rehash(t.Context(), q)
			require.NoError(t, err)
			require.Equal(t, []string{composed}, inner.hashed)
			for _, typed := range []string{composed, decomposed} {
				verdict, err = v.Verify(t.Context(), verifier.Query{Presented: credential.NewSecret(typed), Hash: credential.NewSecret(renewed)})
				require.NoError(t, err)
				require.Equal(t, verifier.StatusValid, verdict.Status, "after the hash was renewed any keyboard will do")
			}
		})
	}
}

// A hash of a value that is not normal is renewed, whatever its cost is.
func TestNormalizedRenewsWhatIsNotNormal(t *testing.T) {
	hasher := newHasher(t, verifier.DefaultHasherConfig())
	v := verifier.Normalized(verifier.Password(hasher), compose)
	for stored, outdated := range map[string]bool{composed: false, decomposed: true} {
		hash, err := hasher.Hash(t.Context(), credential.NewSecret(stored))
		require.NoError(t, err)
		verdict, err := v.Verify(t.Context(), verifier.Query{Presented: credential.NewSecret(decomposed), Hash: credential.NewSecret(hash)})
		require.NoError(t, err)
		require.Equal(t, verifier.Verdict{Status: verifier.StatusValid, Outdated: outdated}, verdict)
	}
}

// failingRehasher always fails.
type failingRehasher struct{ err error }

func (f failingRehasher) Verify(context.Context, verifier.Query) (verifier.Verdict, error) {
	return verifier.Verdict{}, f.err
}
func (f failingRehasher) Rehash(context.Context, verifier.Query) (string, error) { return "", f.err }

func TestNormalizedHandsErrorsOn(t *testing.T) {
	broken := errors.New("broken")
	v := verifier.Normalized(failingRehasher{broken}, compose)
	q := verifier.Query{Presented: credential.NewSecret(decomposed)}
	_, err := v.Verify(t.Context(), q)
	require.ErrorIs(t, err, broken)
	_, err = v.Rehash(t.Context(), q)
	require.ErrorIs(t, err, broken)
}

func TestNormalizedLeavesWhatHasNoNormalForm(t *testing.T) {
	inner := &comparing{Rehasher: failingRehasher{}}
	asked := 0
	v := verifier.Normalized(inner, func(string) string { asked++; return "" })
	longest := strings.Repeat("x", verifier.MaxPasswordSize)
	long := longest + "x"
	for _, presented := range []string{"x", longest, long} {
		_, err := v.Verify(t.Context(), verifier.Query{Presented: credential.NewSecret(presented)})
		require.NoError(t, err)
	}
	require.Equal(t, []string{"x", longest, long}, inner.compared)
	require.Equal(t, 2, asked, "what is too long for a password is not asked about")
}
