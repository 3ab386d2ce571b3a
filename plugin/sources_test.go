package plugin

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
		{"for a probe", `{"probe": "options"}`, func(f *fake) { f.request = map[string][]string{strings.ToLower(probe.GuardHeader): {"1"}} }},
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

func TestDocument(t *testing.T) {
	file := filepath.Join(t.TempDir(), "openapi.yaml")
	c := configured(t, fmt.Sprintf(`{"openapi": %q, "probe_timeout": 5000}`, file))

	f := founding()
	c.response(f)
	require.Len(t, f.lines, 2)
	assert.True(t, strings.HasPrefix(f.lines[0], "warn: [diag405] openapi: "), f.lines[0])
	assert.Equal(t, "X-Diag: strip-path;certainty=likely", f.headers[0], "explained without the document")

	c.lines = &sparing{} // a second later
	f = founding()
	c.response(f)
	assert.Len(t, f.lines, 1, "the same error is said once")

	require.NoError(t, os.WriteFile(file, []byte("openapi: 3.1.0\npaths:\n  /: {get: {}}\n  /api/sendWeather: {post: {}}\n"), 0o644))
	f = founding()
	c.response(f)
	assert.Equal(t, "X-Diag: strip-path;certainty=confirmed", f.headers[0])
}
