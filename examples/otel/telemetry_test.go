package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/devicetotp/jsonapi"
)

// a collector keeps what would be sent.
type collector struct {
	t      *testing.T
	spans  *tracetest.SpanRecorder
	reader *metric.ManualReader
	store  *devicetotptest.Store
	serve  http.Handler
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{t: t, spans: tracetest.NewSpanRecorder(), reader: metric.NewManualReader(), store: devicetotptest.NewStore()}
	telemetry, err := NewTelemetry(trace.NewTracerProvider(trace.WithSpanProcessor(c.spans)),
		metric.NewMeterProvider(metric.WithReader(c.reader)))
	require.NoError(t, err)
	c.serve, err = NewService(c.store, telemetry)
	require.NoError(t, err)
	require.NoError(t, c.store.Accounts.Put(t.Context(), credential.Account{ID: "alice", RegisteredAt: time.Now()}))
	return c
}

// post sends a request and returns the span of it, and those below it.
func (c *collector) post(attributes string) (answer *httptest.ResponseRecorder, request trace.ReadOnlySpan, below []string) {
	c.t.Helper()
	c.spans.Reset()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"data":{"type":"deviceTOTP","attributes":`+attributes+`}}`))
	r.Header.Set("Authorization", "Bearer good")
	r.Header.Set("Content-Type", jsonapi.MediaType)
	answer = httptest.NewRecorder()
	c.serve.ServeHTTP(answer, r)
	for _, span := range c.spans.Ended() {
		if !span.Parent().IsValid() {
			request = span
		}
	}
	require.NotNil(c.t, request)
	for _, span := range c.spans.Ended() {
		if span.Parent().SpanID() == request.SpanContext().SpanID() {
			below = append(below, span.Name())
		}
	}
	return answer, request, below
}

func values(span trace.ReadOnlySpan) map[attribute.Key]string {
	all := map[attribute.Key]string{}
	for _, a := range span.Attributes() {
		all[a.Key] = a.Value.String()
	}
	return all
}

// counts are the requests that were measured, by code.
func (c *collector) counts() map[string]int64 {
	c.t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(c.t, c.reader.Collect(c.t.Context(), &data))
	require.Len(c.t, data.ScopeMetrics, 1)
	require.Len(c.t, data.ScopeMetrics[0].Metrics, 1)
	counts := map[string]int64{}
	for _, point := range data.ScopeMetrics[0].Metrics[0].Data.(metricdata.Histogram[float64]).DataPoints {
		code, _ := point.Attributes.Value("devicetotp.code")
		counts[code.AsString()] += int64(point.Count)
		require.Positive(c.t, point.Sum, "they took time")
	}
	return counts
}

func TestSpansAndDurations(t *testing.T) {
	c := newCollector(t)

	answer, span, below := c.post(`{}`)
	require.Equal(t, http.StatusCreated, answer.Code)
	require.Equal(t, []string{"load account", "save account"}, below, "the calls of the store are below the request")
	require.Equal(t, "grace", values(span)["devicetotp.basis"])
	require.Equal(t, answer.Header().Get("Request-Id"), values(span)["devicetotp.request_id"])

	answer, span, _ = c.post(`{"pin":"8299"}`)
	require.Equal(t, http.StatusForbidden, answer.Code)
	require.Equal(t, "invalid-credentials", values(span)["devicetotp.code"])
	require.Equal(t, "wrong", values(span)["devicetotp.factor.pin"])
	require.Equal(t, codes.Unset, span.Status().Code, "a refusal is no error of the service")
	for key, value := range values(span) {
		if key != "devicetotp.request_id" { // which may have it by chance
			require.NotContains(t, value, "8299", key)
		}
	}

	c.store.Script(devicetotptest.Fault{Err: errors.New("down")})
	answer, span, _ = c.post(`{}`)
	require.Equal(t, http.StatusInternalServerError, answer.Code)
	require.Equal(t, codes.Error, span.Status().Code)
	require.Len(t, span.Events(), 1, "the cause is recorded")

	require.Equal(t, map[string]int64{"ok": 1, "invalid-credentials": 1, "unavailable": 1}, c.counts())
}

// The program prints spans and metrics.
func TestRun(t *testing.T) {
	var output bytes.Buffer
	require.NoError(t, run(t.Context(), &output))
	for _, want := range []string{"POST device TOTP", "save account", "devicetotp.request.duration", "invalid-credentials"} {
		require.Contains(t, output.String(), want)
	}
}
