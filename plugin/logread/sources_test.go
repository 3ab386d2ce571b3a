package logread

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/plugin/diagnose"
	"diag405/plugin/report"
)

const (
	accessHead = `127.0.0.1 - - [23/Nov/2026:08:06:03 +0000] `
	accessTail = ` 405 31 "-" "curl/8.5.0"`
)

func TestReadAccess(t *testing.T) {
	id := strings.Repeat("0f", 16)
	for _, test := range []struct{ line, request, id string }{
		{line: accessHead + `"POST /a?x=1 HTTP/1.1"` + accessTail, request: "POST /a?x=1"},
		{line: accessHead + `"POST /a HTTP/2.0"` + accessTail + ` kong_request_id: "` + id + `"`, request: "POST /a", id: id},
		{line: "kong-1  | " + accessHead + `"POST /a HTTP/1.1"` + accessTail, request: "POST /a"},
		{line: strings.Replace(accessHead, "- -", "- ann", 1) + `"POST /a\x22b\x5Cc HTTP/1.1"` + accessTail, request: `POST /a"b\c`},
		{line: strings.Replace(accessHead, "+0000", "-0330", 1) + `"POST /a HTTP/1.1"` + accessTail, request: "POST /a"},
		{line: accessHead + `"POST http://a.example/b HTTP/1.1"` + accessTail, request: "POST http://a.example/b"},

		{line: accessHead + `"POST /a HTTP/1.1" 404 405 "-" "-"`},
		{line: accessHead + `"\x16\x03\x01" 405 0 "-" "-"`},
		{line: accessHead + `"POST /a" 405 0 "-" "-"`}, // HTTP/0.9
		{line: accessHead + `"POST /a HTTP/1.1 405 0`},
		{line: strings.Replace(accessHead, "Nov", "n0v", 1) + `"POST /a HTTP/1.1"` + accessTail},
		{line: strings.Replace(accessHead, " - -", "", 1) + `"POST /a HTTP/1.1"` + accessTail},
		{line: `"POST /a HTTP/1.1"` + accessTail},
		{line: ""},
	} {
		a, ok := readAccess([]byte(test.line))
		assert.Equal(t, test.request != "", ok, test.line)
		if ok {
			assert.Equal(t, []string{test.request, test.id}, []string{string(a.request), string(a.id)}, test.line)
		}
	}
	// A user agent has no quotes, and so can be no id.
	a, ok := readAccess([]byte(accessHead + `"POST /a HTTP/1.1" 405 31 "-" "kong_request_id: \x22` + id + `\x22"`))
	assert.True(t, ok)
	assert.Empty(t, a.id)
}

func TestHasStatus(t *testing.T) {
	for line, want := range map[string]bool{
		`{"status":405}`:             true,
		`{"status" : 405,"x":1}`:     true,
		`{"log":"{\"status\":405}"}`: true,
		`{"status":"405"}`:           true,
		`{"upstream_status":"200","response":{"status":405}}`: true,
		`{"status":200,"size":405}`:                           false,
		`/status/405`:                                         false,
		`status405`:                                           false,
	} {
		assert.Equal(t, want, hasStatus([]byte(line), 405), line)
	}
}

// What is wrapped in JSON comes out as encoding/json reads it.
func FuzzUnwrap(f *testing.F) {
	f.Add("a \"quoted\" \\ line\twith\u2028 é 😀 \x01 </b>")
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.TrimRight(strings.ToValidUTF8(text, "?"), "\r\n")
		inner, err := json.Marshal(text + "\n")
		require.NoError(t, err)
		w, ok := unwrapDocker(fmt.Appendf(nil, `{"log":%s,"stream":"stderr","time":"2026-11-23T08:06:03.5Z"}`, inner), nil)
		if !ok || string(w.text) != text || string(w.time) != "2026-11-23T08:06:03.5Z" {
			t.Fatalf("%q %q", w.text, w.time)
		}
	})
}

