package hosttest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"example.com/devicetotp/credential"
)

// stored returns an error unless the account is stored exactly so.
func stored(ctx context.Context, s Store, want credential.Account) error {
	got, err := s.Load(ctx, want.ID)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(want, got) { // printed by hand: an Account hides its hashes
		return fmt.Errorf("stored: %v, %v, password %q, PIN %q, State %v\nwant:   %v, %v, password %q, PIN %q, State %v",
			got, got.RegisteredAt, got.PasswordHash, got.PINHash, got.State,
			want, want.RegisteredAt, want.PasswordHash, want.PINHash, want.State)
	}
	return nil
}

// absent returns an error unless there is no such account.
func absent(ctx context.Context, s Store, id string) error {
	_, err := s.Load(ctx, id)
	return wraps("Load", err, credential.ErrNotFound)
}

// done returns an error unless what was called returned ok and no error.
func done(what string, ok bool, err error, want bool) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if ok != want {
		return fmt.Errorf("%s returned %t, want %t", what, ok, want)
	}
	return nil
}

// wraps returns an error unless err wraps want.
func wraps(what string, err, want error) error {
	if errors.Is(err, want) {
		return nil
	}
	return fmt.Errorf("%s: want %q, got %v", what, want, err)
}

// refused returns an error unless err has those words and is of no known kind.
func refused(what string, err error, words string) error {
	if err == nil || !strings.Contains(err.Error(), words) {
		return fmt.Errorf("%s: want an error with %q, got %v", what, words, err)
	}
	if errors.Is(err, credential.ErrConflict) || errors.Is(err, credential.ErrNotFound) {
		return fmt.Errorf("%s: %w, though it is a mistake of the caller", what, err)
	}
	return nil
}

// first returns the first error.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
