package logread

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/plugin/diagnose"
	"diag405/plugin/report"
)

// What nginx and Kong put around a line.
const (
	nginxHead = `2026/11/23 08:06:03 [warn] 1443#0: *656 [kong] pb_rpc.lua:233 `
	nginxTail = ` while sending to client, client: 127.0.0.1, server: kong, request: "POST /a?x=1 HTTP/1.1", host: "localhost:8000", request_id: "d1980d726768932220e8ca471f617971"`
)

// The forms of a line.
var (
	inText = report.Options{}
	inJSON = report.Options{JSON: true}
)

// founding is the exchange of the founding case.
func founding() diagnose.Exchange {
	return diagnose.Exchange{
		Client:   diagnose.Request{Method: "POST", Path: "/api/sendWeather", Query: "unit", Scheme: "http", Host: "localhost:8000"},
		Upstream: diagnose.Request{Method: "POST", Path: "/", Query: "unit", Scheme: "http", Host: "weather:8900"},
		Stripped: "/api/sendWeather",
		Route:    &config.Route{Name: "post", Paths: []string{"/api/sendWeather"}, Methods: []string{"POST"}, StripPath: true},
		Service:  &config.Service{Name: "weather"},
		Response: diagnose.Response{Status: 405, Header: http.Header{"Allow": {"GET"}}},
	}
}

func diagnosisLine(x diagnose.Exchange, o report.Options) string {
	return report.DiagnosisLine(x, diagnose.Explain(x, diagnose.Offers{}), o)
}

// What is written is read back, with what nginx and Kong put around it.
func TestParse(t *testing.T) {
	x := founding()
	x.Client.Path, x.Client.Query = `/api/"quoted" back\slash, and=more,`, ""
	d := diagnose.Explain(x, diagnose.Offers{})
	for _, o := range []report.Options{inText, inJSON} {
		for _, tail := range []string{"", nginxTail, strings.TrimPrefix(nginxTail, " while sending to client")} {
			e, ok := Parse(nginxHead + report.DiagnosisLine(x, d, o) + tail)
			require.True(t, ok, tail)
			assert.Equal(t, "diagnosis", e.Event)
			assert.Equal(t, "POST http://localhost:8000"+x.Client.Path, e.Fields["client"])
			assert.Equal(t, d.Reason, e.Fields["reason"])
			change, err := e.Change()
			require.NoError(t, err)
			assert.Equal(t, map[string]any{"set": d.Fixes[0].Set}, change)

			e, ok = Parse(nginxHead + report.AccessLine(x, o) + tail)
			require.True(t, ok)
			assert.Equal(t, "access", e.Event)
			assert.Equal(t, "path,host", e.Fields["changed"], "the last field, with nginx's comma behind it")
		}
	}
	forged := `2026/11/23 08:06:03 [error] 1443#0: *656 something, request: "GET /[diag405] event=diagnosis cause=x HTTP/1.1", host: "h"`
	for _, line := range []string{forged, "", nginxHead + "something else" + nginxTail, nginxHead + "[diag405] config: wrong" + nginxTail, `[diag405] {"event":`, `[diag405] event="acc`} {
		_, ok := Parse(line)
		assert.False(t, ok, line)
	}
}

// The log phase runs in a timer, and Kong names the plugin there.
func TestParseOfTheLogPhase(t *testing.T) {
	const head = `2026/11/23 08:06:03 [warn] 1443#0: *656 [kong] pb_rpc.lua:233 [diag405-log] `
	const tail = `, context: ngx.timer, client: 127.0.0.1, server: 0.0.0.0:8000`
	e, ok := Parse(head + diagnosisLine(founding(), report.Options{Phase: "log"}) + tail)
	require.True(t, ok)
	assert.Equal(t, "log", e.Fields["phase"])
}

// hostile are strings that a client or an upstream might send.
var hostile = []string{
	"a\r\nb", "\x00\x1b[31mred", "\xff\xfe\xc3", "é\u2028\u0085日本\u00a0", `"; x="`, `\`, `a,`, "a=b, ", strings.Repeat("/long", 1000), " ", "[diag405] event=access",
}

// Every line that we write is read back, and in text as in JSON: what that says,
// encoding/json knows.
func FuzzParse(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, path, name, allow string) {
		x := founding()
		x.Client.Path, x.Upstream.Path, x.Route.Name, x.Client.Host = path, path+"/", name, name
		x.Response.Header = http.Header{"Allow": {allow}, "Server": {name}}
		for _, write := range []func(report.Options) string{
			func(o report.Options) string { return diagnosisLine(x, o) },
			func(o report.Options) string { return report.AccessLine(x, o) },
		} {
			want := map[string]string{}
			require.NoError(t, json.Unmarshal([]byte(strings.TrimPrefix(write(inJSON), report.Prefix)), &want))
			for _, o := range []report.Options{inJSON, inText} {
				line := nginxHead + write(o) + nginxTail
				e, ok := Parse(line)
				if !ok || !maps.Equal(e.Fields, want) {
					t.Fatalf("%s\n got %q\nwant %q", line, e.Fields, want)
				}
			}
		}
	})
}
