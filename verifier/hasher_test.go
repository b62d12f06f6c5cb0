package verifier_test

import (
	"crypto/sha256"
	"encoding/base64"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/drawtest"
	"example.com/devicetotp/verifier"
)

func compare(t testing.TB, h *verifier.Hasher, stored, value string) (ok, outdated bool) {
	t.Helper()
	ok, outdated, err := h.Compare(t.Context(), stored, secret(value))
	require.NoError(t, err)
	return ok, outdated
}

// fields returns the lines of a file in testdata, split at white space.
func fields(t testing.TB, name string, count int) (out [][]string) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		split := strings.Fields(line)
		require.Len(t, split, count, "%s: %s", name, line)
		out = append(out, split)
	}
	require.NotEmpty(t, out)
	return out
}

// Hashes that other programs made verify, and nothing near their value does.
func TestForeignHashesVerify(t *testing.T) {
	h := newHasher(t, cheap())
	for _, f := range fields(t, "foreign_hashes.txt", 3) {
		value, err := strconv.Unquote(f[1])
		require.NoError(t, err)
		t.Run(f[0]+" "+f[2][:7], func(t *testing.T) {
			ok, outdated := compare(t, h, f[2], value)
			require.True(t, ok)
			require.True(t, outdated, "bcrypt, a cost below OWASP's rows, or a short salt")
			for _, wrong := range []string{value + " ", " " + value, value[:len(value)-1] + "\x01", strings.ToUpper(value) + "!", ""} {
				ok, outdated = compare(t, h, f[2], wrong)
				require.False(t, ok, "%q", wrong)
				require.False(t, outdated)
			}
		})
	}
}

// Hashes that are well formed but of another algorithm or cost are an error.
func TestRefusedHashes(t *testing.T) {
	h := newHasher(t, cheap())
	for _, f := range fields(t, "refused_hashes.txt", 2) {
		t.Run(f[0], func(t *testing.T) {
			ok, outdated, err := h.Compare(t.Context(), f[1], secret("x"))
			require.ErrorIs(t, err, verifier.ErrHash)
			require.False(t, ok || outdated)
			require.NotContains(t, err.Error(), f[1])
		})
	}
}

// The same with the programs themselves, where they are installed: what they
// make verifies here.
func TestForeignProgramsAgree(t *testing.T) {
	h := newHasher(t, cheap())
	for program, args := range map[string][]string{
		"argon2":   {"somesalt", "-id", "-t", "2", "-k", "128", "-p", "2", "-e"},
		"htpasswd": {"-niB", "-C", "4", "user"},
	} {
		t.Run(program, func(t *testing.T) {
			path, err := exec.LookPath(program)
			if err != nil {
				require.NotEqual(t, "true", os.Getenv("CI"), "%s is not installed", program)
				t.Skip("not installed; its recorded hashes are tested all the same")
			}
			run := exec.CommandContext(t.Context(), path, args...)
			run.Stdin = strings.NewReader("8299")
			out, err := run.Output()
			require.NoError(t, err)
			stored := strings.TrimPrefix(strings.TrimSpace(string(out)), "user:")
			ok, _ := compare(t, h, stored, "8299")
			require.True(t, ok, "it made %s", stored)
			ok, _ = compare(t, h, stored, "8290")
			require.False(t, ok)
		})
	}
}

// Go programs commonly hash with as many lanes as there are processors.
func TestHashesOfManyLanesVerify(t *testing.T) {
	h := newHasher(t, cheap())
	for _, lanes := range []int{17, 64, 255} {
		stored := argonText(8*lanes, 1, lanes, argon2.IDKey([]byte("8299"), make([]byte, 16), 1, uint32(8*lanes), uint8(lanes), 32))
		ok, _ := compare(t, h, stored, "8299")
		require.True(t, ok, "%d lanes", lanes)
		ok, _ = compare(t, h, stored, "8298")
		require.False(t, ok, "%d lanes", lanes)
	}
}

// bcrypt of Go verifies, whatever its cost, and is always outdated.
func TestBcryptOfGoVerifies(t *testing.T) {
	h := newHasher(t, cheap())
	stored, err := bcrypt.GenerateFromPassword([]byte("superSecret12345!"), bcrypt.MinCost)
	require.NoError(t, err)
	ok, outdated := compare(t, h, string(stored), "superSecret12345!")
	require.True(t, ok)
	require.True(t, outdated)
}

