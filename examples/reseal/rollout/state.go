package rollout

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// load takes up the run that the state file is of, if there is one.
func (w *walk) load() error {
	if w.StateFile == "" || w.DryRun {
		return nil
	}
	text, err := os.ReadFile(w.StateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("state file: %w", err)
	}
	var found Report
	if err := json.Unmarshal(text, &found); err != nil {
		return fmt.Errorf("state file %s: %w", w.StateFile, err)
	}
	if found.Primary != w.report.Primary || found.Name != w.report.Name {
		return fmt.Errorf("state file %s %w", w.StateFile, errOther)
	}
	w.report = found
	return nil
}

// save replaces the state file, whole or not at all.
func (w *walk) save() error {
	if w.StateFile == "" || w.DryRun {
		return nil
	}
	text, err := json.Marshal(w.report)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(w.StateFile), ".new-"+filepath.Base(w.StateFile)+"-*")
	if err != nil {
		return fmt.Errorf("state file: %w", err)
	}
	defer os.Remove(file.Name())
	_, err = file.Write(append(text, '\n'))
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("state file: %w", err)
	}
	if err := os.Rename(file.Name(), w.StateFile); err != nil {
		return fmt.Errorf("state file: %w", err)
	}
	return nil
}

// forget removes the state file after the last account.
func (w *walk) forget() error {
	if w.StateFile == "" || w.DryRun {
		return nil
	}
	if err := os.Remove(w.StateFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("state file: %w", err)
	}
	return nil
}
