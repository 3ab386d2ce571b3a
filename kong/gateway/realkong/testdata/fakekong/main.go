// Command fakekong stands in for a kong command in the tests of the code that
// runs a real one. Under the name kong it starts nginx and waits for it, as "kong
// start" does with nginx_daemon=off; under the name nginx it is the proxy and the
// Admin API; under any other name it is a plugin server.
//
// It routes by what the tests need and no more. Files beside the kong command
// tell it how to behave, and it leaves its environment there:
//
//	die        say why and exit with 1
//	mute       never answer GET /status
//	stubborn   ignore SIGTERM, in nginx and in the plugin servers
//	environment
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"
)

func main() {
	switch filepath.Base(os.Args[0]) {
	case "kong":
		kong()
	case "nginx":
		nginx()
	default:
		pluginServer()
	}
}

// kong is "kong start -c CONF -p PREFIX".
func kong() {
	if len(os.Args) != 6 || os.Args[1] != "start" || os.Args[2] != "-c" || os.Args[4] != "-p" || os.Args[5] != os.Getenv("KONG_PREFIX") {
		log.Fatalf("Error: unexpected arguments %q", os.Args[1:])
	}
	dir := filepath.Dir(os.Args[0])
	check(os.WriteFile(filepath.Join(dir, "environment"), []byte(strings.Join(os.Environ(), "\n")), 0o644))
	if behaves(dir, "die") {
		fmt.Fprintln(os.Stderr, "Error: nginx configuration is invalid (exit code 1):")
		fmt.Fprintln(os.Stderr, "nginx: [error] init_by_lua error: no such plugin")
		fmt.Fprintln(os.Stderr, "stack traceback:\n\t[C]: in function 'error'")
		fmt.Fprintln(os.Stderr, "\n  Run with --v (verbose) or --vv (debug) for more details")
		os.Exit(1)
	}
	self, err := os.Executable()
	check(err)
	cmd := exec.Command(self)
	cmd.Args = []string{"nginx", dir}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	check(cmd.Run())
}

func behaves(dir, how string) bool {
	_, err := os.Stat(filepath.Join(dir, how))
	return err == nil
}

// nginx serves until SIGTERM. os.Args[1] is the folder of the kong command.
func nginx() {
	dir, prefix := os.Args[1], os.Getenv("KONG_PREFIX")
	check(os.MkdirAll(filepath.Join(prefix, "pids"), 0o755))
	pidFile := filepath.Join(prefix, "pids", "nginx.pid")
	check(os.WriteFile(pidFile, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o644))
	errorLog, err := os.OpenFile(os.Getenv("KONG_PROXY_ERROR_LOG"), os.O_APPEND|os.O_WRONLY, 0)
	check(err)
	s := &server{log: errorLog}
	s.routes.Store(&[]route{})
	s.notice("using the \"epoll\" event method")
	plugins := startPlugins(behaves(dir, "stubborn"))
	go serve(os.Getenv("KONG_PROXY_LISTEN"), http.HandlerFunc(s.proxy))
	go serve(os.Getenv("KONG_ADMIN_LISTEN"), s.admin(behaves(dir, "mute")))

	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	for <-terminated; behaves(dir, "stubborn"); <-terminated {
	}
	for _, p := range plugins {
		check(p.Process.Signal(syscall.SIGTERM))
		_ = p.Wait()
	}
	s.notice("exit")
	fmt.Fprint(errorLog, "a last line without an end")
	check(os.Remove(pidFile))
}

// startPlugins asks each plugin server what it is and starts it, through a shell
// and without an environment, as Kong's worker does.
func startPlugins(stubborn bool) (started []*exec.Cmd) {
	names := os.Getenv("KONG_PLUGINSERVER_NAMES")
	if names == "" {
		return nil
	}
	for name := range strings.SplitSeq(names, ",") {
		variable := "KONG_PLUGINSERVER_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		dump, err := exec.Command("/bin/sh", "-c", os.Getenv(variable+"_QUERY_CMD")).Output()
		check(err)
		var info struct{ SocketPath, Name string }
		check(json.Unmarshal(dump, &info))
		start := os.Getenv(variable + "_START_CMD")
		if start == "" {
			continue // something else runs it
		}
		if info.Name != name || info.SocketPath != os.Getenv(variable+"_SOCKET") {
			log.Fatalf("Error: plugin server %q says %s", name, dump)
		}
		cmd := exec.Command("/bin/sh", "-c", "exec "+start)
		cmd.Env = []string{}
		if stubborn {
			cmd.Env = []string{"STUBBORN=1"}
		}
		check(cmd.Start())
		started = append(started, cmd)
	}
	return started
}

// pluginServer is "NAME -kong-prefix PREFIX [-dump]".
func pluginServer() {
	name := filepath.Base(os.Args[0])
	socket := filepath.Join(os.Args[2], name+".socket")
	if len(os.Args) == 4 && os.Args[3] == "-dump" {
		check(json.NewEncoder(os.Stdout).Encode(map[string]string{"SocketPath": socket, "Name": name}))
		return
	}
	if os.Getenv("STUBBORN") != "" {
		signal.Ignore(syscall.SIGTERM)
	}
	time.Sleep(100 * time.Millisecond) // as late as a real one may be
	l, err := net.Listen("unix", socket)
	check(err)
	for {
		conn, err := l.Accept()
		check(err)
		conn.Close()
	}
}