// A line that something else carries is read like any other, whatever it is called there.
func TestCarriedLines(t *testing.T) {
	line := nginxHead + diagnosisLine(founding(), inText) + nginxTail
	inner, err := json.Marshal(line)
	require.NoError(t, err)
	for _, format := range []string{
		`{"log":%s,"stream":"stderr","time":"2026-11-23T07:06:03Z"}`,
		`{"stream":"stderr","time":"2026-11-23T07:06:03Z","log":%s}`,
		`{"@timestamp":"x","timestamp":"2026-11-23T07:06:03Z","message":%s}`,
		`{"MESSAGE":%s,"TIME":"2026-11-23T07:06:03Z"}`,
	} {
		s := summaryOf(t, Options{}, fmt.Sprintf(format, inner))
		require.Equal(t, 1, s.Failures, format)
		assert.Equal(t, "strip-path", s.Groups[0].Cause)
		assert.Equal(t, "2026/11/23 07:06:03", s.Groups[0].First, "of two times the one that has a zone")
	}
	twice, err := json.Marshal(fmt.Sprintf(`{"log":%s}`, inner))
	require.NoError(t, err)
	assert.Zero(t, summaryOf(t, Options{}, fmt.Sprintf(`{"log":%s}`, twice)).Failures, "nobody wraps twice")
}

func TestTimes(t *testing.T) {
	berlin := time.FixedZone("", 3600)
	c := clock{zone: berlin}
	want := time.Date(2026, 11, 23, 7, 6, 3, 0, time.UTC).Unix()
	for range 2 { // the second time from what is kept
		assert.Equal(t, want, c.errorLog([]byte("2026/11/23 08:06:03")))
		assert.Equal(t, want+57, c.errorLog([]byte("2026/11/23 08:07:00")))
		assert.Equal(t, want, c.accessLog([]byte("23/Nov/2026:07:06:03 +0000")))
		assert.Equal(t, want, c.accessLog([]byte("23/Nov/2026:07:36:03 +0030")))
		assert.Equal(t, want, c.rfc3339([]byte("2026-11-23T07:06:03.25Z")))
	}
	for _, s := range []string{"", "2026/13/23 08:06:03", "23/Nov/2026:07:06:03", "99/Nov/2026:07:06:03 +0000"} {
		assert.Zero(t, c.errorLog([]byte(s))+c.accessLog([]byte(s))+c.rfc3339([]byte(s)), s)
	}
}

// What failed before a time, or at none that is known, is left out when a time is asked
// for.
func TestSince(t *testing.T) {
	a, s := NewAggregate(time.Date(2026, 11, 23, 8, 6, 3, 0, time.UTC), time.UTC), scannerFor(t, Options{})
	for i, line := range []string{
		nginxHead + diagnosisLine(founding(), inText) + nginxTail,
		strings.Replace(nginxHead, "08:06:03", "08:06:02", 1) + diagnosisLine(founding(), inText) + nginxTail,
	} {
		a.Add(s.Scan([]byte(withID(line, i))))
	}
	a.Add(s.Scan([]byte(diagnosisLine(founding(), inText))))
	got := a.Summary()
	assert.Equal(t, []int{1, 2, 1}, []int{got.Failures, got.Earlier, got.Timeless})
}

// accessLineOf is a founding request's line in the access log.
func accessLineOf(n int) string {
	return fmt.Sprintf(`127.0.0.1 - - [23/Nov/2026:08:06:03 +0000] "POST /api/sendWeather HTTP/1.1" 405 31 "-" "curl/8.5.0" kong_request_id: "%032x"`, n)
}

// Both plugins and the access log tell of the same requests, of which diag405's lines
// stand for several: each is counted once.
func TestFloodIsCountedOnce(t *testing.T) {
	x := founding()
	line := func(id, times int, phase string) string {
		return withID(nginxHead+diagnosisLine(x, report.Options{Times: times, Phase: phase})+nginxTail, id)
	}
	var lines []string
	for i := range 1000 {
		lines = append(lines, accessLineOf(i+1))
	}
	lines = append(lines, line(1, 1, ""), line(1, 1, "log"), line(1000, 999, ""), line(999, 998, "log"), line(1000, 1, "log"))
	s := summaryOf(t, Options{}, lines...)
	assert.Equal(t, []CauseCount{{"strip-path", 1000}}, s.Causes)
	assert.InDelta(t, 1000, s.Timeline[0].Count, 2, "in a picture")
}

