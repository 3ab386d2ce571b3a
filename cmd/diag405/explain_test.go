package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/diag405test"
	"diag405/kong"
	"diag405/kong/gateway"
)

const founding = "../../kong/kong.yml"

// TestExplain runs the real binary on golden files: testdata/explain-NAME.txt.
func TestExplain(t *testing.T) {
	bin := diag405test.Build(t)
	tests := []struct {
		name string
		args string
	}{
		{"founding", "-config " + founding + " POST /api/sendWeather"},
		{"founding-json", "-config " + founding + " -o json POST /api/sendWeather?unit=c"},
		{"pasted", "POST /api/sendWeather -config " + founding + " -status 405 -allow GET"}, // flags may stand behind
		{"no-method", "-config " + founding + " GET /api/sendWeather"},
		{"rewritten", "-config testdata/explain-shop.yml POST http://shop.example/shop/7?x=1"},
		{"doubled", "-config testdata/explain-shop.yml POST /v1/items"},
		{"redirected", "-config testdata/explain-shop.yml POST /secure"},
		{"disabled", "-config testdata/explain-shop.yml GET /off"},
		{"host", "-config testdata/explain-shop.yml GET /shop/7"},
		{"behind", "-config testdata/explain-shop.yml -H X-Tier:gold DELETE /v1/items//a%7E?b"},
		{"buffered", "-config testdata/explain-shop.yml PURGE /buffered/x"},
		{"terminated", "-config testdata/explain-shop.yml GET /closed -status 405"},
		{"targets", "-config testdata/explain-shop.yml GET /many/own/x"},
		{"elsewhere", "-config testdata/explain-shop.yml GET /nowhere -status 405 -allow POST"},
		{"possible", "-config testdata/explain-shop.yml POST /many/items"},
		{"trace", "-config testdata/explain-shop.yml TRACE /v1 -status 405"},
		{"help", "-h"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := diag405test.Run(t, bin, append([]string{"explain"}, strings.Fields(tt.args)...)...)
			require.Equal(t, 0, got.Code, got.Stderr)
			assert.Empty(t, got.Stderr)
			golden(t, "explain-"+tt.name+".txt", got.Stdout)
		})
	}
	t.Run("names strip_path", func(t *testing.T) {
		got := diag405test.Run(t, bin, "explain", "-config", founding, "POST", "/api/sendWeather")
		assert.Contains(t, got.Stdout, "strip_path on route internal-weather-route-POST removed /api/sendWeather")
		assert.Contains(t, got.Stdout, "upstream  POST http://weather:8900/\n")
	})
	t.Run("stdin", func(t *testing.T) {
		got := runWith(t, bin, kong.Founding, "explain", "-config", "-", "POST", "/api/sendWeather")
		assert.Contains(t, got.Stdout, "strip-path (likely)")
	})
	t.Run("openapi", func(t *testing.T) { testExplainOpenAPI(t, bin) })
	t.Run("bad input", func(t *testing.T) { testExplainBadInput(t, bin) })
	t.Run("admin", func(t *testing.T) { testExplainAdmin(t, bin) })
	t.Run("admin fails", func(t *testing.T) { testExplainAdminFails(t, bin) })
	t.Run("probe", func(t *testing.T) { testExplainProbe(t, bin) })
	t.Run("record", func(t *testing.T) { testExplainRecord(t, bin) })
	t.Run("record of Kong's own", func(t *testing.T) { testExplainRecordOfKong(t, bin) })
}

