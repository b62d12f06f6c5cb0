package payments

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"example.com/devicetotp/devicetotp"
)

// Observer logs every Event and queues a notice for the user of each new device and
// each new secret: within the grace window it is what reveals a stolen session.
type Observer struct {
	DB  *sql.DB
	Log *slog.Logger
	// Timeout bounds the write of a notice: the request waits for it.
	Timeout time.Duration
}

// Observe is the Config.Observer.
func (o *Observer) Observe(ctx context.Context, e devicetotp.Event) {
	level := slog.LevelInfo
	if e.Code == devicetotp.CodeUnavailable || e.Code == devicetotp.CodeInternal || len(e.Unreadable) > 0 {
		level = slog.LevelError
	}
	o.Log.Log(ctx, level, "devicetotp", "event", e) // holds no secret
	if e.Code != "" || e.Op != devicetotp.OpCreate && e.Op != devicetotp.OpRotate {
		return
	}
	if err := o.notify(context.WithoutCancel(ctx), e); err != nil {
		o.Log.ErrorContext(ctx, "no notice of a new device", "account", e.AccountID, "device", e.DeviceID, "err", err)
	}
}

// notify queues one notice for each pair of DeviceID and CreatedAt: a retry is the
// same device, and the first request's Event may have been lost with its process.
func (o *Observer) notify(ctx context.Context, e devicetotp.Event) error {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	_, err := o.DB.ExecContext(ctx, `
		INSERT INTO device_notices (user_id, device_id, created_at, basis) VALUES ($1, $2, $3, $4)
		ON CONFLICT DO NOTHING`, e.AccountID, e.DeviceID, e.CreatedAt, e.Basis.String())
	return err
}
