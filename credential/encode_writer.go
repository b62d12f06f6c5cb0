package credential

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// A writer adds tagged records to out, or, if out is nil, only measures them. So
// that what is measured is what is written, both go through the same code. It
// remembers the first error.
type writer struct {
	out  []byte
	size int
	err  error
}

func (w *writer) add(v string) {
	w.size += len(v)
	if w.out != nil {
		w.out = append(w.out, v...)
	}
}

func (w *writer) addBytes(v []byte) {
	w.size += len(v)
	if w.out != nil {
		w.out = append(w.out, v...)
	}
}

// header begins a record of that length.
func (w *writer) header(tag uint8, length int) {
	if length > math.MaxUint16 {
		w.fail(fmt.Errorf("record %d: %d bytes, at most %d", tag, length, math.MaxUint16))
	}
	w.addBytes([]byte{tag, byte(length >> 8), byte(length)})
}

// begin begins a record whose length is not known yet, and returns where its
// value starts; end fills the length in.
func (w *writer) begin(tag uint8) (start int) {
	w.header(tag, 0)
	return w.size
}

func (w *writer) end(start int) {
	length := w.size - start
	if length > math.MaxUint16 {
		w.fail(fmt.Errorf("a record of %d bytes, at most %d", length, math.MaxUint16))
	}
	if w.out != nil {
		binary.BigEndian.PutUint16(w.out[start-2:], uint16(length))
	}
}

func (w *writer) fail(err error) {
	if w.err == nil {
		w.err = fmt.Errorf("%w: %w", ErrStateSize, err)
	}
}

func (w *writer) string(tag uint8, v string) {
	if v != "" {
		w.header(tag, len(v))
		w.add(v)
	}
}

func (w *writer) bytes(tag uint8, v []byte) {
	if len(v) > 0 {
		w.header(tag, len(v))
		w.addBytes(v)
	}
}

// int writes a number from 0 to limit, as the reader takes it.
func (w *writer) int(tag uint8, v, limit int64) {
	if v < 0 || v > limit {
		w.fail(fmt.Errorf("record %d: %d is not from 0 to %d", tag, v, limit))
	}
	if v != 0 {
		w.header(tag, 8)
		w.uint64(uint64(v))
	}
}

func (w *writer) bool(tag uint8, v bool) {
	if v {
		w.int(tag, 1, 1)
	}
}

func (w *writer) time(tag uint8, t time.Time) {
	if t.IsZero() {
		return
	}
	w.header(tag, 12)
	w.uint64(uint64(t.Unix()))
	w.uint32(uint32(t.Nanosecond()))
}

func (w *writer) uint64(v uint64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], v)
	w.addBytes(b[:])
}

func (w *writer) uint32(v uint32) {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], v)
	w.addBytes(b[:])
}
