package report

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/plugin/diagnose"
)

func TestForms(t *testing.T) {
	x := founding()
	tests := []struct {
		name string
		fix  diagnose.Fix
		want map[string]any
	}{
		{"route", diagnose.Fix{Set: map[string]any{"route.strip_path": false}}, map[string]any{
			"admin_api":   `curl -X PATCH http://localhost:8001/routes/post -H 'Content-Type: application/json' -d '{"strip_path":false}'`,
			"declarative": "routes:\n    - name: post\n      strip_path: false",
			"kubernetes":  `konghq.com/strip-path: "false"   # on the Ingress or HTTPRoute`,
		}},
		{"service", diagnose.Fix{Set: map[string]any{"service.path": "/v1"}}, map[string]any{
			"admin_api":   `curl -X PATCH http://localhost:8001/services/weather -H 'Content-Type: application/json' -d '{"path":"/v1"}'`,
			"declarative": "services:\n    - name: weather\n      path: /v1",
			"kubernetes":  `konghq.com/path: "/v1"   # on the Service`,
		}},
		{"both", diagnose.Fix{Set: map[string]any{"service.protocol": "grpc", "route.protocols": []any{"grpc", "grpcs"}}}, map[string]any{
			"admin_api": `curl -X PATCH http://localhost:8001/routes/post -H 'Content-Type: application/json' -d '{"protocols":["grpc","grpcs"]}'` + "\n" +
				`curl -X PATCH http://localhost:8001/services/weather -H 'Content-Type: application/json' -d '{"protocol":"grpc"}'`,
			"declarative": "routes:\n    - name: post\n      protocols:\n        - grpc\n        - grpcs\nservices:\n    - name: weather\n      protocol: grpc",
			"kubernetes":  `konghq.com/protocols: "grpc,grpcs"   # on the Ingress or HTTPRoute` + "\n" + `konghq.com/protocol: "grpc"   # on the Service`,
		}},
		{"plugin added", diagnose.Fix{Set: map[string]any{"plugin.cors": map[string]any{"origins": []any{"*"}}}}, map[string]any{
			"admin_api":   `curl -X POST http://localhost:8001/routes/post/plugins -H 'Content-Type: application/json' -d '{"config":{"origins":["*"]},"name":"cors"}'`,
			"declarative": "routes:\n    - name: post\n      plugins:\n        - config:\n            origins:\n                - '*'\n          name: cors",
			"kubernetes":  "apiVersion: configuration.konghq.com/v1\nconfig:\n    origins:\n        - '*'\nkind: KongPlugin\nmetadata:\n    name: cors\nplugin: cors\n# and on the Ingress or HTTPRoute\nkonghq.com/plugins: cors",
		}},
		{"plugin removed", diagnose.Fix{Set: map[string]any{"plugin.request-transformer": nil}}, map[string]any{
			"admin_api":  "curl http://localhost:8001/routes/post/plugins   # find the id of request-transformer, then\ncurl -X DELETE http://localhost:8001/plugins/ID",
			"kubernetes": `konghq.com/plugins: "..."   # on the Ingress or HTTPRoute and the Service: without the KongPlugin of request-transformer`,
		}},
		{"of several lines, which stay lines", diagnose.Fix{Set: map[string]any{"route.paths": []any{"/a\x1b", "/b"}}}, map[string]any{
			"admin_api":   `curl -X PATCH http://localhost:8001/routes/post -H 'Content-Type: application/json' -d '{"paths":["/a�","/b"]}'`,
			"declarative": "routes:\n    - name: post\n      paths:\n        - /a�\n        - /b",
		}},
		{"client", diagnose.Fix{Client: map[string]any{"method": "PUT"}}, map[string]any{}},
		{"app", diagnose.Fix{App: "Offer it."}, map[string]any{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, formsRecord(x, tt.fix))
			assert.Equal(t, tt.want, formsRecord(x, tt.fix), "remembered")
		})
	}
}

