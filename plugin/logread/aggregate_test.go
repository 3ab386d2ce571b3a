package logread

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin/report"
)

// scannerFor is a scanner that knows nothing beside the log.
func scannerFor(tb testing.TB, o Options) *Scanner {
	tb.Helper()
	o.Zone = time.UTC
	j, err := NewJudge(o)
	require.NoError(tb, err)
	return NewScanner(j)
}

// summaryOf counts lines, each in a block of its own.
func summaryOf(t *testing.T, o Options, lines ...string) Summary {
	t.Helper()
	a, s := NewAggregate(time.Time{}, time.UTC), scannerFor(t, o)
	for _, line := range lines {
		a.Add(s.Scan([]byte(line)))
	}
	return plain(a.Summary())
}

// plain is a summary without what cannot be compared.
func plain(s Summary) Summary {
	for i := range s.Groups {
		s.Groups[i].tally = nil
	}
	return s
}

// withID puts another request's id into a line.
func withID(line string, n int) string {
	i := strings.LastIndex(line, `request_id: "`) + len(`request_id: "`)
	return line[:i] + fmt.Sprintf("%032x", n) + line[i+32:]
}

func TestAggregate(t *testing.T) {
	x := founding()
	at := func(time string) string { return strings.Replace(nginxHead, "08:06:03", time, 1) }
	early := x
	early.Client.Query = ""
	s := summaryOf(t, Options{},
		withID(at("08:06:03")+diagnosisLine(x, inText)+nginxTail, 1),
		withID(at("08:06:01")+diagnosisLine(early, inText)+nginxTail, 2),
		"kong-1  | "+withID(at("08:06:09")+diagnosisLine(x, report.Options{JSON: true, Query: true})+nginxTail, 3),
		nginxHead+report.AccessLine(x, inText)+nginxTail,
		nginxHead+"something else"+nginxTail,
		"\n",
	)
	assert.Equal(t, []int{6, 3, 1, 0}, []int{s.Lines, s.Failures, s.Access, s.Cut})
	assert.Equal(t, []Group{{
		Cause: "strip-path", Certainty: "likely", From: Diagnosis, Route: "post", Service: "weather", Upstream: "POST /", Count: 3,
		First: "2026/11/23 08:06:01", Last: "2026/11/23 08:06:09",
		Example: "POST http://localhost:8000/api/sendWeather",
		Reason:  "strip_path on route post removed /api/sendWeather, so the upstream got POST /, which takes only GET",
		Fix:     "set strip_path=false on route post; the upstream then gets POST /api/sendWeather",
		Change:  []byte(`{"set":{"route.strip_path":false}}`),
	}}, s.Groups)
	assert.Equal(t, []CauseCount{{"strip-path", 3}}, s.Causes)
}

const (
	forgedAccess = `10.0.0.1 - - [23/Nov/2026:08:06:03 +0000] "GET /forged HTTP/1.1" 405 0 "-" "-"`
	forgedRecord = `{"request":{"method":"GET","uri":"/forged"},"response":{"status":405}}`
)

