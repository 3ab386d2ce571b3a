package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Kong/go-pdk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/gateway"
	"diag405/kong/gateway/standin"
)

// talker is a plugin that makes many calls and tells what came of them. It is
// served by both servers, with the same handlers.
type talker struct {
	Report string `json:"report"` // address that outcomes are sent to
	Word   string `json:"word"`
	Ahead  bool   `json:"ahead"`
}

func newTalker() any { return &talker{Word: "default"} }

func (c *talker) Prefetch(phase string) *Batch {
	if !c.Ahead {
		return nil
	}
	return Together(c.asks(phase)...)
}

func (c *talker) asks(phase string) []Ask {
	common := []Ask{Var("request"), Var("request_method"), Var("upstream_uri"), Route(), Service(), requestHeaders(-1), Var("host")}
	switch phase {
	case "access":
		return append(common, requestMethod(), requestHeader("x-one"), Call("kong.ctx.shared.get", text("shared")))
	case "response":
		return append(common, Status(), responseStatus(), responseHeaders(50))
	}
	return []Ask{Route(), Service(), requestHeaders(-1), responseStatus(), responseHeaders(50), Serialize()}
}

// telling collects the outcomes of calls.
type telling struct{ lines []string }

func (l *telling) got(value any, err error) {
	l.lines = append(l.lines, fmt.Sprintf("%+v %v", value, err))
}

func (l *telling) did(err error) { l.got("did", err) }

func (l *telling) section(name string) { l.lines = append(l.lines, "-- "+name) }

func (l *telling) send(address, phase string) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprintln(conn, phase+"\n"+strings.Join(l.lines, "\n"))
}

func (c *talker) Access(kong *pdk.PDK) {
	if word, _ := kong.Request.GetHeader("x-one"); word == "panic" {
		kong.Ctx.SetShared("panicked", true)
		panic("on demand")
	}
	l := &telling{}
	c.reads(kong, l)
	l.section("access")
	l.got(kong.Request.GetMethod())
	l.got(kong.Request.GetHeader("x-one"))
	l.got(kong.Ctx.GetSharedAny("shared"))
	l.did(kong.Ctx.SetShared("shared", map[string]any{"a": []any{1, "b", true}, "line": "a\nb"}))
	l.got(kong.Ctx.GetSharedAny("shared"))
	l.did(kong.Nginx.SetCtx("mine", 5))
	l.got(kong.Nginx.GetCtxInt("mine"))
	l.did(kong.ServiceRequest.SetHeader("X-Set", "by "+c.Word))
	l.got(kong.Request.GetHeaders(-1))
	l.did(kong.ServiceRequest.SetMethod("PUT"))
	l.got(kong.Nginx.GetVar("request_method"))
	l.did(kong.ServiceRequest.SetPath("/changed"))
	l.got(kong.Nginx.GetVar("upstream_uri"))
	l.did(kong.Log.Notice("access ", c.Word, 1.5, true))
	l.did(kong.Response.SetHeader("X-Early", "1"))
	if word, _ := kong.Request.GetHeader("x-one"); word == "raise" {
		l.got(kong.ServiceResponse.GetStatus()) // raises in this phase
	}
	l.send(c.Report, "access")
}

func (c *talker) Response(kong *pdk.PDK) {
	l := &telling{}
	c.reads(kong, l)
	l.section("response")
	l.got(kong.ServiceResponse.GetStatus())
	l.got(kong.ServiceResponse.GetHeader("x-up"))
	l.got(kong.Response.GetStatus())
	l.got(kong.Response.GetHeaders(50))
	l.did(kong.Response.SetHeader("X-Talker", c.Word))
	l.did(kong.Response.AddHeader("X-Talker", "again"))
	l.got(kong.Response.GetHeader("x-talker"))
	l.got(kong.Response.GetHeaders(50))
	l.did(kong.Response.ClearHeader("X-Up"))
	l.got(kong.Nginx.GetVar("sent_http_x_talker"))
	l.got(kong.ServiceResponse.GetRawBody())
	l.got(kong.Ctx.GetSharedAny("shared"))
	l.did(kong.Log.Warn("response ", c.Word))
	l.send(c.Report, "response")
}

func (c *talker) Log(kong *pdk.PDK) {
	l := &telling{}
	l.got(kong.Router.GetRoute())
	l.got(kong.Router.GetService())
	l.got(kong.Request.GetHeaders(-1))
	l.got(kong.Response.GetStatus())
	l.got(kong.Response.GetHeaders(50))
	l.got(kong.Log.Serialize())
	l.did(kong.Log.Err("log"))
	l.send(c.Report, "log")
}

func (c *talker) reads(kong *pdk.PDK, l *telling) {
	for _, name := range []string{"request", "host", "upstream_uri", "nothing_like_it", "request_method", "request"} {
		l.got(kong.Nginx.GetVar(name))
	}
	l.got(kong.Router.GetRoute())
	l.got(kong.Router.GetService())
	l.got(kong.Request.GetHeaders(-1))
	l.got(kong.Request.GetHeader("x-two"))
	l.got(kong.Request.GetQuery(-1))
	l.got(kong.Request.GetHttpVersion())
	l.got(kong.Client.GetPort())
	l.got(kong.Nginx.GetSubsystem())
	l.got(kong.IP.IsTrusted("127.0.0.1"))
	_, named, err := kong.Request.GetUriCaptures()
	l.got(named, err)
}

