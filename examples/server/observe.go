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
		attrs := []slog.Attr{
			slog.String("request_id", jsonapi.RequestID(ctx)),
			slog.String("op", string(e.Op)),
			slog.String("account", e.AccountID),
			slog.String("device", e.DeviceID),
			slog.String("code", string(e.Code)),
			slog.Int("rounds", e.Rounds),
		}
		if e.Basis != 0 {
			attrs = append(attrs, slog.String("basis", e.Basis.String()), slog.Bool("replayed", e.Replayed))
		}
		for _, f := range e.Factors {
			attrs = append(attrs, slog.Group(f.Factor.String(), "result", f.Result.String(), "failures", f.Failures))
		}
		if len(e.Evicted) > 0 {
			attrs = append(attrs, slog.Any("evicted", e.Evicted))
		}
		level := slog.LevelInfo
		if e.Err != nil {
			level = slog.LevelError
			attrs = append(attrs, slog.Any("error", e.Err))
		}
		logger.LogAttrs(ctx, level, "devicetotp", attrs...)
	}
}
