package realkong

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"diag405/kong/gateway"
)

// home is the folder of one Kong, with all that Kong needs to find there.
type home struct {
	dir     string
	options gateway.Options
	plugins []plugin
	proxy   string // host:port
	admin   string // host:port
}

// plugin is a plugin server, reached under a path without characters that
// the shell or Kong's settings file would take for their own.
type plugin struct {
	name   string
	binary string
	socket string
}

func newHome(o gateway.Options) (_ *home, err error) {
	h := &home{options: o}
	if h.proxy, h.admin, err = freePorts(); err != nil {
		return nil, err
	}
	if h.dir, err = makeDir(); err != nil {
		return nil, err
	}
	if err := h.fill(o); err != nil {
		return nil, errors.Join(err, os.RemoveAll(h.dir))
	}
	return h, nil
}

func (h *home) prefix() string   { return filepath.Join(h.dir, "p") }
func (h *home) conf() string     { return filepath.Join(h.dir, "kong.conf") }
func (h *home) hosts() string    { return filepath.Join(h.dir, "hosts") }
func (h *home) errorLog() string { return filepath.Join(h.dir, "error.log") }
func (h *home) output() string   { return filepath.Join(h.dir, "output") }

// pidFile is where nginx writes the id of its master process
// (kong/conf_loader/constants.lua).
func (h *home) pidFile() string { return filepath.Join(h.prefix(), "pids", "nginx.pid") }

var plainPath = regexp.MustCompile(`^/[A-Za-z0-9_./-]*$`)

// makeDir makes a folder with a path that is short, because a socket's is at
// most 107 bytes, and plain, because the plugin commands in it go through a
// shell and through the settings file that Kong writes for its workers.
func makeDir() (string, error) {
	parent := os.TempDir()
	if len(parent) > 40 || !plainPath.MatchString(parent) {
		parent = "/tmp"
	}
	return os.MkdirTemp(parent, "kong-")
}

func (h *home) fill(o gateway.Options) error {
	if err := h.addPlugins(o.Plugins); err != nil {
		return err
	}
	hosts, err := gateway.HostsFile(o.Hosts)
	if err != nil {
		return err
	}
	return errors.Join(
		os.Mkdir(h.prefix(), 0o755),
		os.WriteFile(h.hosts(), hosts, 0o644),
		os.WriteFile(h.errorLog(), nil, 0o644),
		// Named on the command line, or Kong would read /etc/kong/kong.conf.
		os.WriteFile(h.conf(), []byte("# all settings are in the environment\n"), 0o644),
	)
}

// pluginName is what is certainly the same in a file name, a setting's name
// and a shell. Kong turns names into lower case (kong/conf_loader/init.lua).
var pluginName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

func (h *home) addPlugins(paths []string) error {
	bin := filepath.Join(h.dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return err
	}
	for _, path := range paths {
		path, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		name := filepath.Base(path)
		p := plugin{name: name, binary: filepath.Join(bin, name), socket: filepath.Join(h.prefix(), name+".socket")}
		if err := checkPlugin(path, p); err != nil {
			return fmt.Errorf("plugin server %q: %w", path, err)
		}
		if err := os.Symlink(path, p.binary); err != nil {
			return fmt.Errorf("plugin server %q: %w", path, err)
		}
		h.plugins = append(h.plugins, p)
	}
	return nil
}

func checkPlugin(path string, p plugin) error {
	if !pluginName.MatchString(p.name) {
		return fmt.Errorf("kong takes no plugin name %q: only lower case letters, digits, - and _", p.name)
	}
	if len(p.socket) > 107 {
		return fmt.Errorf("the path of its socket is too long: %q", p.socket)
	}
	_, err := exec.LookPath(path)
	var why *exec.Error
	if errors.As(err, &why) {
		return why.Err
	}
	return err
}

// freePorts picks two loopback addresses that nothing listens on. They are
// below the ports that Linux hands out by itself (32768 and up), or a connection
// made meanwhile could take one before nginx does.
func freePorts() (proxy, admin string, err error) {
	var taken []net.Listener
	for range 100 {
		l, e := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 16384+rand.IntN(16384)))
		if e != nil {
			err = e
			continue
		}
		defer l.Close()
		if taken = append(taken, l); len(taken) == 2 {
			return taken[0].Addr().String(), taken[1].Addr().String(), nil
		}
	}
	return "", "", fmt.Errorf("finding a free port: %w", err)
}

// kept are inherited settings that say where this Kong's parts are, or what
// it is licensed for, and not how to run it.
var kept = []string{
	"KONG_LICENSE_DATA", "KONG_LICENSE_PATH", "KONG_LUA_PACKAGE_CPATH", "KONG_LUA_PACKAGE_PATH", "KONG_LUA_PATH_OVERRIDE", "KONG_OPENRESTY_PATH",
}

