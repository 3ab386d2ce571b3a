package observability

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/diag405test"
	"diag405/kong/gateway"
	"diag405/kong/gateway/standin"
)

// prometheus is a running Prometheus.
type prometheus struct{ url string }

// startPrometheus runs the binary that DIAG405_PROMETHEUS names, or one in the PATH, with
// the example's files, to scrape an address.
func startPrometheus(t *testing.T, target string, interval time.Duration) prometheus {
	t.Helper()
	binary := prometheusBinary(t)
	rules, err := filepath.Abs("alerts.yml")
	require.NoError(t, err)
	config := read(t, "prometheus.yml")
	for from, to := range map[string]string{"diag405:9405": target, "scrape_interval: 5s": "scrape_interval: " + interval.String(), "- alerts.yml": "- " + rules} {
		require.Contains(t, config, from)
		config = strings.Replace(config, from, to, 1)
	}
	dir, address := t.TempDir(), freeAddress(t)
	file := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o644))
	said := &gateway.Lines{}
	cmd := exec.Command(binary, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Stderr = said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err = said.Find(ctx, func(line string) bool { return strings.Contains(line, "Server is ready to receive web requests") })
	require.NoError(t, err, said.String())
	return prometheus{"http://" + address}
}

func prometheusBinary(t *testing.T) string {
	t.Helper()
	if binary := os.Getenv("DIAG405_PROMETHEUS"); binary != "" {
		return binary
	}
	binary, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("no prometheus here: it is Debian's package of that name; DIAG405_PROMETHEUS names another one")
	}
	return binary
}

// series is what a query gives for one set of labels. An instant query has one point.
type series struct {
	labels map[string]string
	points []point
}

type point struct {
	time  float64 // Unix, in seconds
	value float64
}

// ask runs a query: now, or where step is not 0 from one time to another.
func (p prometheus) ask(t *testing.T, query string, from, to time.Time, step time.Duration) []series {
	t.Helper()
	path, form := "/api/v1/query", url.Values{"query": {query}}
	if step > 0 {
		path = "/api/v1/query_range"
		form.Set("start", unix(from))
		form.Set("end", unix(to))
		form.Set("step", fmt.Sprint(step.Seconds()))
	}
	res, err := http.PostForm(p.url+path, form)
	require.NoError(t, err)
	defer res.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
				Values [][2]any
			}
		}
	}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&answer))
	require.Equal(t, "success", answer.Status, "%s: %s", query, answer.Error)
	var out []series
	for _, r := range answer.Data.Result {
		s := series{labels: r.Metric}
		if step == 0 {
			r.Values = [][2]any{r.Value}
		}
		for _, v := range r.Values {
			value, err := strconv.ParseFloat(v[1].(string), 64)
			require.NoError(t, err)
			s.points = append(s.points, point{v[0].(float64), value})
		}
		out = append(out, s)
	}
	return out
}

func unix(at time.Time) string { return strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64) }

// filled is a query of the dashboard with Grafana's variables in it.
func filled(query string, shown, rate time.Duration) string {
	return strings.NewReplacer("$__rate_interval", rate.String(), "$__range", shown.String(), "$job", ".*", "$plugin", "diag405", "$service", ".*").Replace(query)
}

// observed is a gateway whose plugin server shows metrics at an address.
type observed struct {
	gateway.Gateway
	metrics  string
	upstream string
}

