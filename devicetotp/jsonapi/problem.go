package jsonapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"example.com/devicetotp/devicetotp/internal/nilcheck"
	totperrors "example.com/devicetotp/errors"
)

// A Problem is one error object, and an error. A service returns it from an
// [Authenticator], or gives it to [WriteError], to answer its own endpoints as the
// handlers of this package do:
//
//	&jsonapi.Problem{Code: jsonapi.CodeInvalidAttribute, Source: jsonapi.Pointer("/data/attributes/amount")}
//
// Several that are joined with errors.Join become as many error objects of one
// answer. It has the status of the first, and leaves out those of another status.
type Problem struct { //nolint:errname // it is an error object of JSON:API before it is an error
	// Code is one of this package or of package devicetotp. Any other is a fault of
	// the service: internal-error.
	Code totperrors.Code
	// Status is the HTTP status, from 400 to 599. If 0, the code has one.
	Status int
	// Detail is a sentence for people. If empty, the code has one. It must hold
	// nothing that the client may not know.
	Detail string
	// Source is what in the request is at fault: a [Pointer], a [Header], or nothing.
	Source Source
	// RetryAfter is the time to wait, for unavailable and too-many-attempts; 0 if it
	// is not known.
	RetryAfter time.Duration
	// Allow lists the methods of the address, for [CodeMethodNotAllowed].
	Allow []string
	// Err is the cause. That of a 500 is logged; none is sent.
	Err error

	tokenSent bool // of unauthorized: a token came with the request
}

// Error returns a line for the log.
func (p *Problem) Error() string {
	if p == nil || p.Err == nil {
		return "devicetotp/jsonapi: " + string(p.code())
	}
	return p.Err.Error()
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error {
	if p == nil {
		return nil
	}
	return p.Err
}

func (p *Problem) code() totperrors.Code {
	if p == nil {
		return totperrors.CodeInternal
	}
	return p.Code
}

func (p *Problem) status() int { return cmp.Or(p.Status, rules[p.Code].status) }

// Source is what in the request an error object is about. The zero value is
// nothing.
type Source struct {
	member string // "", "pointer" or "header"
	value  string
}

// Pointer returns the Source of a place in the body, as a JSON pointer (RFC
// 6901); "" is all of it. Point at what exists, or at its nearest parent that
// does.
func Pointer(pointer string) Source { return Source{"pointer", pointer} }

// Header returns the Source of the header of that name.
func Header(name string) Source { return Source{"header", name} }

// problems are the faults of one request. They all have the same status.
type problems []*Problem

func (ps problems) Error() string { return ps[0].Error() }

func (ps *problems) add(code totperrors.Code, pointer, detail string) {
	*ps = append(*ps, &Problem{Code: code, Detail: detail, Source: Pointer(pointer)})
}

// ProblemOf returns the error object that the handlers and [WriteError] answer err
// with, so that an endpoint can add what only it knows: a Source, a Detail, or a
// Status of its own. It is a copy. It is internal-error for nil and for every error
// that is not of the domain, of this package or of a context that ended.
func ProblemOf(err error) *Problem { return problemsOf(err)[0] }

// problemsOf describes any error: also one that is nil, or one of somebody else that
// panics when it is asked what it is.
func problemsOf(err error) problems {
	ps, fault := classify(err)
	if fault != nil {
		return problems{{Code: totperrors.CodeInternal, Err: fault}}
	}
	return ps
}

func classify(err error) (ps problems, fault error) {
	defer contain(&fault)
	if nilcheck.IsNil(err) {
		return nil, fmt.Errorf("devicetotp/jsonapi: a nil %T was returned as an error", err)
	}
	var several problems
	if errors.As(err, &several) {
		return several, nil
	}
	if ps := joined(err); len(ps) > 0 {
		return ps, nil
	}
	return problems{describe(err)}, nil
}

// joined returns the Problems that err joins, of the status of the first; none if it
// joins anything else.
func joined(err error) (ps problems) {
	join, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, e := range join.Unwrap() {
		p, ok := e.(*Problem) //nolint:errorlint // what wraps a Problem may say something else
		if !ok || p == nil {
			return nil
		}
		if p = p.checked(); len(ps) == 0 || p.status() == ps[0].status() {
			ps = append(ps, p)
		}
	}
	return ps
}

// describe is the table of [Status] and [WriteError]. Of several things that are
// wrapped in each other it is the outermost.
func describe(err error) *Problem {
	var own *Problem
	var domain *totperrors.Error
	isOwn := errors.As(err, &own) && own != nil
	isDomain := errors.As(err, &domain) && domain != nil
	switch {
	case isOwn && !(isDomain && errors.As(domain.Err, new(*Problem))):
		return own.checked()
	case isDomain:
		return domainProblem(err)
	}
	if p := refusal(err); p != nil {
		p.Err = err
		return p
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &Problem{Code: totperrors.CodeUnavailable, Err: err}
	}
	return &Problem{Code: totperrors.CodeInternal, Err: err}
}

// checked returns a copy of p, or what is answered if it cannot be.
func (p *Problem) checked() *Problem {
	if _, known := rules[p.Code]; !known || p.status() < 400 || p.status() > 599 {
		return &Problem{Code: totperrors.CodeInternal,
			Err: fmt.Errorf("devicetotp/jsonapi: no Problem can have the code %q and the status %d: %w", p.Code, p.Status, p)}
	}
	copied := *p
	return &copied
}

// domainProblem describes an error of the Issuer. A code that is not the
// domain's is a fault of whoever made it.
func domainProblem(err error) *Problem {
	p := &Problem{Code: totperrors.CodeOf(err), Err: err}
	if p.Code.Class() == totperrors.ClassInternal && p.Code != totperrors.CodeUnavailable {
		p.Code = totperrors.CodeInternal
	}
	var domain *totperrors.Error
	if errors.As(err, &domain) && domain != nil {
		p.RetryAfter = domain.RetryAfter
		p.Detail = detailOf(domain, p.Code)
	}
	return p
}

// Status returns the HTTP status that [WriteError] answers err with: 500 for any
// error that is neither of an Issuer, nor of an [Authenticator], nor a *[Problem]. It
// is 201 for nil, which is what creating a device is answered with.
func Status(err error) int {
	if err == nil {
		return http.StatusCreated
	}
	return ProblemOf(err).status()
}