// changing is what differs from run to run: addresses, ids, times, process numbers.
var changing = regexp.MustCompile(`127\.0\.0\.1:\d+|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}` +
	`|\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT|\d{4}/\d\d/\d\d \d\d:\d\d:\d\d|\d+#0: \*\d+` +
	`|\b\d{5,}(\.\d+)?|\d\.\d+e\+\d+|(?i)latency[^\d]*\d+|"latencies":[^}]*|\[(ours|go-pdk)\]`)

// collector takes what talkers tell.
type collector struct {
	l    net.Listener
	told chan string
	wg   sync.WaitGroup
}

func newCollector(t *testing.T) *collector {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &collector{l: l, told: make(chan string, 100)}
	t.Cleanup(func() { l.Close(); c.wg.Wait() })
	c.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			data, _ := io.ReadAll(conn)
			conn.Close()
			c.told <- string(data)
		}
	})
	return c
}

// next is what the next phase told.
func (c *collector) next(t *testing.T) string {
	t.Helper()
	select {
	case s := <-c.told:
		return s
	case <-time.After(20 * time.Second):
		require.FailNow(t, "a phase told nothing")
		return ""
	}
}

// TestSameAsGoPDK runs one plugin on both servers, under the stand-in, and compares
// everything that the handlers, the client, the upstream and the log see.
func TestSameAsGoPDK(t *testing.T) {
	want := transcript(t, goPDKName, false)
	require.Contains(t, want, "GET /p/one?q=1 HTTP/1.1")
	require.Contains(t, want, "X-Talker: word")
	assert.Equal(t, want, transcript(t, oursName, false), "without asks ahead")
	assert.Equal(t, want, transcript(t, oursName, true), "with asks ahead")
}

// TestPanicUnderAGateway: a panic is in the error log with its place, the answer
// stands, and the next request meets the same server.
func TestPanicUnderAGateway(t *testing.T) {
	c := newCollector(t)
	up := httptest.NewServer(http.NotFoundHandler())
	defer up.Close()
	log := &gateway.Lines{}
	g, err := standin.Start(t.Context(), gateway.Options{Plugins: []string{executable(t, oursName)}, ErrorLog: log})
	require.NoError(t, err)
	defer g.Close()
	require.NoError(t, g.Load(t.Context(), fmt.Appendf(nil, `{"_format_version":"3.0","services":[{"name":"s","url":%q,
		"routes":[{"name":"r","paths":["/p"]}],"plugins":[{"name":"ours","config":{"report":%q}}]}]}`, up.URL, c.l.Addr())))
	for _, one := range []string{"panic", "1", "panic"} {
		req, _ := http.NewRequest("GET", g.URL()+"/p", nil)
		req.Header.Set("X-One", one)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, 404, resp.StatusCode)
		assert.Equal(t, "default", resp.Header.Get("X-Talker"))
	}
	assert.Equal(t, 2, strings.Count(log.String(), "panic in access: on demand; at server.(*talker).Access (compare_test.go:"))
	assert.NotContains(t, log.String(), "terminated")
}

// awaitLogPhases waits for the line with which a log phase ends. Ours writes it behind
// the handler's back, when that has told all already: without the wait it comes among
// the next request's lines, or after the gateway's end.
func awaitLogPhases(t *testing.T, log *gateway.Lines, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := log.Find(ctx, func(line string) bool {
		if strings.Contains(line, "pb_rpc.lua:233") && strings.Contains(line, "] log, context: ngx.timer") {
			n--
		}
		return n == 0
	})
	require.NoError(t, err, "a log phase wrote no line")
}

func transcript(t *testing.T, name string, ahead bool) string {
	c := newCollector(t)
	var out strings.Builder
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(&out, "upstream:", r.Method, r.RequestURI, r.Header["X-Set"])
		w.Header().Set("X-Up", "up")
		w.WriteHeader(405)
		io.WriteString(w, "body")
	}))
	defer up.Close()
	log := &gateway.Lines{}
	g, err := standin.Start(t.Context(), gateway.Options{Plugins: []string{executable(t, name)}, ErrorLog: log})
	require.NoError(t, err)
	defer g.Close()
	config, _ := json.Marshal(map[string]any{"report": c.l.Addr().String(), "word": "word", "ahead": ahead})
	require.NoError(t, g.Load(t.Context(), fmt.Appendf(nil, `{"_format_version":"3.0","services":[{"name":"s","url":%q,"retries":0,
		"routes":[{"name":"r","paths":["/p"]}],"plugins":[{"name":%q,"config":%s}]}]}`, up.URL, name, config)))
	for i, one := range []string{"1", "2", "raise"} {
		req, _ := http.NewRequest("GET", g.URL()+"/p/one?q=1", nil)
		req.Header.Set("X-One", one)
		req.Header["X-Two"] = []string{"a", "b"}
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		resp.Header.Del("Date")
		fmt.Fprintln(&out, resp.Status, string(body))
		resp.Header.Write(&out)
		told := []string{c.next(t), c.next(t)}
		if one != "raise" { // Kong answers that one itself
			told = append(told, c.next(t))
		}
		slices.Sort(told) // the log phase runs in a timer
		out.WriteString(strings.Join(told, ""))
		awaitLogPhases(t, log, i+1)
	}
	require.NoError(t, g.Close())
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "pb_rpc.lua:233") {
			fmt.Fprintln(&out, strings.TrimSuffix(line, "\n")) // nothing may follow the last one
		}
	}
	return changing.ReplaceAllString(out.String(), "~")
}
