package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"
)

// Bounds of a real Kong's life. The first two hold where the caller's context
// has no deadline of its own.
var (
	kongStartBound = 30 * time.Second
	kongLoadBound  = 30 * time.Second
	kongStopBound  = 10 * time.Second // for nginx, and then for what it left, to end when asked
)

// kongGateway is a real Kong: one foreground "kong start", in its own folder and
// its own process group.
type kongGateway struct {
	home    *kongHome
	process *kongProcess
	log     *kongLog
	mark    kongMark
	client  *http.Client

	loading sync.Mutex // one Load at a time
	closing sync.Once
	closed  error
}

// startKong starts the kong command o.Kong with an empty configuration.
func startKong(ctx context.Context, o Options) (Gateway, error) {
	command, err := kongCommand(o.Kong)
	if err != nil {
		return nil, err
	}
	ctx, cancel := kongBounded(ctx, kongStartBound)
	defer cancel()
	home, err := newKongHome(o)
	if err != nil {
		return nil, fmt.Errorf("preparing kong %q: %w", command, err)
	}
	k := &kongGateway{home: home, mark: newKongMark(), client: newKongClient()}
	if err := k.start(ctx, command, o.ErrorLog); err != nil {
		words := home.lastWords()
		return nil, errors.Join(fmt.Errorf("starting kong %q: %w%s", command, err, words), k.Close())
	}
	return k, nil
}

// kongCommand finds the command and makes its path absolute, because Kong runs
// in another folder.
func kongCommand(path string) (string, error) {
	found, err := exec.LookPath(path)
	if err == nil {
		found, err = filepath.Abs(found)
	}
	var why *exec.Error
	if errors.As(err, &why) {
		err = why.Err
	}
	if err != nil {
		return "", fmt.Errorf("kong command %q: %w", path, err)
	}
	return found, nil
}

func kongBounded(ctx context.Context, bound time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, bound)
}

func newKongClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{}, // no proxy, whatever the environment says
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func kongURL(address, path string) *url.URL {
	return &url.URL{Scheme: "http", Host: address, Path: path}
}

func (k *kongGateway) start(ctx context.Context, command string, errorLog io.Writer) error {
	var err error
	if k.log, err = followKongLog(k.home.errorLog(), errorLog, k.mark.path); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if k.process, err = k.home.run(command); err != nil {
		return err
	}
	return k.process.poll(ctx, func(ctx context.Context) (bool, error) {
		err := k.ready(ctx)
		return err == nil, err
	})
}

// ready tells what is still missing. Kong's Admin API answers before the plugin
// servers, which a worker starts in a timer, listen; a request that comes in
// between gets a 500.
func (k *kongGateway) ready(ctx context.Context) error {
	resp, err := k.get(ctx, &http.Request{URL: kongURL(k.home.admin, "/status")})
	if err != nil {
		return fmt.Errorf("the Admin API does not answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the Admin API answers GET /status with %s", resp.Status)
	}
	for _, p := range k.home.plugins {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", p.socket)
		if err != nil {
			return fmt.Errorf("plugin server %q does not listen: %w", p.name, err)
		}
		conn.Close()
	}
	return nil
}

