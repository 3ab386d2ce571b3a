package plugin

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/Kong/go-pdk/entities"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin/report"
	"diag405/plugin/server"
)

// fake is a gateway that remembers what the plugin did. What is not set answers
// with zero values.
type fake struct {
	vars     map[string]string
	route    entities.Route
	service  entities.Service
	request  map[string][]string
	status   int
	response map[string][]string
	body     string
	failing  string // the name of the call that fails; behind panics, of the one that does
	shared   map[string]string
	logged   string // kong.log.serialize
	source   string

	calls   []string
	headers []string // name: value
	lines   []string // level: line
	record  map[string]any
}

// panics goes before the name of a call that panics.
const panics = "panics: "

var errGone = errors.New("EOF")

func (f *fake) call(name string) error {
	f.calls = append(f.calls, name)
	if f.failing == panics+name {
		panic(name)
	}
	if f.failing == name {
		return errGone
	}
	return nil
}

func (f *fake) Var(name string) (string, error) { return f.vars[name], f.call("var " + name) }
func (f *fake) Route() (entities.Route, error)  { return f.route, f.call("route") }
func (f *fake) Service() (entities.Service, error) {
	return f.service, f.call("service")
}
func (f *fake) RequestHeaders() (http.Header, error) {
	return headersOf(f.request), f.call("request headers")
}
func (f *fake) Status() (int, error) { return f.status, f.call("status") }
func (f *fake) ResponseHeaders() (http.Header, error) {
	return headersOf(f.response), f.call("response headers")
}
func (f *fake) Ahead(*server.Batch) error  { return f.call("ahead") }
func (f *fake) AnswerStatus() (int, error) { return f.status, f.call("answer status") }
func (f *fake) SetHeaders(headers []report.Header) error {
	for _, h := range headers {
		f.headers = append(f.headers, h.Name+": "+h.Value)
	}
	return f.call("set headers")
}
func (f *fake) Body() ([]byte, error) { return []byte(f.body), f.call("body") }
func (f *fake) SetHeader(name, value string) error {
	f.headers = append(f.headers, name+": "+value)
	return f.call("set header")
}
func (f *fake) AddHeader(name, value string) error {
	f.headers = append(f.headers, name+": "+value)
	return f.call("add header")
}
func (f *fake) ClearHeader(name string) error        { return f.call("clear " + name) }
func (f *fake) ClearRequestHeader(name string) error { return f.call("clear request's " + name) }
func (f *fake) SetRecord(record map[string]any) error {
	f.record = record
	return f.call("set record")
}
func (f *fake) Unbuffer() error { return f.call("unbuffer") }
func (f *fake) Share(key, value string) error {
	f.shared = map[string]string{key: value}
	return f.call("share")
}
func (f *fake) Shared(key string) (string, error) { return f.shared[key], f.call("shared") }
func (f *fake) Serialize() (string, error)        { return f.logged, f.call("serialize") }
func (f *fake) Source() (string, error)           { return f.source, f.call("source") }
func (f *fake) Log(level, line string) error {
	f.lines = append(f.lines, level+": "+line)
	return f.call("log")
}

// headersOf are headers by their canonical names.
func headersOf(m map[string][]string) http.Header {
	h := http.Header{}
	for name, values := range m {
		for _, v := range values {
			h.Add(name, v)
		}
	}
	return h
}

// founding is the founding case as Kong shows it in the response phase.
func founding() *fake {
	return &fake{
		vars: map[string]string{
			"request":                     "POST /api/sendWeather?token=secret HTTP/1.1",
			"scheme":                      "http",
			"http_host":                   "localhost:8000",
			"request_method":              "POST",
			"upstream_scheme":             "http",
			"upstream_host":               "weather:8900",
			"upstream_uri":                "/?token=secret",
			"upstream_x_forwarded_prefix": "/api/sendWeather",
		},
		request:  map[string][]string{"host": {"localhost:8000"}},
		route:    entities.Route{Id: "5a7d2c3e-0000-4000-8000-000000000002", Name: "post", Paths: []string{"/api/sendWeather"}, Methods: []string{"POST"}, StripPath: true},
		service:  entities.Service{Id: "5a7d2c3e-0000-4000-8000-000000000001", Name: "weather", Protocol: "http", Host: "weather", Port: 8900},
		status:   405,
		response: map[string][]string{"allow": {"GET"}, "server": {"uvicorn"}},
	}
}