// What two plugins say of a request is one failure, and of different ones are two.
func TestRequestsAreCountedOnce(t *testing.T) {
	line := func(id int) string { return withID(nginxHead+diagnosisLine(founding(), inText)+nginxTail, id) }
	s := summaryOf(t, Options{}, line(1), line(2), line(1))
	assert.Equal(t, []int{2, 1}, []int{s.Failures, s.Again})
	s = summaryOf(t, Options{}, accessLineOf(7), line(7))
	assert.Equal(t, []CauseCount{{"strip-path", 1}}, s.Causes, "the one that knows more counts")
	s = summaryOf(t, Options{}, nginxHead+diagnosisLine(founding(), inText), nginxHead+diagnosisLine(founding(), inText))
	assert.Equal(t, 2, s.Failures, "lines without an id are requests of their own")
}

func TestSeenForgetsTheOldest(t *testing.T) {
	var s seen
	for i := range uint64(3 * maxSeen) {
		s.put(i+1, counted{in: int32(i)})
	}
	_, first := s.find(1)
	last, ok := s.find(3 * maxSeen)
	assert.False(t, first)
	assert.True(t, ok)
	assert.Equal(t, int32(3*maxSeen-1), last.in)
	assert.LessOrEqual(t, len(s.young)+len(s.old), 2*maxSeen)
}

func TestTimeline(t *testing.T) {
	var tl timeline
	points, width := tl.points()
	assert.Empty(t, points)
	assert.Zero(t, width)
	tl.add(Failure{time: 0, from: Diagnosis}, 1) // no time
	tl.add(Failure{time: 600, from: AccessLog}, 1)
	tl.add(Failure{time: 630, from: Diagnosis}, 5)
	tl.add(Failure{time: 720, from: LogRecord}, 2)
	points, width = tl.points()
	assert.Equal(t, []Point{{600, 5}, {660, 0}, {720, 2}}, points, "the access line is one of the five")
	assert.EqualValues(t, 60, width)
	tl.add(Failure{time: 600 + 300*60, from: Diagnosis}, 1)
	points, width = tl.points()
	assert.EqualValues(t, 300, width)
	assert.Equal(t, []Point{{600, 5}, {900, 0}}, points[:2])
	tl.add(Failure{time: 1e12, from: Diagnosis}, 1)
	points, _ = tl.points()
	assert.LessOrEqual(t, len(points), maxPoints)
	sum := 0
	for _, p := range points {
		sum += p.Count
	}
	assert.Equal(t, 7, sum, "the others are among those without a line of their own")
}

// routes is a configuration in which the access log leads somewhere.
func routes(t *testing.T) *config.Config {
	t.Helper()
	cfg, err := config.Load([]config.File{{Name: "kong.yml", Data: []byte(`
_format_version: "3.0"
services:
- name: weather
  url: http://weather:8900
  routes:
  - {name: post, paths: [/api/sendWeather], methods: [POST]}
  - {name: kept, paths: [/kept], strip_path: false}
  - {name: secure, paths: [/secure], protocols: [https], strip_path: false}
  - {name: one, paths: [/shared], hosts: [one.example]}
  - {name: two, paths: [/shared], hosts: ["*.two.example"]}
  - {name: only, paths: [/only], hosts: [only.example], strip_path: false}
- name: gone
  url: http://gone
  routes:
  - name: gone
    paths: [/gone]
    plugins: [{name: request-termination, config: {status_code: 405}}]
`)}})
	require.NoError(t, err)
	return cfg
}

