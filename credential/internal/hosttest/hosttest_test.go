package hosttest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/internal/hosttest"
	"example.com/devicetotp/credential/memstore"
)

// broken is a store of which some methods are replaced.
type broken struct {
	*memstore.Store
	put        func(context.Context, credential.Account) error
	insert     func(context.Context, credential.Account) (bool, error)
	delete     func(context.Context, string) (bool, error)
	setLocked  func(context.Context, string, bool) error
	rotateHash func(ctx context.Context, id string, f credential.Factor, from, to string) error
	ids        func(context.Context, string, int) ([]string, error)
}

func (b *broken) Put(ctx context.Context, a credential.Account) error { return b.put(ctx, a) }
func (b *broken) Insert(ctx context.Context, a credential.Account) (bool, error) {
	return b.insert(ctx, a)
}
func (b *broken) Delete(ctx context.Context, id string) (bool, error) { return b.delete(ctx, id) }
func (b *broken) SetLocked(ctx context.Context, id string, locked bool) error {
	return b.setLocked(ctx, id, locked)
}
func (b *broken) RotateHash(ctx context.Context, id string, f credential.Factor, from, to string) error {
	return b.rotateHash(ctx, id, f, from, to)
}
func (b *broken) IDs(ctx context.Context, after string, limit int) ([]string, error) {
	return b.ids(ctx, after, limit)
}

func TestEveryCaseFailsForAStoreThatIsWrong(t *testing.T) {
	covered := map[string]bool{}
	for _, c := range []struct {
		fails, how string
		spoil      func(b *broken, s *memstore.Store)
	}{
		{"put", "replaces State too", func(b *broken, s *memstore.Store) {
			b.put = func(ctx context.Context, a credential.Account) error { return s.Replace(ctx, a) }
		}},
		{"registration time", "keeps microseconds", func(b *broken, s *memstore.Store) {
			b.put = func(ctx context.Context, a credential.Account) error {
				a.RegisteredAt = a.RegisteredAt.Truncate(time.Microsecond)
				return s.Put(ctx, a)
			}
		}},
		{"insert", "replaces", func(b *broken, s *memstore.Store) {
			b.insert = func(ctx context.Context, a credential.Account) (bool, error) { return true, s.Replace(ctx, a) }
		}},
		{"insert", "leaves the State behind", func(b *broken, s *memstore.Store) {
			b.insert = func(ctx context.Context, a credential.Account) (bool, error) {
				a.State = credential.State{}
				return s.Insert(ctx, a)
			}
		}},
		{"delete", "always reports true", func(b *broken, s *memstore.Store) {
			b.delete = func(ctx context.Context, id string) (bool, error) {
				_, err := s.Delete(ctx, id)
				return true, err
			}
		}},
		{"set locked", "only locks", func(b *broken, s *memstore.Store) {
			b.setLocked = func(ctx context.Context, id string, _ bool) error { return s.SetLocked(ctx, id, true) }
		}},
		{"rotate hash", "compares nothing", func(b *broken, s *memstore.Store) {
			b.rotateHash = func(ctx context.Context, id string, f credential.Factor, from, to string) error {
				if a, err := s.Load(ctx, id); err == nil {
					from = a.Hash(f)
				}
				return s.RotateHash(ctx, id, f, from, to)
			}
		}},
		{"ids", "takes the id before one that is gone", func(b *broken, s *memstore.Store) {
			b.ids = func(ctx context.Context, after string, limit int) ([]string, error) {
				page, err := s.IDs(ctx, after, limit)
				if after == "B0" {
					page, err = s.IDs(ctx, "a", limit)
				}
				return page, err
			}
		}},
		{"refused arguments", "cuts ids at a NUL", func(b *broken, s *memstore.Store) {
			b.put = func(ctx context.Context, a credential.Account) error {
				a.ID, _, _ = strings.Cut(a.ID, "\x00")
				return s.Put(ctx, a)
			}
		}},
		{"ended context", "does not look at it", func(b *broken, s *memstore.Store) {
			b.setLocked = func(ctx context.Context, id string, locked bool) error {
				return s.SetLocked(context.WithoutCancel(ctx), id, locked)
			}
		}},
		{"change under way", "locks nothing", func(b *broken, s *memstore.Store) {
			b.setLocked = func(ctx context.Context, id string, _ bool) error { return s.SetLocked(ctx, id, false) }
		}},
	} {
		covered[c.fails] = true
		t.Run(c.fails+"/"+c.how, func(t *testing.T) {
			for _, check := range hosttest.Cases() {
				if check.Name != c.fails {
					continue
				}
				s := memstore.New()
				b := &broken{s, s.Put, s.Insert, s.Delete, s.SetLocked, s.RotateHash, s.IDs}
				require.NoError(t, check.Check(t.Context(), b))
				s = memstore.New()
				b = &broken{s, s.Put, s.Insert, s.Delete, s.SetLocked, s.RotateHash, s.IDs}
				c.spoil(b, s)
				require.Error(t, check.Check(t.Context(), b))
			}
		})
	}
	for _, check := range hosttest.Cases() {
		require.True(t, covered[check.Name], "no wrong store shows that %q can fail", check.Name)
	}
}
