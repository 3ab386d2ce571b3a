//go:build unix

package standin

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"diag405/kong/gateway"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Calls that the tests below have the probe make.
var (
	badCall   = []any{"Request", "GetHeaders", 1001}
	unbuffer  = []any{"Nginx", "SetCtx", "buffered_proxying", false}
	getStatus = []any{"ServiceResponse", "GetStatus"}
)

// probed starts a stand-in with the probe on a service.
func probed(t *testing.T, upstream string, config map[string]any) (*standIn, *inbox) {
	t.Helper()
	address, outcomes := reports(t)
	config["report"] = address
	return standInFor(t, gateway.Options{Plugins: []string{probePath(t, "probe")}}, declare(upstream, plainRoute, probe("probe", config))), outcomes
}

func TestCallThatRaises(t *testing.T) {
	up := echo(t)
	g, _ := probed(t, up.URL, map[string]any{"in_access": ask(badCall)})
	got := send(t, g, "GET /p HTTP/1.1")
	assert.Equal(t, "HTTP/1.1 500 Internal Server Error", got.Line)
	assert.Equal(t, `{"message":"An unexpected error occurred"}`, got.Body)

	g, _ = probed(t, up.URL, map[string]any{"in_response": ask(badCall)})
	got = send(t, g, "GET /p HTTP/1.1")
	assert.Equal(t, 500, got.Status)
	assert.Equal(t, "text/plain; charset=utf-8", got.Header.Get("Content-Type"))
	assert.Regexp(t, `^An unexpected error occurred\nrequest_id: [0-9a-f]{32}\n$`, got.Body)
}

func TestExit(t *testing.T) {
	up := echo(t)
	exit := []any{"Response", "Exit", 405, "no", map[string][]string{"Allow": {"GET"}, "X-Two": {"a", "b"}}}
	for _, p := range []phase{accessPhase, responsePhase} {
		g, outcomes := probed(t, up.URL, map[string]any{"in_" + p.String(): ask(exit), "in_log": ask([]any{"Response", "GetSource"})})
		got := send(t, g, "GET /p HTTP/1.1")
		assert.Equal(t, "HTTP/1.1 405 Not Allowed", got.Line)
		assert.Equal(t, "no", got.Body)
		assert.Equal(t, "GET", got.Header.Get("Allow"))
		assert.Equal(t, []string{"a", "b"}, got.Header.Values("X-Two"))
		assert.Equal(t, `"exit"`, phaseOutcomes(t, outcomes, logPhase)[0].Value)
	}
}

func TestBufferedHopKnowsFifteenMethods(t *testing.T) {
	up := echo(t)
	g, _ := probed(t, up.URL, map[string]any{})
	assert.Equal(t, "GET", send(t, g, "PURGE /p HTTP/1.1").seen(t).Method)
	assert.Equal(t, "MKCOL", send(t, g, "MKCOL /p HTTP/1.1").seen(t).Method)

	g, _ = probed(t, up.URL, map[string]any{"in_access": ask(unbuffer)})
	assert.Equal(t, "PURGE", send(t, g, "PURGE /p HTTP/1.1").seen(t).Method)
}

func TestUnbufferedEventStreamFlows(t *testing.T) {
	more := make(chan bool)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 2 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
			<-more
		}
	}))
	defer up.Close()
	g, outcomes := probed(t, up.URL, map[string]any{
		"in_access": ask(unbuffer), "in_response": ask(getStatus), "in_log": ask([]any{"Response", "GetStatus"}),
	})
	resp, err := http.Get(g.URL() + "/p")
	require.NoError(t, err)
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	for i := range 2 {
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf("data: %d\n", i), line)
		lines.ReadString('\n')
		more <- true // the upstream has not ended before its first event arrived
	}
	phaseOutcomes(t, outcomes, logPhase) // comes last
	assert.False(t, outcomes.has(responsePhase))
}

