package probe_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin/diagnose"
	"diag405/plugin/probe"
)

// refused is the request that the upstreams in these tests answered with 405.
var refused = diagnose.Line{Method: "POST", Path: "/"}

// upstream is an HTTP server on loopback that notes which paths it was asked for.
type upstream struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func serve(t *testing.T, h http.Handler) *upstream {
	u := &upstream{}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.mu.Lock()
		u.asked = append(u.asked, r.RequestURI)
		u.mu.Unlock()
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(u.Close)
	return u
}

func (u *upstream) place() probe.Upstream {
	return probe.Upstream{Scheme: "http", Address: u.Listener.Addr().String(), Host: "app.test"}
}

// count is how often the path was asked; "" counts all.
func (u *upstream) count(path string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	if path == "" {
		return len(u.asked)
	}
	return len(slices.DeleteFunc(slices.Clone(u.asked), func(p string) bool { return p != path }))
}

// question asks about paths besides the one that was refused.
func question(paths ...string) probe.Question { return probe.Question{Refused: refused, Paths: paths} }

// unhurried is for tests in which an upstream answers: it never times out there.
var unhurried = probe.Options{Timeout: time.Minute}

// application answers OPTIONS from a table: path to "status", "status Allow" or
// "status Header: value|Header: value". A path that is not in it is asked as "*".
type application map[string]string

func (a application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, ok := a[r.RequestURI]
	if !ok {
		answer = a["*"]
	}
	var status int
	fmt.Sscan(answer, &status)
	_, rest, _ := strings.Cut(answer, " ")
	for field := range strings.SplitSeq(rest, "|") {
		name, value, ok := strings.Cut(field, ": ")
		switch {
		case name == "body":
			defer io.WriteString(w, value)
		case ok:
			w.Header().Add(name, value)
		case field != "":
			w.Header().Set("Allow", field)
		}
	}
	w.WriteHeader(status)
}

