//go:build unix

package serve_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/gateway"
	"diag405/kong/gateway/realkong"
	"diag405/kong/gateway/standin"
)

// beside is an installation in which something else than the gateway runs the plugin
// server: a folder with both dumps and both sockets.
type beside struct {
	dir, binary string
	running     *exec.Cmd
	said        *gateway.Lines
}

func newBeside(t *testing.T) *beside {
	t.Helper()
	binary, _ := buildServers(t)
	dir, err := os.MkdirTemp("", "beside-") // a test's own folder has a path too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, name := range []string{"diag405", "diag405-log"} {
		dump, err := exec.Command(binary, "-dump", "-name", name).Output()
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".json"), dump, 0o644))
	}
	return &beside{dir: dir, binary: binary}
}

func (b *beside) socket(name string) string { return filepath.Join(b.dir, name+".socket") }

// servers are what the gateway is told: a file that describes each, and its socket.
func (b *beside) servers() []gateway.Server {
	var out []gateway.Server
	for _, name := range []string{"diag405", "diag405-log"} {
		out = append(out, gateway.Server{Name: name, QueryCmd: "cat " + filepath.Join(b.dir, name+".json"), Socket: b.socket(name)})
	}
	return out
}

// serve runs diag405 serve and returns when it said that it serves both.
func (b *beside) serve(t *testing.T, flags ...string) {
	t.Helper()
	b.said = &gateway.Lines{}
	b.running = exec.Command(b.binary, append([]string{"serve", "-socket", b.dir}, flags...)...)
	b.running.Stderr = b.said
	require.NoError(t, b.running.Start())
	t.Cleanup(func() { b.kill() })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, name := range []string{"diag405", "diag405-log"} {
		_, err := b.said.Find(ctx, func(line string) bool { return strings.HasSuffix(line, " on "+b.socket(name)) })
		require.NoError(t, err, b.said.String())
	}
}

// stop has it end as it is asked to.
func (b *beside) stop() error {
	if err := b.running.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return b.running.Wait()
}

func (b *beside) kill() {
	if b.running.ProcessState == nil {
		_ = b.running.Process.Kill()
		_ = b.running.Wait()
	}
}

// explained sends a POST that the application refuses, and tells what came back.
func explained(t *testing.T, g gateway.Gateway) (status int, cause string) {
	t.Helper()
	res, err := http.Post(g.URL()+"/p/a", "text/plain", nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode, res.Header.Get("X-Diag")
}

// TestBeside serves a gateway that starts no plugin server itself. Its Admin API then
// works, both plugins explain, and a server that was away is used again when it is back.
func TestBeside(t *testing.T) {
	b := newBeside(t)
	b.serve(t)
	app := httptest.NewServer(http.HandlerFunc(refusing))
	defer app.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	start := standin.Start
	if kong := os.Getenv("DIAG405_KONG"); kong != "" {
		start = realkong.Command(kong).Start
	}
	log := &gateway.Lines{}
	g, err := start(ctx, gateway.Options{Servers: b.servers(), ErrorLog: log})
	require.NoError(t, err)
	defer func() { assert.NoError(t, g.Close()) }()
	require.NoError(t, g.Load(ctx, []byte(fmt.Sprintf(`{"_format_version": "3.0", "services": [{"name": "s", "url": %q,
		"routes": [{"name": "r", "paths": ["/p"], "plugins": [{"name": "diag405"}, {"name": "diag405-log"}]}]}]}`, app.URL))))

	for range 20 {
		res, err := http.Get(g.AdminURL())
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusOK, res.StatusCode)
	}
	status, cause := explained(t, g)
	assert.Equal(t, 405, status)
	assert.NotEmpty(t, cause)
	_, err = log.Find(ctx, func(line string) bool { return strings.Contains(line, "phase=log") })
	require.NoError(t, err)

	b.kill()
	status, cause = explained(t, g)
	assert.Equal(t, 500, status)
	assert.Empty(t, cause)
	b.serve(t)
	status, cause = explained(t, g)
	assert.Equal(t, 405, status)
	assert.NotEmpty(t, cause)
}

// SIGTERM ends it cleanly: exit code 0, its sockets are gone, and it says so.
func TestBesideEnds(t *testing.T) {
	b := newBeside(t)
	b.serve(t)
	idle, err := net.Dial("unix", b.socket("diag405"))
	require.NoError(t, err)
	defer idle.Close()
	require.NoError(t, b.stop())
	assert.NoFileExists(t, b.socket("diag405"))
	assert.NoFileExists(t, b.socket("diag405-log"))
	assert.Contains(t, b.said.String(), "diag405: ended, as it was asked to")
}
