package main

import (
	"context"
	"crypto/sha256"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

// unauthorized is the reason of every UNAUTHENTICATED, as in package jsonapi. It
// is none of the library's codes: the library never authenticates a caller.
const unauthorized = "unauthorized"

// A caller is the user that the service's own authentication established.
type caller struct {
	accountID string
	noGrace   bool // the token does not allow creating a device without a credential
}

// tokens stands in for a service's own authentication. It holds digests, so
// that neither looking one up nor a dump of the memory gives a token away.
type tokens map[[sha256.Size]byte]caller

func (t tokens) add(token string, c caller) { t[sha256.Sum256([]byte(token))] = c }

// authenticate puts the caller into the context of each call, or refuses it.
func (t tokens) authenticate(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	token, ok := bearerToken(ctx)
	if !ok {
		return nil, withDetails(codes.Unauthenticated, unauthorized, nil)
	}
	c, known := t[sha256.Sum256([]byte(token))]
	if !known {
		return nil, withDetails(codes.Unauthenticated, unauthorized, nil)
	}
	return next(context.WithValue(ctx, callerKey{}, c), request)
}

// bearerToken returns the one token of the "authorization" metadata.
func bearerToken(ctx context.Context) (token string, ok bool) {
	values := metadata.ValueFromIncomingContext(ctx, "authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}

type callerKey struct{}

// callerOf returns the caller. Without the interceptor that is nobody, whom the
// library refuses with an internal error.
func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}