// TestNoResponsePhase: not for answers that Kong or a plugin makes. The log
// phase tells that the request is over.
func TestNoResponsePhase(t *testing.T) {
	up := echo(t)
	refused := "http://127.0.0.1:" + closedPort(t)
	address, outcomes := reports(t)
	g := standInFor(t, gateway.Options{Plugins: []string{probePath(t, "probe")}}, "")
	config := map[string]any{"report": address, "in_response": ask(getStatus), "in_log": ask([]any{"Response", "GetSource"})}
	for _, c := range []struct {
		name, declarative, request string
		status                     int
		source                     string
	}{
		{"upstream's", declare(up.URL, plainRoute, probe("probe", config)), "GET /p HTTP/1.1", 200, "service"},
		{"request-termination", declare(up.URL, plainRoute, probe("probe", config)+`,{"name":"request-termination"}`), "GET /p HTTP/1.1", 503, "exit"},
		{"cors preflight", declare(up.URL, plainRoute, probe("probe", config)+`,{"name":"cors"}`),
			"OPTIONS /p HTTP/1.1\nOrigin: http://a\nAccess-Control-Request-Method: GET", 200, "exit"},
		{"refused upstream", declare(refused, plainRoute, probe("probe", config)), "GET /p HTTP/1.1", 502, "error"},
		{"no service", `{"_format_version":"3.0","routes":[` + plainRoute + `],"plugins":[` + probe("probe", config) + `]}`, "GET /p HTTP/1.1", 503, "exit"},
		{"no route", `{"_format_version":"3.0","routes":[` + plainRoute + `],"plugins":[` + probe("probe", config) + `]}`, "GET /q HTTP/1.1", 404, "exit"},
		{"a bad request", `{"_format_version":"3.0","plugins":[` + probe("probe", config) + `]}`, "GET /%zz HTTP/1.1", 400, "error"},
		{"a method that nginx refuses", `{"_format_version":"3.0","plugins":[` + probe("probe", config) + `]}`, "TRACE / HTTP/1.1", 405, "error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, g.Load(t.Context(), []byte(c.declarative)))
			assert.Equal(t, c.status, send(t, g, c.request).Status)
			assert.Equal(t, `"`+c.source+`"`, phaseOutcomes(t, outcomes, logPhase)[0].Value)
			if c.name == "upstream's" {
				assert.Len(t, phaseOutcomes(t, outcomes, responsePhase), 1)
			}
			assert.False(t, outcomes.has(responsePhase), "response phase")
		})
	}
}

func TestServerIsStartedAgain(t *testing.T) {
	up := echo(t)
	g, outcomes := probed(t, up.URL, map[string]any{"in_access": ask([]any{"Nginx", "GetVar", "host"})})
	assert.Equal(t, 200, send(t, g, "GET /p HTTP/1.1").Status)
	pid := phaseOutcomes(t, outcomes, accessPhase)[0].PID
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	eventually(t, func() bool { return strings.Contains(errorLogOf(g), "terminated") }, "the server's end in the log")
	down := send(t, g, "GET /p HTTP/1.1")
	assert.Equal(t, "HTTP/1.1 500 Internal Server Error", down.Line)
	assert.Contains(t, down.Body, "An unexpected error occurred")
	eventually(t, func() bool { return send(t, g, "GET /p HTTP/1.1").Status == 200 }, "the server to come back")
	assert.NotEqual(t, pid, phaseOutcomes(t, outcomes, accessPhase)[0].PID)
}

func errorLogOf(g *standIn) string { return g.options.ErrorLog.(*gateway.Lines).String() }

func TestServerThatDiesInAPhase(t *testing.T) {
	up := echo(t)
	g, _ := probed(t, up.URL, map[string]any{"in_response": ask([]any{"die"})})
	got := send(t, g, "GET /p HTTP/1.1")
	assert.Equal(t, 500, got.Status)
	assert.Contains(t, errorLogOf(g), "starting instance: ") // and there is nobody to start it
}

