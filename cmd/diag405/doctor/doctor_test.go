package doctor

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/plugins"
	"diag405/kong/adminapi"
	"diag405/kong/config"
	"diag405/plugin/server"
)

// serving serves a plugin on a socket until the test ends.
func serving(t *testing.T, p server.Plugin, socket string) {
	t.Helper()
	l, err := p.Listen(socket)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Serve(ctx) }()
	t.Cleanup(func() { stop(); assert.NoError(t, <-ended) })
}

// listening has a socket on which each connection gets an answer and is closed.
func listening(t *testing.T, socket, answer string) net.Listener {
	t.Helper()
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 64))
			conn.Write([]byte(answer))
			conn.Close()
		}
	}()
	return l
}

func TestSockets(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.Chmod(dir, 0o755))

	serving(t, plugins.Named("diag405", ""), at("diag405.socket"))
	serving(t, plugins.Named("diag405", ""), at("diag405-log.socket"))
	old := plugins.Named("diag405", "")
	old.Version = "0.0.9"
	serving(t, old, at("old"))
	listening(t, at("go-pdk"), "\x02\x00\x00\x00\x08\x01")
	left := listening(t, at("left"), "")
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	left.Close()
	serving(t, plugins.Named("diag405", ""), at("open"))
	require.NoError(t, os.Chmod(at("open"), 0o777))
	require.NoError(t, os.Chmod(at("diag405.socket"), 0o700))
	require.NoError(t, os.Chmod(at("diag405-log.socket"), 0o700))

	for _, tt := range []struct {
		socket string
		check  string
		status status
		says   string
	}{
		{"diag405.socket", "socket", right, "Srwx------"},
		{"diag405.socket", "server", right, "diag405 0.1.0 answers on"},
		{"old", "server", wrong, "diag405 0.0.9 is served on " + at("old") + ", and this is 0.1.0"},
		{"go-pdk", "server", wrong, "is not this version of diag405"},
		{"left", "server", wrong, "nobody listens on"},
		{"open", "socket", wrong, "every user of this machine can talk to it"},
		{"nothing", "socket", wrong, "there is no socket at"},
	} {
		var found []string
		for _, f := range lookAtSockets(t.Context(), at(tt.socket)) {
			if f.Check == tt.check {
				assert.Equal(t, tt.status, f.Status, "%s: %s", tt.socket, f.Says)
				assert.Equal(t, f.Status == right, f.Fix == "", "%s: what is not right has a fix", tt.socket)
				found = append(found, f.Says)
			}
		}
		require.Len(t, found, 1, tt.socket)
		assert.Contains(t, found[0], tt.says)
	}

	folder := lookAtSockets(t.Context(), dir)
	require.Len(t, folder, 4)
	assert.Equal(t, wrong, folder[3].Status)
	assert.Contains(t, folder[3].Says, "diag405 is served on "+at("diag405-log.socket"))
	require.NoError(t, os.Chmod(dir, 0o700))
	assert.Equal(t, right, lookAtSockets(t.Context(), at("open"))[0].Status, "nobody else can enter the folder")
}

func TestSend(t *testing.T) {
	for _, tt := range []struct {
		status int
		header string
		want   status
		says   string
	}{
		{405, "X-Diag", right, "POST /a?b got 405 and is explained: X-Diag: strip-path"},
		{404, "X-Why", right, "X-Why: strip-path"},
		{405, "X-Other", wrong, "no header that explains it"},
		{500, "", wrong, "whose plugin server is away"},
		{200, "", look, "got 200: there is nothing to explain"},
	} {
		kong := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if tt.header != "" {
				w.Header().Set(tt.header, "strip-path;certainty=likely")
			}
			w.WriteHeader(tt.status)
		}))
		req, err := http.NewRequest("POST", kong.URL+"/a?b", nil)
		require.NoError(t, err)
		k := installation{prefixes: []string{"X-Diag", "X-Why"}}
		got := k.send(req)
		kong.Close()
		assert.Equal(t, tt.want, got.Status, got.Says)
		assert.Contains(t, got.Says, tt.says)
		assert.Equal(t, got.Status == right, got.Fix == "")
	}
}

func TestBefore(t *testing.T) {
	for _, tt := range []struct {
		version, than string
		want          bool
	}{
		{"3.3.1", "3.4", true}, {"3.4.0", "3.4", false}, {"3.10.0", "3.9", false}, {"2.8.5", "3.4", true},
		{"3.8.0.0-enterprise-edition", "3.9", true}, {"3.9.1", "3.9", false}, {"", "3.9", false}, {"next", "3.9", false}, {"4", "3.9", false},
	} {
		assert.Equal(t, tt.want, before(tt.version, tt.than), "%s before %s", tt.version, tt.than)
	}
}

// HTTP/2 is a matter of a Kong before 3.9 with the plugin that annotates.
func TestHTTP2(t *testing.T) {
	for _, tt := range []struct {
		version, plugin string
		want            int
	}{
		{"3.8.1", "diag405", 1}, {"3.9.0", "diag405", 0}, {"3.8.1", "diag405-log", 0},
	} {
		k := installation{kong: &adminapi.Kong{Version: tt.version}, config: &config.Config{Plugins: []*config.Plugin{{Name: tt.plugin, Enabled: true}}}}
		assert.Len(t, k.http2(), tt.want, "%s %s", tt.version, tt.plugin)
	}
}

func TestManyPlaces(t *testing.T) {
	k := installation{kong: &adminapi.Kong{}, config: &config.Config{}}
	for range 7 {
		k.config.Plugins = append(k.config.Plugins, &config.Plugin{Name: "diag405", Enabled: true, Service: &config.Service{Name: "s"}, Consumer: "bob"})
	}
	got := k.inForce()
	require.Len(t, got, 1)
	assert.Equal(t, "diag405 is on service s with consumer bob, service s with consumer bob, service s with consumer bob, service s with consumer bob, service s with consumer bob and 2 more", got[0].Says)
}
