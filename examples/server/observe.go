package main

import (
	"context"
	"log/slog"
	"net/http"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	totperrors "example.com/devicetotp/errors"
)

// observe logs the outcome of each request. A real service also tells the user of
// each new device here: the grace window needs no proof, so the notice is what
// reveals a stolen session.
func observe(logger *slog.Logger) func(context.Context, devicetotp.Event) {
	return func(ctx context.Context, e devicetotp.Event) {
		noteOutcome(ctx, e)
		level := slog.LevelInfo
		switch {
		case e.Code == devicetotp.CodeUnavailable:
			level = slog.LevelWarn
		case e.Code != "" && e.Code.Class() == totperrors.ClassInternal:
			level = slog.LevelError
		}
		if request, ok := ctx.Value(failedKey{}).(*failed); ok {
			request.logged = level > slog.LevelInfo
		}
		logger.LogAttrs(ctx, level, "devicetotp", slog.String("request_id", jsonapi.RequestID(ctx)), slog.Any("event", e))
	}
}

// failed remembers whether the Event of a request was logged as a failure. Only the
// goroutine of the request uses it.
type failed struct{ logged bool }

type failedKey struct{}

// noteFailures lets unlessLogged know what observe has logged of a request.
func noteFailures(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), failedKey{}, new(failed))))
	})
}

// requestFailed is what package jsonapi logs of a 500.
const requestFailed = "devicetotp: request failed"

// unlessLogged leaves out what package jsonapi logs of a failure whose Event has been
// logged: it says the same, under the same request_id.
type unlessLogged struct{ slog.Handler }

// Handle implements slog.Handler.
func (h unlessLogged) Handle(ctx context.Context, r slog.Record) error {
	if request, ok := ctx.Value(failedKey{}).(*failed); ok && request.logged && r.Message == requestFailed {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}
