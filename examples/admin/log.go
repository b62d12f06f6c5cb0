package main

import (
	"context"
	"errors"
	"fmt"
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
	lines *lines
}

// errLog says that something may have been done that is not in the log.
var errLog = errors.New("write the log")

// lines remembers that a line was not written, which package slog does not report: a
// replay would not know what was done.
type lines struct {
	io.Writer
	err error
}

func (l *lines) Write(line []byte) (int, error) {
	n, err := l.Writer.Write(line)
	if err != nil {
		l.err = fmt.Errorf("%w: %w", errLog, err)
	}
	return n, err
}

func openLog(path string, stderr io.Writer) (eventLog, error) {
	out := &lines{Writer: stderr}
	if path != "" {
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			return eventLog{}, err
		}
		out.Writer = file
	}
	return eventLog{slog.New(slog.NewJSONHandler(out, nil)), out}, nil
}

// Close closes the file, and reports whether every line was written.
func (l eventLog) Close() error {
	if file, ok := l.lines.Writer.(*os.File); ok && file != os.Stderr {
		if err := file.Close(); err != nil {
			return errors.Join(l.lines.err, fmt.Errorf("%w: %w", errLog, err))
		}
	}
	return l.lines.err
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
