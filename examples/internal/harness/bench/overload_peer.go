package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"golang.org/x/crypto/argon2"

	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/verifier"
)

// bareStream is the stream without the library: the statements of a Verify, and
// nothing else.
func (w overloadWorld) bareStream(ctx context.Context, dsn string) (func(ctx context.Context, accountID string) error, error) {
	send, err := statementsOf(ctx, dsn, sqlstore.DefaultTable)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, accountID string) error { return send.readAndWriteBack(ctx, w.db, accountID) }, nil
}

// hashElsewhere is the flood without the library: as many hashes, one after the
// other, in a process of their own. What slows the stream down beside them is the
// machine, which both share. The channel is closed when the last one is computed.
func (c overloadConfig) hashElsewhere(ctx context.Context, r *overloadResult) (<-chan struct{}, error) {
	started := time.Now()
	process, err := machine{}.startChild(ctx, "", "hashes", c.Creates)
	if err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var computed int
		if err := errors.Join(process.answer(&computed), process.stop()); err != nil {
			r.FloodFailed = err.Error()
		}
		r.Answers = map[string]int{"hash": computed}
		r.Wall = time.Since(started)
	}()
	return done, nil
}

// hashesChild computes hashes of the default cost.
func hashesChild(in *json.Decoder, out *json.Encoder) error {
	var n int
	if err := in.Decode(&n); err != nil {
		return err
	}
	cost := verifier.DefaultHasherConfig()
	for range n {
		argon2.IDKey([]byte(overloadPassword), make([]byte, 16), cost.Time, cost.Memory, cost.Threads, 32)
	}
	return out.Encode(n)
}