// A route without a name is found by its id, and the address is the one given.
func TestFormsAt(t *testing.T) {
	x := diagnose.Exchange{Route: &config.Route{ID: "r-id"}, Service: &config.Service{ID: "s-id"}}
	forms := FormsAt("http://kong:8001/ops", x, diagnose.Fix{Set: map[string]any{"route.strip_path": false, "service.path": "/v1", "plugin.cors": nil}})
	assert.Equal(t, []Form{
		{"admin_api", `curl http://kong:8001/ops/routes/r-id/plugins   # find the id of cors, then
curl -X DELETE http://kong:8001/ops/plugins/ID
curl -X PATCH http://kong:8001/ops/routes/r-id -H 'Content-Type: application/json' -d '{"strip_path":false}'
curl -X PATCH http://kong:8001/ops/services/s-id -H 'Content-Type: application/json' -d '{"path":"/v1"}'`},
		{"declarative", "routes:\n    - id: r-id\n      strip_path: false\nservices:\n    - id: s-id\n      path: /v1"},
	}, forms[:2])
}

// The record keeps the lines of what is to be pasted, and of nothing else.
func TestRecordKeepsLines(t *testing.T) {
	x := founding()
	fix := diagnose.Fix{Words: "one\ntwo", Set: map[string]any{"service.path": "/v1"}}
	r := Record(x, diagnose.Diagnosis{Fixes: []diagnose.Fix{fix}}, Options{})
	got := r["fixes"].([]any)[0].(map[string]any)
	assert.Equal(t, "one�two", got["words"])
	assert.Equal(t, "services:\n    - name: weather\n      path: /v1", got["forms"].(map[string]any)["declarative"])
}

// What is pasted into a shell is one word, whatever it is called.
func TestQuoteShell(t *testing.T) {
	for _, s := range []string{"a", "", "a b", "it's", "$(x)", "`x`", "a\nb", `"\`, "é", "-n"} {
		out, err := exec.Command("sh", "-c", "printf %s "+quoteShell(s)).Output()
		require.NoError(t, err, s)
		assert.Equal(t, s, string(out))
	}
}

// The declarative form is a piece that Patch's own result has.
func TestDeclarativeFormFits(t *testing.T) {
	x := founding()
	for _, form := range Forms(x, diagnose.Fix{Set: map[string]any{"service.path": "/v1"}}) {
		if form.Name != "declarative" {
			continue
		}
		whole := "_format_version: \"3.0\"\n" + strings.Replace(form.Text, "name: weather", "name: weather\n      host: weather", 1)
		c, err := config.Parse([]byte(whole))
		require.NoError(t, err, whole)
		assert.Equal(t, "/v1", c.Services[0].Path)
	}
}

// Forms are remembered for a route, a service and what is set, in bounds, and only where
// nothing of them is the client's.
func TestFormsAreRemembered(t *testing.T) {
	x := founding()
	configured.byFix = map[formsKey]map[string]any{}
	fix := diagnose.Fix{Set: map[string]any{"route.strip_path": false}}
	formsRecord(x, fix)
	assert.Len(t, configured.byFix, 1)
	formsRecord(x, diagnose.Fix{Set: map[string]any{"service.path": "/of/a/request"}, FromClient: []string{"service.path"}})
	formsRecord(x, diagnose.Fix{App: "Offer it."})
	assert.Len(t, configured.byFix, 1)
	for _, change := range []func(*config.Route, *config.Service){
		func(r *config.Route, _ *config.Service) { r.Name = "other" },
		func(r *config.Route, _ *config.Service) { r.Name, r.ID = "", "3" },
		func(r *config.Route, _ *config.Service) { r.Workspace = "w" },
		func(_ *config.Route, s *config.Service) { s.Name = "other" },
	} {
		route, service := *x.Route, *x.Service
		change(&route, &service)
		y := x
		y.Route, y.Service = &route, &service
		assert.Equal(t, makeForms(y, fix), formsRecord(y, fix))
	}
	assert.Len(t, configured.byFix, 5)
	for n := range maxForms {
		route := *x.Route
		route.ID = strconv.Itoa(n)
		y := x
		y.Route = &route
		formsRecord(y, fix)
	}
	assert.LessOrEqual(t, len(configured.byFix), maxForms)
}
