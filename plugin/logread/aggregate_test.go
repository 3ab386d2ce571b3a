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

func aggregateOf(lines ...string) *Aggregate {
	a := NewAggregate()
	for _, line := range lines {
		a.Add([]byte(line))
	}
	return a
}

func TestAggregate(t *testing.T) {
	x := founding()
	at := func(time string) string { return strings.Replace(nginxHead, "08:06:03", time, 1) }
	early := x
	early.Client.Query = ""
	a := aggregateOf(
		at("08:06:03")+diagnosisLine(x, inText)+nginxTail,
		at("08:06:01")+diagnosisLine(early, inText)+nginxTail,
		"kong-1  | "+at("08:06:09")+diagnosisLine(x, report.Options{JSON: true, Query: true})+nginxTail,
		nginxHead+report.AccessLine(x, inText)+nginxTail,
		nginxHead+"something else"+nginxTail,
		"",
	)
	assert.Equal(t, []int{6, 3, 1, 0}, []int{a.Lines, a.Diagnoses, a.Access, a.Cut})
	assert.Equal(t, []Group{{
		Cause: "strip-path", Certainty: "likely", Route: "post", Upstream: "POST /", Count: 3,
		First: "2026/11/23 08:06:01", Last: "2026/11/23 08:06:09",
		Example: "POST http://localhost:8000/api/sendWeather",
		Reason:  "strip_path on route post removed /api/sendWeather, so the upstream got POST /, which takes only GET",
		Fix:     "set strip_path=false on route post; the upstream then gets POST /api/sendWeather",
		Change:  []byte(`{"set":{"route.strip_path":false}}`),
	}}, a.Groups())
	assert.Equal(t, []CauseCount{{"strip-path", 3}}, a.Causes())
}

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
	} {
		a := aggregateOf(line)
		assert.Zero(t, a.Diagnoses, line)
	}
	// In a line of ours the client's text is a value.
	x := founding()
	x.Client.Path = "/" + forged
	a := aggregateOf(nginxHead + diagnosisLine(x, inText) + strings.Replace(nginxTail, "/a?x=1", full, 1))
	require.Equal(t, 1, a.Diagnoses)
	assert.NotEqual(t, "forged", a.Causes()[0].Cause)
	assert.Equal(t, "post", a.Groups()[0].Route)
}

// A line that stands for several is counted as those; what is no number is one.
func TestAggregateCountsTimes(t *testing.T) {
	x := founding()
	line := func(o report.Options) string { return nginxHead + diagnosisLine(x, o) + nginxTail }
	a := aggregateOf(line(inText), line(report.Options{Times: 1000}), line(report.Options{Times: 20, JSON: true}))
	assert.Equal(t, []int{3, 1021}, []int{a.Lines, a.Diagnoses})
	assert.Equal(t, 1021, a.Groups()[0].Count)
	assert.Equal(t, []CauseCount{{"strip-path", 1021}}, a.Causes())
	for _, times := range []string{"-5", "0", "", "x", "1e9", "99999999999999999999"} {
		a := aggregateOf(nginxHead + `[diag405] event=diagnosis cause=c times=` + times + ` route=r`)
		assert.Equal(t, 1, a.Diagnoses, times)
	}
}

// What a fix took from a client is marked, and the mark is cleaned.
func TestAggregateMarksWhatCameFromAClient(t *testing.T) {
	x := founding()
	x.Client.Method, x.Upstream.Method, x.Route.Methods = "OPTIONS", "OPTIONS", nil
	x.Client.Header = map[string][]string{"Origin": {"https://ui.example"}, "Access-Control-Request-Method": {"PUT"}}
	g := aggregateOf(nginxHead + diagnosisLine(x, inText) + nginxTail).Groups()
	assert.Equal(t, []string{"plugin.cors.origins"}, g[0].FromClient)
	assert.Empty(t, aggregateOf(nginxHead + diagnosisLine(founding(), inText)).Groups()[0].FromClient)
	g = aggregateOf(nginxHead + `[diag405] event=diagnosis cause=c change="{\"from_client\":[\"a\\u001b[2J\"]}"`).Groups()
	assert.Equal(t, []string{"a\ufffd[2J"}, g[0].FromClient)
	g = aggregateOf(nginxHead + `[diag405] event=diagnosis cause=c change="{\"from_client\":7}"`).Groups()
	assert.Empty(t, g[0].FromClient)
}

// A line that nginx cut is counted with what is left of it.
func TestAggregateCutLine(t *testing.T) {
	for _, o := range []report.Options{inText, inJSON} {
		line := nginxHead + diagnosisLine(founding(), o)
		a := aggregateOf(line[:strings.Index(line, "change")+12])
		assert.Equal(t, 1, a.Cut)
		assert.Equal(t, "post", a.Groups()[0].Route)
		assert.Nil(t, a.Groups()[0].Change)
	}
}

func TestAggregateIsBounded(t *testing.T) {
	a := NewAggregate()
	a.limit = 10
	x := founding()
	for i := range 100 {
		x.Upstream.Path = fmt.Sprintf("/%03d", i)
		a.Add([]byte(nginxHead + diagnosisLine(x, inText)))
	}
	groups := a.Groups()
	assert.Len(t, groups, 11)
	assert.Equal(t, []any{Other, Other, 90}, []any{groups[0].Route, groups[0].Upstream, groups[0].Count})
	for i := range 1000 {
		a.Add(fmt.Appendf(nil, "%s[diag405] event=diagnosis cause=c%d route=r upstream=\"GET /\"", nginxHead, i))
	}
	assert.LessOrEqual(t, len(a.Groups()), 21)
	assert.Equal(t, 1100, a.Diagnoses)
}

func TestAppendPath(t *testing.T) {
	for request, want := range map[string]string{
		"POST http://weather:8900/a/b?x=1": "POST /a/b",
		"POST http://weather:8900":         "POST /",
		"POST /a?u=http://b/c":             "POST /a",
		"POST /a":                          "POST /a",
		"POST":                             "POST",
		"":                                 "",
	} {
		assert.Equal(t, want, string(appendPath(nil, []byte(request))), request)
	}
}

// Nothing that stands in a log makes the reader fail.
func FuzzAggregate(f *testing.F) {
	f.Add([]byte(nginxHead + diagnosisLine(founding(), inText) + nginxTail))
	f.Add([]byte(nginxHead + `[diag405] {"event":"diagnosis","cause":"\ud800"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		a := NewAggregate()
		g := a.Add(line)
		if g != nil && (report.Clean(g.Example) != g.Example || report.Clean(g.Route) != g.Route) {
			t.Fatalf("not clean: %+v", g)
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
				a := NewAggregate()
				for line := range bytes.Lines(log) {
					a.Add(line)
				}
			}
			b.ReportMetric(float64(time.Second.Nanoseconds())*float64(n)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "lines/s")
		})
	}
}
