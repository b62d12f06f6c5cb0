package errors_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	totperrors "example.com/devicetotp/errors"
)

// Every code with its class. A code never moves to another class.
var classes = map[totperrors.Code]totperrors.Class{
	"invalid-credentials":  totperrors.ClassDenied,
	"credentials-required": totperrors.ClassDenied,
	"too-many-attempts":    totperrors.ClassDenied,
	"account-locked":       totperrors.ClassDenied,
	"device-limit-reached": totperrors.ClassDenied,
	"invalid-id":           totperrors.ClassInvalid,
	"id-in-use":            totperrors.ClassInvalid,
	"invalid-argument":     totperrors.ClassInvalid,
	"not-found":            totperrors.ClassInvalid,
	"unavailable":          totperrors.ClassInternal,
	"internal-error":       totperrors.ClassInternal,
}

func TestEveryCodeHasItsClass(t *testing.T) {
	require.Len(t, totperrors.Codes(), len(classes))
	for _, code := range totperrors.Codes() {
		class, known := classes[code]
		require.True(t, known, "%s is not in the table", code)
		require.Equal(t, class, code.Class(), "%s", code)
		err := fmt.Errorf("wrapped: %w", &totperrors.Error{Code: code})
		require.Equal(t, code, totperrors.CodeOf(err))
		require.Equal(t, class == totperrors.ClassDenied, errors.Is(err, totperrors.ErrDenied))
		require.Equal(t, class == totperrors.ClassInvalid, errors.Is(err, totperrors.ErrInvalid))
	}
	for _, unknown := range []totperrors.Code{"", "denied", "INVALID-ID"} {
		require.Equal(t, totperrors.ClassInternal, unknown.Class(), "%q", unknown)
	}
}

// Codes lists every constant that is declared: read from the source.
func TestCodesIsComplete(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	require.NoError(t, err)
	var declared []totperrors.Code
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Code" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			declared = append(declared, totperrors.Code(text))
		}
		return true
	})
	require.ElementsMatch(t, declared, totperrors.Codes())
	totperrors.Codes()[0] = "altered"
	require.ElementsMatch(t, declared, totperrors.Codes(), "the list is the caller's own")
}

func TestClassWords(t *testing.T) {
	for class, want := range map[totperrors.Class]string{
		totperrors.ClassInternal: "internal", totperrors.ClassDenied: "denied", totperrors.ClassInvalid: "invalid", 99: "internal",
	} {
		require.Equal(t, want, class.String())
	}
}

func TestCodeOf(t *testing.T) {
	denied := &totperrors.Error{Code: totperrors.CodeInvalidCredentials}
	var none *totperrors.Error
	for _, tc := range []struct {
		name string
		err  error
		want totperrors.Code
	}{
		{"nil", nil, ""},
		{"an error of this library", denied, totperrors.CodeInvalidCredentials},
		{"wrapped", fmt.Errorf("create: %w", denied), totperrors.CodeInvalidCredentials},
		{"wrapped twice", fmt.Errorf("http: %w", fmt.Errorf("create: %w", denied)), totperrors.CodeInvalidCredentials},
		{"joined", errors.Join(fs.ErrExist, denied), totperrors.CodeInvalidCredentials},
		{"wrapped with several", fmt.Errorf("%w: %w", fs.ErrExist, denied), totperrors.CodeInvalidCredentials},
		{"the outermost of two", &totperrors.Error{Code: totperrors.CodeUnavailable, Err: denied}, totperrors.CodeUnavailable},
		{"the first of two", errors.Join(&totperrors.Error{Code: totperrors.CodeIDInUse}, denied), totperrors.CodeIDInUse},
		{"foreign", fs.ErrExist, totperrors.CodeInternal},
		{"context", context.Canceled, totperrors.CodeInternal},
		{"a class", totperrors.ErrDenied, totperrors.CodeInternal},
		{"without a code", &totperrors.Error{}, totperrors.CodeInternal},
		{"a nil pointer in an error", none, totperrors.CodeInternal},
	} {
		t.Run(tc.name, func(t *testing.T) { require.Equal(t, tc.want, totperrors.CodeOf(tc.err)) })
	}
}

// The cause stays findable, whatever the code.
func TestCauseIsFindable(t *testing.T) {
	path := &fs.PathError{Op: "open", Path: "keys", Err: fs.ErrNotExist}
	err := fmt.Errorf("outer: %w", &totperrors.Error{Code: totperrors.CodeInternal, Err: errors.Join(path, context.DeadlineExceeded)})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NotErrorIs(t, err, context.Canceled)
	var found *fs.PathError
	require.ErrorAs(t, err, &found)
	require.Same(t, path, found)
	require.NoError(t, (&totperrors.Error{Code: totperrors.CodeInternal}).Unwrap())
	require.Equal(t, error(path), errors.Unwrap(&totperrors.Error{Err: path}))
}

