package operations

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
)

// observed is what is counted, and logged, of a device, a refusal, an unavailable
// store and a key that is gone.
func observed(t *testing.T) (*prometheus.Registry, string) {
	t.Helper()
	var log bytes.Buffer
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	registry := prometheus.NewPedanticRegistry()
	metrics := NewMetrics(registry)
	w := devicetotptest.New(t, func(c *devicetotp.Config) { c.Observer = metrics.Observe })
	w.Account("alice").RegisteredAgo(0).PIN("8299")
	for _, pin := range []credential.Secret{{}, credential.NewSecret("0000")} {
		_, _ = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "alice", PIN: pin})
	}
	w.Store.Script(devicetotptest.Fault{Err: errors.New("down")})
	_, _ = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "alice"})
	w.RollKey("new")
	w.DropKey("test")
	_, _ = w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "alice", Code: credential.NewSecret("123456")})
	return registry, log.String()
}

func TestMetrics(t *testing.T) {
	registry, log := observed(t)
	problems, err := testutil.GatherAndLint(registry)
	require.NoError(t, err)
	require.Empty(t, problems)
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP devicetotp_factors_total Presented factors, by what became of them.
# TYPE devicetotp_factors_total counter
devicetotp_factors_total{factor="otp",result="blocked"} 0
devicetotp_factors_total{factor="otp",result="spent"} 0
devicetotp_factors_total{factor="otp",result="undecided"} 1
devicetotp_factors_total{factor="otp",result="valid"} 0
devicetotp_factors_total{factor="otp",result="wrong"} 0
devicetotp_factors_total{factor="password",result="blocked"} 0
devicetotp_factors_total{factor="password",result="spent"} 0
devicetotp_factors_total{factor="password",result="undecided"} 0
devicetotp_factors_total{factor="password",result="valid"} 0
devicetotp_factors_total{factor="password",result="wrong"} 0
devicetotp_factors_total{factor="pin",result="blocked"} 0
devicetotp_factors_total{factor="pin",result="spent"} 0
devicetotp_factors_total{factor="pin",result="undecided"} 0
devicetotp_factors_total{factor="pin",result="valid"} 0
devicetotp_factors_total{factor="pin",result="wrong"} 1
# HELP devicetotp_rounds_total Decisions; more than requests where others change the same account.
# TYPE devicetotp_rounds_total counter
devicetotp_rounds_total 3
# HELP devicetotp_unreadable_total Stored values that did not open, by factor.
# TYPE devicetotp_unreadable_total counter
devicetotp_unreadable_total{factor="otp"} 1
devicetotp_unreadable_total{factor="password"} 0
devicetotp_unreadable_total{factor="pin"} 0
`), "devicetotp_factors_total", "devicetotp_rounds_total", "devicetotp_unreadable_total"))
	counts := map[string]float64{}
	for name, value := range series(t, registry) {
		if strings.HasPrefix(name, "devicetotp_requests_total") && value > 0 {
			counts[name] = value
		}
	}
	require.Equal(t, map[string]float64{
		"devicetotp_requests_total{code=ok,op=create}": 1, "devicetotp_requests_total{code=invalid-credentials,op=create}": 1,
		"devicetotp_requests_total{code=unavailable,op=create}": 1, "devicetotp_requests_total{code=internal-error,op=verify}": 1,
	}, counts)
	require.InDelta(t, 3, series(t, registry)["devicetotp_request_seconds_count{op=create}"], 0)
	require.Equal(t, 4, strings.Count(log, "msg=devicetotp event.op="))
}

// series returns the values of all series, without the buckets of histograms.
func series(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, family := range families {
		for _, m := range family.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			name, value := family.GetName(), m.Counter.GetValue()
			if m.Histogram != nil {
				name, value = name+"_count", float64(m.Histogram.GetSampleCount())
			}
			if len(labels) > 0 {
				name += "{" + strings.Join(labels, ",") + "}"
			}
			values[name] = value
		}
	}
	return values
}

// A series whose first value is not 0 has lost that increase: rate and increase see
// differences only. So each is there before the first Event, and none is added
// later, whatever the Event.
func TestEverySeriesBeginsAtZero(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	metrics := NewMetrics(registry)
	atStart := series(t, registry)
	for name, value := range atStart {
		require.Zero(t, value, name)
	}
	discarding(t)
	for _, op := range operations(t) {
		for _, code := range append(totperrors.Codes(), "") {
			for result := devicetotp.ResultValid; result.String() != "none"; result++ {
				e := devicetotp.Event{Op: op, Code: code, Rounds: 1}
				for _, f := range credential.Factors() {
					e.Factors = append(e.Factors, devicetotp.FactorResult{Factor: f, Result: result})
					e.Unreadable = append(e.Unreadable, devicetotp.Unreadable{Factor: f})
				}
				metrics.Observe(t.Context(), e)
			}
		}
	}
	after := series(t, registry)
	for name, value := range after {
		require.Contains(t, atStart, name)
		require.Positive(t, value, name)
	}
	require.Len(t, after, len(atStart))
}

// operations returns every operation that has an Event.
func operations(t *testing.T) (ops []devicetotp.Op) {
	t.Helper()
	source, err := os.ReadFile("../../errors/op.go")
	require.NoError(t, err)
	for _, op := range regexp.MustCompile(`(?m)^\tOp\w+ +Op = "([a-z-]+)"`).FindAllStringSubmatch(string(source), -1) {
		if op[1] != string(devicetotp.OpNewIssuer) {
			ops = append(ops, devicetotp.Op(op[1]))
		}
	}
	require.Greater(t, len(ops), 10)
	return ops
}

func discarding(t *testing.T) {
	before := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	t.Cleanup(func() { slog.SetDefault(before) })
}

// Sixty wrong values in a process that has just been started and scraped once are
// an increase of sixty, and as many rounds as requests.
func TestABurstInAFreshProcessIsAnIncrease(t *testing.T) {
	discarding(t)
	registry := prometheus.NewPedanticRegistry()
	metrics := NewMetrics(registry)
	w := devicetotptest.New(t, func(c *devicetotp.Config) { c.Observer = metrics.Observe })
	w.Account("alice").RegisteredAgo(0).PIN("8299")
	before := series(t, registry)
	for range 60 {
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "alice", PIN: credential.NewSecret("0000")})
		require.Error(t, err)
	}
	after := series(t, registry)
	increase := func(names ...string) (sum float64) {
		for _, name := range names {
			value, scraped := before[name]
			require.True(t, scraped, name)
			sum += after[name] - value
		}
		return sum
	}
	require.InDelta(t, 60, increase("devicetotp_factors_total{factor=pin,result=wrong}", "devicetotp_factors_total{factor=pin,result=blocked}"), 0)
	requests := increase("devicetotp_requests_total{code=invalid-credentials,op=create}", "devicetotp_requests_total{code=too-many-attempts,op=create}")
	require.InDelta(t, 60, requests, 0)
	require.InDelta(t, requests, increase("devicetotp_rounds_total"), 0)
}
