package rollout

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"example.com/devicetotp/credential"
)

// Report is what was done, and which accounts still need which keys. It is also
// what the state file has: it names accounts and keys and holds no secret.
type Report struct {
	// Name is Config.Name.
	Name string `json:"name"`
	// Primary is the id of the key that everything is sealed with.
	Primary string `json:"primary"`
	// After is the last account that was done.
	After string `json:"after"`
	// Complete reports that no account is left to do.
	Complete bool `json:"complete"`
	// Accounts is how many were done, and Gone how many of them were deleted
	// meanwhile.
	Accounts int `json:"accounts"`
	Gone     int `json:"gone"`
	// Checked is how many were read again at the end. It is 0 after a dry run.
	Checked int `json:"-"`
	// Values is how many values were sealed again, and PINs how many PIN hashes.
	Values int `json:"values"`
	PINs   int `json:"pins"`
	// Needs are the accounts that need a key, by its id.
	Needs map[string]Some `json:"needs"`
	// Unreadable are the accounts with a value that does not open, Disputed those
	// with one of a different key of the primary's id, and Failed those that could
	// not be done at all.
	Unreadable Some `json:"unreadable"`
	Disputed   Some `json:"disputed"`
	Failed     Some `json:"failed"`
}

// Some counts accounts and keeps the first of them, each with the reason if there
// is one.
type Some struct {
	Count int      `json:"count"`
	First []string `json:"first"`
}

// maxFirst is how many accounts are named.
const maxFirst = 10

func (s *Some) add(text string) {
	if s.Count++; len(s.First) < maxFirst {
		s.First = append(s.First, text)
	}
}

func (s *Some) String() string {
	if s.Count > len(s.First) {
		return fmt.Sprintf("%d: %s, ...", s.Count, strings.Join(s.First, ", "))
	}
	return fmt.Sprintf("%d: %s", s.Count, strings.Join(s.First, ", "))
}

func (r *Report) add(one result) {
	r.Accounts++
	if one.gone {
		r.Gone++
		return
	}
	if one.failure != nil {
		r.Failed.add(fmt.Sprintf("%q (%v)", one.id, one.failure))
		return
	}
	r.Values += one.values
	if one.pin {
		r.PINs++
	}
	if one.disputed {
		r.Disputed.add(fmt.Sprintf("%q", one.id))
	}
	if r.Needs == nil {
		r.Needs = map[string]Some{}
	}
	for _, key := range one.keys {
		some := r.Needs[key]
		some.add(fmt.Sprintf("%q", one.id))
		r.Needs[key] = some
	}
	if len(one.unreadable) > 0 {
		v := one.unreadable[0]
		what := strings.TrimSpace(string(v.Purpose) + " " + v.DeviceID)
		r.Unreadable.add(fmt.Sprintf("%q (%s: %v)", one.id, what, v.Err))
	}
}

// replaceFindings takes over what the reading at the end found. An account that could
// not be done stays a failure, although it can be read.
func (r *Report) replaceFindings(seen Report) {
	r.Needs, r.Unreadable = seen.Needs, seen.Unreadable
	if seen.Failed.Count > r.Failed.Count {
		r.Failed = seen.Failed
	}
	if seen.Disputed.Count > r.Disputed.Count {
		r.Disputed = seen.Disputed
	}
}

// Unneeded returns the keys of the keyring that are older than the primary and
// that no account needs. It is empty unless every account was done.
func (r *Report) Unneeded(keys *credential.Keyring) (ids []string) {
	if !r.Complete || r.Failed.Count > 0 {
		return nil
	}
	for _, id := range older(keys) {
		if r.Needs[id].Count == 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// StillNeeded returns the ids of keys that accounts need and that are neither the
// primary nor newer: keys that must stay, or that are missing from the keyring.
func (r *Report) StillNeeded(keys *credential.Keyring) (ids []string) {
	all := keys.IDs()
	kept := all[slices.Index(all, keys.PrimaryID()):]
	for id := range r.Needs {
		if !slices.Contains(kept, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func older(keys *credential.Keyring) []string {
	all := keys.IDs()
	return all[:slices.Index(all, keys.PrimaryID())]
}

// ExitCode returns 0 if every account was done and needs no key but the primary and
// newer ones; 3 if one needs another key; 1 if err is not nil or an account failed.
func (r *Report) ExitCode(keys *credential.Keyring, err error) int {
	switch {
	case err != nil || !r.Complete || r.Failed.Count > 0:
		return 1
	case len(r.StillNeeded(keys)) > 0 || r.Disputed.Count > 0:
		return 3
	default:
		return 0
	}
}

// Print writes the report for an operator.
func (r *Report) Print(out io.Writer, keys *credential.Keyring, dryRun bool) error {
	var b strings.Builder
	if dryRun {
		fmt.Fprintf(&b, "read %d accounts; nothing was changed\n", r.Accounts)
	} else {
		fmt.Fprintf(&b, "%d accounts done under the primary key %s: %d values and %d PIN hashes sealed again\n", r.Accounts, r.Primary, r.Values, r.PINs)
		if r.Complete {
			fmt.Fprintf(&b, "%d accounts read again at the end\n", r.Checked)
		}
	}
	for _, part := range []struct {
		what string
		some Some
	}{
		{"accounts that failed", r.Failed},
		{"accounts with a value that does not open", r.Unreadable},
		{"accounts with a value of a different key of the primary's id", r.Disputed},
	} {
		if part.some.Count > 0 {
			fmt.Fprintf(&b, "%s: %s\n", part.what, &part.some)
		}
	}
	for _, id := range r.StillNeeded(keys) {
		some := r.Needs[id]
		fmt.Fprintf(&b, "still needed: %s, by %s\n", id, &some)
	}
	if ids := r.Unneeded(keys); len(ids) > 0 {
		fmt.Fprintf(&b, "no account needs: %s\n", strings.Join(ids, ", "))
		b.WriteString("once every process has the primary " + r.Primary + ", take that out of the key files\n")
	}
	if id := keys.IDs()[len(keys.IDs())-1]; id != keys.PrimaryID() {
		fmt.Fprintf(&b, "the newest key, %s, is not the primary: this was the first step of its roll-out\n", id)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// errOther says that a state file is not of this roll-out.
var errOther = errors.New("is of a run over other accounts or with another primary key; remove it to begin at the first account")
