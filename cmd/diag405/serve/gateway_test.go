//go:build unix

package serve_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/diag405test"
	"diag405/kong/gateway"
	"diag405/kong/gateway/realkong"
	"diag405/kong/gateway/standin"
)

// TestOnAGateway runs the real plugin server in a gateway: the stand-in, or the
// kong command that DIAG405_KONG names.
func TestOnAGateway(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	start := standin.Start
	if kong := os.Getenv("DIAG405_KONG"); kong != "" {
		start = realkong.Command(kong).Start
	}
	gw, err := start(ctx, gateway.Options{Plugins: []string{diag405test.Build(t)}})
	require.NoError(t, err)
	defer func() { assert.NoError(t, gw.Close()) }()

	g := running{gw}
	t.Run("event stream", g.testEventStream)
	t.Run("unknown method", g.testUnknownMethod)
	t.Run("unknown method, buffered", g.testUnknownMethodBuffered)
	t.Run("other answers", g.testOtherAnswers)
	t.Run("settings", g.testSettings)
}

type running struct{ gateway.Gateway }

// load puts an upstream behind /p, with the plugin.
func (g running) load(t *testing.T, upstream http.HandlerFunc, settings string) {
	t.Helper()
	app := httptest.NewServer(upstream)
	t.Cleanup(app.Close)
	require.NoError(t, g.Load(t.Context(), []byte(fmt.Sprintf(`{"_format_version": "3.0", "services": [{"name": "s", "url": %q,
		"routes": [{"name": "r", "paths": ["/p"], "plugins": [{"name": "diag405", "config": %s}]}]}]}`, app.URL, settings))))
}

func (g running) send(t *testing.T, method, path, header string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, g.URL()+path, nil)
	require.NoError(t, err)
	if name, value, ok := strings.Cut(header, ": "); ok {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// An event stream arrives piece by piece: the upstream sends its second event only
// when the client has the first.
func (g running) testEventStream(t *testing.T) {
	received := make(chan struct{})
	g.load(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: one\n\n")
		w.(http.Flusher).Flush()
		select {
		case <-received:
			fmt.Fprint(w, "data: two\n\n")
		case <-r.Context().Done():
		}
	}, `{}`)
	res := g.send(t, "GET", "/p/events", "Accept: text/event-stream")
	events := bufio.NewScanner(res.Body)
	require.True(t, events.Scan())
	assert.Equal(t, "data: one", events.Text())
	close(received)
	var rest []string
	for events.Scan() {
		rest = append(rest, events.Text())
	}
	assert.Contains(t, rest, "data: two")
}

// refusing is an upstream that takes only GET, and says which method it got.
func refusing(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Got", r.Method)
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// Kong's buffered hop would send PURGE as GET: it is left unbuffered, and then
// there is no response phase in which to explain.
func (g running) testUnknownMethod(t *testing.T) {
	g.load(t, refusing, `{}`)
	res := g.send(t, "PURGE", "/p/a", "")
	assert.Equal(t, 405, res.StatusCode)
	assert.Equal(t, "PURGE", res.Header.Get("X-Got"))
	assert.Empty(t, res.Header.Get("X-Diag"))
}

func (g running) testUnknownMethodBuffered(t *testing.T) {
	g.load(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Got", r.Method)
		w.Header().Set("Allow", "PURGE")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}, `{"buffering": "always"}`)
	res := g.send(t, "PURGE", "/p/a", "")
	assert.Equal(t, "GET", res.Header.Get("X-Got"))
	assert.Equal(t, "method-rewrite;certainty=confirmed", res.Header.Get("X-Diag"))
	assert.Equal(t, "GET /a", res.Header.Get("X-Diag-Upstream"))
}

func (g running) testOtherAnswers(t *testing.T) {
	for _, status := range []int{200, 204, 404, 500, 503} {
		g.load(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }, `{}`)
		res := g.send(t, "GET", "/p", "")
		assert.Equal(t, status, res.StatusCode)
		for name := range res.Header {
			assert.False(t, strings.HasPrefix(name, "X-Diag"), "%d has %s", status, name)
		}
	}
}

func (g running) testSettings(t *testing.T) {
	tests := []struct {
		settings string
		want     []string // names of the headers
	}{
		{`{}`, []string{"X-Diag", "X-Diag-Reason", "X-Diag-Fix", "X-Diag-Request", "X-Diag-Upstream"}},
		{`{"expose": "code"}`, []string{"X-Diag"}},
		{`{"expose": "none"}`, nil},
		{`{"header_prefix": "X-Why"}`, []string{"X-Why", "X-Why-Reason", "X-Why-Fix", "X-Why-Request", "X-Why-Upstream"}},
	}
	for _, tt := range tests {
		g.load(t, refusing, tt.settings)
		res := g.send(t, "POST", "/p/a", "")
		assert.Equal(t, 405, res.StatusCode)
		assert.Equal(t, "GET", res.Header.Get("Allow"))
		var got []string
		for name := range res.Header {
			if strings.HasPrefix(name, "X-Diag") || strings.HasPrefix(name, "X-Why") {
				got = append(got, name)
			}
		}
		assert.ElementsMatch(t, tt.want, got, tt.settings)
	}
}
