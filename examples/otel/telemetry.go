package main

import (
	"context"
	"errors"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	totperrors "example.com/devicetotp/errors"
)

const scope = "example.com/devicetotp"

// Telemetry reports what the library does, in spans and one histogram. The library
// itself knows nothing of it: a middleware, the Observer and a store around the
// store are all there is to it.
type Telemetry struct {
	tracer   trace.Tracer
	requests metric.Float64Histogram
}

// NewTelemetry makes the histogram and the tracer.
func NewTelemetry(tracers trace.TracerProvider, meters metric.MeterProvider) (*Telemetry, error) {
	requests, err := meters.Meter(scope).Float64Histogram("devicetotp.request.duration",
		metric.WithDescription("How long requests took, by operation and outcome."), metric.WithUnit("s"))
	if err != nil {
		return nil, err
	}
	return &Telemetry{tracers.Tracer(scope), requests}, nil
}

// Middleware gives each request a span and a request id, which is also in the
// response, in its error objects and in the log.
func (t *Telemetry) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = jsonapi.WithRequestID(r)
		ctx, span := t.tracer.Start(r.Context(), r.Method+" device TOTP", trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(attribute.String("devicetotp.request_id", jsonapi.RequestID(r.Context()))))
		defer span.End()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Observe is the Observer. It measures by operation, code and basis, which are
// closed sets, and never by account. It is called with the context of the request,
// so the span of the request is in it.
func (t *Telemetry) Observe(ctx context.Context, e devicetotp.Event) {
	outcome := []attribute.KeyValue{
		attribute.String("devicetotp.op", string(e.Op)),
		attribute.String("devicetotp.code", codeOf(e)),
	}
	if e.Basis != 0 {
		outcome = append(outcome, attribute.String("devicetotp.basis", e.Basis.String()))
	}
	t.requests.Record(ctx, e.Duration.Seconds(), metric.WithAttributes(outcome...))

	span := trace.SpanFromContext(ctx)
	span.SetAttributes(outcome...)
	span.SetAttributes(attribute.Int("devicetotp.rounds", e.Rounds), attribute.Bool("devicetotp.replayed", e.Replayed))
	for _, f := range e.Factors {
		span.SetAttributes(attribute.String("devicetotp.factor."+f.Factor.String(), f.Result.String()))
	}
	if e.Err != nil && e.Code.Class() == totperrors.ClassInternal {
		span.RecordError(e.Err)
		span.SetStatus(codes.Error, string(e.Code)) // a refusal is no error of the service
	}
}

func codeOf(e devicetotp.Event) string {
	if e.Code == "" {
		return "ok"
	}
	return string(e.Code)
}

// Store returns a store that reports each call in a span.
func (t *Telemetry) Store(store credential.Store) credential.Store {
	return tracedStore{store, t.tracer}
}

type tracedStore struct {
	store  credential.Store
	tracer trace.Tracer
}

// Load implements credential.Store.
func (s tracedStore) Load(ctx context.Context, id string) (credential.Account, error) {
	ctx, span := s.tracer.Start(ctx, "load account", trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	a, err := s.store.Load(ctx, id)
	if err != nil && !errors.Is(err, credential.ErrNotFound) {
		span.SetStatus(codes.Error, "load failed")
	}
	return a, err
}

// Save implements credential.Store.
func (s tracedStore) Save(ctx context.Context, a credential.Account) error {
	ctx, span := s.tracer.Start(ctx, "save account", trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	err := s.store.Save(ctx, a)
	conflict := errors.Is(err, credential.ErrConflict)
	span.SetAttributes(attribute.Bool("devicetotp.conflict", conflict))
	if err != nil && !conflict {
		span.SetStatus(codes.Error, "save failed")
	}
	return err
}
