package credential

import (
	"encoding/hex"
	"encoding/json"
	"time"
)

// MarshalJSON writes the State for people to look at: no sealed secret, no
// digest, no fingerprint. It is not how a State is stored; see
// [State.MarshalBinary].
func (s State) MarshalJSON() ([]byte, error) {
	type attempts struct {
		Failures int        `json:"failures"`
		LastAt   *time.Time `json:"lastAt,omitempty"`
	}
	type device struct {
		ID        string    `json:"id"`
		Basis     string    `json:"basis"`
		Algorithm string    `json:"algorithm"`
		Digits    int       `json:"digits"`
		Period    string    `json:"period"`
		CreatedAt time.Time `json:"createdAt"`
		LastStep  int64     `json:"lastStep"`
		Attempts  attempts  `json:"attempts"`
	}
	type code struct {
		ID        string    `json:"id"`
		Kind      string    `json:"kind"`
		ExpiresAt time.Time `json:"expiresAt"`
	}
	type spent struct {
		Until time.Time `json:"until"`
	}
	show := func(a Attempts) attempts {
		if a.LastAt.IsZero() {
			return attempts{Failures: a.Failures}
		}
		return attempts{Failures: a.Failures, LastAt: &a.LastAt}
	}
	out := struct {
		Devices  []device `json:"devices"`
		Codes    []code   `json:"codes"`
		Spent    []spent  `json:"spent"`
		OTP      attempts `json:"otp"`
		Password attempts `json:"password"`
		PIN      attempts `json:"pin"`
		Writes   []string `json:"writes"`
	}{
		Devices: []device{}, Codes: []code{}, Spent: []spent{}, Writes: []string{},
		OTP: show(s.OTP), Password: show(s.Password), PIN: show(s.PIN),
	}
	for _, d := range s.Devices {
		out.Devices = append(out.Devices, device{
			d.ID, d.Basis.String(), d.Algorithm.String(), d.Digits,
			d.Period.String(), d.CreatedAt, d.LastStep, show(d.Attempts),
		})
	}
	for _, c := range s.Codes {
		out.Codes = append(out.Codes, code{c.ID, c.Kind, c.ExpiresAt})
	}
	for _, p := range s.Spent {
		out.Spent = append(out.Spent, spent{p.Until})
	}
	for _, w := range s.Writes {
		out.Writes = append(out.Writes, hex.EncodeToString(w[:]))
	}
	return json.Marshal(out)
}