type server struct {
	log    *os.File
	routes atomic.Pointer[[]route]
}

type document struct {
	FormatVersion string `yaml:"_format_version"`
	Routes        []route
	Services      []struct{ Routes []route }
}

type route struct {
	Methods, Hosts, Paths []string
	Headers               map[string][]string
	Plugins               []struct {
		Name   string
		Config struct {
			StatusCode int `yaml:"status_code"`
			Message    string
			Access     []string
		}
	}
}

// notice writes a line as two pieces, so that a reader sees it unfinished.
func (s *server) notice(format string, args ...any) {
	line := "2026/11/23 08:06:03 [notice] 1443#0: " + fmt.Sprintf(format, args...) + "\n"
	fmt.Fprint(s.log, line[:len(line)/2])
	time.Sleep(30 * time.Millisecond)
	fmt.Fprint(s.log, line[len(line)/2:])
}

func (s *server) admin(mute bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		if mute {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	busy := true
	mux.HandleFunc("POST /config", func(w http.ResponseWriter, r *http.Request) {
		if busy { // once
			busy = false
			reply(w, http.StatusTooManyRequests, map[string]any{"message": "Currently loading previous configuration"})
			return
		}
		s.config(w, r)
	})
	return mux
}

// config answers first and takes the configuration into force a while later.
func (s *server) config(w http.ResponseWriter, r *http.Request) {
	var body struct{ Config string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Header.Get("Content-Type") != "application/json" {
		reply(w, http.StatusBadRequest, map[string]any{"message": "Cannot parse JSON body"})
		return
	}
	var d document
	if err := yaml.Unmarshal([]byte(body.Config), &d); err != nil {
		reply(w, http.StatusBadRequest, map[string]any{"message": "declarative config is invalid: {error=\"" + err.Error() + "\"}"})
		return
	}
	for _, service := range d.Services {
		d.Routes = append(service.Routes, d.Routes...)
	}
	if fields := refused(d); fields != nil {
		reply(w, http.StatusBadRequest, map[string]any{
			"code": 14, "name": "invalid declarative configuration", "fields": fields,
			"message": "declarative config is invalid: {routes={[1]={paths={[2]=\"should start with: /\"}}}}",
		})
		return
	}
	reply(w, http.StatusCreated, d)
	time.AfterFunc(200*time.Millisecond, func() { s.routes.Store(&d.Routes) })
}

func refused(d document) map[string]any {
	if d.FormatVersion != "3.0" {
		return map[string]any{"_format_version": "required field missing"}
	}
	for i, r := range d.Routes {
		for j, p := range r.Paths {
			if !strings.HasPrefix(p, "/") {
				paths := append(make([]any, j), "should start with: /")
				return map[string]any{"routes": append(make([]any, i), map[string]any{"paths": paths})}
			}
		}
	}
	return nil
}

var exit = regexp.MustCompile(`^kong\.response\.exit\((\d+), nil, \{ \["([^"]+)"\] = "([^"]+)" \}\)$`)

func (s *server) proxy(w http.ResponseWriter, r *http.Request) {
	defer s.notice("*1 [kong] a request, client: 127.0.0.1, server: kong, request: \"%s %s HTTP/1.1\"", r.Method, r.RequestURI)
	matched := match(*s.routes.Load(), r)
	if matched == nil {
		reply(w, http.StatusNotFound, map[string]any{"message": "no Route matched with those values"})
		return
	}
	for _, p := range matched.Plugins {
		if p.Name == "pre-function" {
			if m := exit.FindStringSubmatch(p.Config.Access[0]); m != nil {
				w.Header().Set(m[2], m[3])
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		reply(w, p.Config.StatusCode, map[string]any{"message": p.Config.Message})
		return
	}
	reply(w, http.StatusServiceUnavailable, map[string]any{"message": "no Service found with those values"})
}

// match prefers the route with the most kinds of attributes.
func match(routes []route, r *http.Request) (best *route) {
	most := -1
	for i := range routes {
		if kinds, ok := routes[i].matches(r); ok && kinds > most {
			best, most = &routes[i], kinds
		}
	}
	return best
}

func (t route) matches(r *http.Request) (kinds int, ok bool) {
	ok = true
	need := func(values []string, good func(string) bool) {
		if values == nil {
			return
		}
		kinds++
		found := false
		for _, v := range values {
			found = found || good(v)
		}
		ok = ok && found
	}
	need(t.Methods, func(v string) bool { return v == r.Method })
	need(t.Hosts, func(v string) bool { return v == r.Host })
	need(t.Paths, func(v string) bool { return strings.HasPrefix(r.URL.Path, v) })
	for name, values := range t.Headers {
		need(values, func(v string) bool { return v == r.Header.Get(name) })
	}
	return kinds, ok
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	check(json.NewEncoder(w).Encode(body))
}

func serve(address string, h http.Handler) {
	log.Fatal(http.ListenAndServe(address, h))
}

func check(err error) {
	if err != nil {
		log.Fatal("Error: ", err)
	}
}