// startObserved runs diag405 serve with metrics, and a gateway with both plugins in front
// of an application. The routes are a part of the configuration.
func startObserved(t *testing.T, app http.Handler, routes string) observed {
	t.Helper()
	binary := diag405test.Build(t)
	dir, err := os.MkdirTemp("", "observed-") // a test's own folder has a path too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	require.Zero(t, diag405test.Run(t, binary, "dump", "-dir", dir).Code)
	o := observed{metrics: freeAddress(t)}
	said := &gateway.Lines{}
	cmd := exec.Command(binary, "serve", "-socket", dir, "-metrics", o.metrics)
	cmd.Stderr = said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err = said.Find(ctx, func(line string) bool { return strings.Contains(line, "metrics on http://"+o.metrics) })
	require.NoError(t, err, said.String())
	var servers []gateway.Server
	for _, name := range []string{"diag405", "diag405-log"} {
		servers = append(servers, gateway.Server{Name: name, QueryCmd: "cat " + filepath.Join(dir, name+".json"), Socket: filepath.Join(dir, name+".socket")})
	}
	o.Gateway, err = standin.Start(t.Context(), gateway.Options{Servers: servers})
	require.NoError(t, err)
	t.Cleanup(func() { o.Close() })
	upstream := httptest.NewServer(app)
	t.Cleanup(upstream.Close)
	o.upstream = upstream.URL
	o.load(t, routes)
	return o
}

// load puts routes into force, in which UPSTREAM is the application.
func (o observed) load(t *testing.T, routes string) {
	t.Helper()
	require.NoError(t, o.Load(t.Context(), []byte(strings.ReplaceAll(routes, "UPSTREAM", o.upstream))))
}

func (o observed) ask(t *testing.T, method, target string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, o.URL()+target, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
}

// weather is an application with GET /, and GET and POST below /api.
func weather() http.Handler {
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Server", "uvicorn") }
	mux.HandleFunc("GET /{$}", answer)
	mux.HandleFunc("GET /api/getWeather/{location}", answer)
	mux.HandleFunc("POST /api/sendWeather", answer)
	return mux
}

const weatherRoutes = `{"_format_version": "3.0", "services": [{"name": "weather", "url": "UPSTREAM",
	"plugins": [{"name": "diag405", "config": {"log_requests": "none", "probe": "options"}}, {"name": "diag405-log", "config": {"log_requests": "none"}}],
	"routes": [{"name": "send", "paths": ["/api/sendWeather"]}, {"name": "get", "paths": ["/weather"]}]}]}`

// Each query of the dashboard and of the alerts, run by a Prometheus that scrapes the real
// binary with the example's files, has an answer.
func TestPrometheusAnswersTheDashboard(t *testing.T) {
	prometheusBinary(t)
	if promtool, err := exec.LookPath("promtool"); err == nil {
		for _, args := range [][]string{{"check", "config", "prometheus.yml"}, {"check", "rules", "alerts.yml"}} {
			out, err := exec.Command(promtool, args...).CombinedOutput()
			assert.NoError(t, err, string(out))
		}
	}
	o := startObserved(t, weather(), weatherRoutes)
	p := startPrometheus(t, o.metrics, 100*time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const shown = 10 * time.Second
	// increase needs two scrapes that have a series, and a change between them.
	for again := time.NewTicker(20 * time.Millisecond); !p.hasSome(t, filled(`sum(increase(diag405_diagnoses_total[$__range]))`, shown, 0)); <-again.C {
		require.NoError(t, ctx.Err())
		o.ask(t, "POST", "/api/sendWeather")
		o.ask(t, "GET", "/weather/api/getWeather/Oslo")
	}
	for _, panel := range readDashboard(t).Panels {
		for _, target := range panel.Targets {
			query := filled(target.Expr, shown, shown)
			assert.NotEmpty(t, p.ask(t, query, time.Time{}, time.Time{}, 0), "%s: %s", panel.Title, query)
		}
	}
	for _, rule := range readAlerts(t) {
		p.ask(t, rule.Expr, time.Time{}, time.Time{}, 0)
	}
	assert.False(t, p.hasSome(t, `diag405_panics_total + diag405_failed_replies_total`))
}

// hasSome reports whether a query gives anything above zero.
func (p prometheus) hasSome(t *testing.T, query string) bool {
	t.Helper()
	for _, s := range p.ask(t, query, time.Time{}, time.Time{}, 0) {
		if v := s.points[0].value; v > 0 && !math.IsInf(v, 0) {
			return true
		}
	}
	return false
}