// The application's own document confirms what would be likely without it.
func testExplainOpenAPI(t *testing.T, bin string) {
	file := filepath.Join(t.TempDir(), "openapi.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"openapi": "3.1.0", "paths": {"/": {"get": {"responses": {}}}, "/api/sendWeather": {"post": {"responses": {}}}}}`), 0o644))
	got := diag405test.Run(t, bin, "explain", "-config", founding, "-openapi", file, "POST", "/api/sendWeather")
	assert.Contains(t, got.Stdout, "strip-path (confirmed)", got.Stderr)
}

// runWith runs a command with something on its stdin.
func runWith(t *testing.T, bin string, stdin []byte, args ...string) diag405test.Result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(bin, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &stdout, &stderr
	_ = cmd.Run() // the exit code tells
	return diag405test.Result{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
}

// cannotRun wants exit code 2 and one line.
func cannotRun(t *testing.T, got diag405test.Result, want string) {
	t.Helper()
	assert.Equal(t, 2, got.Code, got.Stdout)
	assert.Empty(t, got.Stdout)
	assert.Contains(t, got.Stderr, want)
	assert.Equal(t, 1, strings.Count(got.Stderr, "\n"), "one line: %s", got.Stderr)
}

func testExplainBadInput(t *testing.T, bin string) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.yml")
	require.NoError(t, os.WriteFile(broken, []byte("_format_version: '3.0'\nservices:\n- {name: a b, host: x, paht: /x}\n"), 0o644))
	flavour := filepath.Join(dir, "flavour.yml")
	require.NoError(t, os.WriteFile(flavour, []byte("_format_version: '3.0'\nroutes:\n- {name: r, expression: http.path == \"/\"}\n"), 0o644))
	with := func(args ...string) []string { return append([]string{"explain", "-config", founding}, args...) }
	tests := []struct {
		args  []string
		stdin string
		want  string
	}{
		{args: []string{"explain"}, want: "want a configuration: -config FILE or -admin URL"},
		{args: with(), want: "want METHOD PATH, got []"},
		{args: with("POST"), want: `want METHOD PATH, got ["POST"]`},
		{args: with("POST", "/", "/"), want: "want METHOD PATH"},
		{args: with("post", "/"), want: `METHOD "post" is not upper case`},
		{args: with("POST", "api"), want: `PATH "api" should start with /`},
		{args: with("POST", "/a b"), want: "white space"},
		{args: with("-explode", "POST", "/"), want: "flag provided but not defined: -explode"},
		{args: with("POST", "/", "-explode"), want: "flag provided but not defined: -explode"},
		{args: with("-o", "xml", "POST", "/"), want: `-o "xml" is not text or json`},
		{args: with("-scheme", "ftp", "POST", "/"), want: `-scheme "ftp"`},
		{args: with("-H", "no colon", "POST", "/"), want: `-H "no colon" is not a header`},
		{args: with("-allow", "GET", "POST", "/"), want: "want its -status, too"},
		{args: with("-status", "200", "POST", "/"), want: "-status 200 is no failure"},
		{args: with("-status", "405", "-header", "x", "POST", "/"), want: `-header "x" is not a header`},
		{args: with("-admin", "http://localhost:8001", "POST", "/"), want: "-config and -admin are two configurations"},
		{args: with("-admin-header", "A: b", "POST", "/"), want: "-admin-header is for -admin"},
		{args: with("-openapi", "/does/not/exist", "POST", "/"), want: "/does/not/exist"},
		{args: with("-openapi", founding, "POST", "/"), want: `-openapi "` + founding + `"`},
		{args: []string{"explain", "-admin", "localhost:8001", "POST", "/"}, want: `-admin "localhost:8001" is not an address`},
		{args: []string{"explain", "-config", "/does/not/exist", "POST", "/"}, want: "open /does/not/exist"},
		{args: []string{"explain", "-config", broken, "POST", "/"}, want: `services[0] "a b": name: "a b" may only have letters, digits and . - _ ~ (and 1 more)`},
		{args: []string{"explain", "-config", flavour, "POST", "/"}, want: "only traditional_compatible is modelled"},
		{args: []string{"explain", "-record", "POST", "/"}, want: "-record brings the request along"},
		{args: []string{"explain", "-record", "-status", "405"}, want: "-record brings its own along"},
		{args: []string{"explain", "-record", "-config", "-"}, want: "-record reads stdin"},
		{args: []string{"explain", "-record", "-probe"}, want: "-probe asks the service that a configuration names"},
		{args: []string{"explain", "-record"}, want: "stdin is empty"},
		{args: []string{"explain", "-record"}, stdin: "something else", want: "neither a log plugin's record nor a diagnosis"},
		{args: []string{"explain", "-record"}, stdin: `{"request": 1`, want: "not a record in JSON"},
		{args: []string{"explain", "-record"}, stdin: `{}`, want: "not a record of Kong"},
		{args: []string{"explain", "-record"}, stdin: `[]`, want: "not a record in JSON"},
		{args: []string{"explain", "-record"}, stdin: `{"request": {"method": "GET", "uri": "/"}, "response": {"status": 200}}`, want: "the record's status is 200"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			cannotRun(t, runWith(t, bin, []byte(tt.stdin), tt.args...), tt.want)
		})
	}
}

// fakeAdmin serves the founding configuration as Kong's Admin API does, one object
// a page, to requests with the token.
type fakeAdmin struct {
	mu      sync.Mutex
	methods map[string]bool
	lists   map[string][]string
}

