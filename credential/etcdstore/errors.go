package etcdstore

import (
	"context"
	"errors"
	"fmt"

	"example.com/devicetotp/credential"
)

// failed wraps what the client reported. Whether anything was written is
// unknown, so it is none of the errors that package credential has.
func failed(ctx context.Context, op, id string, err error) error {
	// The client can report the end of ctx in words of its own.
	if done := ctx.Err(); done != nil && !errors.Is(err, done) {
		return fmt.Errorf("etcdstore: %s %q: %w: %w", op, id, done, err)
	}
	return fmt.Errorf("etcdstore: %s %q: %w", op, id, err)
}

func notFound(id string) error { return fmt.Errorf("etcdstore: %w: %q", credential.ErrNotFound, id) }

func conflict(id string) error { return fmt.Errorf("etcdstore: %w: %q", credential.ErrConflict, id) }