// bcrypt reads 72 bytes, in a circle with a NUL at the end. What it cannot tell
// apart does not match here.
func TestBcryptTraps(t *testing.T) {
	h := newHasher(t, cheap())
	hash := func(value string) string {
		stored, err := bcrypt.GenerateFromPassword([]byte(value), bcrypt.MinCost)
		require.NoError(t, err)
		return string(stored)
	}
	long := strings.Repeat("x", 72)
	for _, tc := range []struct {
		name, stored, presented string
		trap                    bool // bcrypt alone says yes
		ok                      bool
	}{
		{"72 bytes", hash(long), long, true, true},
		{"73 bytes against 72", hash(long), long + "y", true, false},
		{"71 bytes against 72", hash(long), long[:71], false, false},
		{"1024 bytes against 72", hash(long), strings.Repeat("x", 1024), true, false},
		{"repeated with a NUL", hash("secret"), "secret\x00secret", true, false},
		{"with a NUL at the end", hash("secret"), "secret\x00", false, false},
		{"a value with a NUL against itself", hash("secret\x00secret"), "secret\x00secret", true, false},
		{"empty against the hash of empty", hash(""), "", true, false},
		{"a NUL against the hash of empty", hash(""), "\x00", true, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if !strings.Contains(tc.name, "at the end") {
				alone := bcrypt.CompareHashAndPassword([]byte(tc.stored), []byte(tc.presented)) == nil
				require.Equal(t, tc.trap, alone, "what bcrypt alone says")
			}
			ok, outdated := compare(t, h, tc.stored, tc.presented)
			require.Equal(t, tc.ok, ok)
			require.Equal(t, tc.ok, outdated)
		})
	}
}

// An empty value matches nothing, not even what some other program made of it.
func TestEmptyMatchesNothing(t *testing.T) {
	h := newHasher(t, cheap())
	tag := argon2.IDKey(nil, []byte("saltsaltsalt"), 1, 64, 1, 32)
	ofEmpty := "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$" + base64.RawStdEncoding.EncodeToString(tag)
	for _, stored := range []string{ofEmpty, ""} {
		for _, value := range []credential.Secret{{}, secret("")} {
			ok, _, err := h.Compare(t.Context(), stored, value)
			require.NoError(t, err)
			require.False(t, ok)
		}
	}
	for _, value := range []credential.Secret{{}, secret("")} {
		hash, err := h.Hash(t.Context(), value)
		require.ErrorIs(t, err, verifier.ErrSize)
		require.Empty(t, hash)
	}
}

func TestHashRoundTrip(t *testing.T) {
	h := newHasher(t, cheap())
	seen := map[string]bool{}
	for range 20 {
		stored, err := h.Hash(t.Context(), secret("superSecret12345!"))
		require.NoError(t, err)
		require.Regexp(t, `^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`, stored)
		require.False(t, seen[stored], "every salt is new")
		seen[stored] = true
		ok, outdated := compare(t, h, stored, "superSecret12345!")
		require.True(t, ok)
		require.True(t, outdated, "a cost for tests is below OWASP's rows")
		ok, _ = compare(t, h, stored, "superSecret12345")
		require.False(t, ok)
	}
}

// A salt is 16 random bytes.
func TestEveryByteOfASaltVaries(t *testing.T) {
	h := newHasher(t, cheap())
	require.NoError(t, drawtest.Bits(16, 0, func() ([]byte, error) {
		stored, err := h.Hash(t.Context(), secret("8299"))
		if err != nil {
			return nil, err
		}
		return base64.RawStdEncoding.DecodeString(strings.Split(stored, "$")[4])
	}))
}