// An access log supports what is said of it: what Kong's routing leads to is possible,
// and what only an answer could show is not said.
func TestJudgeAccess(t *testing.T) {
	cfg := routes(t)
	for _, test := range []struct {
		request, cause, certainty, route, upstream, reason string
		o                                                  Options
	}{
		{request: "POST /api/sendWeather", cause: "unknown", certainty: "possible", reason: "the client's request and the status alone"},
		{request: "TRACE /api", cause: "gateway-generated", certainty: "likely"},
		{request: "POST /api/sendWeather", o: Options{Config: cfg}, cause: "strip-path", certainty: "possible", route: "post", upstream: "POST /",
			reason: "strip_path on route post removed /api/sendWeather, so the upstream got POST /, which does not take POST"},
		{request: "POST /kept/7", o: Options{Config: cfg}, cause: "method-not-allowed", certainty: "possible", route: "kept", upstream: "POST /kept/{id}",
			reason: "what it takes there is not known"},
		{request: "POST /secure", o: Options{Config: cfg}, cause: "method-not-allowed", certainty: "possible", route: "secure", upstream: "POST /secure"},
		{request: "POST /only", o: Options{Config: cfg}, cause: "method-not-allowed", certainty: "possible", route: "only", upstream: "POST /only"},
		{request: "POST /shared", o: Options{Config: cfg}, cause: "unknown", certainty: "possible", reason: "does not have the Host, and by that route one or two took"},
		{request: "POST /shared", o: Options{Config: cfg, Host: "a.two.example"}, cause: "method-not-allowed", certainty: "possible", route: "two", upstream: "POST /"},
		{request: "POST /nowhere", o: Options{Config: cfg}, cause: "unknown", certainty: "possible", reason: "no route takes the request"},
		{request: "POST /gone", o: Options{Config: cfg}, cause: "gateway-generated", certainty: "likely", route: "gone"},
		{request: "POST /api/sendWeather", o: Options{Config: cfg, API: diagnose.NewAPI([]diagnose.Endpoint{{Path: "/api/sendWeather", Methods: []string{"POST"}}, {Path: "/", Methods: []string{"GET"}}})},
			cause: "strip-path", certainty: "likely", route: "post", upstream: "POST /"},
	} {
		s := summaryOf(t, test.o, accessHead+`"`+test.request+` HTTP/1.1"`+accessTail)
		require.Len(t, s.Groups, 1, test.request)
		g := s.Groups[0]
		assert.Equal(t, []string{test.cause, test.certainty, test.route, test.upstream}, []string{g.Cause, g.Certainty, g.Route, g.Upstream}, "%+v", test)
		assert.Contains(t, g.Reason, test.reason)
		assert.NotEmpty(t, g.Fix)
		assert.Equal(t, test.request, g.Example, "a Host that was not said is not told")
	}
}

// A record with a diagnosis in it has that one: diag405 saw more than the record has.
func TestRecordWithItsDiagnosis(t *testing.T) {
	x := founding()
	d := diagnose.Explain(x, diagnose.Offers{})
	d.Certainty = diagnose.Confirmed
	data, err := json.Marshal(map[string]any{
		"request":      map[string]any{"id": "1", "method": "POST", "uri": "/api/sendWeather", "headers": map[string]any{"host": "localhost:8000"}},
		"upstream_uri": "/", "response": map[string]any{"status": 405}, "started_at": 1795421163000,
		"route":   map[string]any{"id": "r", "name": "post", "paths": []any{"/api/sendWeather"}, "strip_path": true},
		"diag405": report.Record(x, d, report.Options{}),
	})
	require.NoError(t, err)
	s := summaryOf(t, Options{}, string(data), accessLineOf(1))
	require.Len(t, s.Groups, 2, "another request, by its id")
	g := s.Groups[0]
	assert.Equal(t, []any{"strip-path", "confirmed", Diagnosis, d.Reason, d.Fixes[0].Words}, []any{g.Cause, g.Certainty, g.From, g.Reason, g.Fix})
	assert.JSONEq(t, `{"set":{"route.strip_path":false}}`, string(g.Change))
}

// The picture of a group is of its first occurrence, as far as its source knows.
func TestParts(t *testing.T) {
	parts := func(o Options, line string) (client, stripped, route, upstream string) {
		a := NewAggregate(time.Time{}, time.UTC)
		a.Add(scannerFor(t, o).Scan([]byte(line)))
		g := a.Summary().Groups
		require.Len(t, g, 1)
		p := g[0].Parts()
		return p.Client, p.Stripped, p.Route, p.Upstream
	}
	for _, test := range []struct {
		name, line string
		o          Options
		want       [4]string
	}{
		{"a diagnosis", nginxHead + diagnosisLine(founding(), inText), Options{}, [4]string{"/api/sendWeather", "/api/sendWeather", "post", "/"}},
		{"an access log", accessLineOf(1), Options{}, [4]string{"/api/sendWeather", "", "", ""}},
		{"with its routing", accessLineOf(1), Options{Config: routes(t)}, [4]string{"/api/sendWeather", "/api/sendWeather", "post", "/"}},
	} {
		client, stripped, route, upstream := parts(test.o, test.line)
		assert.Equal(t, test.want, [4]string{client, stripped, route, upstream}, test.name)
	}
	x := founding()
	x.Upstream.Path = "/elsewhere" // which nothing that a line tells explains
	_, stripped, route, _ := parts(Options{}, nginxHead+diagnosisLine(x, inText))
	assert.Empty(t, stripped+route)
}
