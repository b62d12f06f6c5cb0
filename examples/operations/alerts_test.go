package operations

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// A rule is one alert.
type rule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

// alerts are the rules of alerts.yml, which OPERATIONS.md shows.
func alerts(t *testing.T) []rule {
	t.Helper()
	text, err := os.ReadFile("alerts.yml")
	require.NoError(t, err)
	require.Contains(t, pageText(t), "```yaml\n"+string(text)+"```")
	file := struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}{}
	require.NoError(t, yaml.UnmarshalWithOptions(text, &file, yaml.Strict()), "%s", text)
	require.Len(t, file.Groups, 1)
	return file.Groups[0].Rules
}

// Every series that an alert asks for is there before the first Event, with each of
// the values that a label is compared with. Each alert says how bad it is.
func TestAlerts(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	NewMetrics(registry)
	atStart := series(t, registry)
	for _, alert := range alerts(t) {
		require.Contains(t, []string{"page", "ticket"}, alert.Labels["severity"], alert.Alert)
		require.NotEmpty(t, alert.Annotations["summary"], alert.Alert)
		require.Equal(t, [2]int{1, 1}, [2]int{len(alert.Labels), len(alert.Annotations)}, "a text with a comma that is not quoted: %v", alert)
		selectors := regexp.MustCompile(`(devicetotp_\w+)(?:\{(\w+)=~?"([^"]*)"\})?`).FindAllStringSubmatch(alert.Expr, -1)
		require.NotEmpty(t, selectors)
		labels := 0
		for _, s := range selectors {
			if s[2] != "" {
				labels++
			}
			name := strings.Replace(s[1], "_bucket", "_count", 1)
			for _, value := range strings.Split(s[3], "|") {
				require.True(t, has(atStart, name, s[2], regexp.QuoteMeta(value)), "%s has no %s", alert.Alert, s[0])
			}
		}
		require.Equal(t, strings.Count(alert.Expr, "{"), labels, "%s has labels that this test does not read", alert.Alert)
		for _, by := range regexp.MustCompile(`by \((\w+)\) \((?:rate|increase)\((devicetotp_\w+)`).FindAllStringSubmatch(alert.Expr, -1) {
			if by[1] != "le" {
				require.True(t, has(atStart, by[2], by[1], `[^,}]+`), alert.Alert)
			}
		}
	}
}

// has reports whether there is a series of that name, with a label of that value
// unless label is "".
func has(values map[string]float64, name, label, value string) bool {
	wanted := regexp.MustCompile("^" + name + `(\{|$)`)
	if label != "" {
		wanted = regexp.MustCompile("^" + name + `\{(.*,)?` + label + "=" + value + "[,}]")
	}
	return slices.ContainsFunc(slices.Collect(maps.Keys(values)), wanted.MatchString)
}