// get sends r and drops the answer's body. One attempt is short, so that a hung
// one does not use up the time of all.
func (k *kongGateway) get(ctx context.Context, r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	resp, err := k.client.Do(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp, err
}

func (k *kongGateway) URL() string { return kongURL(k.home.proxy, "").String() }

// Load sends the configuration with a route of our own in it, and waits until
// that route answers with the token of this very Load. Kong's answer to POST
// /config comes before: it only means that the configuration is stored, and that
// the worker was sent an event to build its router and plugins from it
// (kong/api/routes/config.lua, kong/db/declarative/import.lua). The worker then
// swaps router and plugins without yielding in between, having dropped the old
// balancers before (reconfigure_handler in kong/runloop/handler.lua).
func (k *kongGateway) Load(ctx context.Context, declarative []byte) error {
	k.loading.Lock()
	defer k.loading.Unlock()
	ctx, cancel := kongBounded(ctx, kongLoadBound)
	defer cancel()
	token := kongToken()
	document, err := addKongRoute(declarative, k.mark.route(token))
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	if err := k.process.poll(ctx, func(ctx context.Context) (bool, error) {
		return k.post(ctx, document)
	}); err != nil {
		return fmt.Errorf("loading the configuration into kong: %w", err)
	}
	if err := k.process.poll(ctx, func(ctx context.Context) (bool, error) {
		return k.inForce(ctx, token)
	}); err != nil {
		return fmt.Errorf("waiting for kong to put the configuration in force: %w", err)
	}
	return nil
}

// post hands a configuration to Kong and tells whether that was the last word.
// Kong tries JSON and then YAML on the text in "config".
func (k *kongGateway) post(ctx context.Context, document []byte) (final bool, err error) {
	body, err := json.Marshal(map[string]string{"config": string(document)})
	if err != nil {
		return true, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, kongURL(k.home.admin, "/config").String(), bytes.NewReader(body))
	if err != nil {
		return true, err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := k.client.Do(r)
	if err != nil {
		return false, err // tried again, unless Kong turns out to have ended
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return false, err
	}
	if resp.StatusCode == http.StatusCreated {
		return true, nil
	}
	// 429: it is still busy with the configuration before.
	return resp.StatusCode != http.StatusTooManyRequests, kongRefusal(resp.Status, answer)
}

func (k *kongGateway) inForce(ctx context.Context, token string) (bool, error) {
	resp, err := k.get(ctx, k.mark.request(k.home.proxy))
	if err != nil {
		return false, err
	}
	if got := resp.Header.Get(kongMarkHeader); got != token {
		return false, fmt.Errorf("kong accepted it, but its own route answers %s and not with the new token", resp.Status)
	}
	return true, nil
}

func (k *kongGateway) Close() error {
	k.closing.Do(func() { k.closed = k.close() })
	return k.closed
}

func (k *kongGateway) close() error {
	var errs []error
	k.client.CloseIdleConnections()
	if k.process != nil {
		errs = append(errs, k.process.stop(k.home.pidFile()))
	}
	if k.log != nil {
		errs = append(errs, k.log.close())
	}
	return errors.Join(append(errs, os.RemoveAll(k.home.dir))...)
}

// kongHome is the folder of one Kong, with all that Kong needs to find there.
type kongHome struct {
	dir     string
	options Options
	plugins []kongPlugin
	proxy   string // host:port
	admin   string // host:port
}

// kongPlugin is a plugin server, reached under a path without characters that
// the shell or Kong's settings file would take for their own.
type kongPlugin struct {
	name   string
	binary string
	socket string
}

func newKongHome(o Options) (_ *kongHome, err error) {
	h := &kongHome{options: o}
	if h.proxy, h.admin, err = freeKongPorts(); err != nil {
		return nil, err
	}
	if h.dir, err = makeKongDir(); err != nil {
		return nil, err
	}
	if err := h.fill(o); err != nil {
		return nil, errors.Join(err, os.RemoveAll(h.dir))
	}
	return h, nil
}

func (h *kongHome) prefix() string   { return filepath.Join(h.dir, "p") }
func (h *kongHome) conf() string     { return filepath.Join(h.dir, "kong.conf") }
func (h *kongHome) hosts() string    { return filepath.Join(h.dir, "hosts") }
func (h *kongHome) errorLog() string { return filepath.Join(h.dir, "error.log") }
func (h *kongHome) output() string   { return filepath.Join(h.dir, "output") }

// pidFile is where nginx writes the id of its master process
// (kong/conf_loader/constants.lua).
func (h *kongHome) pidFile() string { return filepath.Join(h.prefix(), "pids", "nginx.pid") }

var kongPlainPath = regexp.MustCompile(`^/[A-Za-z0-9_./-]*$`)

// makeKongDir makes a folder with a path that is short, because a socket's is at
// most 107 bytes, and plain, because the plugin commands in it go through a
// shell and through the settings file that Kong writes for its workers.
func makeKongDir() (string, error) {
	parent := os.TempDir()
	if len(parent) > 40 || !kongPlainPath.MatchString(parent) {
		parent = "/tmp"
	}
	return os.MkdirTemp(parent, "kong-")
}

func (h *kongHome) fill(o Options) error {
	if err := h.addPlugins(o.Plugins); err != nil {
		return err
	}
	hosts, err := kongHosts(o.Hosts)
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

// kongPluginName is what is certainly the same in a file name, a setting's name
// and a shell. Kong turns names into lower case (kong/conf_loader/init.lua).
var kongPluginName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

func (h *kongHome) addPlugins(paths []string) error {
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
		p := kongPlugin{name: name, binary: filepath.Join(bin, name), socket: filepath.Join(h.prefix(), name+".socket")}
		if err := checkKongPlugin(path, p); err != nil {
			return fmt.Errorf("plugin server %q: %w", path, err)
		}
		if err := os.Symlink(path, p.binary); err != nil {
			return fmt.Errorf("plugin server %q: %w", path, err)
		}
		h.plugins = append(h.plugins, p)
	}
	return nil
}

func checkKongPlugin(path string, p kongPlugin) error {
	if !kongPluginName.MatchString(p.name) {
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

// kongHosts is a hosts file with the given names first, since Kong takes the
// first address that it finds for a name (kong/resty/dns/utils.lua), and then
// those of this machine.
func kongHosts(names map[string]string) ([]byte, error) {
	var b bytes.Buffer
	for name, address := range names {
		if _, err := netip.ParseAddr(address); err != nil {
			return nil, fmt.Errorf("host %q: %w", name, err)
		}
		if name == "" || strings.ContainsAny(name, " \t\r\n#;") {
			return nil, fmt.Errorf("host %q: not a host name", name)
		}
		fmt.Fprintf(&b, "%s %s\n", address, name)
	}
	b.WriteString("127.0.0.1 localhost\n")
	own, err := os.ReadFile("/etc/hosts")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	b.Write(own)
	return b.Bytes(), nil
}

// freeKongPorts picks two loopback addresses that nothing listens on. They are
// below the ports that Linux hands out by itself (32768 and up), or a connection
// made meanwhile could take one before nginx does.
func freeKongPorts() (proxy, admin string, err error) {
	var taken []net.Listener
	for range 100 {
		l, e := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 16384+mathrand.IntN(16384)))
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

// kongKept are inherited settings that say where this Kong's parts are, or what
// it is licensed for, and not how to run it.
var kongKept = []string{
	"KONG_LICENSE_DATA", "KONG_LICENSE_PATH", "KONG_LUA_PACKAGE_CPATH", "KONG_LUA_PACKAGE_PATH", "KONG_LUA_PATH_OVERRIDE", "KONG_OPENRESTY_PATH",
}

// environment is what Kong gets: everything inherited but Kong's settings, and
// the settings of this Kong (kong.conf.default explains each).
func (h *kongHome) environment(inherited []string) []string {
	env := slices.DeleteFunc(slices.Clone(inherited), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return strings.HasPrefix(strings.ToUpper(name), "KONG_") && !slices.Contains(kongKept, name)
	})
	env = append(env,
		"TMPDIR="+h.dir, // the resty command leaves its folder behind when it is killed
		"KONG_PREFIX="+h.prefix(),
		"KONG_DATABASE=off",
		"KONG_ROUTER_FLAVOR=traditional_compatible",
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

func (h *kongHome) pluginSettings() []string {
	var names, env []string
	for _, p := range h.plugins {
		names = append(names, p.name)
		variable := "KONG_PLUGINSERVER_" + strings.ToUpper(strings.ReplaceAll(p.name, "-", "_"))
		command := p.binary + " -kong-prefix " + h.prefix()
		env = append(env,
			variable+"_START_CMD="+command,
			variable+"_QUERY_CMD="+command+" -dump",
			variable+"_SOCKET="+p.socket)
	}
	if names != nil {
		env = append(env, "KONG_PLUGINSERVER_NAMES="+strings.Join(names, ","))
	}
	return append(env, "KONG_PLUGINS="+strings.Join(append([]string{"bundled"}, names...), ","))
}

// run starts the command in the foreground: a daemon would leave the process
// group by which everything can be stopped.
func (h *kongHome) run(command string) (*kongProcess, error) {
	output, err := os.Create(h.output())
	if err != nil {
		return nil, err
	}
	defer output.Close()
	cmd := exec.Command(command, "start", "-c", h.conf(), "-p", h.prefix())
	cmd.Dir = h.dir // Kong also looks for its Lua modules in the working folder
	cmd.Env = h.environment(os.Environ())
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &kongProcess{group: cmd.Process.Pid, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.err = cmd.Wait()
	}()
	return p, nil
}

// lastWords is the end of what Kong said, in one line, for an error.
func (h *kongHome) lastWords() string {
	var b strings.Builder
	if lines := kongTail(h.output(), 4); lines != "" {
		b.WriteString("; it said: " + lines)
	}
	if lines := kongTail(h.errorLog(), 3); lines != "" {
		b.WriteString("; error log: " + lines)
	}
	return b.String()
}

// kongTail joins the last n lines of a file that are not continuations, which
// leaves stack traces out.
func kongTail(path string, n int) string {
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

// kongProcess is a running kong command and all that it started, which is one
// process group: the command, the interpreter that it runs in, nginx's master and
// worker, and the plugin servers.
type kongProcess struct {
	group int
	ended chan struct{} // closed when the command has ended, and err is set
	err   error
}

// poll tries until a try was the last, until the command ends, or until the
// context does. An error says what the last try lacked.
func (p *kongProcess) poll(ctx context.Context, try func(context.Context) (final bool, err error)) error {
	var last error
	for {
		final, err := try(ctx)
		if final && ctx.Err() == nil {
			return err
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-p.ended:
			return p.end()
		case <-ctx.Done():
			return fmt.Errorf("%w: %v", ctx.Err(), last)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (p *kongProcess) end() error {
	if p.err != nil {
		return fmt.Errorf("it ended: %w", p.err)
	}
	return errors.New("it ended")
}

// stop ends the process group. Asking nginx's master first, as "kong stop" does
// (kong/cmd/utils/nginx_signals.lua), lets the worker stop its plugin servers.
func (p *kongProcess) stop(pidFile string) error {
	if pid, err := readKongPID(pidFile); err == nil {
		_ = syscall.Kill(pid, syscall.SIGTERM) // already gone is what we want
		select {
		case <-p.ended:
		case <-time.After(kongStopBound):
		}
	}
	if !p.signal(syscall.SIGTERM, min(kongStopBound, 2*time.Second)) && !p.signal(syscall.SIGKILL, 5*time.Second) {
		return fmt.Errorf("stopping kong: process group %d does not end", p.group)
	}
	<-p.ended
	return nil
}

func readKongPID(file string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err == nil && pid <= 1 {
		err = fmt.Errorf("%d is no process of ours", pid)
	}
	return pid, err
}

// signal sends sig to the group if it still runs, and tells whether it ended
// within the bound.
func (p *kongProcess) signal(sig syscall.Signal, bound time.Duration) bool {
	if !kongGroupRuns(p.group) {
		return true
	}
	_ = syscall.Kill(-p.group, sig) // ended meanwhile: seen below
	for end := time.Now().Add(bound); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if !kongGroupRuns(p.group) {
			return true
		}
	}
	return false
}

// kongGroupRuns tells whether a process of the group runs. A zombie does not:
// where nobody collects orphans, as in many containers, it stays for good.
func kongGroupRuns(group int) bool {
	if errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) {
		return false
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		text, _ := os.ReadFile(stat) // ended since the listing: empty
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest) // state, parent, group, ...
		if len(fields) > 2 && fields[2] == strconv.Itoa(group) && fields[0] != "Z" {
			return true
		}
	}
	return len(stats) == 0 // without /proc, kill's word counts
}

// kongLog copies Kong's error log to a writer while Kong writes it.
type kongLog struct {
	file  *os.File
	to    io.Writer
	hide  string // lines with this in them are about our own requests
	rest  []byte // a line that has no end yet
	quit  chan struct{}
	ended chan struct{}
	err   error
}

func followKongLog(path string, to io.Writer, hide string) (*kongLog, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if to == nil {
		to = io.Discard
	}
	l := &kongLog{file: file, to: to, hide: hide, quit: make(chan struct{}), ended: make(chan struct{})}
	go l.follow()
	return l, nil
}

func (l *kongLog) follow() {
	defer close(l.ended)
	for {
		select {
		case <-l.quit:
			l.copy()
			l.write(l.rest)
			return
		case <-time.After(20 * time.Millisecond):
			l.copy()
		}
	}
}

// copy hands on the whole lines that have come since the last time.
func (l *kongLog) copy() {
	more, err := io.ReadAll(l.file)
	if err != nil && l.err == nil {
		l.err = fmt.Errorf("reading kong's error log: %w", err)
	}
	l.rest = append(l.rest, more...)
	end := bytes.LastIndexByte(l.rest, '\n') + 1
	for line := range bytes.Lines(l.rest[:end]) {
		l.write(line)
	}
	l.rest = bytes.Clone(l.rest[end:])
}

func (l *kongLog) write(line []byte) {
	if len(line) == 0 || l.err != nil || bytes.Contains(line, []byte(l.hide)) {
		return
	}
	if !bytes.HasSuffix(line, []byte("\n")) {
		line = append(line, '\n')
	}
	if _, err := l.to.Write(line); err != nil {
		l.err = fmt.Errorf("copying kong's error log: %w", err)
	}
}

func (l *kongLog) close() error {
	close(l.quit)
	<-l.ended
	return errors.Join(l.err, l.file.Close())
}

// kongMark is the route of our own that every configuration gets, to see when it
// is in force. It is the same for the life of a gateway, so that while a
// configuration is being replaced the request for it ends in the old one's route
// and never in somebody's application.
type kongMark struct {
	secret string
	path   string
}

const kongMarkHeader = "X-Diag405-Ready"

func kongToken() string { return strings.ToLower(rand.Text()) }

func newKongMark() kongMark {
	secret := kongToken()
	return kongMark{secret: secret, path: "/diag405-ready/" + secret}
}

func (m kongMark) host() string { return m.secret + ".diag405.invalid" }

// route answers the mark's request with the token. It names method, host, header
// and path, because the router prefers a route with more of them, whatever the
// others' paths (get_priority in kong/router/transform.lua). The answer is
// pre-function's: with priority 1000000 it comes before every other plugin, so
// that a global one neither refuses, counts nor logs the request in its access
// phase, and a global pre-function gives way to the route's own.
func (m kongMark) route(token string) map[string]any {
	return map[string]any{
		"name":    "diag405-ready-" + m.secret,
		"methods": []string{http.MethodGet},
		"hosts":   []string{m.host()},
		"headers": map[string]any{kongMarkHeader: []string{m.secret}},
		"paths":   []string{m.path},
		"plugins": []any{map[string]any{
			"name": "pre-function",
			"config": map[string]any{
				"access": []string{fmt.Sprintf("kong.response.exit(204, nil, { [%q] = %q })", kongMarkHeader, token)},
			},
		}},
	}
}

func (m kongMark) request(address string) *http.Request {
	return &http.Request{
		Method: http.MethodGet,
		URL:    kongURL(address, m.path),
		Host:   m.host(),
		Header: http.Header{kongMarkHeader: {m.secret}},
	}
}

// addKongRoute puts a route at the end of a configuration's routes, and leaves
// all else to be read by Kong as it was written.
func addKongRoute(document []byte, route map[string]any) ([]byte, error) {
	if json.Valid(document) {
		return addKongRouteJSON(document, route)
	}
	return addKongRouteYAML(document, route)
}

func addKongRouteJSON(document []byte, route map[string]any) ([]byte, error) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(document, &top); err != nil || top == nil {
		return nil, errors.New("expected an object")
	}
	var routes []json.RawMessage
	if text, ok := top["routes"]; ok {
		if err := json.Unmarshal(text, &routes); err != nil {
			return nil, errors.New("routes: expected a list")
		}
	}
	ours, err := json.Marshal(route)
	if err != nil {
		return nil, err
	}
	if top["routes"], err = json.Marshal(append(routes, ours)); err != nil {
		return nil, err
	}
	return json.Marshal(top)
}

// addKongRouteYAML works on nodes, not values: Kong reads YAML 1.1, and a scalar
// such as "on" or "010" is for Kong to interpret.
func addKongRouteYAML(document []byte, route map[string]any) ([]byte, error) {
	var root, ours yaml.Node
	if err := yaml.Unmarshal(document, &root); err != nil {
		return nil, err
	}
	if len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("expected an object")
	}
	routes, err := kongRoutesNode(root.Content[0])
	if err != nil {
		return nil, err
	}
	if err := ours.Encode(route); err != nil {
		return nil, err
	}
	routes.Content = append(routes.Content, &ours)
	return yaml.Marshal(&root)
}

// kongRoutesNode is the list under "routes", made when there is none.
func kongRoutesNode(top *yaml.Node) (*yaml.Node, error) {
	for i := 0; i+1 < len(top.Content); i += 2 {
		value := top.Content[i+1]
		switch {
		case top.Content[i].Value != "routes":
			continue
		case value.Kind == yaml.ScalarNode && value.Tag == "!!null":
			*value = yaml.Node{Kind: yaml.SequenceNode}
		case value.Kind != yaml.SequenceNode:
			return nil, errors.New("routes: expected a list")
		}
		return value, nil
	}
	routes := &yaml.Node{Kind: yaml.SequenceNode}
	top.Content = append(top.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "routes"}, routes)
	return routes, nil
}

// kongRefusal is Kong's answer to a configuration that it does not take. The
// errors by field are said one by one; Kong's message has them in Lua's notation
// behind its first words.
func kongRefusal(status string, body []byte) error {
	var answer struct {
		Message string
		Fields  any
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Message == "" {
		return fmt.Errorf("kong answers %s: %.200q", status, body)
	}
	fields := kongFieldErrors("", answer.Fields)
	if fields == nil {
		return fmt.Errorf("kong answers %s: %s", status, answer.Message)
	}
	what, _, _ := strings.Cut(answer.Message, ": {")
	return fmt.Errorf("kong answers %s: %s: %s", status, what, strings.Join(fields, "; "))
}

// kongFieldErrors lists the errors in nested fields with their paths, such as
// routes[0].paths[1]: should start with: /. Entries in order are null.
func kongFieldErrors(path string, fields any) []string {
	var list []string
	switch f := fields.(type) {
	case nil:
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(f)) {
			list = append(list, kongFieldErrors(strings.TrimPrefix(path+"."+key, "."), f[key])...)
		}
	case []any:
		for i, entry := range f {
			list = append(list, kongFieldErrors(fmt.Sprintf("%s[%d]", path, i), entry)...)
		}
	default:
		list = append(list, fmt.Sprintf("%s: %v", path, f))
	}
	return list
}