// inAccess turns the values into those of the access phase (measured: no query on
// $upstream_uri, no $upstream_host).
func (f *fake) inAccess() *fake {
	f.vars["upstream_uri"], f.vars["upstream_host"] = "/", ""
	f.status, f.response = 0, nil
	return f
}

// configured is a config as the plugin server makes it of what Kong sends.
func configured(t *testing.T, js string) *Config {
	t.Helper()
	c := Constructor("")().(*Config)
	require.NoError(t, json.Unmarshal([]byte(js), c))
	return c
}

func TestResponseExplainsA405(t *testing.T) {
	f := founding()
	configured(t, `{}`).response(f)
	assert.Equal(t, []string{
		"X-Diag: strip-path;certainty=likely",
		"X-Diag-Reason: strip_path on route post removed /api/sendWeather, so the upstream got POST /, which takes only GET",
		"X-Diag-Fix: set strip_path=false on route post; the upstream then gets POST /api/sendWeather",
		"X-Diag-Request: POST /api/sendWeather",
		"X-Diag-Upstream: POST /",
	}, f.headers)
	require.Len(t, f.lines, 1)
	assert.True(t, strings.HasPrefix(f.lines[0], "warn: [diag405] event=diagnosis status=405 cause=strip-path"), f.lines[0])
	assert.NotContains(t, f.lines[0], "secret")
	assert.Equal(t, "strip-path", f.record["cause"])
}

func TestResponseLeavesOtherAnswersAlone(t *testing.T) {
	for _, status := range []int{304, 400, 404, 406, 500} {
		f := founding()
		f.status = status
		configured(t, `{}`).response(f)
		assert.Equal(t, []string{"status"}, f.calls, "%d: one round trip and nothing else", status)
	}
}

// Of a few answers in a second it is asked what they may explain later; the others cost
// one round trip, and none is changed.
func TestResponseNoticesAFew(t *testing.T) {
	c := configured(t, `{}`)
	c.recent, _ = clockwork()
	asked := 0
	for range 100 {
		f := founding()
		f.status = 201
		c.response(f)
		assert.Empty(t, f.headers)
		assert.Empty(t, f.lines)
		if len(f.calls) > 1 {
			asked++
		}
	}
	assert.Equal(t, takenASecond, asked)
}

// A POST that is redirected, and the GET that its client makes of it.
func TestRedirectIsConfirmed(t *testing.T) {
	c := configured(t, `{}`)
	f := founding()
	f.status, f.vars["sent_http_location"], f.vars["remote_addr"] = 301, "http://localhost/api/sendWeather/", "10.0.0.1"
	c.response(f)

	f = founding()
	f.vars["request"], f.vars["request_method"], f.vars["remote_addr"] = "GET /api/sendWeather/ HTTP/1.1", "GET", "10.0.0.1"
	f.response = map[string][]string{"allow": {"POST"}}
	c.response(f)
	require.NotEmpty(t, f.headers)
	assert.Equal(t, "X-Diag: redirect-method-change;certainty=confirmed", f.headers[0])
}

func TestResponseSettings(t *testing.T) {
	tests := []struct {
		name, config string
		status       int
		headers      int
		first        string
	}{
		{"code", `{"expose": "code"}`, 405, 1, "X-Diag: strip-path;certainty=likely"},
		{"none", `{"expose": "none"}`, 405, 0, ""},
		{"prefix", `{"header_prefix": "X-Why"}`, 405, 5, "X-Why: strip-path;certainty=likely"},
		{"another status", `{"statuses": [405, 404]}`, 404, 5, "X-Diag: wrong-path;certainty=possible"},
		{"not this status", `{"statuses": [404]}`, 405, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := founding()
			f.status = tt.status
			configured(t, tt.config).response(f)
			require.Len(t, f.headers, tt.headers)
			if tt.headers > 0 {
				assert.Equal(t, tt.first, f.headers[0])
			}
		})
	}
}

