package operations

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
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
devicetotp_factors_total{factor="otp",result="undecided"} 1
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
	families, err := registry.Gather()
	require.NoError(t, err)
	counts := map[string]uint64{}
	for _, family := range families {
		for _, m := range family.Metric {
			if family.GetName() == "devicetotp_request_seconds" {
				counts[m.Label[1].GetValue()+" "+m.Label[0].GetValue()] = m.Histogram.GetSampleCount()
			}
		}
	}
	require.Equal(t, map[string]uint64{"create ok": 1, "create invalid-credentials": 1, "create unavailable": 1, "verify internal-error": 1}, counts)
	require.Equal(t, 4, strings.Count(log, "msg=devicetotp event.op="))
}

// Every metric and label that an alert of OPERATIONS.md asks for is there, and
// every value that it compares with is one that the label can have.
func TestAlerts(t *testing.T) {
	text, err := os.ReadFile("../../OPERATIONS.md")
	require.NoError(t, err)
	rules := regexp.MustCompile("(?s)<!-- promql -->\n```text\n(.*?)```").FindStringSubmatch(string(text))
	require.NotNil(t, rules)
	registry, _ := observed(t)
	families, err := registry.Gather()
	require.NoError(t, err)
	labels := map[string][]string{} // of a series
	for _, family := range families {
		var names []string
		for _, l := range family.Metric[0].Label {
			names = append(names, l.GetName())
		}
		labels[family.GetName()] = names
		if family.Metric[0].Histogram != nil {
			labels[family.GetName()+"_count"], labels[family.GetName()+"_bucket"] = names, append(slices.Clone(names), "le")
		}
	}
	values := map[string][]string{
		"op":     {string(devicetotp.OpCreate), string(devicetotp.OpVerify)},
		"code":   {string(devicetotp.CodeUnavailable), string(devicetotp.CodeInternal)},
		"result": {devicetotp.ResultWrong.String(), devicetotp.ResultBlocked.String()},
	}
	series := regexp.MustCompile(`(devicetotp_\w+)(?:\{(\w+)=~?"([^"]*)"\})?`).FindAllStringSubmatch(rules[1], -1)
	require.NotEmpty(t, series)
	for _, s := range series {
		require.Contains(t, labels, s[1])
		if s[2] == "" {
			continue
		}
		require.Contains(t, labels[s[1]], s[2])
		for _, value := range strings.Split(s[3], "|") {
			require.Contains(t, values[s[2]], value)
		}
	}
	for _, by := range regexp.MustCompile(`by \((\w+)\) \(rate\((devicetotp_\w+)`).FindAllStringSubmatch(rules[1], -1) {
		require.Contains(t, labels[by[2]], by[1])
	}
}
