//go:build unix

package serve_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/gateway"
	"diag405/plugin/background/backgroundtest"
)

// asked is an upstream that refuses, says where it takes POST, and counts who asks.
type asked struct {
	mu   sync.Mutex
	when []time.Time // of OPTIONS
}

func (a *asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodOptions:
		a.mu.Lock()
		a.when = append(a.when, time.Now())
		a.mu.Unlock()
		if r.URL.Path != "/sendWeather" && r.URL.Path != "/bystander/sendWeather" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Allow", "POST")
	default:
		w.Header().Set("Allow", "GET")
	}
	w.WriteHeader(http.StatusMethodNotAllowed)
}

// most is how many came within one second.
func (a *asked) most() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	most, begin := 0, 0
	for end := range a.when {
		for a.when[end].Sub(a.when[begin]) >= time.Second {
			begin++
		}
		most = max(most, end-begin+1)
	}
	return most
}

// A client floods five routes of one upstream, for each of which the probe is on: the
// upstream gets no more than 100 requests a second, and one that stands by is explained
// with a probe all the same.
func (g running) testProbeOfManyRoutes(t *testing.T) {
	upstream := &asked{}
	app := httptest.NewServer(upstream)
	defer app.Close()
	const plugins = `[{"name": "diag405", "config": {"probe": "options", "probe_timeout": 5000, "log_requests": "none"}}]`
	var routes []string
	for i := range 5 {
		routes = append(routes, fmt.Sprintf(`{"name": "r%[1]d", "paths": ["/p%[1]d"], "plugins": %[2]s}`, i, plugins))
	}
	routes = append(routes, fmt.Sprintf(`{"name": "by", "paths": ["/bystander/sendWeather"], "plugins": %s}`, plugins))
	require.NoError(t, g.Load(t.Context(), fmt.Appendf(nil, `{"_format_version": "3.0", "services": [{"name": "s", "url": %q, "routes": [%s]}]}`,
		app.URL, strings.Join(routes, ","))))
	var sent atomic.Int32
	flood := func(route int) func() bool {
		return func() bool {
			g.send(t, "POST", fmt.Sprintf("/p%d/%d/x", route, sent.Add(1)), "")
			return true
		}
	}
	stop := repeat(t, flood(0))
	require.Eventually(t, func() bool { return sent.Load() >= 100 }, 20*time.Second, time.Millisecond)
	res := g.send(t, "POST", "/bystander/sendWeather", "")
	assert.Equal(t, "strip-path;certainty=confirmed", res.Header.Get("X-Diag"), "while one path is flooded")
	others := repeat(t, flood(1), flood(2), flood(3), flood(4))
	require.Eventually(t, func() bool { return sent.Load() >= 600 }, 20*time.Second, time.Millisecond)
	others()
	stop()
	t.Logf("%d answers explained, at most %d requests in a second to the upstream", sent.Load(), upstream.most())
	// On a machine under load what was sent within two seconds can arrive within one.
	assert.LessOrEqual(t, upstream.most(), 200)
	assert.GreaterOrEqual(t, upstream.most(), 40, "it was probed")
}

// A client's own X-Diag-Probe does not switch the probe off.
func (g running) testProbeMark(t *testing.T) {
	for _, mark := range []string{"", "X-Diag-Probe: 1", "X-Diag-Probe: ABCDEFGHIJKLMNOPQRSTUVWXYZ"} {
		app := httptest.NewServer(&asked{})
		require.NoError(t, g.Load(t.Context(), fmt.Appendf(nil, `{"_format_version": "3.0", "services": [{"name": "s", "url": %q, "routes": [{"name": "r",
			"paths": ["/sendWeather"], "plugins": [{"name": "diag405", "config": {"probe": "options", "probe_timeout": 5000}}]}]}]}`, app.URL)))
		// What another one marked is probed for once a second.
		assert.True(t, again(10*time.Second, func() bool {
			return g.send(t, "POST", "/sendWeather", mark).Header.Get("X-Diag") == "strip-path;certainty=confirmed"
		}), mark)
		app.Close()
	}
}

// again does something until it comes out as wanted, and reports whether it did.
func again(atMost time.Duration, done func() bool) bool {
	for begun := time.Now(); time.Since(begun) < atMost; time.Sleep(5 * time.Millisecond) {
		if done() {
			return true
		}
	}
	return false
}

// The path of a document leads to whatever file: no word of it is in the log, and none is
// read that is too large, or that does not end.
func (g running) testDocuments(t *testing.T, log *gateway.Lines) {
	dir := t.TempDir()
	secrets, large, pipe := filepath.Join(dir, "passwd"), filepath.Join(dir, "large.yaml"), filepath.Join(dir, "pipe")
	require.NoError(t, os.WriteFile(secrets, []byte("root:hunter2:0:0::/root:/bin/sh\nhunter2: [hunter2, *hunter2\n"), 0o600))
	require.NoError(t, os.WriteFile(large, []byte("openapi: 3.1.0\npaths:\n"+strings.Repeat("  /a: {get: {}}\n", 1<<18)), 0o600))
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	for path, want := range map[string]string{secrets: "reading YAML: line 2", large: "is YAML and larger than 2097152 bytes", pipe: "not a regular file"} {
		g.load(t, refusing, fmt.Sprintf(`{"openapi": %q}`, path))
		begun := time.Now()
		res := g.send(t, "POST", "/p/a", "")
		assert.Equal(t, 405, res.StatusCode)
		assert.NotEmpty(t, res.Header.Get("X-Diag"))
		assert.Less(t, time.Since(begun), 5*time.Second)
		var line string
		require.True(t, again(20*time.Second, func() bool { // the next ones are told what was not known in time
			g.send(t, "POST", "/p/a", "")
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			line, _ = log.Find(ctx, func(l string) bool { return strings.Contains(l, path) && strings.Contains(l, "openapi: ") })
			return line != ""
		}), path)
		assert.Contains(t, line, want)
	}
	assert.NotContains(t, log.String(), "hunter2")
}

// A disk that hangs delays no answer but those of the first moment.
func (g running) testDiskThatHangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "openapi.yaml")
	require.NoError(t, os.WriteFile(path, []byte("openapi: 3.1.0\npaths: {}\n"), 0o644))
	release := backgroundtest.Hang(t, path)
	defer release()
	g.load(t, refusing, fmt.Sprintf(`{"openapi": %q, "probe_timeout": 5000}`, path))
	begun := time.Now()
	for range 20 {
		res := g.send(t, "POST", "/p/a", "")
		assert.Equal(t, 405, res.StatusCode)
		assert.NotEmpty(t, res.Header.Get("X-Diag"))
	}
	took := time.Since(begun)
	t.Logf("20 answers took %v", took.Round(time.Millisecond))
	assert.Less(t, took, 4*time.Second, "one alone would have been waited for for five")
}
