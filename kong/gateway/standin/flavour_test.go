package standin

import (
	"net/http/httptest"

	"testing"

	"diag405/kong/config"
	"diag405/kong/gateway"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFlavours: one configuration that each of two flavours routes in its way, and
// one that only the third takes. The path that reaches the upstream tells.
func TestFlavours(t *testing.T) {
	rec := &recorder{}
	up := httptest.NewServer(rec)
	defer up.Close()
	routes := func(list string) string {
		return `{"_format_version": "3.0", "services": [{"name": "s", "url": "` + up.URL + `/base", "routes": [` + list + `]}]}`
	}
	fields := routes(`{"paths": ["~/a/b"]}, {"paths": ["/a"], "methods": ["GET"], "path_handling": "v1"}`)
	expression := routes(`{"expression": "http.path ^= \"/a\" && net.src.ip in 127.0.0.0/8"}, {"expression": "http.path ^= \"/a/b\"", "priority": 1}`)
	for _, row := range []struct {
		flavor        config.Flavor
		configuration string
		want          string
	}{
		{"", fields, "/base/c"},
		{config.TraditionalCompatible, fields, "/base/c"},
		{config.Traditional, fields, "/base/b/c"},
		{config.Expressions, expression, "/base/c"},
	} {
		g := standInFor(t, gateway.Options{Flavor: row.flavor}, row.configuration)
		got := send(t, g, "GET /a/b/c HTTP/1.1\nHost: localhost")
		require.Equal(t, 200, got.Status)
		assert.Equal(t, row.want, rec.take().URI, row.flavor)
	}
	g := standInFor(t, gateway.Options{}, "")
	assert.ErrorContains(t, g.Load(t.Context(), []byte(expression)), "expression: unknown field")
}

// TestOdd: what nginx refuses, and what Kong's router cannot read.
func TestOdd(t *testing.T) {
	g := standInFor(t, gateway.Options{Flavor: config.Expressions},
		`{"_format_version": "3.0", "routes": [{"expression": "http.queries.x == \"a\" || http.headers.y == \"a\""}]}`)
	for request, want := range map[string]int{
		"GET /?x=b HTTP/1.1\nHost: a":              404,
		"GET /?x=a HTTP/1.1\nHost: a":              503, // a route without a service
		"GET /?x=a HTTP/1.1\nHost: a..b":           400,
		"GET http:///a HTTP/1.1\nHost: a":          400,
		"TRACE / HTTP/1.1\nHost: a":                405,
		"GET /?x&x=a HTTP/1.1\nHost: a":            500,
		"GET /?x=%FF HTTP/1.1\nHost: a":            404,
		"GET /?x=a HTTP/1.1\nHost: a\ny: \xff":     404,
		"GET /?x=a HTTP/1.1\nHost: a\nother: \xff": 503,
	} {
		assert.Equal(t, want, send(t, g, request).Status, request)
	}
}
