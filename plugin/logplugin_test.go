package plugin

import (
	"fmt"
	"slices"
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

const loggedID = "61a1218143781a4cacf09098ca4959d6"

// logged is the founding case as kong.log.serialize tells it.
func logged(status int, target string) *fake {
	sentMethods.keep(loggedID, "POST")
	return &fake{
		source: "service", status: status,
		logged: fmt.Sprintf(`{
			"request": {"id": "`+loggedID+`", "method": "POST", "uri": "/api/sendWeather?token=secret", "url": "http://localhost:8000/api/sendWeather", "headers": {"host": "localhost:8000"}},
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
	assert.Equal(t, loggedID, e.Fields["request_id"])
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
	f.source = "error"
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

// The access phase keeps the client's method, which plugins may have changed since, and
// tells nothing; the log phase has all else.
func TestLogKnowsTheClientsMethod(t *testing.T) {
	c := logConfigured(t, `{"log_requests": "none"}`)
	f := founding().inAccess()
	f.vars[requestID], f.vars["request"] = loggedID, "PROPFIND /api/sendWeather?token=secret HTTP/1.1"
	c.access(f)
	assert.Equal(t, []string{"var request", "var " + requestID}, f.calls)
	g := logged(405, "8900")
	sentMethods.keep(loggedID, "PROPFIND") // as it was before logged
	c.log(g)
	e := diagnosisOf(t, g)
	assert.Equal(t, "method-rewrite", e.Fields["cause"])
	assert.Equal(t, "PROPFIND http://localhost:8000/api/sendWeather?token", e.Fields["client"])
}

// What was wrong with the settings is told where the plugin tells anything.
func TestLogTellsProblems(t *testing.T) {
	c := logConfigured(t, `{"log_level": "nope"}`)
	f := founding().inAccess()
	c.access(f)
	require.Len(t, f.lines, 1)
	assert.Contains(t, f.lines[0], "event=access")
	f = logged(200, "8900")
	c.log(f)
	require.Len(t, f.lines, 1)
	assert.Contains(t, f.lines[0], `err: [diag405] config: log_level: "nope"`)
}

// The record is long: of answers that are left alone few are asked for it.
func TestLogAsksForFewRecords(t *testing.T) {
	c := logConfigured(t, `{}`)
	c.recent, _ = clockwork()
	asked := map[int]int{}
	for range 100 {
		for _, status := range []int{200, 301, 404, 405} {
			f := logged(status, "8900")
			c.log(f)
			if slices.Contains(f.calls, "serialize") {
				asked[status]++
			}
			assert.Contains(t, f.calls, "answer status")
		}
	}
	assert.Equal(t, map[int]int{200: 3, 404: 2, 301: redirectsASecond, 405: 100}, asked)
}

func TestLogErrors(t *testing.T) {
	f := logged(405, "8900")
	logConfigured(t, `{"log_requests": "errors"}`).log(f)
	require.Len(t, f.lines, 2)
	assert.Contains(t, f.lines[0], "event=diagnosis phase=log request_id="+loggedID)
	assert.Contains(t, f.lines[1], "notice: [diag405] event=access phase=log request_id="+loggedID)
}

// Whatever call fails, the phase ends quietly.
func TestLogEveryFailingCall(t *testing.T) {
	for _, status := range []int{405, 200} {
		good := logged(status, "8900")
		logConfigured(t, `{}`).log(good)
		for _, call := range good.calls {
			f := logged(status, "8900")
			f.failing = call
			logConfigured(t, `{}`).log(f)
			assert.LessOrEqual(t, len(f.lines), 1, call)
		}
	}
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
