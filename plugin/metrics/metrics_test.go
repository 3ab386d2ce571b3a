package metrics

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/plugin"
	"diag405/plugin/diagnose"
	"diag405/plugin/server"
)

var (
	_ plugin.Watcher = (*Plugin)(nil)
	_ server.Watcher = (*Plugin)(nil)
)

// refused is an answer to explain, of a route and a service.
func refused(route, service string) diagnose.Exchange {
	x := diagnose.Exchange{Response: diagnose.Response{Status: 405}}
	if route != "" {
		x.Route = &config.Route{Name: route}
	}
	if service != "" {
		x.Service = &config.Service{Name: service}
	}
	return x
}

var stripPath = diagnose.Diagnosis{Cause: diagnose.StripPath, Certainty: diagnose.Likely}

func serving(t testing.TB) (*Metrics, *Plugin) {
	t.Helper()
	m := New("1.2.3")
	p := m.Plugin("diag405")
	p.Serving([]string{"access", "response"}, func() int { return 2 })
	return m, p
}

func TestCounts(t *testing.T) {
	m, p := serving(t)
	p.Explained(refused("r", "s"), stripPath)
	p.Explained(refused("r", "s"), stripPath)
	p.Explained(refused("", ""), stripPath)
	p.Explained(diagnose.Exchange{Route: &config.Route{ID: "6a1f"}, Response: diagnose.Response{Status: 404}}, stripPath)
	p.Unexplained()
	p.Probed(true)
	p.Probed(false)
	p.Event("access", 70*time.Microsecond, false)
	p.Event("access", 20*time.Second, true)
	p.Event("preread", time.Second, true) // a phase that the plugin does not have
	p.Panicked("response")
	p.Panicked("preread")
	assert.NoError(t, testutil.GatherAndCompare(m.registry, strings.NewReader(`
# HELP diag405_build_info The version of diag405; the value is 1.
# TYPE diag405_build_info gauge
diag405_build_info{version="1.2.3"} 1
# HELP diag405_diagnoses_total Answers that were explained.
# TYPE diag405_diagnoses_total counter
diag405_diagnoses_total{cause="strip-path",certainty="likely",plugin="diag405",route="(none)",service="(none)",status="405"} 1
diag405_diagnoses_total{cause="strip-path",certainty="likely",plugin="diag405",route="6a1f",service="(none)",status="404"} 1
diag405_diagnoses_total{cause="strip-path",certainty="likely",plugin="diag405",route="r",service="s",status="405"} 2
# HELP diag405_failed_replies_total Events that ended because no reply came from Kong, or none could be read.
# TYPE diag405_failed_replies_total counter
diag405_failed_replies_total{phase="access",plugin="diag405"} 1
diag405_failed_replies_total{phase="response",plugin="diag405"} 0
# HELP diag405_instances Configurations of the plugin that Kong has started.
# TYPE diag405_instances gauge
diag405_instances{plugin="diag405"} 2
# HELP diag405_panics_total Panics in a phase, each of which ended the phase and not the request.
# TYPE diag405_panics_total counter
diag405_panics_total{phase="access",plugin="diag405"} 0
diag405_panics_total{phase="response",plugin="diag405"} 1
# HELP diag405_probe_answers_total Of the requests that a probe sent, those that were answered.
# TYPE diag405_probe_answers_total counter
diag405_probe_answers_total{plugin="diag405"} 1
# HELP diag405_probe_requests_total Requests that a probe sent to an upstream.
# TYPE diag405_probe_requests_total counter
diag405_probe_requests_total{plugin="diag405"} 2
# HELP diag405_unexplained_total Answers, or requests, that could not be read and so were not explained.
# TYPE diag405_unexplained_total counter
diag405_unexplained_total{plugin="diag405"} 1
`), "diag405_build_info", "diag405_diagnoses_total", "diag405_failed_replies_total", "diag405_instances", "diag405_panics_total",
		"diag405_probe_answers_total", "diag405_probe_requests_total", "diag405_unexplained_total"))
}

// Any number of routes and services makes a bounded number of series, and what is not
// told by name is counted all the same.
func TestLabelsAreBounded(t *testing.T) {
	m, p := serving(t)
	for i := range 3 * MaxNames {
		p.Explained(refused(fmt.Sprintf("route-%d", i), fmt.Sprintf("service-%d", i)), stripPath)
	}
	p.Explained(refused("route-0", "service-0"), stripPath) // still by its name
	assert.Equal(t, MaxNames+1, testutil.CollectAndCount(m.diagnoses))
	of := func(route, service string) float64 {
		return testutil.ToFloat64(m.diagnoses.WithLabelValues("diag405", "405", "strip-path", "likely", route, service))
	}
	assert.EqualValues(t, 2*MaxNames, of(Others, Others))
	assert.EqualValues(t, 2, of("route-0", "service-0"))
}

// What is not UTF-8 is counted, too.
func TestOddNames(t *testing.T) {
	m := New("1.2.3")
	m.Plugin("diag405-\xff").Explained(refused("r\xff", "s\n\"\\"), stripPath)
	assert.EqualValues(t, 1, testutil.ToFloat64(m.diagnoses.WithLabelValues("diag405-\uFFFD", "405", "strip-path", "likely", "r\uFFFD", "s\n\"\\")))
}

func TestMetricsAreLintClean(t *testing.T) {
	m, p := serving(t)
	p.Explained(refused("r", "s"), stripPath)
	problems, err := testutil.GatherAndLint(m.registry)
	require.NoError(t, err)
	assert.Empty(t, problems)
}

// An event costs no memory.
func TestEventsAllocateNothing(t *testing.T) {
	_, p := serving(t)
	assert.Zero(t, testing.AllocsPerRun(100, func() { p.Event("access", 70*time.Microsecond, false) }))
}

// What docs/observability.md lists is what there is.
func TestMetricsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/observability.md")
	require.NoError(t, err)
	listed := map[string]string{} // a metric's labels, by its name
	for _, row := range regexp.MustCompile("(?m)^\\| `(diag405_\\w+)` \\| (.*?) \\|").FindAllStringSubmatch(string(page), -1) {
		listed[row[1]] = strings.Join(regexp.MustCompile(`\w+`).FindAllString(row[2], -1), " ")
	}
	m, p := serving(t)
	p.Explained(refused("r", "s"), stripPath)
	families, err := m.registry.Gather()
	require.NoError(t, err)
	got := map[string]string{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "diag405_") {
			continue
		}
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		got[f.GetName()] = strings.Join(labels, " ")
	}
	assert.Equal(t, got, listed)
	assert.Contains(t, string(page), fmt.Sprintf("first %d routes", MaxNames))
	assert.Contains(t, string(page), "`"+Others+"`")
	assert.Contains(t, string(page), "`"+None+"`")
}

// What an event costs, and an answer that is explained.

func BenchmarkEvent(b *testing.B) {
	_, p := serving(b)
	b.ReportAllocs()
	for b.Loop() {
		began := time.Now() // as the server does
		p.Event("access", time.Since(began), false)
	}
}

func BenchmarkExplained(b *testing.B) {
	_, p := serving(b)
	x := refused("internal-weather-route-POST", "internal-weather-service")
	b.ReportAllocs()
	for b.Loop() {
		p.Explained(x, stripPath)
	}
}
