package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"time"

	"example.com/devicetotp/devicetotp"
)

// The operations that the library has no Event for, because they are the store's.
const (
	opLock          devicetotp.Op = "lock"
	opUnlock        devicetotp.Op = "unlock"
	opDelete        devicetotp.Op = "delete"
	opRenameAccount devicetotp.Op = "rename-account"
)

// An eventLog writes a line for each Event, as a service does.
type eventLog struct {
	*slog.Logger
	io.Closer
}

func openLog(path string, stderr io.Writer) (eventLog, error) {
	if path == "" {
		return eventLog{slog.New(slog.NewJSONHandler(stderr, nil)), io.NopCloser(nil)}, nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return eventLog{}, err
	}
	return eventLog{slog.New(slog.NewJSONHandler(file, nil)), file}, nil
}

func (l eventLog) observe(ctx context.Context, e devicetotp.Event) {
	l.InfoContext(ctx, "devicetotp", "event", e)
}

// done logs what the store did to an account. After an error that is no refusal,
// nobody knows whether it took effect: that is CodeUnavailable.
func (l eventLog) done(ctx context.Context, op devicetotp.Op, account, to string, err error) {
	e := devicetotp.Event{Op: op, At: time.Now(), AccountID: account, Err: err}
	switch {
	case isRefusal(err):
		e.Code = devicetotp.CodeInvalidArgument
	case err != nil:
		e.Code = devicetotp.CodeUnavailable
	}
	args := []any{"event", e}
	if to != "" {
		args = append(args, "to", to)
	}
	l.InfoContext(ctx, "devicetotp", args...)
}