func TestAnswers(t *testing.T) {
	const path = "/api/orders"
	tests := []struct {
		name string
		app  application
		want string // what is known of the path, see known
	}{
		{"framework that answers OPTIONS", application{path: "200 POST, OPTIONS", "/": "200 GET", "*": "404"}, "takes POST, OPTIONS; complete"},
		{"framework that routes OPTIONS", application{path: "405 GET, POST", "/": "405 GET", "*": "404"}, "takes GET, POST; complete"},
		{"no content", application{path: "204 POST", "/": "405 GET", "*": "404"}, "takes POST; complete"},
		{"Allow in two fields", application{path: "405 Allow: GET|Allow: POST", "/": "405 GET", "*": "404"}, "takes GET, POST; complete"},
		{"empty Allow refuses all", application{path: "405 Allow: ", "/": "405 GET", "*": "404"}, "complete"},
		{"empty Allow in a 200", application{path: "200 Allow: ", "/": "405 GET", "*": "404"}, "nothing"},
		{"no such path", application{path: "404", "/": "405 GET", "*": "404"}, "missing; complete"},
		{"gone", application{path: "410", "/": "405 GET", "*": "404"}, "missing; complete"},
		{"200 without Allow", application{path: "200", "/": "405 GET", "*": "404"}, "nothing"},
		{"405 without Allow", application{path: "405", "/": "405 GET", "*": "404"}, "nothing"},
		{"CORS policy", application{path: "204 Access-Control-Allow-Methods: GET, POST", "/": "405 GET", "*": "404"}, "nothing"},
		{"401", application{path: "401 GET", "/": "405 GET", "*": "404"}, "nothing"},
		{"403", application{path: "403", "/": "405 GET", "*": "404"}, "nothing"},
		{"429", application{path: "429", "/": "405 GET", "*": "404"}, "nothing"},
		{"500", application{path: "500 GET", "/": "405 GET", "*": "404"}, "nothing"},

		// Starlette's first route, by its server or by its body behind a proxy.
		{"uvicorn", application{path: "405 Server: uvicorn|Allow: GET", "/": "405 GET", "*": "404"}, "takes GET"},
		{"hypercorn", application{path: "405 Server: hypercorn-h11|Allow: GET", "/": "405 GET", "*": "404"}, "takes GET"},
		{"granian", application{path: "405 Server: granian|Allow: GET", "/": "405 GET", "*": "404"}, "takes GET"},
		{"FastAPI's body", application{path: `405 Allow: GET|body: {"detail":"Method Not Allowed"}`, "/": "405 GET", "*": "404"}, "takes GET"},
		{"Starlette's body", application{path: "405 Allow: GET|body: Method Not Allowed", "/": "405 GET", "*": "404"}, "takes GET"},
		{"other body of that length", application{path: "405 Allow: GET|body: method not allowed", "/": "405 GET", "*": "404"}, "takes GET; complete"},
		{"Starlette's own OPTIONS", application{path: "200 Server: uvicorn|Allow: GET, OPTIONS", "/": "405 GET", "*": "404"}, "takes GET, OPTIONS; complete"},

		// What is said of a path that does not exist says nothing of one that may.
		{"OPTIONS answered blindly", application{"*": "200 GET, POST, OPTIONS, HEAD", "/": "200 GET"}, "nothing"},
		{"blindly, and one path more", application{path: "200 GET, POST, PUT", "/": "200 GET", "*": "200 GET, POST"}, "takes PUT"},
		{"catch-all for reading", application{path: "405 GET, HEAD", "/": "405 GET, HEAD", "*": "405 GET, HEAD"}, "complete"},
		{"endpoint beside a catch-all", application{path: "405 GET, HEAD, POST", "/": "405 GET, HEAD", "*": "405 GET, HEAD"}, "takes POST; complete"},
		{"files without Allow", application{"*": "405"}, "nothing"},
		{"page for every path", application{"*": "200"}, "nothing"},
		{"login for what is not there", application{path: "405 POST", "/": "405 GET", "*": "302 Location: /login"}, "takes POST; complete"},

		// OPTIONS that does not know the path that was refused.
		{"404 where a path is", application{path: "404", "/": "404", "/api": "405 GET", "*": "404"}, "nothing"},
		{"404 and no list anywhere", application{path: "404", "/": "200", "*": "404"}, "nothing"},
		{"404 of another server", application{path: "404 Server: b", "/": "405 Server: a|Allow: GET", "*": "404"}, "nothing"},
		{"404 of another framework", application{path: "404", "/": "405 X-Powered-By: Express|Allow: GET", "*": "404"}, "nothing"},
		{"lists what it refused", application{path: "200 GET, POST", "/": "200 GET, POST, PUT", "*": "404"}, "nothing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := serve(t, tt.app)
			answers := probe.New(unhurried).Ask(t.Context(), u.place(), question(path, "/api"))
			require.Contains(t, answers, path)
			assert.Equal(t, tt.want, known(answers[path]), "%+v", answers)
			assertConsistent(t, answers[path])
		})
	}
}

// A path is there when it is answered otherwise than one beside it that cannot be.
func TestPresence(t *testing.T) {
	const path, beside = "/api/orders", "/api/diag405-no-such-path"
	tests := []struct {
		name string
		app  application
		want diagnose.Presence
	}{
		{"405 without Allow beside a 404", application{path: "405", "*": "404"}, diagnose.Present},
		{"200 without Allow beside a 404", application{path: "200", "*": "404"}, diagnose.Present},
		{"401 beside a 404", application{path: "401", "*": "404"}, diagnose.Present},
		{"redirect beside a 404", application{path: "301 Location: /api/orders/", "*": "404"}, diagnose.Present},
		{"another list than beside it", application{path: "405 POST", "*": "405 GET, HEAD"}, diagnose.Present},
		{"as beside it", application{"*": "405 GET, HEAD"}, diagnose.Anywhere},
		{"as beside it, listed in another order", application{path: "405 GET, HEAD", "*": "405 HEAD, GET"}, diagnose.Anywhere},
		{"as beside it, without Allow", application{"*": "405"}, diagnose.Anywhere},
		{"a placeholder", application{path: "405 POST", beside: "405 POST", "*": "404"}, diagnose.Anywhere},
		{"404 where the refused path is 405", application{"/": "405", "*": "404"}, diagnose.Absent},
		{"404 everywhere", application{"*": "404"}, diagnose.NotAsked},
		{"500 beside a 404", application{path: "500", "*": "404"}, diagnose.NotAsked},
		{"429 beside a 404", application{path: "429", "*": "404"}, diagnose.NotAsked},
		{"403 beside a 401", application{path: "403", "*": "401"}, diagnose.NotAsked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := serve(t, tt.app)
			answers := probe.New(unhurried).Ask(t.Context(), u.place(), question(path))
			assert.Equal(t, tt.want, answers[path].Presence, "%+v", answers)
		})
	}
}

