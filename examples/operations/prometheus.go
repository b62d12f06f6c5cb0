package operations

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/errors"
)

// Metrics counts Events for Prometheus. The labels are closed sets, and never an
// account.
type Metrics struct {
	requests   *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
	factors    *prometheus.CounterVec
	unreadable *prometheus.CounterVec
	rounds     prometheus.Counter
}

// NewMetrics registers the metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &Metrics{
		requests: counter("devicetotp_requests_total", "Requests, by operation and code.", "op", "code"),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "devicetotp_request_seconds", Help: "How long requests took, by operation.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"op"}),
		factors:    counter("devicetotp_factors_total", "Presented factors, by what became of them.", "factor", "result"),
		unreadable: counter("devicetotp_unreadable_total", "Stored values that did not open, by factor.", "factor"),
		rounds: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "devicetotp_rounds_total", Help: "Decisions; more than requests where others change the same account.",
		}),
	}
	r.MustRegister(m.requests, m.seconds, m.factors, m.unreadable, m.rounds)
	m.begin()
	return m
}

// begin makes every series at 0. One that begins at 60 shows no increase.
func (m *Metrics) begin() {
	for _, op := range []devicetotp.Op{
		devicetotp.OpCreate, devicetotp.OpVerify, devicetotp.OpAddCode, devicetotp.OpUnblock, devicetotp.OpInspect, devicetotp.OpProve, devicetotp.OpRename,
		devicetotp.OpRevoke, devicetotp.OpRotate, devicetotp.OpImport, devicetotp.OpReseal, devicetotp.OpReplaceRecoveryCodes,
	} {
		m.seconds.WithLabelValues(string(op))
		m.requests.WithLabelValues(string(op), "ok")
		for _, code := range errors.Codes() {
			m.requests.WithLabelValues(string(op), string(code))
		}
	}
	for _, f := range credential.Factors() {
		m.unreadable.WithLabelValues(f.String())
		for r := devicetotp.ResultValid; r <= devicetotp.ResultUndecided; r++ {
			m.factors.WithLabelValues(f.String(), r.String())
		}
	}
}

// Observe is the Config.Observer.
func (m *Metrics) Observe(ctx context.Context, e devicetotp.Event) {
	code := string(e.Code)
	if code == "" {
		code = "ok"
	}
	m.requests.WithLabelValues(string(e.Op), code).Inc()
	m.seconds.WithLabelValues(string(e.Op)).Observe(e.Duration.Seconds())
	for _, f := range e.Factors {
		m.factors.WithLabelValues(f.Factor.String(), f.Result.String()).Inc()
	}
	for _, u := range e.Unreadable {
		m.unreadable.WithLabelValues(u.Factor.String()).Inc()
	}
	m.rounds.Add(float64(e.Rounds))
	slog.InfoContext(ctx, "devicetotp", "event", e) // keep this log outside of the database
}
