//go:build unix

package serve_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/gateway"
	"diag405/kong/gateway/standin"
)

// observed is an installation whose plugin server shows metrics at url.
type observed struct {
	*beside
	url string
}

// newObserved serves with metrics on a port that the system chooses.
func newObserved(t *testing.T) observed {
	t.Helper()
	o := observed{beside: newBeside(t)}
	o.serve(t, "-metrics", "127.0.0.1:0")
	o.url = metricsURL(t, o.said)
	return o
}

// metricsURL is where the server says that its metrics are.
func metricsURL(t *testing.T, said *gateway.Lines) string {
	t.Helper()
	_, url, _ := strings.Cut(told(t, said, "diag405: metrics on "), "metrics on ")
	return url
}

// told waits for a line that begins with a text.
func told(t *testing.T, said *gateway.Lines, text string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	line, err := said.Find(ctx, func(line string) bool { return strings.HasPrefix(line, text) })
	require.NoError(t, err, said.String())
	return line
}

func scrape(t *testing.T, url string) map[string]*dto.MetricFamily {
	t.Helper()
	res, err := http.Get(url)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(res.Body)
	require.NoError(t, err)
	return families
}

// counts are the values of a counter or gauge, or the counts of a histogram, by their
// labels; those that are zero are left out.
func counts(f *dto.MetricFamily) map[string]float64 {
	out := map[string]float64{}
	for _, m := range f.GetMetric() {
		var labels []string
		for _, l := range m.GetLabel() {
			labels = append(labels, l.GetName()+"="+l.GetValue())
		}
		n := m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		if n > 0 {
			out[strings.Join(labels, " ")] = n
		}
	}
	return out
}

// TestMetrics has both plugins explain behind the gateway, with a probe, and counts
// what the scrape tells.
func TestMetrics(t *testing.T) {
	o := newObserved(t)
	var probes, unanswered atomic.Int64
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Diag-Probe") != "" {
			probes.Add(1)
			if r.URL.Path == "/a" {
				unanswered.Add(1)
				panic(http.ErrAbortHandler) // the connection is closed, and there is no answer
			}
		}
		refusing(w, r)
	}))
	defer app.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	log := &gateway.Lines{}
	g, err := standin.Start(ctx, gateway.Options{Servers: o.servers(), ErrorLog: log})
	require.NoError(t, err)
	defer func() { assert.NoError(t, g.Close()) }()
	require.NoError(t, g.Load(ctx, []byte(fmt.Sprintf(`{"_format_version": "3.0", "services": [{"name": "s", "url": %q, "routes": [
		{"name": "r", "paths": ["/p"], "plugins": [{"name": "diag405", "config": {"probe": "options"}}]},
		{"name": "q", "paths": ["/q"], "plugins": [{"name": "diag405-log", "config": {"statuses": [405, 404]}}]}]}]}`, app.URL))))

	ask := func(method, path string) {
		req, err := http.NewRequestWithContext(ctx, method, g.URL()+path, nil)
		require.NoError(t, err)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
	}
	for range 3 {
		ask("POST", "/p/a")
	}
	for range 4 {
		ask("GET", "/p/a")
	}
	ask("PURGE", "/p/a") // left unbuffered: there is no response phase
	for range 2 {
		ask("POST", "/q/a")
	}
	logged := func() bool {
		return counts(scrape(t, o.url)["diag405_event_duration_seconds"])["phase=log plugin=diag405-log"] == 2
	}
	require.Eventually(t, logged, 10*time.Second, 5*time.Millisecond, "the log phase runs behind the client's back")

	got := scrape(t, o.url)
	assert.Equal(t, map[string]float64{
		"phase=access plugin=diag405":     8,
		"phase=response plugin=diag405":   7,
		"phase=access plugin=diag405-log": 2,
		"phase=log plugin=diag405-log":    2,
	}, counts(got["diag405_event_duration_seconds"]))
	var explained float64
	for labels, n := range counts(got["diag405_diagnoses_total"]) {
		explained += n
		assert.Regexp(t, `^cause=[a-z-]+ certainty=(confirmed|likely|possible) plugin=(diag405 route=r|diag405-log route=q) service=s status=405$`, labels)
	}
	assert.EqualValues(t, 5, explained)
	assert.NotZero(t, unanswered.Load())
	assert.Equal(t, map[string]float64{"plugin=diag405": float64(probes.Load())}, counts(got["diag405_probe_requests_total"]))
	assert.Equal(t, map[string]float64{"plugin=diag405": float64(probes.Load() - unanswered.Load())}, counts(got["diag405_probe_answers_total"]))
	assert.Equal(t, map[string]float64{"plugin=diag405": 1, "plugin=diag405-log": 1}, counts(got["diag405_instances"]))
	for _, name := range []string{"diag405_failed_replies_total", "diag405_panics_total", "diag405_unexplained_total"} {
		require.Contains(t, got, name)
		assert.Empty(t, counts(got[name]), name)
	}
	assert.Len(t, counts(got["diag405_build_info"]), 1)
	assert.NotZero(t, counts(got["process_resident_memory_bytes"])[""])
}

func TestScrapeIsLintClean(t *testing.T) {
	o := newObserved(t)
	res, err := http.Get(o.url)
	require.NoError(t, err)
	defer res.Body.Close()
	problems, err := promlint.New(res.Body).Lint()
	require.NoError(t, err)
	assert.Empty(t, problems)
}

// An address that somebody else has, or that is none, costs the metrics and nothing
// else. They are there as soon as the address is free.
func TestMetricsAreNeverInTheWay(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	b := newBeside(t)
	b.serve(t, "-metrics", taken.Addr().String())
	told(t, b.said, "diag405: no metrics while somebody else has the address: ")
	doctor := exec.Command(b.binary, "doctor", "-socket", b.dir)
	out, err := doctor.CombinedOutput()
	require.NoError(t, err, string(out))
	require.NoError(t, taken.Close())
	assert.NotEmpty(t, scrape(t, metricsURL(t, b.said)))
	b.kill()

	b.serve(t, "-metrics", "nowhere")
	told(t, b.said, "diag405: no metrics: ")
	out, err = exec.Command(b.binary, "doctor", "-socket", b.dir).CombinedOutput()
	require.NoError(t, err, string(out))
}

// Without the flag nothing listens but the sockets, unless the environment asks for it.
// That is how it reaches a server that Kong starts.
func TestMetricsAreOffUnlessAskedFor(t *testing.T) {
	b := newBeside(t)
	b.serve(t)
	require.NoError(t, b.stop())
	assert.NotContains(t, b.said.String(), "metrics")

	t.Setenv("DIAG405_METRICS", "127.0.0.1:0")
	b.serve(t)
	assert.NotEmpty(t, scrape(t, metricsURL(t, b.said)))
	require.NoError(t, b.stop())

	said := &gateway.Lines{}
	byKong := exec.Command(b.binary, "-kong-prefix", b.dir)
	byKong.Stderr = said
	require.NoError(t, byKong.Start())
	defer byKong.Wait()
	defer byKong.Process.Kill()
	assert.Contains(t, counts(scrape(t, metricsURL(t, said))["diag405_build_info"]), "version=0.1.0")
}
