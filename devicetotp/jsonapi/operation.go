package jsonapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	totperrors "example.com/devicetotp/errors"
)

// operation is what one operation does not share with the others.
type operation struct {
	method string
	scope  string
	// takes is the media type of its body; "" if it looks at none.
	takes string
	// success is the status of what run returns.
	success int
	// refusals are all other statuses that it may answer. A refusal that would have
	// another is a fault of whoever made it: clients cannot read it.
	refusals []int
	// run answers a request that everything else has been checked of. It returns
	// the document of the success, which is nil if there is none.
	run func(x *exchange) ([]byte, error)
}

// exchange is a request to an operation whose headers were accepted and whose body is
// read next.
type exchange struct {
	ctx       context.Context
	w         http.ResponseWriter
	r         *http.Request
	principal Principal
	config    *Config
}

// resource is one address with its operations. It is a http.Handler.
type resource struct {
	auth       Authenticator
	config     Config
	operations []operation
	allow      string // as the header has it
}

func newResource(auth Authenticator, config Config, operations ...operation) *resource {
	return &resource{auth, config, operations, strings.Join(allowed(operations), ", ")}
}

// allowed lists the methods of operations, and HEAD where GET is.
func allowed(operations []operation) []string {
	var methods []string
	for _, o := range operations {
		methods = append(methods, o.method)
		if o.method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	slices.Sort(methods)
	return methods
}

// operation returns the operation of a method, or nil. HEAD is GET, whose body
// the server does not send.
func (s *resource) operation(method string) *operation {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for i := range s.operations {
		if s.operations[i].method == method {
			return &s.operations[i]
		}
	}
	return nil
}

// ServeHTTP answers one request.
func (s *resource) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := identified(r)
	s.config.boundBody(w, r)
	o := s.operation(r.Method)
	if o == nil {
		s.config.writeProblems(ctx, w, problems{{Code: CodeMethodNotAllowed, Allow: allowed(s.operations)}})
		return
	}
	body, err := s.perform(ctx, o, w, r)
	if err != nil {
		s.config.writeProblems(ctx, w, o.admit(problemsOf(err)))
		return
	}
	write(w, RequestID(ctx), o.success, body)
}

// perform refuses what can be refused without reading the body, in the order of
// the package documentation, and then runs the operation. The panic of a
// collaborator becomes an error, so that it is answered and logged under the
// request id.
func (s *resource) perform(ctx context.Context, o *operation, w http.ResponseWriter, r *http.Request) (_ []byte, err error) {
	defer contain(&err)
	principal, err := s.config.authenticate(ctx, r, s.auth, o.scope)
	if err != nil {
		return nil, err
	}
	if err := negotiate(r.Header, o.takes); err != nil {
		return nil, err
	}
	return o.run(&exchange{ctx, w, r, principal, &s.config})
}

// admit returns ps if the operation may answer them.
func (o *operation) admit(ps problems) problems {
	status := ps[0].status()
	if slices.Contains(o.refusals, status) {
		return ps
	}
	return problems{{Code: totperrors.CodeInternal, Err: fmt.Errorf("%w: %d: %w", errForeignStatus, status, ps[0])}}
}

var errForeignStatus = errors.New("devicetotp/jsonapi: not a status of this operation")
