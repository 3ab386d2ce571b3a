package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"diag405/kong"
	"diag405/kong/gateway"
	"diag405/kong/gateway/standin"
)

// servers is the key of what a script started, by name: a map[string]*asked.
type servers struct{}

// asked are the methods, and any Authorization, that something was asked with.
type asked struct {
	http.Handler
	mu      sync.Mutex
	methods []string
}

func (a *asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	line := strings.TrimSpace(r.Method + " " + r.Header.Get("Authorization"))
	a.mu.Lock()
	if !slices.Contains(a.methods, line) {
		a.methods = append(a.methods, line)
	}
	a.mu.Unlock()
	a.Handler.ServeHTTP(w, r)
}

// start serves until the script ends, and sets a variable to the URL.
func start(ts *testscript.TestScript, name string, h http.Handler) {
	a := &asked{Handler: h}
	server := httptest.NewServer(a)
	ts.Defer(server.Close)
	ts.Setenv(name, server.URL)
	ts.Value(servers{}).(map[string]*asked)[name] = a
}

func printAsked(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 1, "asked NAME")
	a := ts.Value(servers{}).(map[string]*asked)[args[0]]
	if a == nil {
		ts.Fatalf("nothing called %s was started", args[0])
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.Sort(a.methods)
	fmt.Fprintln(ts.Stdout(), strings.Join(a.methods, "\n"))
}

// nobody sets a variable to a loopback address at which nothing listens.
func nobody(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 1, "nobody NAME")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	ts.Check(l.Close())
}

func startUpstream(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 2, "upstream NAME FILE")
	t := takes{}
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		path, methods, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			ts.Fatalf("%s: %q is not PATH METHODS", args[1], line)
		}
		t[path] = methods
	}
	start(ts, args[0], t)
}

// takes is an upstream by its paths, each with its Allow header: it answers 405 there
// whatever is asked, and 404 elsewhere.
type takes map[string]string

func (t takes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if t[r.URL.Path] == "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Allow", t[r.URL.Path])
	w.WriteHeader(http.StatusMethodNotAllowed)
}

func startAnswers(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 2, "answers NAME FILE")
	head, body, _ := strings.Cut(ts.ReadFile(args[1]), "\n\n")
	lines := strings.Split(strings.TrimSuffix(head, "\n"), "\n")
	status := 0
	_, err := fmt.Sscan(lines[0], &status)
	ts.Check(err)
	start(ts, args[0], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, line := range lines[1:] {
			name, value, _ := strings.Cut(line, ": ")
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
}

func startAdmin(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 2, "admin NAME DIR")
	root := os.DirFS(ts.MkAbs(args[1]))
	api := adminAPI{lists: map[string][][]byte{}, answers: map[string]answer{}}
	ts.Check(fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, name)
		ext := filepath.Ext(name)
		path := strings.TrimSuffix("/"+strings.TrimSuffix(name, ext), "/root")
		if status, notStatus := strconv.Atoi(strings.TrimPrefix(ext, ".")); notStatus == nil {
			api.answers[path] = answer{status, data}
			return err
		}
		api.lists[path] = bytes.Fields(data)
		return err
	}))
	start(ts, args[0], api)
}

// adminAPI are the lists of an Admin API as Kong serves it, one object a page, below
// /admin-api and for requests with the token "secret". A list is a file of objects
// without white space. A file with a status for its extension is an answer with that,
// and a file called root is what is at /.
type adminAPI struct {
	lists   map[string][][]byte
	answers map[string]answer
}

type answer struct {
	status int
	body   []byte
}

func (api adminAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Server", "kong/3.9.1")
	if r.Header.Get("Kong-Admin-Token") != "secret" {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"message":"Invalid credentials. Token or User credentials required"}`)
		return
	}
	path, isBelow := strings.CutPrefix(r.URL.Path, "/admin-api")
	path = strings.TrimSuffix(path, "/")
	if a, ok := api.answers[path]; ok {
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body)
		return
	}
	list, ok := api.lists[path]
	if !ok || !isBelow {
		http.NotFound(w, r)
		return
	}
	at := 0
	fmt.Sscan(r.URL.Query().Get("offset"), &at)
	page := map[string]any{"data": []any{}, "next": nil}
	if at < len(list) {
		page["data"] = []any{json.RawMessage(list[at])}
	}
	if at+1 < len(list) {
		page["next"] = fmt.Sprintf("%s?offset=%d", path, at+1) // without the path that it is published under
	}
	_ = json.NewEncoder(w).Encode(page)
}

// logged has a gateway refuse the founding request.
func logged(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 0, "logged")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	diag405, err := exec.LookPath("diag405")
	ts.Check(err)
	log := &gateway.Lines{}
	gw, err := standin.Start(ctx, gateway.Options{Plugins: []string{diag405}, ErrorLog: log})
	ts.Check(err)
	defer gw.Close()
	app := httptest.NewServer(takes{"/": "GET"})
	defer app.Close()
	record := ts.MkAbs("record.json")
	doc := bytes.ReplaceAll(kong.Founding, []byte("http://weather:8900"), []byte(app.URL))
	ts.Check(gw.Load(ctx, fmt.Appendf(doc, "\nplugins:\n  - name: file-log\n    config: {path: %q}\n", record)))
	res, err := http.Post(gw.URL()+"/api/sendWeather?unit=c", "application/json", strings.NewReader("{}"))
	ts.Check(err)
	ts.Check(res.Body.Close())
	if res.StatusCode != http.StatusMethodNotAllowed {
		ts.Fatalf("the gateway answered %s", res.Status)
	}
	line, err := log.Find(ctx, func(l string) bool { return strings.Contains(l, "event=diagnosis") })
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("error.log"), []byte(line+"\n"), 0o644))
	data, err := waitForLine(ctx, record)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("list.json"), fmt.Appendf(nil, "[%s]", data), 0o644))
}

// waitForLine waits until a file has a whole line.
func waitForLine(ctx context.Context, file string) ([]byte, error) {
	for {
		if data, _ := os.ReadFile(file); bytes.HasSuffix(data, []byte("\n")) {
			return data, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for a line in %q: %w", file, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// listens waits until something listens on sockets.
func listens(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) >= 1, "listens SOCKET...")
	for _, socket := range args {
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
			conn, err := net.Dial("unix", ts.MkAbs(socket))
			if err == nil {
				conn.Close()
				break
			}
			if time.Now().After(end) {
				ts.Fatalf("waiting for %s: %v", socket, err)
			}
		}
	}
}

func startStandIn(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 3 || len(args) == 4, "standin CONFIG PROXY ADMIN [RUN]")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var o gateway.Options
	if len(args) == 3 {
		diag405, err := exec.LookPath("diag405")
		ts.Check(err)
		o.Plugins = []string{diag405}
	} else {
		dumps, err := filepath.Glob(filepath.Join(ts.MkAbs(args[3]), "*.json"))
		ts.Check(err)
		for _, dump := range dumps {
			base := strings.TrimSuffix(dump, ".json")
			o.Servers = append(o.Servers, gateway.Server{Name: filepath.Base(base), QueryCmd: "cat " + dump, Socket: base + ".socket"})
		}
	}
	gw, err := standin.Start(ctx, o)
	ts.Check(err)
	ts.Defer(func() { _ = gw.Close() })
	ts.Check(gw.Load(ctx, []byte(ts.ReadFile(args[0]))))
	ts.Setenv(args[1], gw.URL())
	ts.Setenv(args[2], gw.AdminURL())
}
