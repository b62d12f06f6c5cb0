package credential

// Purposes returns every purpose of a key.
func Purposes() []Purpose { return purposes[:] }
