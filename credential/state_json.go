package credential

import (
	"encoding/hex"
	"encoding/json"
	"time"
)

// What people see of a State and its parts: no sealed secret, no digest, no
// fingerprint and no proof.
type (
	stateView struct {
		Devices  []deviceView  `json:"devices"`
		Codes    []codeView    `json:"codes"`
		Spent    []spentView   `json:"spent"`
		OTP      attemptsView  `json:"otp"`
		Password attemptsView  `json:"password"`
		PIN      attemptsView  `json:"pin"`
		Kinds    []kindView    `json:"kinds,omitempty"`
		OnGrace  int           `json:"graceIssued,omitempty"`
		Revoked  []revokedView `json:"revoked,omitempty"`
		Recovery *recoveryView `json:"recovery,omitempty"`
		Writes   []string      `json:"writes"`
	}
	deviceView struct {
		ID        string        `json:"id"`
		Name      string        `json:"name,omitempty"`
		Basis     string        `json:"basis"`
		OnGrace   bool          `json:"restsOnGrace,omitempty"`
		Algorithm string        `json:"algorithm"`
		Digits    int           `json:"digits"`
		Period    string        `json:"period"`
		CreatedAt time.Time     `json:"createdAt"`
		LastStep  int64         `json:"lastStep"`
		MadeBy    string        `json:"madeBy,omitempty"`
		Attempts  attemptsView  `json:"attempts"`
		Named     *attemptsView `json:"named,omitempty"`
		Rotation  *rotationView `json:"rotation,omitempty"`
	}
	rotationView struct {
		ID        string    `json:"id"`
		StartedAt time.Time `json:"startedAt"`
		Until     time.Time `json:"until"`
	}
	revokedView struct {
		ID       string    `json:"id"`
		At       time.Time `json:"at"`
		Imported bool      `json:"imported,omitempty"`
	}
	recoveryView struct {
		Left      int          `json:"left"`
		CreatedAt time.Time    `json:"createdAt"`
		Attempts  attemptsView `json:"attempts"`
	}
	kindView struct {
		Kind     string       `json:"kind"`
		Attempts attemptsView `json:"attempts"`
	}
	codeView struct {
		ID        string    `json:"id"`
		Kind      string    `json:"kind"`
		ExpiresAt time.Time `json:"expiresAt"`
		Withdrawn bool      `json:"withdrawn,omitempty"`
	}
	spentView struct {
		Until time.Time `json:"until"`
	}
	attemptsView struct {
		Failures int        `json:"failures"`
		LastAt   *time.Time `json:"lastAt,omitempty"`
	}
)

func (s State) view() stateView {
	out := stateView{
		Devices: make([]deviceView, len(s.Devices)), Codes: make([]codeView, len(s.Codes)),
		Spent: make([]spentView, len(s.Spent)), Writes: make([]string, len(s.Writes)),
		OTP: s.OTP.view(), Password: s.Password.view(), PIN: s.PIN.view(), OnGrace: s.GraceIssued,
	}
	for i := range s.Devices {
		out.Devices[i] = s.Devices[i].view()
	}
	for i := range s.Revoked {
		out.Revoked = append(out.Revoked, revokedView{s.Revoked[i].ID, s.Revoked[i].At, s.Revoked[i].Imported})
	}
	if r := &s.Recovery; !r.empty() {
		out.Recovery = &recoveryView{r.Left, r.CreatedAt, r.Attempts.view()}
	}
	for i := range s.Kinds {
		out.Kinds = append(out.Kinds, kindView{s.Kinds[i].Kind, s.Kinds[i].Attempts.view()})
	}
	for i := range s.Codes {
		out.Codes[i] = s.Codes[i].view()
	}
	for i := range s.Spent {
		out.Spent[i] = s.Spent[i].view()
	}
	for i, w := range s.Writes {
		out.Writes[i] = hex.EncodeToString(w[:])
	}
	return out
}

func (d Device) view() deviceView {
	view := deviceView{
		ID: d.ID, Name: d.Name, Basis: d.Basis.String(), OnGrace: d.RestsOnGrace, Algorithm: d.Algorithm.String(), Digits: d.Digits, Period: d.Period.String(),
		CreatedAt: d.CreatedAt, LastStep: d.LastStep, MadeBy: d.MadeBy, Attempts: d.Attempts.view(),
	}
	if named := d.Named.view(); named.Failures > 0 {
		view.Named = &named
	}
	if d.Rotation != nil {
		view.Rotation = &rotationView{d.Rotation.ID, d.Rotation.StartedAt, d.Rotation.Until}
	}
	return view
}

func (c OneTimeCode) view() codeView {
	return codeView{ID: c.ID, Kind: c.Kind, ExpiresAt: c.ExpiresAt, Withdrawn: c.Withdrawn}
}

func (p SpentProof) view() spentView { return spentView{Until: p.Until} }

func (a Attempts) view() attemptsView {
	if a.LastAt.IsZero() {
		return attemptsView{Failures: a.Failures}
	}
	return attemptsView{Failures: a.Failures, LastAt: &a.LastAt}
}

// MarshalJSON writes the State for people to look at: no sealed secret, no
// digest, no fingerprint. It is not how a State is stored; see
// [State.MarshalBinary].
func (s State) MarshalJSON() ([]byte, error) { return json.Marshal(s.view()) }

// MarshalJSON writes the device without its sealed secret and proof.
func (d Device) MarshalJSON() ([]byte, error) { return json.Marshal(d.view()) }

// MarshalJSON writes the code's id, kind and expiry without its digest.
func (c OneTimeCode) MarshalJSON() ([]byte, error) { return json.Marshal(c.view()) }

// MarshalJSON writes when the proof may be forgotten, without the proof.
func (p SpentProof) MarshalJSON() ([]byte, error) { return json.Marshal(p.view()) }

// MarshalJSON writes the failures without the fingerprint of the hash.
func (a Attempts) MarshalJSON() ([]byte, error) { return json.Marshal(a.view()) }