func TestAccessLogs(t *testing.T) {
	const line = `[diag405] event=access client="POST localhost:8000/api/sendWeather?token" upstream="POST http://weather:8900/?token" stripped=/api/sendWeather route=post service=weather changed=path,host`
	// What route and service explain is no change, but for the path that the client sees.
	same := func(f *fake) {
		f.vars["upstream_uri"] = "/api/sendWeather"
		f.route.StripPath = false
	}
	preserved := func(f *fake) {
		same(f)
		f.route.PreserveHost, f.vars["upstream_host"] = true, "localhost:8000"
	}
	with := func(change func(*fake), name, value string) func(*fake) {
		return func(f *fake) { change(f); f.vars[name] = value }
	}
	const kept = `notice: [diag405] event=access client="POST localhost:8000/api/sendWeather?token" upstream=`
	const behind = ` route=post service=weather changed=`
	tests := []struct {
		name, config string
		change       func(*fake)
		want         []string
	}{
		{"default", `{}`, nil, []string{"notice: " + line}},
		{"level", `{"log_level": "info"}`, nil, []string{"info: " + line}},
		{"none", `{"log_requests": "none"}`, nil, nil},
		{"changed", `{"log_requests": "changed"}`, nil, []string{"notice: " + line}},
		{"not changed", `{"log_requests": "changed"}`, same, nil},
		{"host preserved", `{"log_requests": "changed"}`, preserved, nil},
		{"host set to the service's", `{"log_requests": "changed"}`, with(same, "upstream_host", "weather:8900"), nil},
		{"host set", `{"log_requests": "changed"}`, with(same, "upstream_host", "other"),
			[]string{kept + `"POST http://other/api/sendWeather?token"` + behind + "host"}},
		{"preserved host set", `{"log_requests": "changed"}`, with(preserved, "upstream_host", "other"),
			[]string{kept + `"POST http://other/api/sendWeather?token"` + behind + "host"}},
		{"method set", `{"log_requests": "changed"}`, with(same, "request_method", "PUT"),
			[]string{kept + `"PUT http://weather:8900/api/sendWeather?token"` + behind + "method,host"}},
		{"errors", `{"log_requests": "errors"}`, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := founding().inAccess()
			if tt.change != nil {
				tt.change(f)
			}
			configured(t, tt.config).access(f)
			assert.Equal(t, tt.want, f.lines)
			assert.NotContains(t, f.calls, "unbuffer")
		})
	}
}

// With errors, the line comes when the answer is known, and is the same.
func TestErrorsAreLogged(t *testing.T) {
	c := configured(t, `{"log_requests": "errors", "log_level": "info"}`)
	f := founding()
	c.response(f)
	require.Len(t, f.lines, 2)
	all := founding().inAccess()
	configured(t, `{"log_level": "info"}`).access(all)
	assert.Equal(t, all.lines, f.lines[1:])

	f = founding()
	f.status = 400
	c.response(f)
	assert.Empty(t, f.lines)
}

// An answer that is not explained in time has its line all the same.
func TestErrorsAreLoggedUnexplained(t *testing.T) {
	overdue.Add(maxOverdue)
	defer overdue.Add(-maxOverdue)
	const why = "warn: [diag405] answer not explained: bug: others do not come to an end"
	f := founding()
	configured(t, `{"log_requests": "errors", "log_level": "info"}`).response(f)
	all := founding().inAccess()
	configured(t, `{"log_level": "info"}`).access(all)
	assert.Equal(t, append([]string{why}, all.lines...), f.lines)

	f = founding()
	configured(t, `{"log_requests": "none"}`).response(f)
	assert.Equal(t, []string{why}, f.lines)
}

