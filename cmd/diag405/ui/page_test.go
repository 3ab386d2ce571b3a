package ui

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"diag405/plugin/logread"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/cli"
	"diag405/kong"
)

// serving runs the command until the test ends, and returns the address it prints.
func serving(t *testing.T, args ...string) string {
	t.Helper()
	o, err := parse(args)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	in, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := o.run(ctx, cli.Streams{In: strings.NewReader(""), Out: out, Err: io.Discard})
		out.CloseWithError(fmt.Errorf("it ended: %w", err))
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		in.Close()
		assert.NoError(t, <-ended)
	})
	line, err := bufio.NewReader(in).ReadString('\n')
	require.NoError(t, err)
	go io.Copy(io.Discard, in)
	return strings.TrimSpace(line)
}

// client is somebody who opened the page.
type client struct {
	t      *testing.T
	origin string
	http   *http.Client
}

func open(t *testing.T, address string) *client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	c := &client{t, address[:strings.Index(address, "/?")], &http.Client{Jar: jar}}
	res, err := c.http.Get(address)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, 200, res.StatusCode)
	return c
}

// post asks a question in JSON, and decodes what comes into an answer.
func (c *client) post(path, question string, answer any) int {
	c.t.Helper()
	res, err := c.http.Post(c.origin+path, "application/json", strings.NewReader(question))
	require.NoError(c.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(c.t, err)
	require.NoError(c.t, json.Unmarshal(body, answer), "%s", body)
	return res.StatusCode
}

// founding is the founding configuration in a file.
func founding(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "kong.yml")
	require.NoError(t, os.WriteFile(name, kong.Founding, 0o644))
	return name
}

// asked is the part of an explanation that tests look at.
type asked struct {
	Explanation struct {
		Route    struct{ ID, Name string }
		Upstream struct{ Method, URI string }
		If405    *struct {
			Cause, Certainty string
			Fixes            []struct{ Set json.RawMessage }
		} `json:"if_405"`
		Diagnosis *struct{ Cause string }
	}
	Picture     string
	Routes      tried
	Differences [][]difference
	Error       string
}

const foundingQuestion = `{"method": "POST", "target": "/api/sendWeather"`

// The founding case is explained, the fix is tried in the page, and the file stays as
// it is.
func TestExplain(t *testing.T) {
	name := founding(t)
	c := open(t, serving(t, "-config", name))
	var a asked
	require.Equal(t, 200, c.post("/explain", foundingQuestion+"}", &a))
	assert.Equal(t, "POST /", a.Explanation.Upstream.Method+" "+a.Explanation.Upstream.URI)
	assert.Equal(t, "strip-path likely", a.Explanation.If405.Cause+" "+a.Explanation.If405.Certainty)
	assert.Contains(t, a.Picture, "strip_path takes /api/sendWeather away")
	assert.Equal(t, 2, a.Routes.Total)
	assert.Equal(t, []string{"no", "takes"}, []string{a.Routes.Shown[0].Verdict, a.Routes.Shown[1].Verdict})
	assert.Equal(t, "its only method is GET", a.Routes.Shown[0].Failed[1].Words)

	change := fmt.Sprintf(`{"route_id": %q, "route_name": %q, "set": %s}`,
		a.Explanation.Route.ID, a.Explanation.Route.Name, a.Explanation.If405.Fixes[0].Set)
	var changed asked
	require.Equal(t, 200, c.post("/explain", foundingQuestion+`, "status": 405, "allow": "GET", "changes": [`+change+"]}", &changed))
	assert.Equal(t, "POST /api/sendWeather", changed.Explanation.Upstream.Method+" "+changed.Explanation.Upstream.URI)
	assert.Nil(t, changed.Explanation.If405)
	assert.Nil(t, changed.Explanation.Diagnosis, "the answer was that of the configuration without the change")
	assert.Equal(t, [][]difference{{{File: name, Line: 22, Added: []string{"        strip_path: false"}, Before: "          - POST"}}}, changed.Differences)

	require.Equal(t, 200, c.post("/explain", foundingQuestion+`, "status": 405, "allow": "GET", "changes": []}`, &a))
	assert.Equal(t, "POST /", a.Explanation.Upstream.Method+" "+a.Explanation.Upstream.URI, "another page has a copy of its own")
	assert.Equal(t, "strip-path", a.Explanation.Diagnosis.Cause)

	data, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, string(kong.Founding), string(data))
}