// What a client puts into a log is not ours, wherever nginx writes it.
func TestAggregateKeepsClientsOut(t *testing.T) {
	forged := `[diag405] event=diagnosis cause=forged certainty=likely client="GET /" upstream="GET /" route=r`
	full := nginxHead + forged
	for _, line := range []string{
		nginxHead + "something" + strings.Replace(nginxTail, "/a?x=1", forged, 1),
		nginxHead + "something" + strings.Replace(nginxTail, "/a?x=1", full, 1),
		strings.Replace(nginxHead, "pb_rpc.lua:233 ", "handler.lua:1 ", 1) + `header X: ` + full + nginxTail,
		`2026/11/23 08:06:03 [error] 1443#0: *656 open() "/usr/share/` + full + `" failed, client: 127.0.0.1`,
		`2026/11/23 08:06:03 [info] 1443#0: *656 client sent invalid header line: "` + full + `" while reading client request headers`,
		`127.0.0.1 - - [23/Nov/2026:08:06:03 +0000] "GET / HTTP/1.1" 404 103 "-" "` + full + `"`,
		`127.0.0.1 - - [23/Nov/2026:08:06:03 +0000] "` + full + `" 400 103`,
		"x " + forged,
		// Lines of other kinds that Kong writes a client's text into.
		strings.Replace(nginxHead, "pb_rpc.lua:233 ", "handler.lua:1 ", 1) + `header X: ` + forgedAccess,
		strings.Replace(nginxHead, "pb_rpc.lua:233 ", "handler.lua:1 ", 1) + `header X: ` + forgedRecord,
		`127.0.0.1 - - [23/Nov/2026:08:06:03 +0000] "GET / HTTP/1.1" 404 103 "` + forgedAccess + `" "` + forgedRecord + `"`,
		`127.0.0.1 - - [23/Nov/2026:08:06:03 +0000] "` + forgedAccess + `" 400 103`,
		`127.0.0.1 - - [23/Nov/2026:08:06:03 +0000] "` + forgedRecord + `" 400 103`,
		`127.0.0.1 - x [23/Nov/2026:08:06:03 +0000] \x22GET / HTTP/1.1\x22 405 1 [23/Nov/2026:08:06:03 +0000] "GET / HTTP/1.1" 404 103 "-" "-"`,
		`{"request":{"method":"GET","uri":"/` + strings.ReplaceAll(forgedRecord, `"`, `\"`) + `"},"response":{"status":404}}`,
	} {
		assert.Zero(t, summaryOf(t, Options{}, line).Failures, line)
	}
	// In a line of ours the client's text is a value.
	x := founding()
	x.Client.Path = "/" + forged
	s := summaryOf(t, Options{}, nginxHead+diagnosisLine(x, inText)+strings.Replace(nginxTail, "/a?x=1", full, 1))
	require.Equal(t, 1, s.Failures)
	assert.NotEqual(t, "forged", s.Causes[0].Cause)
	assert.Equal(t, "post", s.Groups[0].Route)
}

// A line that stands for several is counted as those; what is no number is one.
func TestAggregateCountsTimes(t *testing.T) {
	x := founding()
	line := func(n int, o report.Options) string { return withID(nginxHead+diagnosisLine(x, o)+nginxTail, n) }
	s := summaryOf(t, Options{}, line(1, inText), line(2, report.Options{Times: 1000}), line(3, report.Options{Times: 20, JSON: true}))
	assert.Equal(t, []int{3, 1021}, []int{s.Lines, s.Failures})
	assert.Equal(t, 1021, s.Groups[0].Count)
	assert.Equal(t, []CauseCount{{"strip-path", 1021}}, s.Causes)
	for _, times := range []string{"-5", "0", "", "x", "1e9", "99999999999999999999"} {
		s := summaryOf(t, Options{}, nginxHead+`[diag405] event=diagnosis cause=c times=`+times+` route=r`)
		assert.Equal(t, 1, s.Failures, times)
	}
}

// What a fix took from a client is marked, and the mark is cleaned.
func TestAggregateMarksWhatCameFromAClient(t *testing.T) {
	x := founding()
	x.Client.Method, x.Upstream.Method, x.Route.Methods = "OPTIONS", "OPTIONS", nil
	x.Client.Header = map[string][]string{"Origin": {"https://ui.example"}, "Access-Control-Request-Method": {"PUT"}}
	g := summaryOf(t, Options{}, nginxHead+diagnosisLine(x, inText)+nginxTail).Groups
	assert.Equal(t, []string{"plugin.cors.origins"}, g[0].FromClient)
	assert.Empty(t, summaryOf(t, Options{}, nginxHead+diagnosisLine(founding(), inText)).Groups[0].FromClient)
	g = summaryOf(t, Options{}, nginxHead+`[diag405] event=diagnosis cause=c change="{\"from_client\":[\"a\\u001b[2J\"]}"`).Groups
	assert.Equal(t, []string{"a\ufffd[2J"}, g[0].FromClient)
	g = summaryOf(t, Options{}, nginxHead+`[diag405] event=diagnosis cause=c change="{\"from_client\":7}"`).Groups
	assert.Empty(t, g[0].FromClient)
}

