package main

import (
	"context"
	"crypto/sha256"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"example.com/devicetotp/examples/grpc/devicetotpv1"
)

// The reasons of a caller who is not let in, as in package jsonapi. They are none
// of the library's codes: the library never authenticates a caller.
const (
	unauthorized      = "unauthorized"
	insufficientScope = "insufficient-scope"
)

// A caller is the user, or the operator, that the service's own authentication
// established.
type caller struct {
	accountID string // "" for an operator
	noGrace   bool   // the token does not allow creating a device without a credential
	operator  bool
}

// tokens stands in for a service's own authentication. It holds digests, so
// that neither looking one up nor a dump of the memory gives a token away.
type tokens map[[sha256.Size]byte]caller

func (t tokens) add(token string, c caller) { t[sha256.Sum256([]byte(token))] = c }

// authenticate puts the caller into the context of each call, or refuses it.
func (t tokens) authenticate(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	ctx, err := t.letIn(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return next(ctx, request)
}

// authenticateStream refuses what authenticate does. The two services have no
// streams, so this is for what is added.
func (t tokens) authenticateStream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if _, err := t.letIn(stream.Context(), info.FullMethod); err != nil {
		return err
	}
	return next(server, stream)
}

// letIn returns the context of a call with its caller. Everything needs one but
// health and reflection, which tell what the .proto does.
func (t tokens) letIn(ctx context.Context, method string) (context.Context, error) {
	service, _, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	if service == healthpb.Health_ServiceDesc.ServiceName || strings.HasPrefix(service, "grpc.reflection.") {
		return ctx, nil
	}
	token, ok := bearerToken(ctx)
	if !ok {
		return nil, refuse(codes.Unauthenticated, unauthorized)
	}
	c, known := t[sha256.Sum256([]byte(token))]
	switch {
	case !known:
		return nil, refuse(codes.Unauthenticated, unauthorized)
	case c.operator != (service == devicetotpv1.DeviceTOTPOperatorService_ServiceDesc.ServiceName):
		return nil, refuse(codes.PermissionDenied, insufficientScope)
	}
	return context.WithValue(ctx, callerKey{}, c), nil
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

// callerOf returns the caller. Without the interceptor there is none, and the
// library returns an internal error.
func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}