// A pasted curl command has the whole request, whatever else the form has.
func TestExplainCurl(t *testing.T) {
	c := open(t, serving(t, "-config", founding(t)))
	var a asked
	require.Equal(t, 200, c.post("/explain", `{"method": "GET", "host": "other", "scheme": "https", "headers": ["A: b"], "target": "$ curl http://localhost:8000/api/sendWeather -H 'Content-Type: application/json' -d '{}'"}`, &a), a.Error)
	assert.Equal(t, "POST /", a.Explanation.Upstream.Method+" "+a.Explanation.Upstream.URI)
	assert.Equal(t, 422, c.post("/explain", `{"method": "GET", "target": "curl --nonsense http://localhost:8000/"}`, &a))
	assert.Contains(t, a.Error, "--nonsense")
}

// What cannot be answered is said in one line.
func TestRefuses(t *testing.T) {
	c := open(t, serving(t, "-config", founding(t)))
	for _, tt := range []struct {
		path, question string
		status         int
		words          string
	}{
		{"/explain", `{"method": "post", "target": "/"}`, 422, `METHOD "post" is not upper case letters`},
		{"/explain", `{"method": "POST", "target": "nowhere"}`, 422, `"nowhere" should start with /`},
		{"/explain", `{"method": "POST", "target": "/", "consumer": "nobody"}`, 422, `consumer "nobody" is not among the consumers of`},
		{"/explain", `{"method": "POST", "target": "/", "headers": ["x"]}`, 422, `"x" is not a header`},
		{"/explain", `{"method": "POST", "target": "/", "status": 200}`, 422, "explains 405 and 404"},
		{"/explain", `{"method": "POST", "target": "/", "changes": [{"route_name": "other", "set": {"route.strip_path": false}}]}`, 422, `route "other" is not in the configuration`},
		{"/explain", `{"method": "POST", "target": "/", "changes": [{"route_name": "internal-weather-route-GET", "set": {"route.methods": 1}}]}`, 422, "the change cannot be made"},
		{"/lint", `{"changes": [` + strings.TrimSuffix(strings.Repeat(`{"set": {}},`, maxChanges+1), ",") + `]}`, 422, "a page may have 20 changes"},
		{"/explain", `{"methods": 1}`, 400, "unknown field"},
		{"/explain", `[`, 400, "reading the question"},
		{"/explain", `{"target": "` + strings.Repeat("a", maxQuestion) + `"}`, 413, "may have 64 KB"},
	} {
		var a asked
		assert.Equal(t, tt.status, c.post(tt.path, tt.question, &a), tt.words)
		assert.Contains(t, a.Error, tt.words)
		assert.NotContains(t, a.Error, "\n")
	}
	res, err := c.http.Post(c.origin+"/explain", "text/plain", strings.NewReader(foundingQuestion+"}"))
	require.NoError(t, err)
	res.Body.Close()
	assert.Equal(t, 415, res.StatusCode, "what a form of another page can send")
	for path, want := range map[string]int{"/explain": 405, "/nothing": 404, "/page/index.html": 404, "/log": 404, "/main.js": 200} {
		res, err := c.http.Get(c.origin + path)
		require.NoError(t, err)
		res.Body.Close()
		assert.Equal(t, want, res.StatusCode, path)
	}
}