func (f *fakeAdmin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.methods[r.Method] = true
	f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if r.Header.Get("Kong-Admin-Token") != "secret" {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"message":"Invalid credentials. Token or User credentials required"}`)
		return
	}
	path, isBelow := strings.CutPrefix(r.URL.Path, "/admin-api")
	list, ok := f.lists[path]
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

const (
	adminService  = `{"id":"5a7d2c3e-0000-4000-8000-000000000001","name":"weather","protocol":"http","host":"apps","port":80,"path":null,"enabled":true,"created_at":1}`
	adminGet      = `{"id":"5a7d2c3e-0000-4000-8000-000000000002","name":"get","service":{"id":"5a7d2c3e-0000-4000-8000-000000000001"},"protocols":["http"],"methods":["GET"],"paths":["/api/getWeather"],"strip_path":true,"headers":null}`
	adminPost     = `{"id":"5a7d2c3e-0000-4000-8000-000000000003","name":"post","service":{"id":"5a7d2c3e-0000-4000-8000-000000000001"},"protocols":["http"],"methods":["POST"],"paths":["/api/sendWeather"],"strip_path":true,"headers":null}`
	adminUpstream = `{"id":"5a7d2c3e-0000-4000-8000-000000000004","name":"apps","algorithm":"round-robin","host_header":null,"slots":10000}`
	adminTarget   = `{"id":"5a7d2c3e-0000-4000-8000-000000000005","target":"10.0.0.1:8900","weight":100,"upstream":{"id":"5a7d2c3e-0000-4000-8000-000000000004"}}`
	adminPlugin   = `{"id":"5a7d2c3e-0000-4000-8000-000000000006","name":"diag405","route":null,"service":null,"consumer":null,"enabled":true,"protocols":["http"],"config":{"buffering":"auto"}}`
)

func testExplainAdmin(t *testing.T, bin string) {
	fake := &fakeAdmin{methods: map[string]bool{}, lists: map[string][]string{
		"/services": {adminService}, "/routes": {adminGet, adminPost}, "/plugins": {adminPlugin}, "/upstreams": {adminUpstream},
		"/upstreams/5a7d2c3e-0000-4000-8000-000000000004/targets": {adminTarget},
	}}
	server := httptest.NewServer(fake)
	defer server.Close()
	args := []string{"explain", "-admin", server.URL + "/admin-api/", "POST", "/api/sendWeather"}
	got := diag405test.Run(t, bin, append(args, "-admin-header", "Kong-Admin-Token: secret")...)
	require.Equal(t, 0, got.Code, got.Stderr)
	golden(t, "explain-admin.txt", got.Stdout)
	cannotRun(t, diag405test.Run(t, bin, args...), "GET /services answered 401 Unauthorized; -admin-header 'Kong-Admin-Token: ...' sends a token")
	assert.Equal(t, map[string]bool{"GET": true}, fake.methods)
}

func testExplainAdminFails(t *testing.T, bin string) {
	answers := map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"not JSON":          {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>Kong Manager</html>") }, "answered with text/html; charset=utf-8 and not with a list in JSON"},
		"another JSON":      {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"status":"ok"}`) }, "not with a list in JSON"},
		"not found":         {http.NotFound, "answered 404 Not Found; is this Kong's Admin API?"},
		"redirect":          {http.RedirectHandler("https://example.com/", 302).ServeHTTP, "answered 302 Found"},
		"endless":           {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":[],"next":"/services?offset=1"}`) }, `has "/services?offset=1" as its next page`},
		"what Kong has not": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":[{"host": 1}],"next":null}`) }, "-admin"},
	}
	for name, a := range answers {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(a.handler)
			defer server.Close()
			cannotRun(t, diag405test.Run(t, bin, "explain", "-admin", server.URL, "POST", "/"), a.want)
		})
	}
	cannotRun(t, diag405test.Run(t, bin, "explain", "-admin", "http://"+refusingAddress(t), "POST", "/"), "nothing answers at -admin")
}

