package realkong

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"diag405/kong/gateway"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// What a caller of a real Kong relies on: against the command in
// testdata/fakekong, and with DIAG405_KONG against a real one.

var buildFakeKong = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "fakekong-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "fakekong")
	if out, err := exec.Command("go", "build", "-o", binary, "./testdata/fakekong").CombinedOutput(); err != nil {
		return out, err
	}
	return os.ReadFile(binary)
})

// fakeKong makes a folder with the fake kong command in it, under the other
// names too, and gives the test a TMPDIR that must be empty at its end.
func fakeKong(t *testing.T, names ...string) (dir string) {
	t.Helper()
	binary, err := buildFakeKong()
	require.NoError(t, err, "building the fake kong: %s", binary)
	dir = t.TempDir()
	command := filepath.Join(dir, "kong")
	syscall.ForkLock.RLock() // a process forked now would keep the file open for writing
	err = os.WriteFile(command, binary, 0o755)
	syscall.ForkLock.RUnlock()
	require.NoError(t, err)
	for _, name := range names {
		require.NoError(t, os.Symlink(command, filepath.Join(dir, name)))
	}
	tmp, err := os.MkdirTemp("/tmp", "t")
	require.NoError(t, err)
	t.Setenv("TMPDIR", tmp)
	t.Cleanup(func() {
		left, err := os.ReadDir(tmp)
		assert.NoError(t, err)
		assert.Empty(t, left, "left behind in TMPDIR")
		assert.NoError(t, os.RemoveAll(tmp))
	})
	return dir
}

// behave leaves a word for the fake kong beside it.
func behave(t *testing.T, dir, how string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, how), nil, 0o644))
}

// commandIn is the kong command in a folder.
func commandIn(dir string) Command { return Command(filepath.Join(dir, "kong")) }

func startFake(t *testing.T, dir string, o gateway.Options) *kong {
	t.Helper()
	gw, err := commandIn(dir).Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, gw.Close()) })
	return gw.(*kong)
}

// lines is an error log that can be read while it grows.
type lines struct {
	t  *testing.T
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	assert.True(l.t, bytes.HasSuffix(p, []byte("\n")), "%q is not whole lines", p)
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lines) wait(text string) {
	l.t.Helper()
	require.Eventually(l.t, func() bool { return strings.Contains(l.String(), text) },
		5*time.Second, 5*time.Millisecond, "no %q in the log", text)
}

func request(t *testing.T, url string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}

// answering is a configuration whose only route answers with a message.
func answering(path, message string) []byte {
	return []byte(`_format_version: "3.0"
routes:
- name: r
  paths: ["` + path + `"]
  plugins:
  - name: request-termination
    config: {status_code: 200, message: "` + message + `"}
`)
}

func TestConfigurationIsInForceAfterLoad(t *testing.T) {
	gw := startFake(t, fakeKong(t), gateway.Options{})
	status, _ := request(t, gw.URL()+"/")
	assert.Equal(t, 404, status, "the configuration is empty at first")

	require.NoError(t, gw.Load(t.Context(), answering("/", "one")))
	status, body := request(t, gw.URL()+"/anything")
	assert.Equal(t, 200, status)
	assert.Contains(t, body, "one")

	require.NoError(t, gw.Load(t.Context(), answering("/two", "two")))
	_, body = request(t, gw.URL()+"/two")
	assert.Contains(t, body, "two")
	status, _ = request(t, gw.URL()+"/anything")
	assert.Equal(t, 404, status, "a load replaces the whole configuration")

	require.NoError(t, gw.Load(t.Context(), []byte(`{"_format_version": "3.0", "services": [{"routes": [{"paths": ["/json"]}]}]}`)))
	status, _ = request(t, gw.URL()+"/json")
	assert.Equal(t, 503, status)
}

func TestRefusesAConfiguration(t *testing.T) {
	gw := startFake(t, fakeKong(t), gateway.Options{})
	require.NoError(t, gw.Load(t.Context(), answering("/", "one")))

	err := gw.Load(t.Context(), []byte("_format_version: '3.0'\nroutes:\n- paths: [/a, b]\n"))
	assert.EqualError(t, err, "loading the configuration into kong: "+
		"kong answers 400 Bad Request: declarative config is invalid: routes[0].paths[1]: should start with: /")
	for _, c := range []struct{ document, want string }{
		{"", "expected an object"},
		{"- a", "expected an object"},
		{"null", "expected an object"},
		{"a: [", "yaml:"},
		{"routes: 3", "routes: expected a list"},
		{`{"routes": {}}`, "routes: expected a list"},
	} {
		assert.ErrorContains(t, gw.Load(t.Context(), []byte(c.document)), c.want, "%q", c.document)
	}
	_, body := request(t, gw.URL()+"/")
	assert.Contains(t, body, "one", "the configuration before stays in force")
}