// An internal error stays one, even if its cause was a denial that a
// collaborator of the host ran into. Everything else about the cause is there.
func TestOnlyTheOutermostCodeClassifies(t *testing.T) {
	for _, inner := range []totperrors.Code{totperrors.CodeInvalidCredentials, totperrors.CodeIDInUse} {
		cause := &totperrors.Error{Op: "verify", Code: inner, Err: context.Canceled}
		for _, err := range []error{
			&totperrors.Error{Op: "create", Code: totperrors.CodeInternal, Err: cause},
			&totperrors.Error{Op: "create", Code: totperrors.CodeInternal, Err: fmt.Errorf("password service: %w", cause)},
			&totperrors.Error{Op: "create", Code: totperrors.CodeInternal, Err: errors.Join(fs.ErrExist, cause)},
			fmt.Errorf("http: %w", &totperrors.Error{Op: "create", Code: totperrors.CodeInternal, Err: &totperrors.Error{Code: totperrors.CodeUnavailable, Err: cause}}),
		} {
			require.NotErrorIs(t, err, totperrors.ErrDenied)
			require.NotErrorIs(t, err, totperrors.ErrInvalid)
			require.Equal(t, totperrors.CodeInternal, totperrors.CodeOf(err))
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, cause)
			require.ErrorContains(t, err, string(inner), "the operator sees the cause")
		}
		mixed := &totperrors.Error{Code: totperrors.CodeAccountLocked, Err: cause}
		require.ErrorIs(t, mixed, totperrors.ErrDenied)
		require.NotErrorIs(t, mixed, totperrors.ErrInvalid)
	}
	// Below the outermost, the next error of this library can still be had.
	inner := &totperrors.Error{Op: "verify", Code: totperrors.CodeInvalidCredentials}
	outer := &totperrors.Error{Op: "create", Code: totperrors.CodeInternal, Err: fmt.Errorf("password service: %w", inner)}
	var found *totperrors.Error
	require.ErrorAs(t, errors.Unwrap(outer), &found)
	require.Same(t, inner, found)
	require.Equal(t, "password service: "+inner.Error(), errors.Unwrap(outer).Error())
}

func TestErrorText(t *testing.T) {
	for want, err := range map[string]*totperrors.Error{
		"devicetotp: ":                                              {},
		"devicetotp: internal-error":                                {Code: totperrors.CodeInternal},
		"devicetotp: create: invalid-credentials":                   {Op: "create", Code: totperrors.CodeInvalidCredentials},
		"devicetotp: create: DeviceID: invalid-id":                  {Op: "create", Code: totperrors.CodeInvalidID, Field: totperrors.FieldDeviceID},
		"devicetotp: create: too-many-attempts (retry after 30s)":   {Op: "create", Code: totperrors.CodeTooManyAttempts, RetryAfter: 30 * time.Second},
		"devicetotp: create: unavailable: context canceled":         {Op: "create", Code: totperrors.CodeUnavailable, Err: context.Canceled},
		"devicetotp: TTL: invalid-argument (retry after 1ns): gone": {Code: totperrors.CodeInvalidArgument, Field: totperrors.FieldTTL, RetryAfter: 1, Err: errors.New("gone")},
		"devicetotp: create: account-locked":                        {Op: "create", Code: totperrors.CodeAccountLocked, RetryAfter: -1},
	} {
		require.EqualError(t, err, want)
	}
}

// link stands between two errors of this library, as fmt.Errorf would, and
// counts how often it is asked for what it wraps.
type link struct {
	error
	steps func()
}

func (l *link) Unwrap() error {
	l.steps()
	return l.error
}

// The work that errors.Is and errors.As do grows with the depth of what they
// look through and no faster. Counted, since a time would be the machine's.
func TestLookingThroughNestedErrorsIsLinear(t *testing.T) {
	const each = 3 // one step to look for an inner class, and one to look further
	for _, depth := range []int{15, 100, 1000} {
		steps := 0
		count := func() {
			if steps++; steps > each*depth {
				t.Fatalf("%d deep: more than %d steps", depth, each*depth)
			}
		}
		path := &fs.PathError{Op: "open", Path: "keys", Err: fs.ErrNotExist}
		var err error = path
		for range depth {
			err = &totperrors.Error{Code: totperrors.CodeInternal, Err: errors.Join(context.Canceled, &link{err, count})}
		}
		var found *fs.PathError
		for _, look := range []func(){
			func() { require.ErrorIs(t, err, fs.ErrNotExist) },
			func() { require.False(t, errors.Is(err, fs.ErrClosed)) },
			func() { require.False(t, errors.Is(err, totperrors.ErrDenied)) },
			func() { require.False(t, errors.Is(err, totperrors.ErrInvalid)) },
			func() { require.True(t, errors.As(err, &found)) },
			func() { require.Equal(t, totperrors.CodeInternal, totperrors.CodeOf(err)) },
		} {
			steps = 0
			look()
		}
	}
}

// A class that shows through from below an error of another author is hidden
// all the same.
func TestAClassWithoutAnErrorIsHidden(t *testing.T) {
	for _, class := range []error{totperrors.ErrDenied, totperrors.ErrInvalid} {
		err := &totperrors.Error{Code: totperrors.CodeInternal, Err: fmt.Errorf("a verifier: %w", errors.Join(class, context.Canceled))}
		require.NotErrorIs(t, err, class)
		require.ErrorIs(t, err, context.Canceled)
	}
}