// A probe confirms the verdict with OPTIONS alone.
func testExplainProbe(t *testing.T, bin string) {
	takes := map[string]string{"/": "GET", "/api/sendWeather": "POST", "/api/sendWeather/x": "POST"}
	var mu sync.Mutex
	got := map[string]bool{}
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		got[r.Method+" "+r.Header.Get("Authorization")] = true
		mu.Unlock()
		if takes[r.URL.Path] == "" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Allow", takes[r.URL.Path])
		w.WriteHeader(http.StatusMethodNotAllowed)
	}))
	defer app.Close()
	cfg := bytes.ReplaceAll(kong.Founding, []byte("http://weather:8900"), []byte(app.URL))
	show := func(args ...string) string {
		res := runWith(t, bin, cfg, append([]string{"explain", "-config", "-", "-probe", "-H", "Authorization: Bearer x"}, args...)...)
		require.Equal(t, 0, res.Code, res.Stderr)
		return stable(res.Stdout)
	}
	golden(t, "explain-probe.txt", show("POST", "/api/sendWeather"))
	assert.Contains(t, show("POST", "/api/sendWeather", "-status", "405", "-allow", "GET"), "strip-path (confirmed)")
	assert.Contains(t, show("POST", "/api/sendWeather/x"), "the upstream has nothing at /x: it would answer 404 and not 405")
	assert.Contains(t, show("POST", "/api/sendWeather/x"), "a 404 is to be expected, because of strip-path (confirmed)")
	takes["/"] = "GET, POST"
	assert.Contains(t, show("POST", "/api/sendWeather"), "the upstream takes POST /\n")
	assert.Equal(t, map[string]bool{"OPTIONS ": true}, got)
}

// What a gateway logged of a failure is explained as the plugin did at the time.
func testExplainRecord(t *testing.T, bin string) {
	record, line := failed(t, bin)
	for name, input := range map[string]string{
		"record":     record,
		"list":       "[" + record + "]",
		"error line": line,
	} {
		t.Run(name, func(t *testing.T) {
			for _, extra := range [][]string{nil, {"-config", founding}} {
				got := runWith(t, bin, []byte(input), append([]string{"explain", "-record"}, extra...)...)
				require.Equal(t, 0, got.Code, got.Stderr)
				assert.Contains(t, got.Stdout, "request   POST /api/sendWeather")
				assert.Contains(t, got.Stdout, "strip-path (likely)", "%q: %s", extra, got.Stdout)
				assert.Contains(t, got.Stdout, "upstream  POST http://")
				assert.Contains(t, got.Stdout, "set strip_path=false on route internal-weather-route-POST; the upstream then gets POST /api/sendWeather")
			}
			got := runWith(t, bin, []byte(input), "explain", "-record", "-config", "testdata/explain-shop.yml")
			assert.Contains(t, got.Stdout, "the log has POST /")
		})
	}
}

// A 405 that Kong or a plugin made is told as such.
func testExplainRecordOfKong(t *testing.T, bin string) {
	const route = `"route": {"id": "5a7d2c3e-0000-4000-8000-000000000002", "name": "closed", "paths": ["/closed"], "methods": {}},`
	for _, tt := range []struct{ route, want string }{
		{route, "a plugin answered GET /closed itself"},
		{"", "Kong refused GET /closed itself"},
	} {
		record := `{"request": {"method": "GET", "uri": "/closed", "headers": {"host": "a.example"}}, ` + tt.route + ` "source": "kong", "response": {"status": 405, "headers": {}}}`
		got := runWith(t, bin, []byte(record), "explain", "-record")
		require.Equal(t, 0, got.Code, got.Stderr)
		assert.Contains(t, got.Stdout, tt.want)
		assert.Contains(t, got.Stdout, "gateway-generated (confirmed)")
		assert.NotContains(t, got.Stdout, "upstream  ")
	}
}

// onlyGet is an upstream that takes only GET.
func onlyGet(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// failed has a gateway refuse the founding request, and returns what was logged of
// it: file-log's record, and the line in the error log.
func failed(t *testing.T, bin string) (record, line string) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	log := &gateway.Lines{}
	gw, err := gateway.Start(ctx, gateway.Options{Plugins: []string{bin}, ErrorLog: log})
	require.NoError(t, err)
	defer gw.Close()
	app := httptest.NewServer(http.HandlerFunc(onlyGet))
	defer app.Close()
	file := filepath.Join(t.TempDir(), "record")
	doc := bytes.ReplaceAll(kong.Founding, []byte("http://weather:8900"), []byte(app.URL))
	doc = append(doc, fmt.Appendf(nil, "\nplugins:\n  - name: file-log\n    config: {path: %q}\n", file)...)
	require.NoError(t, gw.Load(ctx, doc))
	res, err := http.Post(gw.URL()+"/api/sendWeather?unit=c", "application/json", strings.NewReader("{}"))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 405, res.StatusCode)
	line, err = log.Find(ctx, func(l string) bool { return strings.Contains(l, "event=diagnosis") })
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		data, _ := os.ReadFile(file)
		record = string(data)
		return strings.HasSuffix(record, "\n")
	}, 5*time.Second, 5*time.Millisecond)
	return record, line
}
