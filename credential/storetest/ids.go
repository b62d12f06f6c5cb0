package storetest

import (
	"errors"
	"fmt"
	"strings"

	"example.com/devicetotp/credential"
)

// maxID is the length in bytes that an id must be able to have, if the host
// does not choose the ids itself.
const maxID = 255

// oddNames are ids that a careless store confuses with each other, or chokes
// on. All begin with prefix.
func oddNames(prefix string) []string {
	long := prefix + strings.Repeat("x", max(0, maxID-1-len(prefix)))
	ids := []string{long + "y", long + "z"}
	for _, name := range []string{
		"o'brien", `"quoted"`, `back\slash`, "semi;colon--", "percent%", "percent_", "{}", "$1", "?1", "{{table}}",
		"case", "Case", "space", " space", "space ", "tab\t", "line\n", "n\u00fcll", "nu\u0308ll", "\u4e16\u754c", "\U0001F511",
		"a", "a\x00", "a\x00b", "\xff\xfe", "\xed\xa0\x80", "\ufeffa", "\u202ea", "NULL", "null",
	} {
		ids = append(ids, prefix+name)
	}
	return ids
}

func oddIDs(e env) error {
	s, err := e.open()
	if err != nil {
		return err
	}
	prefix, err := e.account() // an id that nothing else has
	if err != nil {
		return err
	}
	var made []credential.Account
	for _, id := range oddNames(prefix) {
		a, exists, err := e.oddID(s, id)
		if err != nil {
			return err
		}
		if exists {
			made = append(made, a)
		}
	}
	return e.keptApart(s, made)
}

// oddID makes the account if the host can, and saves it; else it looks for it.
func (e env) oddID(s credential.Store, id string) (saved credential.Account, exists bool, err error) {
	if e.NewAccountWithID != nil && e.NewAccountWithID(e.ctx, id) == nil {
		a, err := e.load(s, id)
		if err != nil {
			return a, false, fmt.Errorf("id %q: %w", id, err)
		}
		if a.ID != id || a.Version != 0 {
			return a, false, fmt.Errorf("Load(%q) of a new account returned account %q in version %d", id, a.ID, a.Version)
		}
		// A version shows when another id leads to the same account.
		mark(1)(&a.State)
		a.Next = newVersion()
		if err := e.saveAs(s, a); err != nil {
			return a, false, err
		}
		a.Version = a.Next
		return a, true, nil
	}
	if err := e.wantNotFound(s, id); err != nil {
		return saved, false, err
	}
	return saved, false, e.wantConflict(s, credential.Account{ID: id}, fmt.Sprintf("the account %q, which does not exist,", id))
}

func (e env) keptApart(s credential.Store, saved []credential.Account) error {
	for _, want := range saved {
		a, err := e.load(s, want.ID)
		if err != nil {
			return fmt.Errorf("id %q: %w", want.ID, err)
		}
		if a.ID != want.ID || a.Version != want.Version {
			return fmt.Errorf("account %q, saved once as version %d, loads as %q in version %d: it is not kept apart from another",
				want.ID, want.Version, a.ID, a.Version)
		}
	}
	return nil
}

func oneSpelling(e env) error {
	s, err := e.open()
	if err != nil {
		return err
	}
	id, err := e.account()
	if err != nil {
		return err
	}
	for _, other := range spellings(id) {
		if other == id {
			continue
		}
		switch a, err := s.Load(e.ctx, other); {
		case err == nil:
			return fmt.Errorf("the account %q is also found as %q, as %v", id, other, a)
		case !errors.Is(err, credential.ErrNotFound):
			return fmt.Errorf("Load(%q), which is nobody's id: want credential.ErrNotFound, got: %w", other, err)
		}
	}
	return nil
}

// spellings are other ways to write an id that databases and parsers accept for
// the same number, UUID or text.
func spellings(id string) []string {
	return []string{
		"", strings.ToUpper(id), strings.ToLower(id), " " + id, id + " ", id + "\n", "\t" + id, id + "\x00", id + "\x00x",
		"0" + id, "+" + id, "00" + id, id + ".0", id + "e0", "{" + id + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", ""),
		`"` + id + `"`, "'" + id + "'", id + "%", id[:len(id)-1] + "_", "\ufeff" + id,
	}
}