func TestHasherConfigMistakesAreReportedAtOnce(t *testing.T) {
	_, err := verifier.NewHasher(verifier.HasherConfig{Memory: 7, Time: 0, Threads: 0, Parallel: 0, Queue: -1})
	for _, want := range []string{
		"verifier: HasherConfig.Memory is 7 KiB", "HasherConfig.Time is 0", "HasherConfig.Threads is 0",
		"HasherConfig.Parallel is 0", "HasherConfig.Queue is -1",
	} {
		require.ErrorContains(t, err, want)
	}
	for _, tc := range []struct {
		name  string
		spoil func(*verifier.HasherConfig)
		ok    bool
	}{
		{"as it is", func(*verifier.HasherConfig) {}, true},
		{"the default", func(c *verifier.HasherConfig) { *c = verifier.DefaultHasherConfig() }, true},
		{"the zero value", func(c *verifier.HasherConfig) { *c = verifier.HasherConfig{} }, false},
		{"Memory 8", func(c *verifier.HasherConfig) { c.Memory = 8 }, true},
		{"Memory 7", func(c *verifier.HasherConfig) { c.Memory = 7 }, false},
		{"Memory 262144", func(c *verifier.HasherConfig) { c.Memory = 262144 }, true},
		{"Memory 262145", func(c *verifier.HasherConfig) { c.Memory = 262145 }, false},
		{"Memory 8 p", func(c *verifier.HasherConfig) { c.Memory, c.Threads = 128, 16 }, true},
		{"Memory below 8 p", func(c *verifier.HasherConfig) { c.Memory, c.Threads = 127, 16 }, false},
		{"Time 10", func(c *verifier.HasherConfig) { c.Time = 10 }, true},
		{"Time 11", func(c *verifier.HasherConfig) { c.Time = 11 }, false},
		{"Threads 17", func(c *verifier.HasherConfig) { c.Memory, c.Threads = 1024, 17 }, false},
		{"Parallel 1024", func(c *verifier.HasherConfig) { c.Parallel = 1024 }, true},
		{"Parallel 1025", func(c *verifier.HasherConfig) { c.Parallel = 1025 }, false},
		{"Parallel that would overflow", func(c *verifier.HasherConfig) { c.Parallel = math.MaxInt }, false},
		{"Queue 0", func(c *verifier.HasherConfig) { c.Queue = 0 }, true},
	} {
		c := cheap()
		tc.spoil(&c)
		h, err := verifier.NewHasher(c)
		require.Equal(t, tc.ok, err == nil, "%s: %v", tc.name, err)
		require.Equal(t, tc.ok, h != nil, tc.name)
	}
}

// The numbers of the default are those of the OWASP Password Storage cheat sheet.
func TestDefaultHasher(t *testing.T) {
	cfg := verifier.DefaultHasherConfig()
	require.EqualValues(t, 19456, cfg.Memory)
	require.EqualValues(t, 2, cfg.Time)
	require.EqualValues(t, 1, cfg.Threads)
	require.Equal(t, 256, cfg.Queue)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for processors, want := range map[int]int{1: 1, 2: 1, 3: 2, 8: 7} {
		runtime.GOMAXPROCS(processors)
		require.Equal(t, want, verifier.DefaultHasherConfig().Parallel, "one is left for who needs no hashing")
	}
	require.Same(t, verifier.DefaultHasher(), verifier.DefaultHasher(), "the process shares one")
	stored, err := verifier.DefaultHasher().Hash(t.Context(), secret("8299"))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$"))
}

func TestZeroHasherAnswersWithAnError(t *testing.T) {
	var h verifier.Hasher
	_, err := h.Hash(t.Context(), secret("x"))
	require.ErrorContains(t, err, "NewHasher")
	for _, stored := range []string{"", fields(t, "foreign_hashes.txt", 3)[0][2], "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"} {
		ok, _, err := h.Compare(t.Context(), stored, secret("x"))
		require.ErrorContains(t, err, "NewHasher")
		require.False(t, ok)
	}
}

func TestErrorsDoNotQuoteTheStoredHash(t *testing.T) {
	h := newHasher(t, cheap())
	sum := sha256.Sum256([]byte("sentinel"))
	for _, stored := range []string{"sentinel", "$2a$05$sentinel", "$argon2id$v=19$m=sentinel,t=1,p=1$a$b", string(sum[:]), "$2y$xx$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKsentinel"} {
		_, _, err := h.Compare(t.Context(), stored, secret("x"))
		require.ErrorIs(t, err, verifier.ErrHash)
		require.NotContains(t, err.Error(), "sentinel")
	}
}