// environment is what Kong gets: everything inherited but Kong's settings, and
// the settings of this Kong (kong.conf.default explains each).
func (h *home) environment(inherited []string) []string {
	env := slices.DeleteFunc(slices.Clone(inherited), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return strings.HasPrefix(strings.ToUpper(name), "KONG_") && !slices.Contains(kept, name)
	})
	env = append(env,
		"TMPDIR="+h.dir, // the resty command leaves its folder behind when it is killed
		"KONG_PREFIX="+h.prefix(),
		"KONG_DATABASE=off",
		"KONG_ROUTER_FLAVOR="+string(h.options.RouterFlavor()),
		"KONG_NGINX_DAEMON=off",
		"KONG_NGINX_WORKER_PROCESSES=1",
		"KONG_PROXY_LISTEN="+h.proxy,
		"KONG_ADMIN_LISTEN="+h.admin,
		"KONG_ADMIN_GUI_LISTEN=off",
		"KONG_STATUS_LISTEN=off",
		"KONG_STREAM_LISTEN=off",
		"KONG_LOG_LEVEL=notice",
		"KONG_PROXY_ERROR_LOG="+h.errorLog(),
		"KONG_ADMIN_ERROR_LOG="+h.errorLog(),
		"KONG_PROXY_ACCESS_LOG=off",
		"KONG_ADMIN_ACCESS_LOG=off",
		"KONG_ANONYMOUS_REPORTS=off",
		"KONG_MEM_CACHE_SIZE=32m",
		"KONG_LMDB_MAP_SIZE=128m",
		// A kept connection would lead into the application of an earlier case
		// that had the same address.
		"KONG_UPSTREAM_KEEPALIVE_POOL_SIZE=0",
		"KONG_DNS_HOSTSFILE="+h.hosts(),
		"KONG_RESOLVER_HOSTS_FILE="+h.hosts(), // what the new DNS client reads
	)
	if os.Geteuid() == 0 {
		// Otherwise the workers, and the plugin servers that they start, run as
		// kong or nobody, who may not enter our folder.
		env = append(env, "KONG_NGINX_USER=root root")
	}
	if h.options.AllowDebugHeader {
		env = append(env, "KONG_ALLOW_DEBUG_HEADER=on")
	}
	if h.options.TrustClients {
		env = append(env, "KONG_TRUSTED_IPS=127.0.0.0/8")
	}
	return append(env, h.pluginSettings()...)
}

func (h *home) pluginSettings() []string {
	var names, env []string
	for _, p := range h.plugins {
		names = append(names, p.name)
		command := p.binary + " -kong-prefix " + h.prefix()
		env = append(env,
			variable(p.name)+"_START_CMD="+command,
			variable(p.name)+"_QUERY_CMD="+command+" -dump",
			variable(p.name)+"_SOCKET="+p.socket)
	}
	for _, s := range h.options.Servers {
		names = append(names, s.Name)
		env = append(env, variable(s.Name)+"_QUERY_CMD="+s.QueryCmd, variable(s.Name)+"_SOCKET="+s.Socket)
	}
	if names != nil {
		env = append(env, "KONG_PLUGINSERVER_NAMES="+strings.Join(names, ","))
	}
	return append(env, "KONG_PLUGINS="+strings.Join(append([]string{"bundled"}, names...), ","))
}

// variable is what the names of a plugin server's settings begin with.
func variable(plugin string) string {
	return "KONG_PLUGINSERVER_" + strings.ToUpper(strings.ReplaceAll(plugin, "-", "_"))
}

// run starts the command in the foreground: a daemon would leave the process
// group by which everything can be stopped.
func (h *home) run(command string) (*process, error) {
	output, err := os.Create(h.output())
	if err != nil {
		return nil, err
	}
	defer output.Close()
	cmd := exec.Command(command, "start", "-c", h.conf(), "-p", h.prefix())
	cmd.Dir = h.dir // Kong also looks for its Lua modules in the working folder
	cmd.Env = h.environment(os.Environ())
	cmd.Stdout, cmd.Stderr = output, output
	if err := ownGroup(cmd); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{group: cmd.Process.Pid, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.err = cmd.Wait()
	}()
	return p, nil
}

// lastWords is the end of what Kong said, in one line, for an error.
func (h *home) lastWords() string {
	var b strings.Builder
	if lines := tail(h.output(), 4); lines != "" {
		b.WriteString("; it said: " + lines)
	}
	if lines := tail(h.errorLog(), 3); lines != "" {
		b.WriteString("; error log: " + lines)
	}
	return b.String()
}

// tail joins the last n lines of a file that are not continuations, which
// leaves stack traces out.
func tail(path string, n int) string {
	text, _ := os.ReadFile(path) // unreadable is as good as empty: the error has its own cause
	var lines []string
	for line := range strings.Lines(string(text)) {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || trimmed == "stack traceback:" || strings.ContainsAny(line[:1], " \t") {
			continue
		}
		lines = append(lines, trimmed[:min(len(trimmed), 400)])
	}
	return strings.Join(lines[max(0, len(lines)-n):], " | ")
}