// TestRecord: what a plugin adds to the record appears in that of other
// plugins, as file-log shows.
func TestRecord(t *testing.T) {
	up := echo(t)
	file := filepath.Join(t.TempDir(), "log.jsonl")
	address, outcomes := reports(t)
	g := standInFor(t, gateway.Options{Plugins: []string{probePath(t, "probe")}}, declare(up.URL+"/base", plainRoute, probe("probe", map[string]any{
		"report": address,
		"in_access": ask([]any{"Ctx", "SetShared", "from", "access"},
			[]any{"ServiceRequest", "SetMethod", "POST"}, []any{"ServiceRequest", "SetHeader", "X-New", "1"}),
		"in_response": ask([]any{"Ctx", "GetSharedString", "from"}, []any{"SetSerializeValue", "probe.deep", map[string]any{"cause": "x"}}),
		"in_log":      ask([]any{"Log", "Serialize"}, []any{"Ctx", "GetSharedString", "from"}),
	})+","+probe("file-log", map[string]any{"path": file})))
	send(t, g, "GET /p/a?x=1 HTTP/1.1\nHost: shop.example.com\nAuthorization: secret")
	assert.Equal(t, `"access"`, phaseOutcomes(t, outcomes, responsePhase)[0].Value)
	inLog := phaseOutcomes(t, outcomes, logPhase)
	assert.Equal(t, `"access"`, inLog[1].Value)
	var own string
	require.NoError(t, json.Unmarshal([]byte(inLog[0].Value), &own))
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, text := range []string{own, string(written)} {
		var r struct {
			Request struct {
				Method, URI, URL string
				Headers          map[string]any
			}
			UpstreamURI    string `json:"upstream_uri"`
			UpstreamStatus any    `json:"upstream_status"`
			Response       struct{ Status int }
			Route          map[string]any
			Service        map[string]any
			Tries          []map[string]any
			Source         string
			ClientIP       string `json:"client_ip"`
			Probe          map[string]any
		}
		require.NoError(t, json.Unmarshal([]byte(text), &r), text)
		assert.Equal(t, "POST", r.Request.Method)
		assert.Equal(t, "/p/a?x=1", r.Request.URI)
		assert.Regexp(t, `^http://shop.example.com:\d+/p/a\?x=1$`, r.Request.URL)
		assert.Equal(t, "1", r.Request.Headers["x-new"])
		assert.Equal(t, "REDACTED", r.Request.Headers["authorization"])
		assert.Equal(t, "/base/a?x=1", r.UpstreamURI)
		assert.EqualValues(t, 200, r.UpstreamStatus)
		assert.Equal(t, 200, r.Response.Status)
		assert.Equal(t, "v0", r.Route["path_handling"])
		assert.Equal(t, "s", r.Service["name"])
		assert.Equal(t, "127.0.0.1", r.Tries[0]["ip"])
		assert.Equal(t, "upstream", r.Source)
		assert.Equal(t, "127.0.0.1", r.ClientIP)
		assert.Equal(t, map[string]any{"deep": map[string]any{"cause": "x"}}, r.Probe)
	}
}

func TestLoadRefuses(t *testing.T) {
	g := standInFor(t, gateway.Options{Plugins: []string{probePath(t, "probe")}}, "")
	for _, c := range []struct{ plugin, want string }{
		{`{"name":"nobody"}`, "plugin 'nobody' not enabled; add it to the 'plugins' configuration property"},
		{`{"name":"probe","config":{"nonsense":1}}`, "in 'config': in 'nonsense': unknown field"},
		{`{"name":"probe","config":{"level":1}}`, "in 'level': expected a string"},
		{`{"name":"probe","config":{"limit":1.5}}`, "in 'limit': expected an integer"},
		{`{"name":"cors","config":{"methods":["GET","FETCH"]}}`, "in 'methods': in entry 2: expected one of: GET, HEAD, PUT"},
		{`{"name":"cors","config":{"credentials":"yes"}}`, "in 'credentials': expected a boolean"},
		{`{"name":"request-termination","config":{"status_code":600}}`, "in 'status_code': value should be between 100 and 599"},
		{`{"name":"request-termination","config":{"message":"a","body":"b"}}`, "message cannot be used with content_type or body"},
		{`{"name":"request-transformer","config":{"add":{"headers":["X-A"]}}}`, "key 'X-A' has no value"},
		{`{"name":"request-transformer","config":{"replace":{"uri":"/$(os.exit())"}}}`, "does not know the Lua name \"os\""},
		{`{"name":"file-log"}`, "in 'path': required field missing"},
	} {
		err := g.Load(t.Context(), []byte(declare("http://127.0.0.1:1", plainRoute, c.plugin)))
		assert.ErrorContains(t, err, c.want)
		assert.ErrorContains(t, err, "declarative config is invalid")
	}
}

