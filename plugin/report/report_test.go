package report

import (
	"net/http"
	"strings"
	"testing"

	"github.com/dunglas/httpsfv"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"

	"diag405/kong/config"
	"diag405/plugin/diagnose"
)

// founding is the exchange of the founding case.
func founding() diagnose.Exchange {
	return diagnose.Exchange{
		Client:   diagnose.Request{Method: "POST", Path: "/api/sendWeather", Query: "key=secret&unit", Scheme: "http", Host: "localhost:8000"},
		Upstream: diagnose.Request{Method: "POST", Path: "/", Query: "key=secret&unit", Scheme: "http", Host: "weather:8900"},
		Stripped: "/api/sendWeather",
		Route:    &config.Route{ID: "5a7d2c3e-0000-4000-8000-000000000002", Name: "post", Paths: []string{"/api/sendWeather"}, Methods: []string{"POST"}, StripPath: true},
		Service:  &config.Service{ID: "5a7d2c3e-0000-4000-8000-000000000001", Name: "weather"},
		Response: diagnose.Response{Status: 405, Header: http.Header{"Allow": {"GET"}, "Server": {"uvicorn"}}},
	}
}

var options = Options{HeaderPrefix: "X-Diag"}

func TestHeaders(t *testing.T) {
	x := founding()
	d := diagnose.Explain(x, diagnose.Offers{})
	full := []Header{
		{"X-Diag", "strip-path;certainty=likely"},
		{"X-Diag-Reason", "strip_path on route post removed /api/sendWeather, so the upstream got POST /, which takes only GET"},
		{"X-Diag-Fix", "set strip_path=false on route post; the upstream then gets POST /api/sendWeather"},
		{"X-Diag-Request", "POST /api/sendWeather"},
		{"X-Diag-Upstream", "POST /"},
	}
	assert.Equal(t, full, Headers(x, d, options))

	o := options
	o.CodeOnly = true
	assert.Equal(t, full[:1], Headers(x, d, o))

	o = options
	o.ShowAddress, o.HeaderPrefix = true, "Why"
	shown := Headers(x, d, o)
	assert.Equal(t, Header{"Why-Upstream", "POST http://weather:8900/"}, shown[4])
	assert.Equal(t, HeaderNames("Why"), []string{shown[0].Name, shown[1].Name, shown[2].Name, shown[3].Name, shown[4].Name})
}

func TestLines(t *testing.T) {
	x := founding()
	d := diagnose.Explain(x, diagnose.Offers{})
	tests := []struct {
		name string
		got  string
		want string
	}{
		{"access", AccessLine(x, options),
			`[diag405] event=access client="POST http://localhost:8000/api/sendWeather?key&*" upstream="POST http://weather:8900/?key&*" stripped=/api/sendWeather route=post service=weather changed=path,host`},
		{"diagnosis", DiagnosisLine(x, d, options),
			`[diag405] event=diagnosis status=405 cause=strip-path certainty=likely ` +
				`reason="strip_path on route post removed /api/sendWeather, so the upstream got POST /, which takes only GET" ` +
				`fix="set strip_path=false on route post; the upstream then gets POST /api/sendWeather" allow=GET server=uvicorn ` +
				`client="POST http://localhost:8000/api/sendWeather?key&*" upstream="POST http://weather:8900/?key&*" stripped=/api/sendWeather route=post service=weather ` +
				`change="{\"set\":{\"route.strip_path\":false}}"`},
		{"json", AccessLine(x, Options{JSON: true, Query: true}),
			`[diag405] {"event":"access","client":"POST http://localhost:8000/api/sendWeather?key=secret&unit","upstream":"POST http://weather:8900/?key=secret&unit","stripped":"/api/sendWeather","route":"post","service":"weather","changed":"path,host"}`},
		{"note", Note("config: a\nb"), "[diag405] config: a\ufffdb"},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, tt.got, tt.name)
	}
}

func TestRecord(t *testing.T) {
	x := founding()
	d := diagnose.Explain(x, diagnose.Offers{})
	r := Record(x, d, options)
	_, err := structpb.NewStruct(r)
	require.NoError(t, err, "the PDK takes it")
	assert.Equal(t, "strip-path", r["cause"])
	assert.Equal(t, map[string]any{"method": "POST", "path": "/?key&*", "host": "weather:8900"}, r["upstream"])
	first := r["fixes"].([]any)[0].(map[string]any)
	assert.Equal(t, `{"set":{"route.strip_path":false}}`, first["change"])
	assert.Equal(t, map[string]any{"kind": "route", "name": "post", "id": x.Route.ID}, first["entity"])
	assert.Equal(t, "POST /api/sendWeather", first["upstream"])
	assert.NotContains(t, compactJSON(r), "secret")
}

// hostile are strings that a client or an upstream might send.
var hostile = []string{
	"a\r\nSet-Cookie: x=1", "\x00\x1b[31mred\x1b[0m", "\xff\xfe\xc3", "é\u2028\u0085日本", `"; drop=1; x="`, strings.Repeat("/long", 20_000), " ", "%0d%0a",
}

func FuzzRender(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, s, s, s)
	}
	f.Fuzz(checkRendered)
}

// checkRendered asserts the limits of headers and lines for an exchange full of
// hostile text.
func checkRendered(t *testing.T, path, name, allow, host string) {
	x := founding()
	x.Client.Path, x.Client.Host, x.Upstream.Path, x.Upstream.Host = path, host, path+"/", host
	x.Client.Query, x.Stripped = name, path
	x.Route.Name, x.Service.Name, x.Service.Path = name, name, path
	x.Response.Header = http.Header{"Allow": {allow}, "Server": {name}}
	d := diagnose.Explain(x, diagnose.Offers{})
	o := Options{HeaderPrefix: "X-Diag", ShowAddress: true, Query: true}
	total := 0
	for _, h := range Headers(x, d, o) {
		total += len(h.Value)
		if len(h.Value) > 512 || strings.IndexFunc(h.Value, hidden) >= 0 || strings.TrimSpace(h.Value) != h.Value {
			t.Fatalf("%s: %d bytes: %q", h.Name, len(h.Value), h.Value)
		}
		if h.Name == "X-Diag" {
			if _, err := httpsfv.UnmarshalItem([]string{h.Value}); err != nil {
				t.Fatalf("%q is not an RFC 9651 item: %v", h.Value, err)
			}
		}
	}
	if total > 1536 {
		t.Fatalf("headers are %d bytes together", total)
	}
	for _, o.JSON = range []bool{false, true} {
		for _, line := range []string{AccessLine(x, o), DiagnosisLine(x, d, o)} {
			if Clean(line) != line {
				t.Fatalf("line is not clean: %q", line)
			}
		}
	}
	if _, err := structpb.NewStruct(Record(x, d, o)); err != nil {
		t.Fatalf("the PDK refuses the record: %v", err)
	}
}
