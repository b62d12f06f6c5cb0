package credential

import "slices"

// Clone returns a State that shares nothing with s that can be altered.
func (s State) Clone() State {
	c := s
	c.Devices, c.Codes = slices.Clone(s.Devices), slices.Clone(s.Codes)
	c.Spent, c.Writes, c.Kinds = slices.Clone(s.Spent), slices.Clone(s.Writes), slices.Clone(s.Kinds)
	c.Revoked = slices.Clone(s.Revoked)
	free := make(room, s.byteSize())
	for i := range c.Devices {
		d := &c.Devices[i]
		d.Sealed, d.ProofDigest, d.unknown = free.copy(d.Sealed), free.copy(d.ProofDigest), free.copy(d.unknown)
		d.Replaced = slices.Clone(d.Replaced)
		for i := range d.Replaced {
			p := &d.Replaced[i]
			p.Digest, p.unknown = free.copy(p.Digest), free.copy(p.unknown)
		}
		if d.Rotation != nil {
			r := *d.Rotation
			r.Sealed, r.ProofDigest, r.unknown = free.copy(r.Sealed), free.copy(r.ProofDigest), free.copy(r.unknown)
			d.Rotation = &r
		}
		d.PastRotations = slices.Clone(d.PastRotations)
		for i := range d.PastRotations {
			r := &d.PastRotations[i]
			r.unknown = free.copy(r.unknown)
		}
	}
	for i := range c.Codes {
		code := &c.Codes[i]
		code.Digest, code.unknown = free.copy(code.Digest), free.copy(code.unknown)
	}
	for i := range c.Spent {
		c.Spent[i].unknown = free.copy(c.Spent[i].unknown)
	}
	for i := range c.Kinds {
		c.Kinds[i].unknown = free.copy(c.Kinds[i].unknown)
	}
	for i := range c.Revoked {
		r := &c.Revoked[i]
		r.Sealed, r.unknown = free.copy(r.Sealed), free.copy(r.unknown)
	}
	c.Recovery.Sealed, c.Recovery.unknown = free.copy(c.Recovery.Sealed), free.copy(c.Recovery.unknown)
	c.unknown = free.copy(s.unknown)
	return c
}

// byteSize is how long all byte slices in s are together.
func (s *State) byteSize() int {
	n := len(s.unknown) + len(s.Recovery.Sealed) + len(s.Recovery.unknown)
	for i := range s.Revoked {
		n += len(s.Revoked[i].Sealed) + len(s.Revoked[i].unknown)
	}
	for i := range s.Devices {
		n += len(s.Devices[i].Sealed) + len(s.Devices[i].ProofDigest) + len(s.Devices[i].unknown)
		for j := range s.Devices[i].Replaced {
			n += len(s.Devices[i].Replaced[j].Digest) + len(s.Devices[i].Replaced[j].unknown)
		}
		if r := s.Devices[i].Rotation; r != nil {
			n += len(r.Sealed) + len(r.ProofDigest) + len(r.unknown)
		}
		for j := range s.Devices[i].PastRotations {
			n += len(s.Devices[i].PastRotations[j].unknown)
		}
	}
	for i := range s.Codes {
		n += len(s.Codes[i].Digest) + len(s.Codes[i].unknown)
	}
	for i := range s.Spent {
		n += len(s.Spent[i].unknown)
	}
	for i := range s.Kinds {
		n += len(s.Kinds[i].unknown)
	}
	return n
}

// room is one piece of memory for many copies, none of which can grow into the
// next.
type room []byte

func (r *room) copy(b []byte) []byte {
	if b == nil {
		return nil
	}
	n := copy(*r, b)
	out := (*r)[:n:n]
	*r = (*r)[n:]
	return out
}
