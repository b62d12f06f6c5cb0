package storetest

import (
	"errors"
	"fmt"

	"example.com/devicetotp/credential"
)

// Pairs of hashes that a column of text takes for the same if its collation
// ignores case, trailing spaces, accents or the way a letter is composed.
var likeHashes = [][2]string{
	{"$2a$10$AbCdEf", "$2a$10$aBcDeF"},
	{"hash", "hash "},
	{"hash", "ha\u015fh"},
	{"n\u00fcll", "nu\u0308ll"},
	{"", " "},
}

// exactHash gives the account a hash that is like the one before it.
func exactHash(e env) error {
	if e.SetHash == nil {
		return fmt.Errorf("Backend.SetHash is nil: %w", errors.ErrUnsupported)
	}
	checked := 0
	for _, f := range []credential.Factor{credential.FactorPassword, credential.FactorPIN} {
		for _, pair := range likeHashes {
			err := e.likeHash(f, pair[0], pair[1])
			if errors.Is(err, errors.ErrUnsupported) {
				continue
			}
			if err != nil {
				return fmt.Errorf("%q and then %q: %w", pair[0], pair[1], err)
			}
			checked++
		}
	}
	if checked == 0 {
		return fmt.Errorf("the host cannot have such hashes: %w", errors.ErrUnsupported)
	}
	return nil
}

func (e env) likeHash(f credential.Factor, before, after string) error {
	s, a, err := e.loaded()
	if err != nil {
		return err
	}
	set := func(hash string) (credential.Account, error) {
		if err := e.SetHash(e.ctx, a.ID, f, hash); err != nil {
			return credential.Account{}, fmt.Errorf("Backend.SetHash: %w", err)
		}
		got, err := e.load(s, a.ID)
		if err == nil && got.Hash(f) != hash {
			err = fmt.Errorf("Load returned the %s hash %q, the host stored %q", f, got.Hash(f), hash)
		}
		return got, err
	}
	stale, err := set(before)
	if err != nil {
		return err
	}
	changed, err := set(after)
	if err != nil {
		return err
	}
	mark(9)(&stale.State)
	if err := e.wantConflict(s, stale, "an account whose "+f.String()+" hash the host changed a little"); err != nil {
		return err
	}
	return e.wantStored(s, changed, "after the refused Save")
}
