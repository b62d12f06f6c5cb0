package settings

import (
	"bufio"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/google/uuid"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// Outcome is what became of a line of an import.
type Outcome string

// The outcomes. Those from Broken on are for a person to look at.
const (
	Added        Outcome = "added"
	AlreadyThere Outcome = "already there" // from an earlier line, or an earlier run
	Removed      Outcome = "removed here"  // imported once; its user has removed it since
	Broken       Outcome = "broken"        // not an otpauth address, or one that is not importable
	NoAccount    Outcome = "no account"
	OtherSecret  Outcome = "other secret" // the user has another device from there
	NoRoom       Outcome = "no room"
	Failed       Outcome = "failed" // run the import again
)

// Progress is how far an import is, told after each line.
type Progress struct {
	Line    int
	Account string // "" for a line that does not say
	Outcome Outcome
	// Err says more of what went wrong. No secret is in it.
	Err error
}

// ImportLines reads otpauth addresses, one a line, and gives each to the account
// that its label names: one device from source to a user. Accounts must be there
// already. It may run any number of times, also after it was killed: what is
// there is left alone, and what its user has removed stays away.
//
// A line that cannot be imported stops no other one. The error comes from lines
// or ctx; everything else is passed to report, and counted.
func ImportLines(
	ctx context.Context, issuer *devicetotp.Issuer, source string, lines io.Reader, report func(Progress),
) (map[Outcome]int, error) {
	counts := map[Outcome]int{}
	scanner := bufio.NewScanner(lines)
	for n := 1; scanner.Scan(); n++ {
		text := strings.TrimSpace(scanner.Text())
		if text == "" {
			continue
		}
		p := importLine(ctx, issuer, source, text)
		if err := ctx.Err(); err != nil {
			return counts, err // the line may be imported or not; the next run finds out
		}
		p.Line = n
		counts[p.Outcome]++
		report(p)
	}
	return counts, scanner.Err()
}

func importLine(ctx context.Context, issuer *devicetotp.Issuer, source, text string) Progress {
	uri, err := credential.ParseURI(text)
	if err != nil {
		return Progress{Outcome: Broken, Err: err}
	}
	p := Progress{Account: uri.Account}
	if uri.Account == "" {
		p.Outcome, p.Err = Broken, errors.New("the address names no account")
		return p
	}
	id := importedID(source, uri.Account)
	imported, err := issuer.Import(ctx, devicetotp.ImportRequest{
		AccountID: uri.Account,
		DeviceID:  id,
		Name:      "from " + source,
		Secret:    uri.Secret,
		Algorithm: uri.Algorithm, Digits: uri.Digits, Period: uri.Period,
	})
	p.Err = err
	switch code := devicetotp.CodeOf(err); {
	case imported.AlreadyThere:
		p.Outcome = AlreadyThere
	case err == nil:
		p.Outcome = Added
	case errors.Is(err, credential.ErrNotFound):
		p.Outcome = NoAccount
	case code == devicetotp.CodeIDInUse:
		p.Outcome, p.Err = whoseID(ctx, issuer, uri.Account, id)
	case code == devicetotp.CodeDeviceLimitReached:
		p.Outcome = NoRoom
	case errors.Is(err, devicetotp.ErrInvalid):
		p.Outcome = Broken
	default:
		p.Outcome = Failed
	}
	return p
}

// whoseID tells the two reasons apart for which an id is in use: the account has
// a device of that id, with another secret, or had one.
func whoseID(ctx context.Context, issuer *devicetotp.Issuer, account, id string) (Outcome, error) {
	o, err := issuer.Inspect(ctx, account)
	if err != nil {
		return Failed, err
	}
	if slices.ContainsFunc(o.Devices, func(d devicetotp.DeviceOverview) bool { return d.ID == id }) {
		return OtherSecret, nil
	}
	return Removed, nil
}

// importedID names the device that an account has from source: the same id in
// every run, and nothing of the secret in it.
func importedID(source, account string) string {
	return uuid.NewSHA1(namespace, []byte(source+"\x00"+account)).String()
}

// namespace is this service's own, made once with uuidgen.
var namespace = uuid.MustParse("7e0c1a52-0f5d-4a53-9f0e-5d0a8f6b3c11")
