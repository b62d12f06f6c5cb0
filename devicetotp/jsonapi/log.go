package jsonapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	totperrors "example.com/devicetotp/errors"
)

// logFailure logs the cause of a 500 under the id that the caller receives. The
// caller is answered also if the Logger panics.
func (o *Config) logFailure(ctx context.Context, p *Problem) {
	var panicked error // nobody is left to report it to
	defer contain(&panicked)
	o.log(ctx, p)
}

func (o *Config) log(ctx context.Context, p *Problem) {
	if p.status() < http.StatusInternalServerError {
		return
	}
	level, message := slog.LevelError, "devicetotp: request failed"
	switch {
	case hungUp(ctx, p):
		level, message = slog.LevelDebug, "devicetotp: the client hung up"
	case p.Code == totperrors.CodeUnavailable:
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{
		slog.String("request_id", RequestID(ctx)),
		slog.String("code", string(p.Code)),
		slog.String("error", textOf(p)),
	}
	var panicked *panicError
	if errors.As(p.Err, &panicked) {
		attrs = append(attrs, slog.String("stack", string(panicked.stack)))
	}
	logger := o.Logger
	if logger == nil {
		logger = slog.Default()
	}
	logger.LogAttrs(ctx, level, message, attrs...)
}

// hungUp reports whether the request could not be finished because the client went
// away. A database that is down while clients give up is another matter: what it
// returns is no cancellation.
func hungUp(ctx context.Context, p *Problem) bool {
	return p.Code == totperrors.CodeUnavailable && errors.Is(p.Err, context.Canceled) && errors.Is(ctx.Err(), context.Canceled)
}

// textOf returns the text of p, also if the error in it panics when it is asked.
func textOf(p *Problem) string {
	text, fault := ask(p)
	if fault != nil {
		return fault.Error()
	}
	return text
}

func ask(p *Problem) (text string, fault error) {
	defer contain(&fault)
	return p.Error(), nil
}