// An id is not what is replaced: what takes /orders/7 takes any id.
func TestBeside(t *testing.T) {
	tests := []struct{ path, base, want string }{
		{"/", "", "/diag405-no-such-path"},
		{"/a", "", "/diag405-no-such-path"},
		{"/a/", "", "/diag405-no-such-path/"},
		{"/a/b", "", "/a/diag405-no-such-path"},
		{"/orders/7", "", "/diag405-no-such-path/7"},
		{"/orders/7/items", "", "/orders/7/diag405-no-such-path"},
		{"/orders/0198c3f2-1b1e-7c55-9d0a-3f0a4c9a1b2c/", "", "/diag405-no-such-path/0198c3f2-1b1e-7c55-9d0a-3f0a4c9a1b2c/"},
		{"/7/8", "", "/7/diag405-no-such-path"},
		{"/decade", "", "/diag405-no-such-path"},
		{"/files/a%2Fb", "", "/diag405-no-such-path/a%2Fb"},
		{"/files/report.pdf", "", "/diag405-no-such-path/report.pdf"},
		{"/api/v2.1", "", "/api/diag405-no-such-path"},
		{"//", "", ""},
		{"/app/orders", "/app", "/app/diag405-no-such-path"},
		{"/app/7", "/app", ""}, // what lies outside the service's path is not asked about
		{"/app", "/app", ""},
	}
	for _, tt := range tests {
		u := serve(t, application{"*": "404"})
		probe.New(unhurried).Ask(t.Context(), u.place(), probe.Question{Refused: diagnose.Line{Method: "POST", Path: tt.path}, Base: tt.base})
		want := []string{tt.path, tt.want}
		if tt.want == "" {
			want = nil
		}
		assert.ElementsMatch(t, want, u.asked, "%+v", tt)
	}
}

// HEAD and GET only read, so where one of them was refused and it is allowed, they
// are asked for themselves: not every application answers OPTIONS.
func TestSafe(t *testing.T) {
	taken := func(method string, safe bool, app http.HandlerFunc) (probe.Answer, []string) {
		var mu sync.Mutex
		var methods []string
		u := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			methods = append(methods, r.Method+" "+r.URL.Path)
			mu.Unlock()
			if r.Method != method {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			app(w, r)
		}))
		q := probe.Question{Refused: diagnose.Line{Method: method, Path: "/a"}, Paths: []string{"/b"}, Safe: safe}
		answers := probe.New(unhurried).Ask(t.Context(), u.place(), q)
		slices.Sort(methods)
		return answers["/b"], methods
	}
	only := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/b" {
			w.WriteHeader(http.StatusNotFound)
		}
	}
	a, methods := taken("GET", true, only)
	assert.Equal(t, probe.Answer{Status: 404, Methods: []string{"GET"}, Presence: diagnose.Present}, a)
	assert.Equal(t, []string{
		"GET /b", "GET /diag405-no-such-path", "OPTIONS /a", "OPTIONS /b", "OPTIONS /diag405-no-such-path",
	}, methods, "the refused request is not sent again")

	a, _ = taken("HEAD", true, only)
	assert.Equal(t, []string{"HEAD"}, a.Methods)

	a, _ = taken("GET", true, func(http.ResponseWriter, *http.Request) {})
	assert.Equal(t, diagnose.Anywhere, a.Presence, "a page for every path")
	assert.Empty(t, a.Methods)

	for _, tt := range []struct {
		method string
		safe   bool
	}{{"GET", false}, {"POST", true}} {
		_, methods = taken(tt.method, tt.safe, only)
		assert.NotContains(t, strings.Join(methods, ","), tt.method, "%+v", tt)
	}
}

