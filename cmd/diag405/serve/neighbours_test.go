//go:build unix

package serve_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/diag405test"
	"diag405/kong/gateway"
	"diag405/kong/gateway/realkong"
	"diag405/kong/gateway/standin"
	"diag405/plugin/token"
)

// TestNeighbours is what an upstream and a client try on each other and on an operator
// through the plugin, on the stand-in or the kong command that DIAG405_KONG names.
func TestNeighbours(t *testing.T) {
	start := standin.Start
	if kong := os.Getenv("DIAG405_KONG"); kong != "" {
		start = realkong.Command(kong).Start
	}
	log := &gateway.Lines{}
	gw, err := start(t.Context(), gateway.Options{Plugins: []string{diag405test.Build(t)}, ErrorLog: log})
	require.NoError(t, err)
	defer func() { assert.NoError(t, gw.Close()) }()

	g := running{gw}
	t.Run("flood", func(t *testing.T) { g.testFlood(t, log) })
	t.Run("forged headers", g.testForgedHeaders)
	t.Run("tokens", g.testTokens)
	t.Run("header names", g.testHeaderNames)
	t.Run("probe", g.testProbeOfManyRoutes)
	t.Run("probe's mark", g.testProbeMark)
	t.Run("documents", func(t *testing.T) { g.testDocuments(t, log) })
	t.Run("disk", g.testDiskThatHangs)
}

// A client that is refused again and again is explained to each time, and fills no log:
// of 300 answers there is a line for each second that they took, and one.
func (g running) testFlood(t *testing.T, log *gateway.Lines) {
	g.load(t, refusing, `{"log_requests": "none"}`)
	begun := time.Now()
	for i := range 300 {
		res := g.send(t, "POST", fmt.Sprint("/p/a/", i), "")
		assert.Equal(t, fmt.Sprint("POST /p/a/", i), res.Header.Get("X-Diag-Request"))
	}
	most := 2 + int(time.Since(begun)/time.Second)
	_, err := log.Find(t.Context(), func(l string) bool { return strings.Contains(l, "event=diagnosis") })
	require.NoError(t, err)
	assert.LessOrEqual(t, strings.Count(log.String(), "event=diagnosis"), most)
}

// An upstream forges our headers, behind more others than Kong shows.
func (g running) testForgedHeaders(t *testing.T) {
	for _, settings := range []string{`{}`, `{"expose": "code"}`, `{"expose": "none"}`} {
		g.load(t, func(w http.ResponseWriter, _ *http.Request) {
			for i := range 120 {
				w.Header().Set(fmt.Sprintf("A-%03d", i), "x")
			}
			for _, name := range []string{"X-Diag", "X-Diag-Reason", "X-Diag-Fix", "X-Diag-Request", "X-Diag-Upstream"} {
				w.Header().Set(name, "forged")
			}
			w.WriteHeader(http.StatusMethodNotAllowed)
		}, settings)
		res := g.send(t, "POST", "/p/a", "")
		assert.Len(t, res.Header.Values("A-119"), 1)
		for name, values := range res.Header {
			assert.NotContains(t, values, "forged", "%s: %s", settings, name)
		}
	}
}

// A token shows all to its holder, in each spelling that Kong passes, and goes no
// further than Kong: not to the upstream, and into no log plugin's record.
func (g running) testTokens(t *testing.T) {
	const key = "0123456789abcdef0123456789abcdef"
	now := time.Now()
	good, err := token.Make(key, token.Token{Expires: now.Add(time.Hour), Scope: token.Scope{Route: "r"}}, now)
	require.NoError(t, err)
	other, err := token.Make(key, token.Token{Expires: now.Add(time.Hour), Scope: token.Scope{Route: "other"}}, now)
	require.NoError(t, err)
	got := make(chan http.Header, 1)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header
		w.Header().Set("Cache-Control", "public, max-age=600")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}))
	defer app.Close()
	records := filepath.Join(t.TempDir(), "records")
	require.NoError(t, g.Load(t.Context(), fmt.Appendf(nil, `{"_format_version": "3.0",
		"plugins": [{"name": "file-log", "config": {"path": %q}}],
		"services": [{"name": "s", "url": %q, "routes": [{"name": "r", "paths": ["/p"],
			"plugins": [{"name": "diag405", "config": {"token_key": %q}}]}]}]}`, records, app.URL, key)))
	for _, name := range []string{"X-Diag-Token", "X_Diag_Token", "x-diag_token", "X_Diag-Token"} {
		for _, sent := range []string{good, other, "guess"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.URL()+"/p/a", nil)
			require.NoError(t, err)
			req.Header[name] = []string{sent}
			res, err := http.DefaultTransport.RoundTrip(req)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			assert.Equal(t, sent == good, res.Header.Get("X-Diag-Reason") != "", "%s: %s", name, sent)
			assert.Equal(t, sent == good, res.Header.Get("Cache-Control") == "no-store", "%s: %s", name, sent)
			for arrived := range <-got {
				assert.NotContains(t, strings.ReplaceAll(strings.ToLower(arrived), "_", "-"), "x-diag-token")
			}
		}
	}
	var written []byte
	require.Eventually(t, func() bool {
		written, _ = os.ReadFile(records)
		return strings.Count(string(written), "\n") == 12
	}, 10*time.Second, 5*time.Millisecond)
	for _, secret := range []string{good, other, "guess", key} {
		assert.NotContains(t, string(written), secret)
	}
}

// Kong refuses a prefix that would make Content-Length, with which a 405 became a 500.
func (g running) testHeaderNames(t *testing.T) {
	for _, prefix := range []string{"Content-Length", "Transfer-Encoding", "X-Kong-Upstream", "x-frame-options"} {
		err := g.Load(t.Context(), fmt.Appendf(nil, `{"_format_version": "3.0", "services": [{"name": "s", "url": "http://127.0.0.1:1",
			"routes": [{"name": "r", "paths": ["/p"], "plugins": [{"name": "diag405", "config": {"header_prefix": %q}}]}]}]}`, prefix))
		require.ErrorContains(t, err, "should be X- with letters", prefix)
	}
}
