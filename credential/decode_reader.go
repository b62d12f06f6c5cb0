package credential

import (
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// A reader walks over tagged records and remembers the first error.
type reader struct {
	rest    cryptobyte.String
	tag     uint8
	value   cryptobyte.String
	unknown *[]byte
	err     error
}

// next moves to the next record; false at the end or after an error.
func (r *reader) next() bool {
	if r.err != nil || r.rest.Empty() {
		return false
	}
	if !r.rest.ReadUint8(&r.tag) || !r.rest.ReadUint16LengthPrefixed(&r.value) {
		r.check(fmt.Errorf("%w: a record is cut short", ErrStateFormat))
		return false
	}
	return true
}

func (r *reader) check(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) malformed() {
	r.check(fmt.Errorf("%w: record %d: cannot decode %d bytes", ErrStateFormat, r.tag, len(r.value)))
}

// keep stores the record as it is, to be written back.
func (r *reader) keep() {
	*r.unknown = append(*r.unknown, r.tag, byte(len(r.value)>>8), byte(len(r.value)))
	*r.unknown = append(*r.unknown, r.value...)
}

// int reads a number from 0 to limit. No field of a State is negative.
func (r *reader) int(limit int64) int64 {
	var v uint64
	value := r.value
	if !value.ReadUint64(&v) || !value.Empty() || v > uint64(limit) {
		r.malformed()
		return 0
	}
	return int64(v)
}

func (r *reader) time(t *time.Time) {
	var sec uint64
	var nsec uint32
	value := r.value
	if !value.ReadUint64(&sec) || !value.ReadUint32(&nsec) || !value.Empty() || nsec >= 1e9 {
		r.malformed()
		return
	}
	*t = time.Unix(int64(sec), int64(nsec)).UTC()
}

func (r *reader) attempts(a *Attempts) { r.check(a.decode(r.value)) }

func (r *reader) writes(w *[]WriteID) {
	value := r.value
	for !value.Empty() {
		var id WriteID
		if !value.CopyBytes(id[:]) {
			r.malformed()
			return
		}
		*w = append(*w, id)
	}
}