// known says what an answer establishes.
func known(a probe.Answer) string {
	var parts []string
	if len(a.Methods) > 0 {
		parts = append(parts, "takes "+strings.Join(a.Methods, ", "))
	}
	if a.Missing() {
		parts = append(parts, "missing")
	}
	if a.Complete {
		parts = append(parts, "complete")
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, "; ")
}

// assertConsistent holds Takes against what it is derived from.
func assertConsistent(t *testing.T, a probe.Answer) {
	for _, m := range a.Methods {
		takes, known := a.Takes(m)
		assert.True(t, takes && known, m)
		assert.Contains(t, a.Allow, m)
	}
	takes, known := a.Takes("PURGE")
	assert.False(t, takes)
	assert.Equal(t, a.Complete, known)
	for _, m := range a.Allow {
		if !slices.Contains(a.Methods, m) {
			_, known := a.Takes(m)
			assert.False(t, known, "%s is listed, and not to be relied on", m)
		}
	}
}

// The standard library's own multiplexer needs no imitation.
func TestServeMux(t *testing.T) {
	mux := http.NewServeMux()
	ok := func(http.ResponseWriter, *http.Request) {}
	mux.HandleFunc("GET /{$}", ok)
	mux.HandleFunc("POST /api/orders", ok)
	mux.HandleFunc("DELETE /api/orders/{id}", ok)
	u := serve(t, mux)
	answers := probe.New(unhurried).Ask(t.Context(), u.place(), question("/api/orders", "/api/orders/1", "/orders"))
	assert.Equal(t, map[string]probe.Answer{
		"/":             {Status: 405, Allow: []string{"GET", "HEAD"}, Methods: []string{"GET", "HEAD"}, Complete: true, Presence: diagnose.Present},
		"/api/orders":   {Status: 405, Allow: []string{"POST"}, Methods: []string{"POST"}, Complete: true, Presence: diagnose.Present},
		"/api/orders/1": {Status: 405, Allow: []string{"DELETE"}, Methods: []string{"DELETE"}, Complete: true, Presence: diagnose.Present},
		"/orders":       {Status: 404, Complete: true, Presence: diagnose.Absent},
	}, answers)
}

// secret is 26 digits of base 32, so 130 bits.
var secret = regexp.MustCompile(`Probe: [A-Z2-7]{26}\r`)

// The bytes on the wire: nothing but what the package doc names.
func TestRequest(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	requests := make(chan string, probe.MaxRequests)
	u := raw(t, func(conn net.Conn) {
		defer conn.Close()
		requests <- readHead(conn)
		io.WriteString(conn, "HTTP/1.1 405 No\r\nAllow: GET\r\nContent-Length: 0\r\n\r\n")
	})
	u.Host = "app.test:8080"
	probe.New(unhurried).Ask(t.Context(), u, question("//a%2fb/%C3%A4;v=1/{x}|\\"))

	var got []string
	for range 4 {
		got = append(got, secret.ReplaceAllString(<-requests, "Probe: SECRET\r"))
	}
	slices.Sort(got)
	const rest = " HTTP/1.1\r\nHost: app.test:8080\r\nUser-Agent: diag405\r\nX-Diag-Probe: SECRET\r\nConnection: close\r\n\r\n"
	assert.Equal(t, []string{
		"OPTIONS /" + rest,
		"OPTIONS //a%2fb/%C3%A4;v=1/diag405-no-such-path" + rest,
		"OPTIONS //a%2fb/%C3%A4;v=1/{x}|\\" + rest,
		"OPTIONS /diag405-no-such-path" + rest,
	}, got)
}

// raw is an upstream that answers connections itself.
func raw(t *testing.T, handle func(net.Conn)) probe.Upstream {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go handle(conn)
		}
	}()
	return probe.Upstream{Scheme: "http", Address: l.Addr().String(), Host: "app.test"}
}

