package devicetotp

import (
	"encoding/json"
	"log/slog"
	"time"
)

// MarshalJSON writes the Event whole: names instead of numbers, durations in
// seconds, the cause of an error as its text. What is zero is left out.
func (e Event) MarshalJSON() ([]byte, error) {
	view := eventView{
		Op: e.Op, At: e.At, Account: e.AccountID, Device: e.DeviceID, Code: e.Code, CreatedAt: e.CreatedAt,
		Replayed: e.Replayed, Replaced: e.Replaced, RestsOnGrace: e.RestsOnGrace,
		Confirmed: e.RotationsConfirmed, Evicted: e.Evicted, Revoked: e.Revoked, Unreadable: e.unreadable(),
		RetryAfter: e.RetryAfter.Seconds(), AuthenticatedAt: e.AuthenticatedAt, Rounds: e.Rounds,
		Duration: e.Duration.Seconds(), Error: text(e.Err),
	}
	if e.Basis != 0 {
		view.Basis = e.Basis.String()
	}
	for _, f := range e.Factors {
		view.Factors = append(view.Factors, factorView{f.Factor.String(), f.Result.String(), f.Kind, f.Failures})
	}
	return json.Marshal(view)
}

// LogValue returns what MarshalJSON writes, as a group of attributes with a group
// for each factor. So an Event is logged whole:
//
//	logger.InfoContext(ctx, "devicetotp", "event", e)
func (e Event) LogValue() slog.Value {
	attrs := make([]slog.Attr, 0, 24)
	add := func(present bool, a slog.Attr) {
		if present {
			attrs = append(attrs, a)
		}
	}
	add(true, slog.String("op", string(e.Op)))
	add(!e.At.IsZero(), slog.Time("at", e.At))
	add(true, slog.String("account", e.AccountID))
	add(e.DeviceID != "", slog.String("device", e.DeviceID))
	add(e.Code != "", slog.String("code", string(e.Code)))
	add(e.Basis != 0, slog.String("basis", e.Basis.String()))
	add(!e.CreatedAt.IsZero(), slog.Time("createdAt", e.CreatedAt))
	add(e.Replayed, slog.Bool("replayed", true))
	add(e.Replaced, slog.Bool("replaced", true))
	add(len(e.RotationsConfirmed) > 0, slog.Any("rotationsConfirmed", e.RotationsConfirmed))
	add(e.RestsOnGrace, slog.Bool("restsOnGrace", true))
	for _, f := range e.Factors {
		add(true, f.attr())
	}
	add(len(e.Unreadable) > 0, slog.Any("unreadable", e.unreadable()))
	add(e.RetryAfter != 0, slog.Float64("retryAfterSeconds", e.RetryAfter.Seconds()))
	add(len(e.Evicted) > 0, slog.Any("evicted", e.Evicted))
	add(len(e.Revoked) > 0, slog.Any("revoked", e.Revoked))
	add(!e.AuthenticatedAt.IsZero(), slog.Time("authenticatedAt", e.AuthenticatedAt))
	add(true, slog.Int("rounds", e.Rounds))
	add(true, slog.Float64("durationSeconds", e.Duration.Seconds()))
	add(e.Err != nil, slog.String("error", text(e.Err)))
	return slog.GroupValue(attrs...)
}

func (f FactorResult) attr() slog.Attr {
	attrs := []slog.Attr{slog.String("result", f.Result.String())}
	if f.Kind != "" {
		attrs = append(attrs, slog.String("kind", f.Kind))
	}
	if f.Failures != 0 {
		attrs = append(attrs, slog.Int("failures", f.Failures))
	}
	return slog.GroupAttrs(f.Factor.String(), attrs...)
}

type (
	eventView struct {
		Op              Op               `json:"op"`
		At              time.Time        `json:"at,omitzero"`
		Account         string           `json:"account"`
		Device          string           `json:"device,omitempty"`
		Code            Code             `json:"code,omitempty"`
		Basis           string           `json:"basis,omitempty"`
		CreatedAt       time.Time        `json:"createdAt,omitzero"`
		Replayed        bool             `json:"replayed,omitempty"`
		Replaced        bool             `json:"replaced,omitempty"`
		Confirmed       []string         `json:"rotationsConfirmed,omitempty"`
		RestsOnGrace    bool             `json:"restsOnGrace,omitempty"`
		Factors         []factorView     `json:"factors,omitempty"`
		Unreadable      []unreadableView `json:"unreadable,omitempty"`
		RetryAfter      float64          `json:"retryAfterSeconds,omitempty"`
		Evicted         []string         `json:"evicted,omitempty"`
		Revoked         []string         `json:"revoked,omitempty"`
		AuthenticatedAt time.Time        `json:"authenticatedAt,omitzero"`
		Rounds          int              `json:"rounds"`
		Duration        float64          `json:"durationSeconds"`
		Error           string           `json:"error,omitempty"`
	}
	factorView struct {
		Factor   string `json:"factor"`
		Result   string `json:"result"`
		Kind     string `json:"kind,omitempty"`
		Failures int    `json:"failures,omitempty"`
	}
	unreadableView struct {
		Factor string `json:"factor"`
		Device string `json:"device,omitempty"`
		Kind   string `json:"kind,omitempty"`
		Error  string `json:"error,omitempty"`
	}
)

// String is for logs of text.
func (u unreadableView) String() string {
	text := u.Factor
	for _, word := range []string{u.Device, u.Kind} {
		if word != "" {
			text += " " + word
		}
	}
	return text + ": " + u.Error
}

func (e Event) unreadable() (views []unreadableView) {
	for _, u := range e.Unreadable {
		views = append(views, unreadableView{u.Factor.String(), u.DeviceID, u.Kind, text(u.Err)})
	}
	return views
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