func TestAccessQueryValues(t *testing.T) {
	f := founding().inAccess()
	configured(t, `{"log_query": true, "log_format": "json"}`).access(f)
	require.Len(t, f.lines, 1)
	assert.Contains(t, f.lines[0], `"client":"POST localhost:8000/api/sendWeather?token=secret"`)
}

func TestAccessUnbuffersWhatBufferingBreaks(t *testing.T) {
	tests := []struct {
		name, config, variable, value string
		want                          bool
	}{
		{"event stream", `{}`, "http_accept", "application/json, Text/Event-Stream", true},
		{"upgrade, which Kong leaves alone itself", `{}`, "http_upgrade", "websocket", false},
		{"grpc", `{}`, "http_content_type", "application/grpc+proto", true},
		{"method that the hop does not know", `{}`, "request_method", "PURGE", true},
		{"method that it knows", `{}`, "request_method", "PROPFIND", false},
		{"json", `{}`, "http_accept", "application/json", false},
		{"always", `{"buffering": "always"}`, "http_accept", "text/event-stream", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := founding().inAccess()
			f.route.Methods = nil
			f.vars[tt.variable] = tt.value
			configured(t, tt.config).access(f)
			if tt.want {
				assert.Contains(t, f.calls, "unbuffer")
			} else {
				assert.NotContains(t, f.calls, "unbuffer")
			}
		})
	}
}

// With buffering always, Kong sends a method that it does not know as GET.
func TestBufferedMethodIsTold(t *testing.T) {
	f := founding()
	f.vars["request"], f.vars["request_method"] = "PURGE /api/sendWeather HTTP/1.1", "PURGE"
	f.response["allow"] = []string{"PURGE"}
	configured(t, `{"buffering": "always"}`).response(f)
	require.Len(t, f.headers, 5)
	assert.Equal(t, "X-Diag: method-rewrite;certainty=confirmed", f.headers[0])
	assert.Equal(t, "X-Diag-Upstream: GET /", f.headers[4])
}

// An error page's body tells who made it; a long or compressed one is not read.
func TestBodyIsReadWhenItIsShort(t *testing.T) {
	tests := []struct {
		headers map[string][]string
		read    bool
	}{
		{map[string][]string{"content-length": {"40"}}, true},
		{map[string][]string{"content-length": {"40"}, "content-encoding": {"gzip"}}, false},
		{map[string][]string{"content-length": {"1000000"}}, false},
		{map[string][]string{"transfer-encoding": {"chunked"}}, false},
		{map[string][]string{"content-length": {"-1"}}, false},
	}
	for _, tt := range tests {
		f := founding()
		f.response, f.body = tt.headers, "<center>nginx/1.27.0</center>"
		configured(t, `{}`).response(f)
		if tt.read {
			assert.Contains(t, f.calls, "body")
			assert.Equal(t, "X-Diag: wrong-upstream;certainty=possible", f.headers[0])
		} else {
			assert.NotContains(t, f.calls, "body", "%v", tt.headers)
		}
	}
}

// Whatever call fails, the phase ends quietly, and what it did before stands.
func TestEveryFailingCall(t *testing.T) {
	phases := map[string]struct {
		run  func(*Config, *fake)
		make func() *fake
	}{
		"access":   {func(c *Config, f *fake) { c.access(f) }, func() *fake { return founding().inAccess() }},
		"response": {func(c *Config, f *fake) { c.response(f) }, founding},
		"an answer that is noticed": {func(c *Config, f *fake) { c.response(f) }, func() *fake {
			f := founding()
			f.status = 301
			return f
		}},
	}
	for name, phase := range phases {
		good := phase.make()
		phase.run(configured(t, `{}`), good)
		for _, call := range good.calls {
			t.Run(name+" "+call, func(t *testing.T) {
				f := phase.make()
				f.failing = call
				phase.run(configured(t, `{}`), f)
				assert.LessOrEqual(t, len(f.lines), 2)
			})
		}
	}
}