func readHead(r io.Reader) string {
	var head strings.Builder
	for lines := bufio.NewReader(r); !strings.HasSuffix(head.String(), "\r\n\r\n"); {
		line, err := lines.ReadString('\n')
		head.WriteString(line)
		if err != nil {
			break
		}
	}
	return head.String()
}

func TestUnusualReplies(t *testing.T) {
	for _, tt := range []struct {
		name, reply string
		answered    bool
	}{
		{"interim answers first", "HTTP/1.1 103 Early Hints\r\nAllow: PUT\r\n\r\nHTTP/1.1 405 No\r\nAllow: GET\r\n\r\n", true},
		{"HTTP/1.0", "HTTP/1.0 405 No\r\nAllow: GET\r\n\r\n", true},
		{"body that does not end", "HTTP/1.1 405 No\r\nAllow: GET\r\nContent-Length: 1000000\r\n\r\nx", true},
		{"interim answers only", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100), false},
		{"another protocol", "SSH-2.0-OpenSSH_9.6\r\n", false},
		{"nothing", "", false},
		{"half a head", "HTTP/1.1 405 No\r\nAllow: GET\r\n", false},
		{"head without end", "HTTP/1.1 405 No\r\nAllow: " + strings.Repeat("GET,", 10000) + "\r\n\r\n", false},
		{"control bytes", "HTTP/1.1 405 No\r\nAllow: G\x00T\r\n\r\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := raw(t, func(conn net.Conn) {
				defer conn.Close()
				readHead(conn)
				io.WriteString(conn, tt.reply)
			})
			answers := probe.New(unhurried).Ask(t.Context(), u, question())
			if !tt.answered {
				assert.Empty(t, answers)
				return
			}
			assert.Equal(t, []string{"GET"}, answers["/"].Allow)
		})
	}
}

func TestTLS(t *testing.T) {
	for host, wantName := range map[string]string{"app.test:8443": "app.test", "app.test": "app.test", "127.0.0.1:9": "", "[::1]:9": ""} {
		var mu sync.Mutex
		names := map[string]bool{}
		server := httptest.NewUnstartedServer(application{"*": "404", "/": "405 GET"})
		server.TLS = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			mu.Lock()
			defer mu.Unlock()
			names[hello.ServerName] = true
			return nil, nil
		}}
		server.StartTLS()
		u := probe.Upstream{Scheme: "https", Address: server.Listener.Addr().String(), Host: host}
		answers := probe.New(unhurried).Ask(t.Context(), u, question())
		server.Close()
		assert.Equal(t, "takes GET; complete", known(answers["/"]), host)
		assert.Equal(t, map[string]bool{wantName: true}, names, host)
	}
}

func TestPathsAsked(t *testing.T) {
	u := serve(t, application{"*": "404", "/": "405 GET"})
	probe.New(unhurried).Ask(t.Context(), u.place(), question(
		"/a", "/a", "/", // once each
		"", "a", "*", "http://other.test/", "/a b", "/a\r\nX: y", "/a\x00", "/ä", "/a\x7f", "/a?q=secret", "/a#f", "/"+strings.Repeat("a", 2048),
		"/"+probe.ControlName,
		"/b", "/c/d", "/c/d/", "/e",
	))
	slices.Sort(u.asked)
	assert.Equal(t, []string{
		"/", "/a", "/b", "/c/d", "/c/d/", "/c/diag405-no-such-path", "/c/diag405-no-such-path/", "/diag405-no-such-path",
	}, u.asked, "one path that cannot be there serves all that lie beside it")
}

func TestNothingToAsk(t *testing.T) {
	var dials atomic.Int32
	p := probe.New(probe.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
		dials.Add(1)
		return nil, net.ErrClosed
	}})
	good := probe.Upstream{Scheme: "http", Address: "127.0.0.1:1", Host: "app.test"}
	for _, change := range []func(*probe.Upstream){
		func(u *probe.Upstream) { u.Scheme = "grpc" },
		func(u *probe.Upstream) { u.Scheme = "" },
		func(u *probe.Upstream) { u.Address = "" },
		func(u *probe.Upstream) { u.Host = "" },
		func(u *probe.Upstream) { u.Host = "a b" },
		func(u *probe.Upstream) { u.Host = "a\r\nX: y" },
		func(u *probe.Upstream) { u.Host = "user@app.test" },
		func(u *probe.Upstream) { u.Host = "ä.test" },
		func(u *probe.Upstream) { u.Host = strings.Repeat("a", 256) },
	} {
		u := good
		change(&u)
		assert.Empty(t, p.Ask(t.Context(), u, question("/a")), "%+v", u)
	}
	assert.Empty(t, p.Ask(t.Context(), good, probe.Question{Paths: []string{"no path"}}))
	assert.Zero(t, dials.Load())
}

// clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestCache(t *testing.T) {
	u := serve(t, application{"*": "404", "/": "405 GET", "/a": "405 POST"})
	c := newClock()
	p := probe.New(probe.Options{Timeout: time.Minute, Now: c.Now})
	ask := func() string { return known(p.Ask(t.Context(), u.place(), question("/a"))["/a"]) }

	assert.Equal(t, "takes POST; complete", ask())
	c.move(59 * time.Second)
	assert.Equal(t, "takes POST; complete", ask())
	assert.Equal(t, 3, u.count(""), "answers are used for a minute")
	c.move(time.Second)
	assert.Equal(t, "takes POST; complete", ask())
	assert.Equal(t, 6, u.count(""), "and not for longer")

	p.Ask(t.Context(), u.place(), question("/b"))
	assert.Equal(t, 7, u.count(""), "another set of paths shares what is known")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Contains(t, p.Ask(ended, u.place(), question("/a")), "/a", "what is known takes no time")

	other := u.place()
	other.Host = "other.test"
	c.move(time.Second)
	p.Ask(t.Context(), other, question("/a"))
	assert.Equal(t, 10, u.count(""), "another Host is another upstream")
}

func TestCacheSize(t *testing.T) {
	u := serve(t, application{"*": "404", "/": "405 GET"})
	c := newClock()
	p := probe.New(probe.Options{Timeout: time.Minute, Now: c.Now, CacheSize: 4, CacheFor: time.Hour})
	for i := range 50 {
		c.move(time.Second)
		path := fmt.Sprint("/", i)
		assert.Contains(t, p.Ask(t.Context(), u.place(), question(path)), path)
		assert.LessOrEqual(t, p.Cached(), 4)
	}
	asked := u.count("")
	for i := range 10 {
		c.move(time.Second)
		p.Ask(t.Context(), u.place(), question(fmt.Sprint("/n", i)))
	}
	assert.Equal(t, asked+10, u.count(""), "what every Ask needs is not what is dropped")
}

func TestRate(t *testing.T) {
	u := serve(t, application{"*": "404", "/": "405 GET"})
	c := newClock()
	p := probe.New(probe.Options{Timeout: time.Minute, Now: c.Now})
	ask := func(names string) int {
		var paths []string
		for _, name := range names {
			paths = append(paths, "/"+string(name))
		}
		return len(p.Ask(t.Context(), u.place(), question(paths...)))
	}
	assert.Equal(t, 5, ask("abcd"), "six requests, the control among them")
	c.move(400 * time.Millisecond)
	assert.Equal(t, 5, ask("efgh"), "ten: the control and the refused path are known")
	assert.Equal(t, 10, u.count(""))
	assert.Equal(t, 3, ask("ijab"), "no eleventh; what is known remains")
	c.move(599 * time.Millisecond)
	assert.Equal(t, 1, ask("kl"))
	assert.Equal(t, 10, u.count(""))
	c.move(time.Millisecond) // a second after the first six
	assert.Equal(t, 5, ask("klmn"))
	assert.Equal(t, 3, ask("opqr"), "two more of six")
	assert.Equal(t, 16, u.count(""))

	other := u.place()
	other.Host = "other.test"
	assert.Empty(t, p.Ask(t.Context(), other, question("/a")), "the rate is for an address, whatever Host it is asked for")
	another := serve(t, application{"*": "404", "/": "405 GET"})
	assert.Len(t, p.Ask(t.Context(), another.place(), question("/a")), 2, "and for that one alone")
}

