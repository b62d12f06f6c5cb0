package verifier

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/crypto/argon2"

	"example.com/devicetotp/credential"
)

// HasherConfig is the cost of new hashes and the share of the machine that
// hashing may take. Start from [DefaultHasherConfig]; the zero value is refused.
type HasherConfig struct {
	// Memory in KiB, Time and Threads are argon2id's m, t and p for new hashes
	// and for the work done when there is nothing to compare with: from
	// 8*Threads to 262144, from 1 to 10, and from 1 to 16. Stored hashes may
	// have up to 255 lanes. New ones may not, because Parallel bounds memory,
	// not processors: each lane of a hash runs on a processor of its own.
	Memory  uint32
	Time    uint32
	Threads uint8
	// Parallel is how many hashes of that cost run at once: 1 to 1024. A more
	// expensive stored hash uses a larger share of the budget, or waits until
	// it can run alone. The process takes two to four times Parallel*Memory,
	// because the garbage collector runs behind, and more where other programs
	// keep the processors busy: set GOMEMLIMIT where memory is tight.
	Parallel int
	// Queue is how many hashes may wait, at least 0; further ones fail with
	// [ErrBusy].
	Queue int
}

// DefaultHasherConfig returns m=19456, t=2, p=1 (OWASP Password Storage), one
// hash less than GOMAXPROCS at once but at least one, and a queue of 256.
func DefaultHasherConfig() HasherConfig {
	return HasherConfig{Memory: 19456, Time: 2, Threads: 1, Parallel: max(1, runtime.GOMAXPROCS(0)-1), Queue: 256}
}

const (
	newSaltSize   = 16
	newTagSize    = 32
	maxNewThreads = 16
	maxParallel   = 1024
)

var errNoHasher = errors.New("verifier: a Hasher is made with NewHasher")

// Hasher makes and compares password hashes within one budget of memory. Share
// one in the process: [DefaultHasher] is what the Issuer uses unless told
// otherwise. It is safe for concurrent use, also by tests that run in bubbles of
// testing/synctest: while a goroutine waits for its share, the time of its bubble
// stands still. The zero value answers everything with an error.
type Hasher struct {
	cfg    HasherConfig
	budget *budget
	decoy  argonHash
}

// NewHasher returns a hasher with a budget of its own. Every mistake in cfg is
// reported at once.
func NewHasher(cfg HasherConfig) (*Hasher, error) {
	var broken []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			broken = append(broken, fmt.Errorf("verifier: HasherConfig."+format, args...))
		}
	}
	check(cfg.Memory >= 8 && cfg.Memory >= 8*uint32(cfg.Threads) && cfg.Memory <= maxArgonMemory,
		"Memory is %d KiB, must be from 8*Threads to %d", cfg.Memory, maxArgonMemory)
	check(cfg.Time >= 1 && cfg.Time <= maxArgonTime, "Time is %d, must be from 1 to %d", cfg.Time, maxArgonTime)
	check(cfg.Threads >= 1 && cfg.Threads <= maxNewThreads, "Threads is %d, must be from 1 to %d", cfg.Threads, maxNewThreads)
	check(cfg.Parallel >= 1 && cfg.Parallel <= maxParallel, "Parallel is %d, must be from 1 to %d", cfg.Parallel, maxParallel)
	check(cfg.Queue >= 0, "Queue is %d, must not be negative", cfg.Queue)
	if len(broken) > 0 {
		return nil, errors.Join(broken...)
	}
	return &Hasher{
		cfg:    cfg,
		budget: newBudget(int64(cfg.Parallel)*int64(cfg.Memory), cfg.Queue),
		decoy: argonHash{memory: cfg.Memory, time: cfg.Time, threads: cfg.Threads,
			salt: make([]byte, newSaltSize), tag: make([]byte, newTagSize)},
	}, nil
}

var defaultHasher = sync.OnceValue(func() *Hasher {
	h, err := NewHasher(DefaultHasherConfig())
	if err != nil {
		panic(err) // the defaults are constants within the limits
	}
	return h
})

// DefaultHasher returns the hasher of [DefaultHasherConfig] that the whole
// process shares.
func DefaultHasher() *Hasher { return defaultHasher() }

// Hash returns a new argon2id hash of a password in PHC string format, with a
// random salt. An empty value, or one longer than [MaxPasswordSize], is refused
// with [ErrSize], because [Password] would never accept it. Hash waits for its
// share of the budget: errors wrap [ErrBusy] or that of ctx.
func (h *Hasher) Hash(ctx context.Context, password credential.Secret) (string, error) {
	return h.hash(ctx, password, MaxPasswordSize)
}

// HashPIN does the same for a PIN, which may have at most [MaxPINSize] bytes.
// Seal the hash with [credential.Keyring.SealPINHash] before storing it. See
// [CheckPIN] for which PINs are too easy to guess.
func (h *Hasher) HashPIN(ctx context.Context, pin credential.Secret) (string, error) {
	return h.hash(ctx, pin, MaxPINSize)
}

func (h *Hasher) hash(ctx context.Context, value credential.Secret, most int) (string, error) {
	if value.Reveal() == "" {
		return "", fmt.Errorf("%w: an empty value never matches", ErrSize)
	}
	if !fits(value, most) {
		return "", fmt.Errorf("%w: it has %d bytes, must have at most %d", ErrSize, len(value.Reveal()), most)
	}
	out := h.decoy
	out.salt = make([]byte, newSaltSize)
	_, _ = rand.Read(out.salt) // never fails: crypto/rand ends the process instead
	var err error
	out.tag, err = h.argon(ctx, out, value.Reveal())
	if err != nil {
		return "", err
	}
	return out.String(), nil
}

// take waits for a share of the budget in KiB.
func (h *Hasher) take(ctx context.Context, memory uint32) (release func(), err error) {
	if h.budget == nil {
		return nil, errNoHasher
	}
	return h.budget.acquire(ctx, int64(memory))
}

// argon computes the tag of value with the parameters and salt of p.
func (h *Hasher) argon(ctx context.Context, p argonHash, value string) ([]byte, error) {
	release, err := h.take(ctx, p.memory)
	if err != nil {
		return nil, err
	}
	defer release()
	return argon2.IDKey([]byte(value), p.salt, p.time, p.memory, p.threads, uint32(len(p.tag))), nil
}
