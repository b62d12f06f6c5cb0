package operations

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// Metrics counts Events for Prometheus. The labels are closed sets, and never an
// account.
type Metrics struct {
	seconds    *prometheus.HistogramVec
	factors    *prometheus.CounterVec
	unreadable *prometheus.CounterVec
	rounds     prometheus.Counter
}

// NewMetrics registers the metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "devicetotp_request_seconds", Help: "How long requests took, by operation and code.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"op", "code"}),
		factors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "devicetotp_factors_total", Help: "Presented factors, by what became of them.",
		}, []string{"factor", "result"}),
		unreadable: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "devicetotp_unreadable_total", Help: "Stored values that did not open, by factor.",
		}, []string{"factor"}),
		rounds: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "devicetotp_rounds_total", Help: "Decisions; more than requests where others change the same account.",
		}),
	}
	r.MustRegister(m.seconds, m.factors, m.unreadable, m.rounds)
	for _, f := range credential.Factors() { // a series that begins with 1 shows no increase
		m.unreadable.WithLabelValues(f.String())
	}
	return m
}

// Observe is the Config.Observer.
func (m *Metrics) Observe(ctx context.Context, e devicetotp.Event) {
	code := string(e.Code)
	if code == "" {
		code = "ok"
	}
	m.seconds.WithLabelValues(string(e.Op), code).Observe(e.Duration.Seconds())
	for _, f := range e.Factors {
		m.factors.WithLabelValues(f.Factor.String(), f.Result.String()).Inc()
	}
	for _, u := range e.Unreadable {
		m.unreadable.WithLabelValues(u.Factor.String()).Inc()
	}
	m.rounds.Add(float64(e.Rounds))
	slog.InfoContext(ctx, "devicetotp", "event", e) // keep this log outside of the database
}
