package plugin

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin/logread"
)

// logConfigured is a diag405-log with these settings.
func logConfigured(t *testing.T, js string) *LogConfig {
	t.Helper()
	c := LogConstructor()().(*LogConfig)
	require.NoError(t, c.UnmarshalJSON([]byte(js)))
	return c
}

// logged is the founding case as kong.log.serialize tells it.
func logged(status int, target string) *fake {
	return &fake{
		source: "service",
		shared: map[string]string{sharedKey: "POST /api/sendWeather?token=secret HTTP/1.1"},
		logged: fmt.Sprintf(`{
			"request": {"id": "aa", "method": "POST", "uri": "/api/sendWeather?token=secret", "url": "http://localhost:8000/api/sendWeather", "headers": {"host": "localhost:8000"}},
			"upstream_uri": "/?token=secret", "upstream_status": "%d",
			"response": {"status": %d, "headers": {"allow": "GET", "server": "uvicorn", "x-list": ["a", "b"]}},
			"route": {"id": "5a7d2c3e-0000-4000-8000-000000000002", "name": "post", "paths": ["/api/sendWeather"], "methods": ["POST"], "hosts": {}, "strip_path": true, "path_handling": "v0"},
			"service": {"id": "5a7d2c3e-0000-4000-8000-000000000001", "name": "weather", "protocol": "http", "host": "weather", "port": 8900},
			"tries": [{"ip": "127.0.0.1", "port": %s}]}`, status, status, target),
	}
}

// diagnosisOf is the one diagnosis that was logged.
func diagnosisOf(t *testing.T, f *fake) logread.Entry {
	t.Helper()
	require.Len(t, f.lines, 1)
	line, ok := strings.CutPrefix(f.lines[0], "warn: ")
	require.True(t, ok, f.lines[0])
	e, ok := logread.Parse(line)
	require.True(t, ok, f.lines[0])
	return e
}

func TestLogExplainsA405(t *testing.T) {
	f := logged(405, "8900")
	logConfigured(t, `{}`).log(f)
	e := diagnosisOf(t, f)
	assert.Equal(t, "strip-path", e.Fields["cause"])
	assert.Equal(t, "log", e.Fields["phase"])
	assert.Equal(t, "aa", e.Fields["request_id"])
	assert.Equal(t, "POST http://localhost:8000/api/sendWeather?token", e.Fields["client"])
	assert.Equal(t, "POST http://weather:8900/?token", e.Fields["upstream"])
	assert.Equal(t, "/api/sendWeather", e.Fields["stripped"])
	assert.Empty(t, f.headers)
}

func TestLogLeavesOtherAnswersAlone(t *testing.T) {
	f := logged(200, "8900")
	logConfigured(t, `{}`).log(f)
	assert.Empty(t, f.lines)
}

func TestLogSeesWhatKongRefuses(t *testing.T) {
	f := logged(405, "8900")
	f.shared, f.source = nil, "error"
	f.logged = `{"request": {"method": "TRACE", "uri": "/files/a", "headers": {"host": "h"}}, "upstream_uri": "", "response": {"status": 405, "headers": {}}, "tries": {}}`
	logConfigured(t, `{}`).log(f)
	e := diagnosisOf(t, f)
	assert.Equal(t, "gateway-generated", e.Fields["cause"])
	assert.Contains(t, e.Fields["reason"], "Kong refused TRACE /files/a itself")
}

func TestLogTellsTargetsApart(t *testing.T) {
	c := logConfigured(t, `{}`)
	c.log(logged(200, "8901"))
	f := logged(405, "8900")
	c.log(f)
	e := diagnosisOf(t, f)
	assert.Equal(t, "target-divergence", e.Fields["cause"])
	assert.Contains(t, e.Fields["reason"], "target 127.0.0.1:8900 refused POST /, and target 127.0.0.1:8901 answered the same request with 200")

	c.log(logged(405, "8901")) // now all of them refuse
	c.lines = &sparing{}       // a second later
	f = logged(405, "8900")
	c.log(f)
	assert.Equal(t, "strip-path", diagnosisOf(t, f).Fields["cause"])
}

func TestLogAccessKeepsTheRequestLine(t *testing.T) {
	f := founding().inAccess()
	logConfigured(t, `{"log_requests": "none"}`).access(f)
	assert.Equal(t, f.vars["request"], f.shared[sharedKey])
	assert.Empty(t, f.lines)
	assert.Equal(t, []string{"var request", "share"}, f.calls)

	f = founding().inAccess()
	logConfigured(t, `{"log_level": "nope"}`).access(f)
	require.Len(t, f.lines, 2)
	assert.Contains(t, f.lines[0], `err: [diag405] config: log_level: "nope"`)
	assert.Contains(t, f.lines[1], "event=access")
}

// Kong cannot raise for what is read here; a record that is not one is told.
func TestLogBadRecords(t *testing.T) {
	for _, text := range []string{"", "[]", "{", "null"} {
		f := logged(405, "1")
		f.logged = text
		logConfigured(t, `{}`).log(f)
		assert.LessOrEqual(t, len(f.lines), 1, text)
	}
}
