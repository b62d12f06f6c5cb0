package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"example.com/devicetotp/credential"
)

// openKeys reads the key file, and makes it if it is not there. Without the
// keys that sealed them, the secrets in the store are lost.
func openKeys(path string, logger *slog.Logger) (*credential.Keyring, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKeyFile(path); err != nil {
			return nil, fmt.Errorf("make key file: %w", err)
		}
		logger.Info("made a key file; keep it, and keep it out of the database's backups", "file", path)
		info, err = os.Stat(path)
	}
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		logger.Warn("others can read the key file", "file", path, "mode", mode.String())
	}
	return credential.KeyringFromFile(path)
}

// makeKeyFile puts a file with one new key at path, whole or not at all. If
// another process was faster, its file stays.
func makeKeyFile(path string) error {
	key := credential.NewKey(time.Now().UTC().Format("2006-01-02"))
	file, err := os.CreateTemp(filepath.Dir(path), ".new-key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = fmt.Fprintf(file, "# devicetotp keys, oldest first. Without them what is in the store cannot be read.\n%s\n", credential.KeyText(key))
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
