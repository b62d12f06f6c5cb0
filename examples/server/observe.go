package main

import (
	"context"
	"log/slog"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
)

// observe logs the outcome of each request. A real service also tells the user of
// each new device here: the grace window needs no proof, so the notice is what
// reveals a stolen session.
func observe(logger *slog.Logger) func(context.Context, devicetotp.Event) {
	return func(ctx context.Context, e devicetotp.Event) {
		noteOutcome(ctx, e)
		level := slog.LevelInfo
		if e.Err != nil {
			level = slog.LevelError
		}
		logger.LogAttrs(ctx, level, "devicetotp", slog.String("request_id", jsonapi.RequestID(ctx)), slog.Any("event", e))
	}
}
