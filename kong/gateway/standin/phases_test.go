package standin

import (
	"fmt"
	"strings"
	"testing"

	"diag405/kong/gateway"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const raises = "raises"

// row is a PDK call and what comes of it in each phase: raises, or a pattern
// of the value as JSON. An empty pattern takes any value.
type row struct {
	call                  []any
	access, response, log string
}

func (r row) want(p phase) string {
	return map[phase]string{accessPhase: r.access, responsePhase: r.response, logPhase: r.log}[p]
}

// tableRequest is the request of the tables: service path /base, route path /p,
// strip_path.
const tableRequest = "GET /p/x%20y/z?x=1 HTTP/1.1\nHost: localhost:8000\nX-Two: a\nX-Two: b"

// phaseRows are facts of a real Kong 3.9.1, in the order of its phase table;
// calls that stand behind were read in its source.
var phaseRows = []row{
	{[]any{"Nginx", "GetVar", "request"}, `^"GET /p/x%20y/z\?x=1 HTTP/1.1"$`, `^"GET /p/x%20y/z\?x=1 HTTP/1.1"$`, raises},
	{[]any{"Nginx", "GetVar", "no_such_variable"}, `^""$`, `^""$`, raises},
	{[]any{"Router", "GetRoute"}, `"name":"r".*"paths":\["/p"\].*"headers":null.*"strip_path":true`, `"name":"r"`, `"name":"r"`},
	{[]any{"Router", "GetService"}, `"name":"s"`, `"path":"/base"`, `"name":"s"`},
	{[]any{"Request", "GetHeaders", -1}, `"x-two":\["a","b"\]`, `"x-two":\["a","b"\]`, `"host":\["localhost:8000"\]`},
	{[]any{"Request", "GetHeaders", 1}, `"host"`, `"host"`, `"host"`},
	{[]any{"Request", "GetHeaders", 1000}, `"host"`, `"host"`, `"host"`},
	{[]any{"Request", "GetHeaders", 1001}, raises, raises, ``},
	{[]any{"Request", "GetMethod"}, `^"GET"$`, `^"GET"$`, raises},
	{[]any{"Request", "GetPath"}, `^"/p/x y/z"$`, `^"/p/x y/z"$`, raises},
	{[]any{"Request", "GetRawQuery"}, `^"x=1"$`, `^"x=1"$`, raises},
	{[]any{"Client", "GetIp"}, `^"127.0.0.1"$`, `^"127.0.0.1"$`, raises},
	{[]any{"Ctx", "SetShared", "k", "v"}, ``, ``, ``},
	{[]any{"Ctx", "GetSharedAny", "missing"}, `^null$`, `^null$`, `^null$`},
	{[]any{"ServiceResponse", "GetStatus"}, raises, `^200$`, raises},
	{[]any{"ServiceResponse", "GetHeader", "content_type"}, raises, `^"application/json"$`, raises},
	{[]any{"ServiceResponse", "GetRawBody"}, raises, `URI.*/base/x%20y/z`, raises},
	{[]any{"ServiceResponse", "GetHeaders", -1}, raises, `^{}$`, raises},
	{[]any{"Response", "GetStatus"}, raises, `^200$`, `^200$`},
	{[]any{"Response", "GetHeaders", -1}, raises, `"content-type":\["application/json"\]`, `"x-kong-request-id"`},
	{[]any{"Response", "GetHeader", "Content-Type"}, raises, `^"application/json"$`, `^"application/json"$`},
	{[]any{"Response", "GetSource"}, raises, `^"service"$`, `^"service"$`},
	{[]any{"Response", "SetHeader", "X-Set", "1"}, ``, ``, raises},
	{[]any{"ServiceRequest", "SetHeader", "X-Set", "1"}, ``, raises, raises},
	{[]any{"ServiceRequest", "SetMethod", "POST"}, ``, raises, raises},
	{[]any{"ServiceRequest", "SetMethod", "PURGE"}, raises, raises, raises},
	{[]any{"ServiceRequest", "SetPath", "/other"}, ``, raises, raises},
	{[]any{"ServiceRequest", "SetPath", "other"}, raises, raises, raises},
	{[]any{"ServiceRequest", "SetScheme", "http"}, ``, raises, raises},
	{[]any{"ServiceRequest", "SetRawQuery", "y=2"}, ``, raises, raises},
	{[]any{"ServiceRequest", "SetQuery", map[string][]string{"y": {"2"}}}, ``, raises, raises},
	{[]any{"ServiceRequest", "AddHeader", "X-Set", "1"}, ``, raises, raises},
	{[]any{"ServiceRequest", "SetHeaders", map[string][]string{"X-Set": {"1"}}}, ``, raises, raises},
	{[]any{"ServiceRequest", "ClearHeader", "X-Two"}, ``, raises, raises},
	{[]any{"ServiceRequest", "SetRawBody", "body"}, ``, raises, raises},
	{[]any{"Log", "Serialize"}, raises, raises, `path_handling`},

	{[]any{"Client", "GetForwardedIp"}, `^"127.0.0.1"$`, `^"127.0.0.1"$`, raises},
	{[]any{"Client", "GetPort"}, `^\d+$`, `^\d+$`, raises},
	{[]any{"Client", "GetForwardedPort"}, `^\d+$`, `^\d+$`, raises},
	{[]any{"Client", "GetCredential"}, ``, ``, ``},
	{[]any{"Client", "GetConsumer"}, ``, ``, ``},
	{[]any{"Client", "LoadConsumer", "someone", true}, raises, raises, raises}, // not modelled
	{[]any{"Client", "GetProtocol", false}, `^"http"$`, `^"http"$`, raises},
	{[]any{"IP", "IsTrusted", "127.0.0.1"}, `^false$`, `^false$`, `^false$`},
	{[]any{"Log", "Info", "not written"}, ``, ``, ``},
	{[]any{"Nginx", "GetVar", "request_body"}, raises, raises, raises}, // not modelled
	{[]any{"Nginx", "GetTLS1VersionStr"}, `^""$`, `^""$`, raises},
	{[]any{"Nginx", "SetCtx", "k", "v"}, ``, ``, ``},
	{[]any{"Nginx", "GetCtxAny", "missing"}, `^null$`, `^null$`, `^null$`},
	{[]any{"Nginx", "ReqStartTime"}, `^\d+(\.\d+)?$`, `^\d+(\.\d+)?$`, `^\d+(\.\d+)?$`},
	{[]any{"Nginx", "GetSubsystem"}, `^"http"$`, `^"http"$`, `^"http"$`},
	{[]any{"Node", "GetId"}, `^"[0-9a-f-]{36}"$`, `^"[0-9a-f-]{36}"$`, `^"[0-9a-f-]{36}"$`},
	{[]any{"Node", "GetMemoryStats"}, raises, raises, raises}, // not modelled
	{[]any{"Request", "GetScheme"}, `^"http"$`, `^"http"$`, raises},
	{[]any{"Request", "GetHost"}, `^"localhost"$`, `^"localhost"$`, raises},
	{[]any{"Request", "GetPort"}, `^\d+$`, `^\d+$`, raises},
	{[]any{"Request", "GetForwardedScheme"}, `^"http"$`, `^"http"$`, raises},
	{[]any{"Request", "GetForwardedHost"}, `^"localhost"$`, `^"localhost"$`, raises},
	{[]any{"Request", "GetForwardedPort"}, `^\d+$`, `^\d+$`, raises},
	{[]any{"Request", "GetHttpVersion"}, `^1.1$`, `^1.1$`, raises},
	{[]any{"Request", "GetPathWithQuery"}, `^"/p/x%20y/z\?x=1"$`, `^"/p/x%20y/z\?x=1"$`, raises},
	{[]any{"Request", "GetQueryArg", "x"}, `^"1"$`, `^"1"$`, raises},
	{[]any{"Request", "GetQuery", 100}, `^{"x":\["1"\]}$`, `^{"x":\["1"\]}$`, raises},
	{[]any{"Request", "GetHeader", "X-Two"}, `^"a"$`, `^"a"$`, `^"a"$`},
	{[]any{"Request", "GetRawBody"}, `^""$`, `^""$`, raises},
	{[]any{"Request", "GetUriCaptures"}, ``, ``, ``},
	{[]any{"Response", "SetStatus", 405}, ``, ``, raises},
	{[]any{"Response", "SetStatus", 99}, raises, raises, raises},
	{[]any{"Response", "AddHeader", "X-Set", "1"}, ``, ``, raises},
	{[]any{"Response", "ClearHeader", "X-Set"}, ``, ``, raises},
	{[]any{"Response", "SetHeaders", map[string][]string{"X-Set": {"1"}}}, ``, ``, raises},
	{[]any{"Service", "SetUpstream", "nobody"}, ``, raises, raises},
	{[]any{"Service", "SetTarget", "127.0.0.1", 70000}, raises, raises, raises},
}

// TestPhases walks the phase table: each call in each phase, with what the
// client gets when it raises.
func TestPhases(t *testing.T) {
	up := echo(t)
	address, outcomes := reports(t)
	log := &gateway.Lines{}
	g := standInFor(t, gateway.Options{Plugins: []string{probePath(t, "probe")}, ErrorLog: log}, "")
	for _, r := range phaseRows {
		for _, p := range []phase{accessPhase, responsePhase, logPhase} {
			t.Run(fmt.Sprint(r.call, " in ", p), func(t *testing.T) {
				require.NoError(t, g.Load(t.Context(), []byte(declare(up.URL+"/base", plainRoute, probe("probe", map[string]any{
					"report": address, "in_" + p.String(): ask(r.call),
				})))))
				got := send(t, g, tableRequest)
				seen := phaseOutcomes(t, outcomes, p)
				require.Len(t, seen, 1)
				if r.want(p) == raises {
					assert.Contains(t, seen[0].Error, "EOF")
					assert.Equal(t, p == logPhase, got.Status == 200, "status %d", got.Status)
				} else {
					assert.Empty(t, seen[0].Error)
					assert.Regexp(t, r.want(p), seen[0].Value)
					assert.NotEqual(t, 500, got.Status)
				}
			})
		}
	}
	assert.Contains(t, log.String(), "function cannot be called in access phase (only in: response, log)")
}

// TestEveryCallHasARow: what the stand-in models is in the table above.
func TestEveryCallHasARow(t *testing.T) {
	have := map[string]bool{}
	for _, r := range phaseRows {
		have[strings.ToLower(fmt.Sprint(r.call[0], ".", r.call[1]))] = true
	}
	levels := map[string]bool{"alert": true, "crit": true, "err": true, "warn": true, "notice": true, "debug": true}
	for method := range calls {
		name := strings.TrimPrefix(method, "kong.")
		name = strings.NewReplacer("service.request.", "servicerequest.", "service.response.", "serviceresponse.", "ctx.shared.get", "ctx.getsharedany",
			"ctx.shared.set", "ctx.setshared", "get_ctx", "getctxany", "_", "").Replace(name)
		if levels[strings.TrimPrefix(name, "log.")] || name == "log.setserializevalue" || name == "response.exit" {
			continue // tested by themselves: the wrapper has no call, or the call does not return
		}
		assert.True(t, have[name], "%s has no row", method)
	}
}

// variableRows are nginx variables of the table's request, in access and
// response.
var variableRows = []struct{ name, access, response string }{
	{"request", `GET /p/x%20y/z\?x=1 HTTP/1.1`, `GET /p/x%20y/z\?x=1 HTTP/1.1`},
	{"request_uri", `/p/x%20y/z\?x=1`, `/p/x%20y/z\?x=1`},
	{"request_method", `GET`, `GET`},
	{"http_host", `localhost:8000`, `localhost:8000`},
	{"host", `localhost`, `localhost`},
	{"upstream_scheme", `http`, `http`},
	{"upstream_uri", `/base/x%20y/z`, `/base/x%20y/z\?x=1`},
	{"upstream_host", ``, `127.0.0.1:\d+`},
	{"upstream_x_forwarded_prefix", `/p`, `/p`},
	{"upstream_x_forwarded_path", `/p/x%20y/z`, `/p/x%20y/z`},
	{"sent_http_allow", ``, `POST`},
	{"kong_request_id", `[0-9a-f]{32}`, `[0-9a-f]{32}`},
	{"upstream_addr", ``, ``},
	{"upstream_status", ``, ``},
	{"upstream_http_allow", ``, ``},
	{"http_x_two", `a, b`, `a, b`},
	{"arg_x", `1`, `1`},
	{"args", `x=1`, `x=1`},
	{"uri", `/p/x y/z`, `/p/x y/z`},
	{"server_name", `kong`, `kong`},
	{"nothing_like_it", ``, ``},
}

func TestVariables(t *testing.T) {
	up := echo(t)
	address, outcomes := reports(t)
	var cs [][]any
	for _, v := range variableRows {
		cs = append(cs, []any{"Nginx", "GetVar", v.name})
	}
	setAllow := []any{"Response", "SetHeader", "Allow", "POST"}
	g := standInFor(t, gateway.Options{Plugins: []string{probePath(t, "probe")}}, declare(up.URL+"/base", plainRoute, probe("probe", map[string]any{
		"report": address, "in_access": ask(cs...), "in_response": ask(append([][]any{setAllow}, cs...)...),
	})))
	send(t, g, tableRequest)
	inAccess := phaseOutcomes(t, outcomes, accessPhase)
	inResponse := phaseOutcomes(t, outcomes, responsePhase)
	require.Len(t, inAccess, len(cs))
	require.Len(t, inResponse, len(cs)+1)
	for i, v := range variableRows {
		assert.Regexp(t, `^"`+v.access+`"$`, inAccess[i].Value, "$%s in access", v.name)
		assert.Regexp(t, `^"`+v.response+`"$`, inResponse[i+1].Value, "$%s in response", v.name)
	}
}
