package plugin

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin/background/backgroundtest"
	"diag405/plugin/probe"
)

// application takes POST at one path, lists methods as a framework does, and
// counts what it was asked.
func application(t *testing.T, path string) (port int, asked *[]string) {
	t.Helper()
	asked = &[]string{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+path, func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /{$}", func(http.ResponseWriter, *http.Request) {})
	requests := make(chan string, 100)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r.Method + " " + r.URL.Path
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		app.Close()
		close(requests)
		for line := range requests {
			*asked = append(*asked, line)
		}
	})
	_, err := fmt.Sscanf(app.URL, "http://127.0.0.1:%d", &port)
	require.NoError(t, err)
	return port, asked
}

// at puts the founding case's service at a host and port.
func (f *fake) at(host string, port int) *fake {
	f.service.Host, f.service.Port = host, port
	f.vars["upstream_host"] = fmt.Sprintf("%s:%d", host, port)
	return f
}

func TestProbeConfirms(t *testing.T) {
	port, _ := application(t, "/api/sendWeather")
	f := founding().at("127.0.0.1", port)
	configured(t, `{"probe": "options", "probe_timeout": 5000}`).response(f)
	require.NotEmpty(t, f.headers)
	assert.Equal(t, "X-Diag: strip-path;certainty=confirmed", f.headers[0])
}

func TestProbeRefutes(t *testing.T) {
	port, _ := application(t, "/elsewhere")
	f := founding().at("127.0.0.1", port)
	configured(t, `{"probe": "options", "probe_timeout": 5000}`).response(f)
	require.NotEmpty(t, f.headers)
	assert.Equal(t, "X-Diag: method-not-allowed;certainty=possible", f.headers[0])
}

// A name that only Kong's own hosts file has is found there.
func TestProbeLooksNamesUpAsKongDoes(t *testing.T) {
	port, _ := application(t, "/api/sendWeather")
	prefix := t.TempDir()
	hosts := filepath.Join(prefix, "hosts")
	require.NoError(t, os.WriteFile(hosts, []byte("# names\n\n127.0.0.1 other weather.invalid # here\n127.0.0.9 weather.invalid\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(prefix, ".kong_env"), []byte("database = off\ndns_hostsfile = "+hosts+"\n"), 0o644))
	c := Constructor(prefix)().(*Config)
	require.NoError(t, c.UnmarshalJSON([]byte(`{"probe": "options", "probe_timeout": 5000}`)))
	f := founding().at("weather.invalid", port)
	c.response(f)
	require.NotEmpty(t, f.headers)
	assert.Equal(t, "X-Diag: strip-path;certainty=confirmed", f.headers[0])
}

func TestNoProbe(t *testing.T) {
	tests := []struct {
		name, config string
		change       func(*fake)
	}{
		{"off", `{}`, nil},
		{"no service", `{"probe": "options"}`, func(f *fake) { f.service.Id = "" }},
		{"another status", `{"probe": "options"}`, func(f *fake) { f.status = 404 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var asked *[]string
			t.Run("run", func(t *testing.T) {
				var port int
				port, asked = application(t, "/api/sendWeather")
				f := founding().at("127.0.0.1", port)
				if tt.change != nil {
					tt.change(f)
				}
				configured(t, tt.config).response(f)
			})
			assert.Empty(t, *asked)
		})
	}
}

// A request that is the process's own probe is not asked about; a client that sets the
// header itself switches nothing off.
func TestProbeOfAProbe(t *testing.T) {
	port, _ := application(t, "/api/sendWeather")
	marks := make(chan string, 100)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		marks <- r.Header.Get(probe.GuardHeader)
		w.WriteHeader(http.StatusNotFound)
	}))
	defer upstream.Close()
	c := configured(t, `{"probe": "options", "probe_timeout": 5000}`)
	learn := founding().at("127.0.0.1", upstream.Listener.Addr().(*net.TCPAddr).Port)
	c.response(learn)
	for mark, want := range map[string]string{"": "confirmed", "1": "confirmed", "guess": "confirmed", <-marks: "likely"} {
		f := founding().at("127.0.0.1", port)
		if mark != "" {
			f.request = map[string][]string{strings.ToLower(probe.GuardHeader): {mark}}
		}
		f.service.Path = "" // as it is
		again := &Config{Common: Common{prober: c.prober}}
		require.NoError(t, again.UnmarshalJSON([]byte(`{"probe": "options", "probe_timeout": 5000}`)))
		again.response(f)
		require.NotEmpty(t, f.headers)
		assert.Equal(t, "X-Diag: strip-path;certainty="+want, f.headers[0], "mark %q", mark)
	}
}