// Many requests fail at once: each path is asked once, and all get the answer.
func TestOneInFlight(t *testing.T) {
	release := make(chan struct{})
	u := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-release
		application{"*": "404", "/": "405 GET", "/a": "405 POST"}.ServeHTTP(w, r)
	}))
	p := probe.New(unhurried)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			assert.Equal(t, "takes POST; complete", known(p.Ask(t.Context(), u.place(), question("/a"))["/a"]))
		})
	}
	require.Eventually(t, func() bool { return u.count("") == 3 }, 10*time.Second, time.Millisecond)
	close(release)
	wg.Wait()
	assert.Equal(t, 3, u.count(""))
}

// One caller that gives up takes nothing from the others.
func TestCallerGivesUp(t *testing.T) {
	release := make(chan struct{})
	u := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-release
		application{"*": "404", "/": "405 GET"}.ServeHTTP(w, r)
	}))
	p := probe.New(unhurried)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan map[string]probe.Answer)
	go func() { gone <- p.Ask(ctx, u.place(), question()) }()
	require.Eventually(t, func() bool { return u.count("") == 2 }, 10*time.Second, time.Millisecond)
	cancel()
	assert.Empty(t, <-gone)
	close(release)
	assert.Contains(t, p.Ask(t.Context(), u.place(), question()), "/")
	assert.Equal(t, 2, u.count(""))
}

// Time in a bubble is exact: the timeout is for all paths together.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int32
		p := probe.New(probe.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
			dials.Add(1)
			conn, silent := net.Pipe()
			go io.Copy(io.Discard, silent)
			return conn, nil
		}})
		u := probe.Upstream{Scheme: "http", Address: "app.test:80", Host: "app.test"}
		start := time.Now()
		ask := func() { assert.Empty(t, p.Ask(t.Context(), u, question("/a", "/b", "/c"))) }

		ask()
		assert.Equal(t, 300*time.Millisecond, time.Since(start))
		synctest.Wait()
		ask()
		assert.Equal(t, 300*time.Millisecond, time.Since(start), "an upstream that just gave no answer is left alone")
		assert.EqualValues(t, 5, dials.Load())
		time.Sleep(10 * time.Second)
		ask()
		assert.Equal(t, 10*time.Second+600*time.Millisecond, time.Since(start), "for a while")
		assert.EqualValues(t, 10, dials.Load())

		synctest.Wait()
		time.Sleep(10 * time.Second)
		start = time.Now()
		hurried, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		assert.Empty(t, p.Ask(hurried, u, question("/a")))
		assert.Equal(t, 100*time.Millisecond, time.Since(start), "the caller's deadline counts for the asking too")
		synctest.Wait()
		soon, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
		defer cancel()
		assert.Empty(t, p.Ask(soon, u, question("/a")))
		assert.Equal(t, 100*time.Millisecond, time.Since(start), "what had no answer then is left alone")
		ask()
		assert.Equal(t, 400*time.Millisecond, time.Since(start), "but not by those who have twice the time")
	})
}

// An upstream that answers some paths and not others: what came is used, unless
// the control did not come.
func TestPartOfTheAnswers(t *testing.T) {
	for silent, want := range map[string]map[string]string{
		"/a":                    {"/": "takes GET; complete"},
		"/":                     {"/a": "takes POST; complete"},
		"/" + probe.ControlName: {"/": "nothing", "/a": "nothing"},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := probe.New(probe.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
				conn, far := net.Pipe()
				go func() {
					line, _, _ := strings.Cut(readHead(far), "\r\n")
					switch path := strings.Fields(line)[1]; path {
					case silent:
					case "/":
						io.WriteString(far, "HTTP/1.1 405 No\r\nAllow: GET\r\n\r\n")
					case "/a":
						io.WriteString(far, "HTTP/1.1 405 No\r\nAllow: POST\r\n\r\n")
					default:
						io.WriteString(far, "HTTP/1.1 404 No\r\n\r\n")
					}
				}()
				return conn, nil
			}})
			u := probe.Upstream{Scheme: "http", Address: "app.test:80", Host: "app.test"}
			got := map[string]string{}
			for path, a := range p.Ask(t.Context(), u, question("/a")) {
				got[path] = known(a)
			}
			assert.Equal(t, want, got, "silent at %s", silent)
		})
	}
}