func TestMostSpecificInstanceWins(t *testing.T) {
	up := echo(t)
	add := func(scope, value string) string {
		return `{"name":"request-transformer",` + scope + `"config":{"add":{"headers":["X-From:` + value + `"]}}}`
	}
	g := standInFor(t, gateway.Options{}, `{"_format_version":"3.0","services":[{"name":"s","url":"`+up.URL+`","routes":[
		{"name":"a","paths":["/a"]},{"name":"b","paths":["/b"]},{"name":"c","paths":["/c"]}]},{"name":"other","url":"`+up.URL+`","routes":[{"name":"d","paths":["/d"]}]}],
		"plugins":[`+add(``, "global")+`,`+add(`"service":"s",`, "service")+`,`+add(`"route":"a",`, "route")+`,`+
		add(`"route":"b",`, "route")+`,`+add(`"route":"b","service":"s",`, "both")+`]}`)
	for path, want := range map[string]string{"/a": "route", "/b": "both", "/c": "service", "/d": "global"} {
		assert.Equal(t, want, send(t, g, "GET "+path+" HTTP/1.1").seen(t).Header.Get("X-From"), path)
	}
}

func TestTargetReachesUpstreamAsWritten(t *testing.T) {
	up := echo(t)
	g := standInFor(t, gateway.Options{}, declare(up.URL, `{"name":"r","paths":["/"],"strip_path":false}`, ""))
	for target, want := range map[string]string{
		"/a%2Fb": "/a%2Fb", "/a?": "/a?", "/a?x=%zz&y": "/a?x=%zz&y", "//a//b": "/a/b", "/a;b,c'(d)": "/a;b,c'(d)",
		"http://elsewhere/a?b": "/a?b", "/%7Euser": "/~user", "/a?b//c?d": "/a?b//c?d",
	} {
		assert.Equal(t, want, send(t, g, "GET "+target+" HTTP/1.1").seen(t).URI, target)
	}
	assert.Empty(t, send(t, g, "GET / HTTP/1.1").seen(t).Header.Values("User-Agent"))
	assert.Empty(t, send(t, g, "GET / HTTP/1.1").seen(t).Header.Values("Accept-Encoding"))
}

func TestKongsOwnFields(t *testing.T) {
	up := echo(t)
	g := standInFor(t, gateway.Options{AllowDebugHeader: true}, declare(up.URL, plainRoute, ""))
	got := send(t, g, "GET /p?answer=Via:1.0+far&answer=Connection:X-Hop&answer=X-Hop:1&answer=Server:mine HTTP/1.1\nHost: a.example\n"+
		"X-Forwarded-For: 1.2.3.4\nX-Forwarded-Host: b.example\nVia: 1.0 near\nConnection: X-Mine\nX-Mine: 1\nKong-Debug: 1")
	assert.Equal(t, "1.0 far, 1.1 kong/3.9.1", got.Header.Get("Via"))
	assert.Equal(t, "mine", got.Header.Get("Server"))
	assert.Empty(t, got.Header.Values("X-Hop"))
	assert.Regexp(t, `^\d+$`, got.Header.Get("X-Kong-Upstream-Latency"))
	assert.Regexp(t, `^\d+$`, got.Header.Get("X-Kong-Proxy-Latency"))
	assert.Regexp(t, `^[0-9a-f]{32}$`, got.Header.Get("X-Kong-Request-Id"))
	assert.Equal(t, "r", got.Header.Get("Kong-Route-Name"))
	assert.Equal(t, "s", got.Header.Get("Kong-Service-Name"))
	at := got.seen(t)
	assert.Equal(t, "1.0 near, 1.1 kong/3.9.1", at.Header.Get("Via"))
	assert.Equal(t, "1.2.3.4, 127.0.0.1", at.Header.Get("X-Forwarded-For"))
	assert.Equal(t, "a.example", at.Header.Get("X-Forwarded-Host"))
	assert.Equal(t, got.Header.Get("X-Kong-Request-Id"), at.Header.Get("X-Kong-Request-Id"))
	assert.Empty(t, at.Header.Values("X-Mine"))

	notFound := send(t, g, "GET /nowhere HTTP/1.1\nAccept: text/html")
	assert.Equal(t, "HTTP/1.1 404 Not Found", notFound.Line)
	assert.Equal(t, "text/html; charset=utf-8", notFound.Header.Get("Content-Type"))
	assert.Regexp(t, `^\d+$`, notFound.Header.Get("X-Kong-Response-Latency"))
}

func TestErrorLogOfRefusedUpstream(t *testing.T) {
	port := closedPort(t)
	g := standInFor(t, gateway.Options{}, declare("http://127.0.0.1:"+port, plainRoute, ""))
	assert.Equal(t, 502, send(t, g, "GET /p/x HTTP/1.1\nHost: a.example").Status)
	assert.Regexp(t, `\[error\] \d+#0: \*1 connect\(\) failed \(111: Connection refused\) while connecting to upstream, client: 127.0.0.1, server: kong, `+
		`request: "GET /p/x HTTP/1.1", upstream: "http://127.0.0.1:`+port+`/x", host: "a.example", request_id: "[0-9a-f]{32}"`, errorLogOf(g))
}