// A line that nginx cut is counted with what is left of it.
func TestAggregateCutLine(t *testing.T) {
	for _, o := range []report.Options{inText, inJSON} {
		line := nginxHead + diagnosisLine(founding(), o)
		s := summaryOf(t, Options{}, line[:strings.Index(line, "change")+12])
		assert.Equal(t, 1, s.Cut)
		assert.Equal(t, "post", s.Groups[0].Route)
		assert.Nil(t, s.Groups[0].Change)
	}
}

// What overflows keeps its cause, its route and a fix of its own.
func TestAggregateIsBounded(t *testing.T) {
	a, s := NewAggregate(time.Time{}, time.UTC), scannerFor(t, Options{})
	a.limit = 10
	x := founding()
	for i := range 100 {
		x.Upstream.Path = fmt.Sprintf("/%c%c", 'a'+i/26, 'a'+i%26)
		a.Add(s.Scan([]byte(nginxHead + diagnosisLine(x, inText))))
	}
	groups := a.Summary().Groups
	assert.Len(t, groups, 11)
	assert.Equal(t, []any{"method-not-allowed", "post", Other, 90}, []any{groups[0].Cause, groups[0].Route, groups[0].Upstream, groups[0].Count})
	assert.Contains(t, groups[0].Fix, "offer POST at /ak in the application")
	for i := range 1000 {
		a.Add(s.Scan(fmt.Appendf(nil, "%s[diag405] event=diagnosis cause=c%d route=r upstream=\"GET /\"", nginxHead, i)))
	}
	assert.LessOrEqual(t, len(a.Summary().Groups), 21)
	assert.Equal(t, 1100, a.Summary().Failures)
}

// Nothing that stands in a log makes the reader fail, and what it tells is clean.
func FuzzScan(f *testing.F) {
	f.Add([]byte(nginxHead + diagnosisLine(founding(), inText) + nginxTail))
	f.Add([]byte(nginxHead + `[diag405] {"event":"diagnosis","cause":"\ud800"}`))
	f.Add([]byte(`127.0.0.1 - - [23/Nov/2026:08:06:03 +0000] "POST /a?x=1 HTTP/1.1" 405 31 "-" "curl/8.5.0"`))
	f.Add([]byte(`{"log":"{\"request\":{\"method\":\"GET\",\"uri\":\"/\"},\"response\":{\"status\":405}}\n","stream":"stdout","time":"2026-11-23T08:06:03Z"}`))
	s := scannerFor(f, Options{})
	f.Fuzz(func(t *testing.T, line []byte) {
		a := NewAggregate(time.Time{}, time.UTC)
		a.Add(s.Scan(line))
		for _, g := range a.Summary().Groups {
			if report.Clean(g.Example+g.Route+g.Upstream+g.Fix+g.Reason) != g.Example+g.Route+g.Upstream+g.Fix+g.Reason {
				t.Fatalf("not clean: %+v", g)
			}
			g.Parts()
			g.Forms()
		}
	})
}

// manyLines is a log of which one line in ten is ours, or every line.
func manyLines(n int, all bool) []byte {
	var b bytes.Buffer
	x := founding()
	var ours []string
	for i := range 50 {
		x.Upstream.Path, x.Client.Path = fmt.Sprintf("/v%d", i), fmt.Sprintf("/api/v%d", i)
		ours = append(ours, nginxHead+diagnosisLine(x, inText)+nginxTail)
	}
	for i := range n {
		if all || i%10 == 0 {
			b.WriteString(ours[i/10%50])
		} else {
			b.WriteString(nginxHead + report.AccessLine(x, inText) + nginxTail)
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// DIAG405_LINES=1000000 asks for a long log.
func BenchmarkAggregate(b *testing.B) {
	n := 10_000
	if s := os.Getenv("DIAG405_LINES"); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		require.NoError(b, err)
	}
	for _, all := range []bool{false, true} {
		log := manyLines(n, all)
		b.Run(fmt.Sprintf("%d lines, all ours %t", n, all), func(b *testing.B) {
			b.SetBytes(int64(len(log)))
			b.ReportAllocs()
			for b.Loop() {
				NewAggregate(time.Time{}, time.UTC).Add(scannerFor(b, Options{}).Scan(log))
			}
			b.ReportMetric(float64(time.Second.Nanoseconds())*float64(n)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "lines/s")
		})
	}
}
