//go:build unix

package examples

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/diag405test"
	"diag405/kong/gateway"
	"diag405/kong/gateway/standin"
	"diag405/plugin"
)

// The images are of the plugin's version, for any Kong from 3.4 on, and for machines
// other than the one that builds them: nothing is run in the images themselves.
func TestImages(t *testing.T) {
	d := readDockerfile(t, "../Dockerfile")
	assert.Equal(t, plugin.Version, d.args["VERSION"])
	assert.Equal(t, "kong:3.9.1", d.stage(t, "kong").image)
	build := d.stage(t, "build")
	assert.Equal(t, "$BUILDPLATFORM", build.platform)
	assert.Subset(t, build.all("ARG"), []string{"GOPROXY", "TARGETOS", "TARGETARCH", "COMMIT"})
	for _, name := range []string{"sidecar", "kong"} {
		image := d.stage(t, name)
		assert.Empty(t, image.all("RUN"), "%s: the machine may be another one", name)
		assert.Empty(t, image.platform)
		labels := image.pairs("LABEL")
		assert.Equal(t, "$VERSION", labels["org.opencontainers.image.version"])
		assert.Equal(t, "$COMMIT", labels["org.opencontainers.image.revision"])
		assert.Equal(t, "Apache-2.0", labels["org.opencontainers.image.licenses"])
		assert.Subset(t, image.all("ARG"), []string{"VERSION", "COMMIT"}, "%s: or the labels are empty", name)
		assert.Contains(t, image.all("COPY"), "--from=build /out/ /opt/diag405/")
		for _, copied := range image.all("COPY") {
			assert.NotContains(t, copied, "/usr/local/bin", "Kong would start it by itself")
		}
	}
	assert.Equal(t, "kong", d.stages[len(d.stages)-1].name, "what docker build makes without a target")
}

func TestSidecarImage(t *testing.T) {
	image := readDockerfile(t, "../Dockerfile").stage(t, "sidecar")
	assert.Equal(t, "scratch", image.image)
	uid, _, _ := strings.Cut(image.one(t, "USER"), ":")
	n, err := strconv.Atoi(uid)
	require.NoError(t, err, "Kubernetes checks runAsNonRoot by a number")
	assert.NotZero(t, n)
	assert.Equal(t, []string{"/opt/diag405/diag405"}, image.command(t, "ENTRYPOINT"))
	assert.Equal(t, []string{"serve", "-socket", "/run/diag405"}, image.command(t, "CMD"))
	assert.Equal(t, []string{"/opt/diag405/diag405", "doctor", "-socket", "/run/diag405"}, image.command(t, "HEALTHCHECK"))
	assert.Contains(t, image.all("COPY"), fmt.Sprintf("--from=build --chown=%s /run/diag405/ /run/diag405/", image.one(t, "USER")))
}

// The image of Kong is its own but for the plugins and the entrypoint. A new entrypoint
// makes Docker forget the command of the image below.
func TestKongImage(t *testing.T) {
	image := readDockerfile(t, "../Dockerfile").stage(t, "kong")
	assert.Equal(t, []string{"/opt/diag405/entrypoint.sh"}, image.command(t, "ENTRYPOINT"))
	assert.Equal(t, []string{"kong", "docker-start"}, image.command(t, "CMD"))
	assert.Empty(t, image.all("USER"), "Kong's own")
	env := image.pairs("ENV")
	assert.Equal(t, "bundled,diag405,diag405-log", env["KONG_PLUGINS"])
	for _, name := range []string{"diag405", "diag405-log"} {
		assert.Contains(t, strings.Split(env["KONG_PLUGINSERVER_NAMES"], ","), name)
		assert.Equal(t, "cat /opt/diag405/"+name+".json", env[settingOf(name, "QUERY_CMD")])
		assert.NotContains(t, env, settingOf(name, "START_CMD"))
	}
}

// buildAsImage runs what the Dockerfile runs to build, into a folder of the test's.
func buildAsImage(t *testing.T) (home string) {
	t.Helper()
	home = t.TempDir()
	for _, command := range readDockerfile(t, "../Dockerfile").stage(t, "build").all("RUN") {
		if command == "go mod download" {
			continue
		}
		command = strings.ReplaceAll(command, " && mkdir /run/diag405", "")
		cmd := exec.Command("sh", "-c", strings.ReplaceAll(command, "/out", home))
		cmd.Dir = ".."
		cmd.Env = append(os.Environ(), "TARGETOS=", "TARGETARCH=", "COMMIT=0123abc")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s\n%s", command, out)
	}
	return home
}