func TestRingSharesByWeight(t *testing.T) {
	a, b := echo(t), echo(t)
	target := func(s *httptest.Server, weight int) string {
		return fmt.Sprintf(`{"target":%q,"weight":%d}`, strings.TrimPrefix(s.URL, "http://"), weight)
	}
	g := standInFor(t, gateway.Options{}, `{"_format_version":"3.0","upstreams":[{"name":"ring","targets":[`+target(a, 300)+`,`+target(b, 100)+`]}],
		"services":[{"name":"s","host":"ring","routes":[{"name":"r","paths":["/"]}]}]}`)
	count := map[string]int{}
	for range 8 {
		count["http://"+send(t, g, "GET / HTTP/1.1").seen(t).Host]++
	}
	assert.Equal(t, map[string]int{a.URL: 6, b.URL: 2}, count)
}

func TestHostsGiveAddresses(t *testing.T) {
	up := echo(t)
	_, port, err := net.SplitHostPort(up.Listener.Addr().String())
	require.NoError(t, err)
	g := standInFor(t, gateway.Options{Hosts: map[string]string{"weather.internal": "127.0.0.1"}},
		declare("http://weather.internal:"+port, plainRoute, ""))
	assert.Equal(t, "weather.internal:"+port, send(t, g, "GET /p HTTP/1.1").seen(t).Host)
}

func TestKeepAliveAndBodies(t *testing.T) {
	up := echo(t)
	g := standInFor(t, gateway.Options{}, declare(up.URL, plainRoute, ""))
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.URL(), "http://"))
	require.NoError(t, err)
	defer conn.Close()
	io.WriteString(conn, "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"+
		"HEAD /p HTTP/1.1\r\nHost: a\r\n\r\nGET /p HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	r := bufio.NewReader(conn)
	first := readAnswer(t, r, "POST").seen(t)
	assert.Equal(t, "abc", first.Body)
	assert.Equal(t, "3", first.Header.Get("Content-Length"))
	head := readAnswer(t, r, "HEAD")
	assert.Equal(t, "HTTP/1.1 200 OK", head.Line)
	assert.Empty(t, head.Body)
	assert.Equal(t, "GET", readAnswer(t, r, "GET").seen(t).Method)
	_, err = r.ReadByte()
	assert.ErrorIs(t, err, io.EOF)
}

func TestUpgradedConnection(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, buf, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: "+r.Header.Get("Upgrade")+"\r\nConnection: Upgrade\r\n\r\n")
		io.Copy(conn, buf)
	}))
	defer up.Close()
	g, _ := probed(t, up.URL, map[string]any{"in_response": ask(getStatus)})
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.URL(), "http://"))
	require.NoError(t, err)
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, "GET /p HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	require.NoError(t, err)
	assert.Equal(t, 101, resp.StatusCode)
	assert.Equal(t, "websocket", resp.Header.Get("Upgrade"))
	io.WriteString(conn, "ping\n")
	line, err := r.ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "ping\n", line)
	assert.Contains(t, errorLogOf(g), "response buffering was turned off: connection upgrade (websocket)")
}

func TestCloseLeavesNothing(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done() // an answer that does not end
	}))
	defer up.Close()
	probePath(t, "probe")
	before := runtime.NumGoroutine()
	gw, err := Start(t.Context(), gateway.Options{Plugins: []string{probePath(t, "probe-log")}})
	require.NoError(t, err)
	g := gw.(*standIn)
	require.NoError(t, g.Load(t.Context(), []byte(declare(up.URL, plainRoute, `{"name":"probe-log"}`))))
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.URL(), "http://"))
	require.NoError(t, err)
	defer conn.Close()
	io.WriteString(conn, "GET /p HTTP/1.1\r\nHost: a\r\n\r\n")
	_, err = bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, g.Close())
	_, err = os.Stat(g.prefix)
	assert.ErrorIs(t, err, os.ErrNotExist)
	eventually(t, func() bool { return runtime.NumGoroutine() <= before+4 }, "goroutines to end") // those of the upstream
}
