package explore

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"example.com/devicetotp/credential"
)

// canonical returns s without what random numbers make different: secrets and
// digests are replaced by what they stand for, the ids of one-time codes by their
// place in line, and write ids are left out.
func (h *household) canonical(s credential.State) credential.State {
	s = s.Clone()
	s.Writes = nil
	var pairs []string
	for i := range s.Codes {
		c := &s.Codes[i]
		scope := credential.Scope{Purpose: credential.PurposeOneTimeCode, AccountID: accountID, Subject: c.ID}
		c.Digest = h.reveal(scope, c.Digest)
		id := fmt.Sprintf("%-16x", sha256.Sum256(append([]byte(c.Kind), c.Digest...)))[:16]
		pairs = append(pairs, c.ID, id)
		c.ID = id
	}
	codes := strings.NewReplacer(pairs...)
	for i := range s.Spent {
		s.Spent[i].ProofID = codes.Replace(s.Spent[i].ProofID)
	}
	for i := range s.Devices {
		d := &s.Devices[i]
		proofs := credential.Scope{Purpose: credential.PurposeProof, AccountID: accountID, Subject: d.ID}
		if r := d.Rotation; r != nil {
			r.Sealed = h.open(credential.RotationScope(accountID, d, r), r.Sealed)
			r.ProofDigest = h.reveal(proofs, r.ProofDigest)
		}
		d.Sealed = h.open(credential.DeviceScope(accountID, d), d.Sealed)
		d.ProofDigest = h.reveal(proofs, d.ProofDigest)
		for j := range d.Replaced {
			d.Replaced[j].Digest = h.reveal(proofs, d.Replaced[j].Digest)
		}
	}
	for i := range s.Revoked {
		r := &s.Revoked[i]
		r.Sealed = h.open(credential.RevokedScope(accountID, r.ID), r.Sealed)
	}
	if s.Recovery.Sealed != nil {
		s.Recovery.Sealed = []byte(fmt.Sprintf("recovery codes, outdated %t", h.keys.Outdated(s.Recovery.Sealed)))
	}
	return s
}

func (h *household) open(scope credential.Scope, sealed []byte) []byte {
	if sealed == nil {
		return nil
	}
	plain, _, err := h.keys.Open(scope, sealed)
	if err != nil {
		return []byte("sealed, and does not open")
	}
	if h.keys.Outdated(sealed) {
		return []byte(plain.Reveal() + " under an older key")
	}
	return []byte(plain.Reveal())
}

// reveal returns what a digest stands for.
func (h *household) reveal(scope credential.Scope, digest []byte) []byte {
	if digest == nil {
		return nil
	}
	for _, value := range h.values {
		if same, err := h.keys.Matches(scope, digest, secret(value)); err == nil && same {
			return []byte(value)
		}
	}
	return []byte("an unknown value")
}

// dump is a State in its canonical form: equal dumps, equal States. It is binary.
func (h *household) dump(s credential.State) string {
	b, err := h.canonical(s).MarshalBinary()
	must(err)
	return string(b)
}