// A panic in a goroutine would end the plugin server.
func TestPanicIsNoAnswer(t *testing.T) {
	p := probe.New(probe.Options{Timeout: time.Minute, Dial: func(context.Context, string, string) (net.Conn, error) { panic("dial") }})
	u := probe.Upstream{Scheme: "http", Address: "127.0.0.1:1", Host: "app.test"}
	assert.Empty(t, p.Ask(t.Context(), u, question("/a")))
}

func TestNoConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l.Close()
	u := probe.Upstream{Scheme: "http", Address: l.Addr().String(), Host: "app.test"}
	assert.Empty(t, probe.New(unhurried).Ask(t.Context(), u, question("/a")), "nobody listens")

	u = serve(t, application{"*": "404", "/": "405 GET"}).place()
	u.Scheme = "https"
	assert.Empty(t, probe.New(unhurried).Ask(t.Context(), u, question("/a")), "no TLS there")
}

func TestHangingUpstreamLeavesNothingBehind(t *testing.T) {
	hang, during := make(chan struct{}), make(chan string, probe.MaxRequests)
	defer close(hang)
	u := raw(t, func(conn net.Conn) {
		<-hang
		conn.Close()
	})
	p := probe.New(probe.Options{Timeout: 300 * time.Millisecond, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		during <- goroutines()
		return new(net.Dialer).DialContext(ctx, network, address)
	}})
	start := time.Now()
	assert.Empty(t, p.Ask(t.Context(), u, question("/a", "/b")))
	assert.Less(t, time.Since(start), 5*time.Second)
	assert.Contains(t, <-during, "probe.(*Prober)")
	assert.Eventually(t, func() bool { return !strings.Contains(goroutines(), "probe.(*Prober)") }, 10*time.Second, time.Millisecond)
}

// goroutines are the stacks of all that run.
func goroutines() string {
	stacks := make([]byte, 1<<20)
	return string(stacks[:runtime.Stack(stacks, true)])
}

// Only the process's own secret marks a request as its own probe.
func TestMarked(t *testing.T) {
	p := probe.New(unhurried)
	own := markOf(t, p)
	for _, tt := range []struct {
		values      []string
		marked, own bool
	}{
		{nil, false, false},
		{[]string{own}, true, true},
		{[]string{"1", own}, true, true},
		{[]string{own, "1"}, true, true},
		{[]string{""}, true, false},
		{[]string{"1"}, true, false},
		{[]string{strings.ToLower(own)}, true, false},
		{[]string{own + "A"}, true, false},
		{[]string{own[1:]}, true, false},
		{[]string{markOf(t, probe.New(unhurried))}, true, false},
	} {
		marked, isOwn := p.Marked(http.Header{probe.GuardHeader: tt.values})
		assert.Equal(t, []bool{tt.marked, tt.own}, []bool{marked, isOwn}, "%q", tt.values)
	}
}

// markOf is what a Prober marks its requests with.
func markOf(t *testing.T, p *probe.Prober) (mark string) {
	var once sync.Once
	u := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { mark = r.Header.Get(probe.GuardHeader) })
		w.WriteHeader(http.StatusNotFound)
	}))
	p.Ask(t.Context(), u.place(), question())
	require.Len(t, mark, 26)
	return mark
}

func ExampleProber_Ask() {
	app := http.NewServeMux()
	app.HandleFunc("GET /{$}", func(http.ResponseWriter, *http.Request) {})
	app.HandleFunc("POST /api/orders", func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewServer(app)
	defer server.Close()

	u := probe.Upstream{Scheme: "http", Address: server.Listener.Addr().String(), Host: "app.test"}
	answers := probe.New(probe.Options{Timeout: time.Minute}).Ask(context.Background(), u,
		probe.Question{Refused: diagnose.Line{Method: "POST", Path: "/"}, Paths: []string{"/api/orders", "/orders"}})
	fmt.Println(answers["/api/orders"].Takes("POST"))
	fmt.Println(answers["/orders"].Missing())
	// Output:
	// true true
	// true
}
