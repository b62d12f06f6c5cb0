package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	totperrors "example.com/devicetotp/errors"
)

// A walk imports a file, line by line.
type walk struct {
	bring    func(context.Context, devicetotp.ImportRequest) (devicetotp.Imported, error)
	progress func(summary)
}

// tries is how often a device is imported again after an unavailable error.
const tries = 5

func (w walk) run(ctx context.Context, lines io.Reader) (summary, error) {
	s := summary{}
	scanner := bufio.NewScanner(lines)
	for number := 1; scanner.Scan(); number++ {
		text := strings.TrimSpace(scanner.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if err := ctx.Err(); err != nil {
			return s, err
		}
		done, unnamed, err := w.line(ctx, text)
		switch {
		case err == nil:
			s.count(number, done, unnamed)
		case isRefusal(err):
			s.refuse(number, err)
		default:
			return s, fmt.Errorf("line %d: %w", number, err)
		}
		s.lines++
		w.progress(s)
	}
	return s, scanner.Err()
}

// line imports the device of a line, without a name if its label cannot be one: a
// label of another service is no reason to lose the device.
func (w walk) line(ctx context.Context, text string) (done devicetotp.Imported, unnamed bool, err error) {
	request, err := parseLine(text)
	if err != nil {
		return done, false, err
	}
	done, err = w.insist(ctx, request)
	if unnamed = isAboutTheName(err); unnamed {
		request.Name = ""
		done, err = w.insist(ctx, request)
	}
	return done, unnamed, err
}

// insist imports one device, again while the database is busy.
func (w walk) insist(ctx context.Context, r devicetotp.ImportRequest) (done devicetotp.Imported, err error) {
	for try := range tries {
		if done, err = w.bring(ctx, r); totperrors.CodeOf(err) != totperrors.CodeUnavailable {
			return done, err
		}
		select {
		case <-ctx.Done():
			return done, ctx.Err()
		case <-time.After(100 * time.Millisecond << try):
		}
	}
	return done, err
}

// isAboutTheName reports whether a device was refused because the label of its address
// cannot be a name: it is too long, or is no line of plain text.
func isAboutTheName(err error) bool {
	var refused *totperrors.Error
	return errors.As(err, &refused) && refused.Field == totperrors.FieldName
}

// errLine is a line that is not understood. It does not say what stands there.
var errLine = errors.New("not an account id, an otpauth address and, if need be, a device id")

// An addressError says which part of an otpauth address is wrong, and not what stands
// there.
type addressError struct{ error }

func (e addressError) Error() string { return strings.TrimPrefix(e.error.Error(), "credential: ") }

// isRefusal reports whether err is about the line or its account, so that the next
// one may do.
func isRefusal(err error) bool {
	return errors.Is(err, errLine) || errors.As(err, new(addressError)) || errors.Is(err, totperrors.ErrInvalid) || errors.Is(err, totperrors.ErrDenied)
}

// reason says why a line was refused. The text of another error may quote the
// account id, and there is no telling what stands in a file in its place.
func reason(err error) string {
	var refused *totperrors.Error
	switch {
	case errors.Is(err, credential.ErrNotFound):
		return "no such account"
	case !errors.As(err, &refused):
		return err.Error()
	case refused.Field == "":
		return string(refused.Code)
	}
	return fmt.Sprintf("%s: %s", refused.Code, refused.Field)
}

// namespace makes the ids that are derived here differ from anybody else's.
var namespace = uuid.MustParse("6f0d3a6e-3f0a-5d0b-9a57-2a3c6f8f1f40")

func parseLine(text string) (r devicetotp.ImportRequest, err error) {
	fields := strings.Fields(text)
	if len(fields) < 2 || len(fields) > 3 {
		return r, errLine
	}
	uri, err := credential.ParseURI(fields[1])
	if err != nil {
		return r, addressError{err}
	}
	r = devicetotp.ImportRequest{
		AccountID: fields[0], DeviceID: uuid.NewSHA1(namespace, []byte(fields[0]+"\n"+uri.Issuer+"\n"+uri.Account)).String(),
		Name: uri.Account, Secret: uri.Secret, Algorithm: uri.Algorithm, Digits: uri.Digits, Period: uri.Period,
	}
	if len(fields) == 3 {
		r.DeviceID = fields[2]
	}
	return r, nil
}