// Five routes to one upstream, each with an instance of its own: the upstream gets no
// more than with one.
func TestProbesOfManyInstances(t *testing.T) {
	var asked atomic.Int32
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusNotFound)
	}))
	defer upstream.Close()
	construct := Constructor("")
	began := time.Now()
	for route := range 5 {
		c := construct().(*Config)
		require.NoError(t, c.UnmarshalJSON([]byte(`{"probe": "options", "probe_timeout": 5000}`)))
		for i := range 20 {
			f := founding().at("127.0.0.1", upstream.Listener.Addr().(*net.TCPAddr).Port)
			f.route.Id = fmt.Sprint("route-", route)
			f.vars["request"] = fmt.Sprintf("POST /api/sendWeather/%d-%d/x HTTP/1.1", route, i)
			f.vars["upstream_uri"] = fmt.Sprintf("/%d-%d/x", route, i)
			c.response(f)
		}
	}
	seconds := int32(time.Since(began)/time.Second) + 1
	assert.LessOrEqual(t, asked.Load(), seconds*probesPerSecond*probe.MaxRequests)
	assert.GreaterOrEqual(t, asked.Load(), int32(probesPerSecond*probe.MaxRequests/2), "they did ask")
}

func TestDocument(t *testing.T) {
	file := filepath.Join(t.TempDir(), "openapi.yaml")
	config := fmt.Sprintf(`{"openapi": %q, "probe_timeout": 5000}`, file)
	c := configured(t, config)

	f := founding()
	require.Eventually(t, func() bool { // on a machine under load not the first 405 has the error
		c.lines = &sparing{}
		f = founding()
		c.response(f)
		return len(f.lines) == 2
	}, 10*time.Second, time.Millisecond)
	assert.True(t, strings.HasPrefix(f.lines[0], "warn: [diag405] openapi: "), f.lines[0])
	assert.Equal(t, "X-Diag: strip-path;certainty=likely", f.headers[0], "explained without the document")

	c.lines = &sparing{} // a second later
	f = founding()
	c.response(f)
	assert.Len(t, f.lines, 1, "the same error is said once")
	f = founding()
	configured(t, config).response(f)
	assert.Len(t, f.lines, 1, "by one instance of those that share the document")

	// It is read behind the back of one 405, for the next.
	require.NoError(t, os.WriteFile(file, []byte("openapi: 3.1.0\npaths:\n  /: {get: {}}\n  /api/sendWeather: {post: {}}\n"), 0o644))
	require.Eventually(t, func() bool {
		f = founding()
		configured(t, config).response(f)
		return f.headers[0] == "X-Diag: strip-path;certainty=confirmed"
	}, 10*time.Second, time.Millisecond, "%q", f.headers)
}

// A disk that hangs costs who comes first 100 ms, and nobody after that.
func TestDocumentOnADiskThatHangs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "openapi.yaml")
	require.NoError(t, os.WriteFile(file, []byte("openapi: 3.1.0\npaths: {}\n"), 0o644))
	release := backgroundtest.Hang(t, file)
	c := configured(t, fmt.Sprintf(`{"openapi": %q, "probe_timeout": 5000}`, file))
	begun := time.Now()
	for range 100 {
		f := founding()
		c.response(f)
		assert.Equal(t, "X-Diag: strip-path;certainty=likely", f.headers[0])
	}
	assert.Less(t, time.Since(begun), 2*time.Second)
	release()
}

// The document, the probe and the diagnosis have one deadline: an upstream and a disk
// that hang, and there is time left to explain.
func TestOneDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := configured(t, `{"probe": "options"}`)
		c.sources.prober = probe.New(probe.Options{Timeout: time.Minute, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		begun := time.Now()
		f := founding()
		c.response(f)
		assert.Equal(t, "X-Diag: strip-path;certainty=likely", f.headers[0])
		assert.Equal(t, 250*time.Millisecond, time.Since(begun), "of 300")
	})
}
