package verifier

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"example.com/devicetotp/credential"
)

// HasherConfig is the cost of new hashes and the share of the machine that
// hashing may take. Start from [DefaultHasherConfig]; the zero value is refused.
type HasherConfig struct {
	// Memory in KiB, Time and Threads are argon2id's m, t and p for new hashes
	// and for the work done when there is nothing to compare with: from
	// 8*Threads to 262144, from 1 to 10, and from 1 to 16.
	Memory  uint32
	Time    uint32
	Threads uint8
	// Parallel is how many hashes of that cost run at once: 1 to 1024. A dearer
	// stored hash takes more of the budget, or waits to run alone. The process
	// takes two to four times Parallel*Memory, because the garbage collector
	// runs behind, and more where other programs keep the processors busy: set
	// GOMEMLIMIT where memory is tight.
	Parallel int
	// Queue is how many may wait, at least 0; one more gets [ErrBusy].
	Queue int
}

// DefaultHasherConfig returns m=19456, t=2, p=1 (OWASP Password Storage), one
// hash less than GOMAXPROCS at once but at least one, and a queue of 256.
func DefaultHasherConfig() HasherConfig {
	return HasherConfig{Memory: 19456, Time: 2, Threads: 1, Parallel: max(1, runtime.GOMAXPROCS(0)-1), Queue: 256}
}

const (
	newSaltSize = 16
	newTagSize  = 32
	maxParallel = 1024
)

var errNoHasher = errors.New("verifier: a Hasher is made with NewHasher")

// Hasher makes and compares password hashes within one budget of memory. Share
// one in the process: [DefaultHasher] is what the Issuer uses unless told
// otherwise. It is safe for concurrent use. The zero value answers everything
// with an error.
type Hasher struct {
	cfg    HasherConfig
	budget *budget
	decoy  argonHash
}

// NewHasher returns a hasher of its own budget. Every mistake in cfg is
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
	check(cfg.Threads >= 1 && cfg.Threads <= maxArgonThreads, "Threads is %d, must be from 1 to %d", cfg.Threads, maxArgonThreads)
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

// Hash returns a new argon2id hash of value in PHC string format, with a random
// salt. An absent or empty value is refused. It waits for its share of the
// budget: errors wrap [ErrBusy] or that of ctx.
func (h *Hasher) Hash(ctx context.Context, value credential.Secret) (string, error) {
	if value.Reveal() == "" {
		return "", errors.New("verifier: an empty value is not hashed")
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

// Compare tells whether stored is a hash of value, and whether it is outdated:
// bcrypt, or argon2id of a lower cost (m times t) than new hashes have. It
// waits for its share of the budget: errors wrap [ErrBusy] or that of ctx.
//
// stored is argon2id in PHC string format, with m up to 262144 KiB, t up to 10,
// p up to 16, a salt of 8 to 48 and a tag of 16 to 64 bytes; or bcrypt as $2a$,
// $2b$ or $2y$ with a cost of 4 to 14. Anything else is an error that wraps
// [ErrHash], before any work. If stored is "", the work of a new hash is done
// and the answer is false.
//
// An empty value never matches. Against bcrypt, nor does one beyond 72 bytes or
// with a NUL in it: bcrypt does not read such values whole, so that others
// would match too.
func (h *Hasher) Compare(ctx context.Context, stored string, value credential.Secret) (ok, outdated bool, err error) {
	if isBcrypt(stored) {
		ok, err = h.compareBcrypt(ctx, stored, value.Reveal())
		return ok, ok, err
	}
	want := h.decoy
	if stored != "" {
		if want, err = parseArgon(stored); err != nil {
			return false, false, err
		}
	}
	tag, err := h.argon(ctx, want, value.Reveal())
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(tag, want.tag) == 1 && stored != "" && value.Reveal() != ""
	return ok, ok && h.behind(want), nil
}

// behind tells whether stored costs an attacker less than a new hash.
func (h *Hasher) behind(stored argonHash) bool {
	return uint64(stored.memory)*uint64(stored.time) < uint64(h.cfg.Memory)*uint64(h.cfg.Time)
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

// maxBcryptInput is where bcrypt stops reading. It also reads its key in a
// circle with a NUL at the end, so that "ab" and "ab\x00ab" are one to it.
const maxBcryptInput = 72

// compareBcrypt refuses what bcrypt cannot tell apart, after the same work.
func (h *Hasher) compareBcrypt(ctx context.Context, stored, value string) (bool, error) {
	if _, err := parseBcrypt(stored); err != nil {
		return false, err
	}
	release, err := h.take(ctx, h.cfg.Memory)
	if err != nil {
		return false, err
	}
	defer release()
	readable := value != "" && len(value) <= maxBcryptInput && !strings.Contains(value, "\x00")
	err = bcrypt.CompareHashAndPassword([]byte(stored), []byte(value)[:min(len(value), maxBcryptInput)])
	if err != nil && !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, fmt.Errorf("%w: %w", ErrHash, err)
	}
	return err == nil && readable, nil
}
