package credential

// Purposes returns every purpose of a key.
func Purposes() []Purpose { return purposes[:] }

// ReleasedBuffer returns what is left of text in a buffer that was released.
func ReleasedBuffer(text string) string {
	b := newBuffer()
	n := copy(b[:], text)
	b.release()
	return string(b[:n])
}
