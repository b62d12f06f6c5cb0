// Command otel shows the library under OpenTelemetry: a span for each request
// and each call of the store, and the durations by operation and code. It sends
// three requests and prints what a collector would get.
//
//	go -C examples run ./otel
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "otel:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, output io.Writer) (err error) {
	spans, err := stdouttrace.New(stdouttrace.WithWriter(output), stdouttrace.WithPrettyPrint())
	if err != nil {
		return err
	}
	metrics, err := stdoutmetric.New(stdoutmetric.WithWriter(output), stdoutmetric.WithPrettyPrint())
	if err != nil {
		return err
	}
	tracers := trace.NewTracerProvider(trace.WithBatcher(spans))
	meters := metric.NewMeterProvider(metric.WithReader(metric.NewPeriodicReader(metrics)))
	defer func() { err = errors.Join(err, tracers.Shutdown(ctx), meters.Shutdown(ctx)) }()

	telemetry, err := NewTelemetry(tracers, meters)
	if err != nil {
		return err
	}
	store := memstore.New()
	if err := store.Put(ctx, credential.Account{ID: "alice", RegisteredAt: time.Now()}); err != nil {
		return err
	}
	handler, err := NewService(store, telemetry)
	if err != nil {
		return err
	}
	for _, attributes := range []string{`{}`, `{}`, `{"pin":"0000"}`} {
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/user/devices/totp", strings.NewReader(`{"data":{"type":"deviceTOTP","attributes":`+attributes+`}}`))
		r.Header.Set("Authorization", "Bearer good")
		r.Header.Set("Content-Type", jsonapi.MediaType)
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	return nil
}

// NewService returns the endpoint over store, with telemetry around it.
func NewService(store credential.Store, telemetry *Telemetry) (http.Handler, error) {
	keys, err := credential.NewKeyring("demo", credential.NewKey("demo"))
	if err != nil {
		return nil, err
	}
	issuer, err := devicetotp.NewIssuer(telemetry.Store(store), keys, devicetotp.Config{Observer: telemetry.Observe})
	if err != nil {
		return nil, err
	}
	owner := func(_ context.Context, token string) (jsonapi.Principal, error) {
		if token != "good" {
			return jsonapi.Principal{}, jsonapi.ErrInvalidToken
		}
		return jsonapi.Principal{AccountID: "alice"}, nil
	}
	handler, err := jsonapi.NewHandler(issuer, jsonapi.Bearer(owner), jsonapi.Config{IgnoreScopes: true})
	if err != nil {
		return nil, err
	}
	return telemetry.Middleware(handler), nil
}