func TestCloseLeavesNothing(t *testing.T) {
	for _, how := range []string{"willing", "stubborn"} {
		t.Run(how, func(t *testing.T) {
			defer func(bound time.Duration) { stopBound = bound }(stopBound)
			stopBound = map[string]time.Duration{"willing": stopBound, "stubborn": 10 * time.Millisecond}[how]
			dir := fakeKong(t, "diag405", "diag405-log")
			behave(t, dir, how)
			gw := startFake(t, dir, gateway.Options{
				Plugins: []string{filepath.Join(dir, "diag405"), filepath.Join(dir, "diag405-log")},
			})
			assert.True(t, groupRuns(gw.process.group))
			for _, p := range gw.home.plugins {
				assert.FileExists(t, p.binary)
			}
			require.NoError(t, gw.Close())
			assert.False(t, groupRuns(gw.process.group))
			assert.NoDirExists(t, gw.home.dir)
			require.NoError(t, gw.Close(), "a second time")
			assert.ErrorContains(t, gw.Load(t.Context(), answering("/", "")), "it ended")
		})
	}
}

func TestErrorLog(t *testing.T) {
	log := &lines{t: t}
	gw := startFake(t, fakeKong(t), gateway.Options{ErrorLog: log})
	log.wait(`using the "epoll" event method`)
	require.NoError(t, gw.Load(t.Context(), answering("/", "one")))
	request(t, gw.URL()+"/first")
	log.wait(`"GET /first HTTP/1.1"`)
	request(t, gw.URL()+"/second")
	require.NoError(t, gw.Close())

	assert.NotContains(t, log.String(), gw.mark.path, "requests of Load itself are nobody's business")
	assert.Regexp(t, `(?s)^[^\n]*epoll.*/first.*/second.*exit\na last line without an end\n$`, log.String())
	for line := range strings.Lines(log.String()) {
		assert.Regexp(t, `^2026/.* \[notice\] |^a last line`, line)
	}
}

func TestEnvironment(t *testing.T) {
	dir := fakeKong(t, "diag405", "diag405-log")
	t.Setenv("KONG_DATABASE", "postgres")
	t.Setenv("kong_plugins", "off")
	t.Setenv("KONG_OPENRESTY_PATH", "/opt/openresty")
	t.Setenv("FOR_KONG", "kept")
	gw := startFake(t, dir, gateway.Options{
		Plugins: []string{filepath.Join(dir, "diag405"), filepath.Join(dir, "diag405-log")},
		Servers: []gateway.Server{{Name: "be-side", QueryCmd: "echo {}", Socket: "/run/be-side.socket"}},
		Hosts:   map[string]string{"weather.internal": "127.0.4.1"},
	})
	env := map[string]string{}
	text, err := os.ReadFile(filepath.Join(dir, "environment"))
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		env[name] = value
	}
	prefix := env["KONG_PREFIX"]
	for name, want := range map[string]string{
		"KONG_DATABASE":                           "off",
		"KONG_PLUGINS":                            "bundled,diag405,diag405-log,be-side",
		"KONG_PLUGINSERVER_NAMES":                 "diag405,diag405-log,be-side",
		"KONG_PLUGINSERVER_BE_SIDE_QUERY_CMD":     "echo {}",
		"KONG_PLUGINSERVER_BE_SIDE_SOCKET":        "/run/be-side.socket",
		"KONG_PLUGINSERVER_DIAG405_SOCKET":        prefix + "/diag405.socket",
		"KONG_PLUGINSERVER_DIAG405_LOG_START_CMD": gw.home.dir + "/bin/diag405-log -kong-prefix " + prefix,
		"KONG_PLUGINSERVER_DIAG405_LOG_QUERY_CMD": gw.home.dir + "/bin/diag405-log -kong-prefix " + prefix + " -dump",
		"KONG_UPSTREAM_KEEPALIVE_POOL_SIZE":       "0",
		"KONG_NGINX_DAEMON":                       "off",
		"KONG_OPENRESTY_PATH":                     "/opt/openresty",
		"FOR_KONG":                                "kept",
		"KONG_PROXY_LISTEN":                       strings.TrimPrefix(gw.URL(), "http://"),
		"KONG_DNS_HOSTSFILE":                      env["KONG_RESOLVER_HOSTS_FILE"],
	} {
		assert.Equal(t, want, env[name], name)
	}
	assert.NotContains(t, env, "kong_plugins")
	assert.NotContains(t, env, "KONG_PLUGINSERVER_BE_SIDE_START_CMD", "something else runs it")
	hosts, err := os.ReadFile(env["KONG_DNS_HOSTSFILE"])
	require.NoError(t, err)
	assert.Contains(t, string(hosts), "127.0.4.1 weather.internal\n127.0.0.1 localhost\n")
}