// Of thousands of routes those are shown that are nearest, in Kong's order, and the
// rest is counted.
func TestManyRoutes(t *testing.T) {
	var doc bytes.Buffer
	doc.WriteString("_format_version: \"3.0\"\nservices:\n- name: s\n  url: http://a.example\n  routes:\n")
	for i := range 3000 {
		fmt.Fprintf(&doc, "  - {name: r%04d, paths: [/shop/%04d], methods: [GET]}\n", i, i)
	}
	doc.WriteString("  - {name: short, paths: [/shop]}\n")
	name := filepath.Join(t.TempDir(), "kong.yml")
	require.NoError(t, os.WriteFile(name, doc.Bytes(), 0o644))
	c := open(t, serving(t, "-config", name))
	var a asked
	require.Equal(t, 200, c.post("/explain", `{"method": "GET", "target": "/shop/2999/x"}`, &a))
	assert.Equal(t, 3001, a.Routes.Total)
	require.Len(t, a.Routes.Shown, maxTried)
	verdicts := map[string]string{}
	for i, r := range a.Routes.Shown {
		verdicts[r.Name] = r.Verdict
		if i > 0 {
			assert.Greater(t, r.Turn, a.Routes.Shown[i-1].Turn)
		}
	}
	assert.Equal(t, "takes", verdicts["r2999"])
	assert.Equal(t, "behind", verdicts["short"])
	assert.Equal(t, "no", verdicts["r2998"])
	last := a.Routes.Shown[maxTried-1]
	assert.Equal(t, "short", last.Name)
	assert.Equal(t, 3001, last.Turn)

	var l linted
	require.Equal(t, 200, c.post("/lint", `{}`, &l))
	assert.Len(t, l.Findings, maxFindings)
	assert.Greater(t, l.Total, maxFindings)
	assert.Equal(t, 3006, l.Files[0].Lines)
	shown := 0
	for _, p := range l.Files[0].Parts {
		shown += len(p.Lines)
	}
	assert.Less(t, shown, 3006, "only the lines around findings")
}

// Findings stand at their lines, and go away with their fix.
func TestLint(t *testing.T) {
	name := founding(t)
	c := open(t, serving(t, "-config", name))
	var l linted
	require.Equal(t, 200, c.post("/lint", `{}`, &l))
	require.Equal(t, 2, l.Total)
	f := l.Findings[0]
	assert.Equal(t, "literal-star", f.ID)
	assert.Equal(t, name, f.File)
	assert.Equal(t, "      - name: internal-weather-route-GET", l.Files[0].Parts[0].Lines[f.Line-1])
	change, err := json.Marshal(f.Change)
	require.NoError(t, err)
	require.Equal(t, 200, c.post("/lint", fmt.Sprintf(`{"changes": [%s]}`, change), &l))
	for _, f := range l.Findings {
		assert.NotEqual(t, "literal-star", f.ID)
	}
	require.NotEmpty(t, l.Files[0].Parts[0].Changed)
	assert.Contains(t, l.Files[0].Parts[0].Lines[l.Files[0].Parts[0].Changed[0]-1], "/api/getWeather/")
}

// A file that its owner has changed is read again when the page asks for it. When it
// cannot be read, what was read before stays.
func TestReadAgain(t *testing.T) {
	name := founding(t)
	c := open(t, serving(t, "-config", name))
	var a about
	require.NoError(t, os.WriteFile(name, []byte("_format_version: \"3.0\"\nservices: []\n"), 0o644))
	require.Equal(t, 200, c.post("/read", `{}`, &a))
	assert.Equal(t, 0, a.Configuration.Routes)
	require.NoError(t, os.WriteFile(name, []byte("_format_version: nonsense\n"), 0o644))
	var failed failure
	require.Equal(t, 422, c.post("/read", `{}`, &failed))
	assert.Contains(t, failed.Error, "_format_version")
	require.NoError(t, os.WriteFile(name, kong.Founding, 0o644))
	require.Equal(t, 200, c.post("/read", `{}`, &a))
	assert.Equal(t, 2, a.Configuration.Routes)
}

