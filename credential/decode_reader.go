package credential

import (
	"encoding/binary"
	"fmt"
	"time"
)

// A reader walks over tagged records and remembers the first error.
type reader struct {
	rest    []byte
	tag     uint8
	value   []byte
	unknown *[]byte
	err     error
}

// next moves to the next record; false at the end or after an error.
func (r *reader) next() bool {
	const header = 3 // a tag and the length of the value
	if r.err != nil || len(r.rest) == 0 {
		return false
	}
	end := header
	if len(r.rest) >= header {
		end += int(binary.BigEndian.Uint16(r.rest[1:header]))
	}
	if end > len(r.rest) {
		r.check(fmt.Errorf("%w: a record is cut short", ErrStateFormat))
		return false
	}
	r.tag, r.value, r.rest = r.rest[0], r.rest[header:end], r.rest[end:]
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
	if len(r.value) == 8 {
		if v := binary.BigEndian.Uint64(r.value); v <= uint64(limit) {
			return int64(v)
		}
	}
	r.malformed()
	return 0
}

func (r *reader) time(t *time.Time) {
	if len(r.value) != 12 || binary.BigEndian.Uint32(r.value[8:]) >= 1e9 {
		r.malformed()
		return
	}
	*t = time.Unix(int64(binary.BigEndian.Uint64(r.value)), int64(binary.BigEndian.Uint32(r.value[8:]))).UTC()
}

func (r *reader) attempts(a *Attempts) { r.check(a.decode(r.value)) }

func (r *reader) writes(w *[]WriteID) {
	const size = len(WriteID{})
	if len(r.value)%size != 0 {
		r.malformed()
		return
	}
	for rest := r.value; len(rest) > 0; rest = rest[size:] {
		*w = append(*w, WriteID(rest))
	}
}