func TestDoesNotStart(t *testing.T) {
	t.Run("no such command", func(t *testing.T) {
		_, err := Command("/nowhere/kong").Start(t.Context(), gateway.Options{})
		assert.EqualError(t, err, `kong command "/nowhere/kong": stat /nowhere/kong: no such file or directory`)
	})
	t.Run("it dies at once", func(t *testing.T) {
		dir := fakeKong(t)
		behave(t, dir, "die")
		_, err := commandIn(dir).Start(t.Context(), gateway.Options{})
		assert.EqualError(t, err, "starting kong "+strconv.Quote(filepath.Join(dir, "kong"))+": it ended: exit status 1; it said: "+
			"Error: nginx configuration is invalid (exit code 1): | nginx: [error] init_by_lua error: no such plugin")
	})
	t.Run("it never gets ready", func(t *testing.T) {
		dir := fakeKong(t)
		behave(t, dir, "mute")
		defer func(bound time.Duration) { startBound = bound }(startBound)
		startBound = 500 * time.Millisecond
		_, err := commandIn(dir).Start(t.Context(), gateway.Options{})
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Regexp(t, `^starting kong ".*/kong": context deadline exceeded: `+
			`the Admin API answers GET /status with 503 Service Unavailable; error log: 2026[^\n]*epoll[^\n]*$`, err.Error())
	})
	t.Run("the context is cancelled", func(t *testing.T) {
		dir := fakeKong(t)
		behave(t, dir, "mute")
		ctx, cancel := context.WithCancel(t.Context())
		log := &lines{t: t}
		go func() {
			defer cancel()
			assert.Eventually(t, func() bool { return log.String() != "" }, 5*time.Second, 5*time.Millisecond)
		}()
		_, err := commandIn(dir).Start(ctx, gateway.Options{ErrorLog: log})
		assert.ErrorIs(t, err, context.Canceled)
	})
	for _, c := range []struct {
		name, want string
		o          gateway.Options
	}{
		{"a plugin that is not there", "no such file or directory", gateway.Options{Plugins: []string{"/nowhere/diag405"}}},
		{"a plugin that is no program", "is a directory", gateway.Options{Plugins: []string{"/etc"}}},
		{"a plugin with a name that Kong changes", `kong takes no plugin name "Diag405"`, gateway.Options{Plugins: []string{"/nowhere/Diag405"}}},
		{"a host without an address", `host "a.internal": ParseAddr("b"): unable to parse IP`, gateway.Options{Hosts: map[string]string{"a.internal": "b"}}},
		{"a host that is none", `host "a b": not a host name`, gateway.Options{Hosts: map[string]string{"a b": "127.0.4.1"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := commandIn(fakeKong(t)).Start(t.Context(), c.o)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestContextBoundsOnlyTheStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	gw, err := commandIn(fakeKong(t)).Start(ctx, gateway.Options{})
	require.NoError(t, err)
	defer gw.Close()
	cancel()
	require.NoError(t, gw.Load(t.Context(), answering("/", "one")))
	assert.ErrorIs(t, gw.Load(ctx, answering("/", "two")), context.Canceled)
}

// The document reaches Kong as it was written, with one more route at the end.
func TestRouteIsAddedToADocument(t *testing.T) {
	for _, c := range []struct{ document, want string }{
		{"_format_version: '3.0'\n", "_format_version: '3.0'\nroutes:\n    - name: ours\n"},
		{"routes: # none\n", "routes: # none\n    - name: ours\n"},
		{"routes: []\n", "routes: [{name: ours}]\n"},
		{"a: on # yes\nroutes:\n    - name: 010\n      paths: [/x, \"~/y\\\\d\"]\n", "a: on # yes\nroutes:\n    - name: 010\n      paths: [/x, \"~/y\\\\d\"]\n    - name: ours\n"},
		{"x: &x {a: 2024-01-01}\ny: *x\nz: {<<: *x}\n", "x: &x {a: 2024-01-01}\ny: *x\nz: {<<: *x}\nroutes:\n    - name: ours\n"},
		{`{"b": 1.0, "a": "\ud83d\ude00"}`, `{"a":"\ud83d\ude00","b":1.0,"routes":[{"name":"ours"}]}`},
		{`{"routes": null}`, `{"routes":[{"name":"ours"}]}`},
		{`{"routes": [{"name": "x"}]}`, `{"routes":[{"name":"x"},{"name":"ours"}]}`},
	} {
		got, err := addRoute([]byte(c.document), map[string]any{"name": "ours"})
		if assert.NoError(t, err, "%q", c.document) {
			assert.Equal(t, c.want, strings.Replace(string(got), "!!merge ", "", 1))
		}
	}
}

func TestRouteIsReadAlikeInYAMLAndJSON(t *testing.T) {
	route := newMark().route("t0ken")
	fromJSON, err := addRoute([]byte(`{}`), route)
	require.NoError(t, err)
	fromYAML, err := addRoute([]byte("_comment: x\n"), route)
	require.NoError(t, err)
	var a, b struct{ Routes []any }
	require.NoError(t, json.Unmarshal(fromJSON, &a))
	require.NoError(t, yaml.Unmarshal(fromYAML, &b))
	assert.Equal(t, a.Routes, b.Routes)
	assert.Regexp(t, regexp.QuoteMeta(`kong.response.exit(204, nil, { ["X-Diag405-Ready"] = "t0ken" })`), b.Routes)
}

func TestRefusal(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{"message":"expected a declarative configuration"}`, "kong answers 400: expected a declarative configuration"},
		{
			`{"message":"declarative config is invalid: {error=\"x\"}","fields":{"error":"failed parsing declarative configuration"}}`,
			"kong answers 400: declarative config is invalid: error: failed parsing declarative configuration",
		},
		{
			`{"message":"declarative config is invalid: {}","fields":{"services":[null,{"routes":[{"name":"a"},{"@entity":["b","c"]}]}],"extra":"unknown field"}}`,
			"kong answers 400: declarative config is invalid: {}: extra: unknown field; services[1].routes[0].name: a; services[1].routes[1].@entity[0]: b; services[1].routes[1].@entity[1]: c",
		},
		{`<html>`, `kong answers 400: "<html>"`},
	} {
		want := strings.Replace(c.want, "invalid: {}", "invalid", 1)
		assert.EqualError(t, refusal("400", []byte(c.body)), want)
	}
}

func TestRealKong(t *testing.T) {
	command := os.Getenv("DIAG405_KONG")
	if command == "" {
		t.Skip("DIAG405_KONG names no kong command")
	}
	listener, err := net.Listen("tcp", "127.0.4.1:0")
	require.NoError(t, err)
	app := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s from %s", r.Method, r.URL, r.Host)
	})}
	go app.Serve(listener)
	defer app.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())

	gw, err := Command(command).Start(t.Context(), gateway.Options{
		ErrorLog: t.Output(),
		Hosts:    map[string]string{"weather.internal": "127.0.4.1"},
	})
	require.NoError(t, err)
	defer func() { assert.NoError(t, gw.Close()) }()

	require.NoError(t, gw.Load(t.Context(), answering("/", "one")))
	status, body := request(t, gw.URL()+"/anything")
	assert.Equal(t, 200, status)
	assert.JSONEq(t, `{"message":"one"}`, body)

	err = gw.Load(t.Context(), []byte("_format_version: '3.0'\nroutes:\n- paths: [/a, b]\n"))
	assert.ErrorContains(t, err, "routes[0].paths[1]: should start with: /")

	require.NoError(t, gw.Load(t.Context(), []byte(`{"_format_version":"3.0","routes":[{"paths":["/two"]}],
		"plugins":[{"name":"request-termination","config":{"status_code":405}}]}`)))
	status, _ = request(t, gw.URL()+"/two")
	assert.Equal(t, 405, status)
	status, _ = request(t, gw.URL()+"/anything")
	assert.Equal(t, 404, status)

	require.NoError(t, gw.Load(t.Context(), []byte(`_format_version: "3.0"
services:
- name: weather
  url: http://weather.internal:`+port+`/base
  routes:
  - paths: [/]
`)))
	_, body = request(t, gw.URL()+"/now?x=1")
	assert.Equal(t, "GET /base/now?x=1 from weather.internal:"+port, body)
}