// From an Admin API everything works as from a file, and it is only read.
func TestAdmin(t *testing.T) {
	var mu sync.Mutex
	methods := map[string]bool{}
	lists := map[string]string{
		"/services": `{"id":"5a7d2c3e-0000-4000-8000-000000000001","name":"weather","protocol":"http","host":"app","port":8900,"path":null,"enabled":true}`,
		"/routes":   `{"id":"5a7d2c3e-0000-4000-8000-000000000003","name":"post","service":{"id":"5a7d2c3e-0000-4000-8000-000000000001"},"protocols":["http"],"methods":["POST"],"paths":["/api/sendWeather"],"strip_path":true,"headers":null}`,
	}
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		methods[r.Method] = true
		if r.URL.Path == "/" {
			io.WriteString(w, `{"version":"3.9.1","configuration":{"router_flavor":"traditional_compatible","database":"postgres"}}`)
			return
		}
		if r.URL.Path == "/consumers/ann" {
			io.WriteString(w, `{"id":"5a7d2c3e-0000-4000-8000-000000000009","username":"ann"}`)
			return
		}
		if strings.HasPrefix(r.URL.Path, "/consumers/") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprintf(w, `{"data":[%s],"next":null}`, lists[r.URL.Path])
	}))
	defer admin.Close()
	c := open(t, serving(t, "-admin", admin.URL))
	change := `{"route_name": "post", "set": {"route.strip_path": false}}`
	var a asked
	require.Equal(t, 200, c.post("/explain", foundingQuestion+`, "changes": [`+change+`]}`, &a))
	assert.Equal(t, "/api/sendWeather", a.Explanation.Upstream.URI)
	require.Len(t, a.Differences, 1)
	assert.Contains(t, a.Differences[0][0].Added[0], `"strip_path": false`)
	require.Equal(t, 200, c.post("/explain", foundingQuestion+`, "consumer": "ann", "changes": [`+change+`]}`, &a), "an Admin API is asked for who asks: %s", a.Error)
	assert.Equal(t, "/api/sendWeather", a.Explanation.Upstream.URI)
	assert.Equal(t, 422, c.post("/explain", foundingQuestion+`, "consumer": "bob"}`, &a))
	assert.Contains(t, a.Error, `consumer "bob" is not among the consumers of`)
	var l linted
	require.Equal(t, 200, c.post("/lint", `{}`, &l))
	require.NotEmpty(t, l.Findings)
	assert.Equal(t, "consumed-path", l.Findings[0].ID)
	assert.Contains(t, strings.Join(l.Files[0].Parts[0].Lines[l.Findings[0].Line-1:l.Findings[0].Line+10], "\n"), "/api/sendWeather")
	mu.Lock()
	defer mu.Unlock()
	assert.Equal(t, map[string]bool{"GET": true}, methods)
}

// logged is a diagnosis as it stands in an error log.
func logged(cause, path string) string {
	return fmt.Sprintf("2026/11/23 08:06:03 [warn] 1443#0: *656 [kong] pb_rpc.lua:233 [diag405] event=diagnosis cause=%s certainty=likely "+
		"reason=\"the reason\" fix=\"the fix\" client=\"POST http://localhost:8000%s\" upstream=\"POST http://app/\" route=internal-weather-route-POST while sending to client, client: 127.0.0.1\n", cause, path)
}

// The page is told what a log has, and what comes.
func TestLog(t *testing.T) {
	name := filepath.Join(t.TempDir(), "error.log")
	require.NoError(t, os.WriteFile(name, []byte(logged("strip-path", "/a")), 0o644))
	c := open(t, serving(t, "-log", name))
	var a asked
	require.Equal(t, 422, c.post("/explain", foundingQuestion+"}", &a))
	assert.Contains(t, a.Error, "without a configuration")

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", c.origin+"/log", nil)
	require.NoError(t, err)
	res, err := c.http.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	events := bufio.NewReader(res.Body)
	until(t, events, func(c counted) bool { return c.Diagnoses == 1 && c.Groups[0].Cause == "strip-path" })
	log, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = log.WriteString(logged("host-header", "/b"))
	require.NoError(t, err)
	require.NoError(t, log.Close())
	last := until(t, events, func(c counted) bool { return c.Diagnoses == 2 })
	assert.Equal(t, 2, last.Total)
	assert.Equal(t, 2, last.Lines)
}

// Pages beyond the bound are told so, and one that goes away makes room.
func TestLogBound(t *testing.T) {
	p := &page{log: newWatched(nil, &logread.Judge{})}
	status := func() int {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w := httptest.NewRecorder()
		p.handler().ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/log", nil))
		return w.Code
	}
	for range maxStreams {
		p.log.streams <- struct{}{}
	}
	assert.Equal(t, 503, status())
	<-p.log.streams
	for range 2 * maxStreams {
		assert.Equal(t, 200, status())
	}
}

// until reads events until one is as wanted.
func until(t *testing.T, events *bufio.Reader, isWanted func(counted) bool) counted {
	t.Helper()
	for {
		line, err := events.ReadString('\n')
		require.NoError(t, err)
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var c counted
		require.NoError(t, json.Unmarshal([]byte(data), &c))
		if isWanted(c) {
			return c
		}
	}
}
