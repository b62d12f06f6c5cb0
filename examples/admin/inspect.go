package main

import (
	"context"
	"encoding/json"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// view is what inspect prints: what support asks of an Overview, and what is stored
// beside it.
type view struct {
	Account      string              `json:"account"`
	Locked       bool                `json:"locked"`
	RegisteredAt time.Time           `json:"registeredAt,omitzero"`
	HasPassword  bool                `json:"hasPassword"`
	HasPIN       bool                `json:"hasPIN"`
	GraceUntil   time.Time           `json:"graceUntil,omitzero"`
	Factors      map[string]attempts `json:"factors"`
	Kinds        map[string]attempts `json:"kinds,omitempty"`
	Recovery     recovery            `json:"recovery"`
	Codes        []code              `json:"codes,omitempty"`
	Devices      []device            `json:"devices"`
	Keys         []string            `json:"keys"`
	Unreadable   []unreadable        `json:"unreadable,omitempty"`
}

type attempts struct {
	Failures     int       `json:"failures"`
	Blocked      bool      `json:"blocked"`
	BlockedUntil time.Time `json:"blockedUntil,omitzero"`
}

type recovery struct {
	Left      int       `json:"left"`
	CreatedAt time.Time `json:"createdAt,omitzero"`
	attempts
}

// device has no ID while that is as good as the secret: a Create that presents nothing
// but the id would be given the device.
type device struct {
	ID              string    `json:"id,omitempty"`
	OpenToRetry     bool      `json:"openToRetry,omitempty"`
	Name            string    `json:"name,omitempty"`
	Basis           string    `json:"basis"`
	RestsOnGrace    bool      `json:"restsOnGrace,omitempty"`
	CreatedAt       time.Time `json:"createdAt"`
	LastUsedAt      time.Time `json:"lastUsedAt,omitzero"`
	MadeBy          string    `json:"madeBy,omitempty"`
	RotationPending bool      `json:"rotationPending,omitempty"`
	KeyID           string    `json:"key"`
	Opens           bool      `json:"opens"`
	Skipped         bool      `json:"skipped"`
	SkippedUntil    time.Time `json:"skippedUntil,omitzero"`
	attempts
}

type code struct {
	Kind      string    `json:"kind"`
	ExpiresAt time.Time `json:"expiresAt"`
}

type unreadable struct {
	Purpose string `json:"purpose"`
	Device  string `json:"device,omitempty"`
	Key     string `json:"key,omitempty"`
	Error   string `json:"error"`
}

func inspect(ctx context.Context, a *admin, o options) error {
	seen, err := a.issuer.Inspect(ctx, o.args[0]) // first, because it is logged
	if err != nil {
		return err
	}
	stored, err := a.store.Load(ctx, o.args[0])
	if err != nil {
		return err
	}
	out := json.NewEncoder(a.out)
	out.SetIndent("", "  ")
	return out.Encode(newView(stored, seen))
}

func newView(a credential.Account, o devicetotp.Overview) view {
	v := view{
		Account: a.ID, Locked: a.Locked, RegisteredAt: a.RegisteredAt, HasPassword: a.PasswordHash != "", HasPIN: a.PINHash != "",
		GraceUntil: o.GraceUntil, Factors: map[string]attempts{}, Kinds: map[string]attempts{}, Devices: []device{}, Keys: o.Keys,
		Recovery: recovery{o.Recovery.Left, o.Recovery.CreatedAt, attempts{o.Recovery.Failures, o.Recovery.Blocked, o.Recovery.BlockedUntil}},
	}
	for _, f := range o.Factors {
		v.Factors[f.Factor.String()] = attempts{f.Failures, f.Blocked, f.BlockedUntil}
	}
	for _, k := range o.Kinds {
		v.Kinds[k.Kind] = attempts{k.Failures, k.Blocked, k.BlockedUntil}
	}
	for _, c := range o.Codes {
		v.Codes = append(v.Codes, code(c))
	}
	hidden := map[string]bool{}
	for _, d := range o.Devices {
		if d.OpenToRetry {
			hidden[d.ID], d.ID = true, ""
		}
		v.Devices = append(v.Devices, device{
			ID: d.ID, OpenToRetry: d.OpenToRetry, Name: d.Name, Basis: d.Basis.String(), RestsOnGrace: d.RestsOnGrace, CreatedAt: d.CreatedAt, LastUsedAt: d.LastUsedAt, MadeBy: d.MadeBy,
			RotationPending: d.RotationPending, KeyID: d.KeyID, Opens: d.Opens, Skipped: d.Skipped, SkippedUntil: d.SkippedUntil,
			attempts: attempts{d.Failures, d.Blocked, d.BlockedUntil},
		})
	}
	for _, u := range o.Unreadable {
		if hidden[u.DeviceID] { // another process may have the key
			u.DeviceID = ""
		}
		v.Unreadable = append(v.Unreadable, unreadable{string(u.Purpose), u.DeviceID, u.KeyID, u.Err.Error()})
	}
	return v
}