// TestKongImageRuns builds as the image does and runs its entrypoint with the stand-in
// for Kong: both plugins explain, and a server that is killed is back at once.
func TestKongImageRuns(t *testing.T) {
	t.Parallel()
	home := buildAsImage(t)
	got := diag405test.Run(t, filepath.Join(home, "diag405"), "version", "-o", "json")
	var version struct{ Version, Commit string }
	require.NoError(t, json.Unmarshal([]byte(got.Stdout), &version))
	assert.Equal(t, plugin.Version, version.Version)
	assert.Equal(t, "0123abc", version.Commit)

	prefix := shortDir(t)
	image := readDockerfile(t, "../Dockerfile").stage(t, "kong")
	metrics := freeAddress(t)
	env := []string{"DIAG405_HOME=" + home, "KONG_PREFIX=" + prefix, "DIAG405_METRICS=" + metrics}
	for name, value := range image.pairs("ENV") {
		env = append(env, name+"="+strings.ReplaceAll(value, "/opt/diag405", home))
	}
	k := startStandIn(t, env, append([]string{"../cmd/diag405/entrypoint.sh"}, image.command(t, "CMD")...)...)
	k.explains(t)
	assert.Equal(t, 200, k.status(t, k.admin))
	assert.Equal(t, 200, k.status(t, "http://"+metrics+"/metrics"))
	info, err := os.Stat(filepath.Join(prefix, "diag405"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())

	k.killServer(t)
	require.Eventually(t, func() bool { return k.status(t, k.url+"/p/a") == 405 }, 10*time.Second, 10*time.Millisecond)
	k.explains(t)
}

// Other commands than those that serve go straight to Kong's entrypoint.
func TestKongImagePassesOn(t *testing.T) {
	t.Parallel()
	entrypoint := filepath.Join(t.TempDir(), "entrypoint")
	require.NoError(t, os.WriteFile(entrypoint, []byte("#!/bin/sh\necho \"$@\" \"$KONG_PLUGINSERVER_DIAG405_LOG_SOCKET\"\n"), 0o755))
	cmd := exec.Command("../cmd/diag405/entrypoint.sh", "kong", "migrations", "up")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "KONG_ENTRYPOINT=" + entrypoint, "KONG_PREFIX=/kong_prefix/"}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, "kong migrations up /kong_prefix/diag405/diag405-log.socket\n", string(out))
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// shortDir is a folder whose path leaves room for a socket's.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "k-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// asStandIn makes this test binary a stand-in for the kong command.
const asStandIn = "DIAG405_TEST_AS_KONG"

func TestMain(m *testing.M) {
	if app := os.Getenv(asStandIn); app != "" {
		if err := runStandIn(app); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// runStandIn is Kong with the plugin servers of its environment, in front of an
// application at /p.
func runStandIn(app string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGQUIT)
	defer stop()
	var servers []gateway.Server
	for name := range strings.SplitSeq(os.Getenv("KONG_PLUGINSERVER_NAMES"), ",") {
		servers = append(servers, gateway.Server{Name: name, QueryCmd: os.Getenv(settingOf(name, "QUERY_CMD")), Socket: os.Getenv(settingOf(name, "SOCKET"))})
	}
	g, err := standin.Start(ctx, gateway.Options{Servers: servers, ErrorLog: os.Stderr})
	if err != nil {
		return err
	}
	defer g.Close()
	var plugins []string
	for _, s := range servers {
		plugins = append(plugins, fmt.Sprintf(`{"name": %q}`, s.Name))
	}
	err = g.Load(ctx, fmt.Appendf(nil, `{"_format_version": "3.0", "services": [{"name": "s", "url": %q,
		"routes": [{"name": "r", "paths": ["/p"], "plugins": [%s]}]}]}`, app, strings.Join(plugins, ",")))
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "Kong is at %s and %s\n", g.URL(), g.AdminURL())
	<-ctx.Done()
	return nil
}

// runningKong is a stand-in in a process of its own, with what it was started by.
type runningKong struct {
	url, admin string
	group      int
	log        *gateway.Lines
}

// startStandIn runs a command that comes to Kong's entrypoint, with Kong's settings in
// the environment, and stops all of it when the test ends.
func startStandIn(t *testing.T, env []string, command ...string) *runningKong {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.Header().Set("Allow", "GET")
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	}))
	t.Cleanup(app.Close)
	self, err := os.Executable()
	require.NoError(t, err)
	k := &runningKong{log: &gateway.Lines{}}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(append(os.Environ(), env...), asStandIn+"="+app.URL, "KONG_ENTRYPOINT="+self)
	cmd.Stderr = k.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	k.group = cmd.Process.Pid
	t.Cleanup(func() {
		_ = syscall.Kill(-k.group, syscall.SIGKILL) // as the end of a container does
		_ = cmd.Wait()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	line, err := k.log.Find(ctx, func(line string) bool { return strings.HasPrefix(line, "Kong is at ") })
	require.NoError(t, err, k.log.String())
	_, err = fmt.Sscanf(line, "Kong is at %s and %s", &k.url, &k.admin)
	require.NoError(t, err)
	return k
}

func (k *runningKong) status(t *testing.T, url string) int {
	t.Helper()
	method := http.MethodPost
	if !strings.HasPrefix(url, k.url) {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

// explains checks that a 405 is explained by every plugin that is served.
func (k *runningKong) explains(t *testing.T) {
	t.Helper()
	res, err := http.Post(k.url+"/p/a", "text/plain", nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Equal(t, 405, res.StatusCode, k.log.String())
	assert.NotEmpty(t, res.Header.Get("X-Diag"))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err = k.log.Find(ctx, func(line string) bool { return strings.Contains(line, "phase=log") })
	require.NoError(t, err, k.log.String())
}

// killServer kills the plugin server among the processes of the group.
func (k *runningKong) killServer(t *testing.T) {
	t.Helper()
	killed := 0
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, file := range commands {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		words, _ := os.ReadFile(file) // ended meanwhile: empty
		if group, err := syscall.Getpgid(pid); err == nil && group == k.group && strings.Contains(string(words), "\x00serve\x00") {
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
			killed++
		}
	}
	require.Equal(t, 1, killed)
}
