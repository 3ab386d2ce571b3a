package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
)

func TestMovePorts(t *testing.T) {
	moved := map[string]int{"app.test:80": 1080, "app.test:443": 1443, "other.test:8000": 9000}
	for _, test := range []struct{ from, to string }{
		{`{"services":[{"url":"http://app.test"}]}`, `{"services":[{"url":"http://app.test:1080"}]}`},
		{`{"services":[{"url":"http://app.test:80/a%2Fb"}]}`, `{"services":[{"url":"http://app.test:1080/a%2Fb"}]}`},
		{`{"services":[{"url":"https://app.test/a"}]}`, `{"services":[{"url":"https://app.test:1443/a"}]}`},
		{`{"services":[{"url":"http://app.test:81/"}]}`, `{"services":[{"url":"http://app.test:81/"}]}`},
		{`{"services":[{"host":"app.test"}]}`, `{"services":[{"host":"app.test","port":1080}]}`},
		{`{"services":[{"host":"app.test","port":443}]}`, `{"services":[{"host":"app.test","port":1443}]}`},
		{`{"services":[{"host":"other.test"}]}`, `{"services":[{"host":"other.test"}]}`},
		{`{"upstreams":[{"targets":[{"target":"other.test"},{"target":"app.test:80"},{"target":"app.test:81"}]}]}`,
			`{"upstreams":[{"targets":[{"target":"other.test:9000"},{"target":"app.test:1080"},{"target":"app.test:81"}]}]}`},
		{`{"targets":[{"target":"app.test:80"}]}`, `{"targets":[{"target":"app.test:1080"}]}`},
	} {
		doc, err := newDocument([]byte(test.from))
		require.NoError(t, err)
		doc.move(moved)
		assert.JSONEq(t, test.to, string(doc.bytes()))
	}
}

// Every route and service can be named in a change.
func TestIdentify(t *testing.T) {
	doc, err := newDocument([]byte(`{"_format_version":"3.0","services":[{"url":"http://a","routes":[{"paths":["/a"]},{"name":"b","paths":["/b"]}]}],"routes":[{"paths":["/c"]}]}`))
	require.NoError(t, err)
	doc.identify()
	doc.addPlugin("diag405", map[string]any{"buffering": "always"})
	cfg, err := config.Parse(doc.bytes())
	require.NoError(t, err)
	ids := map[string]bool{cfg.Services[0].ID: true}
	for _, r := range cfg.Routes {
		ids[r.ID] = true
		_, err := config.Patch(doc.bytes(), config.Change{RouteID: r.ID, Set: map[string]any{"route.strip_path": false}})
		assert.NoError(t, err)
	}
	assert.Len(t, ids, 4)
	require.Len(t, cfg.Plugins, 1)
	assert.Nil(t, cfg.Plugins[0].Route)
}

func TestOpenAPI(t *testing.T) {
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}
	c := readNamed(t, "static-mount-before-api-routes")
	c.Apps["app.test:8000"].Routes[0] = AppRoute{Path: "/a/{id:int}", Methods: []string{"GET", "PROPFIND"}}
	c.Apps["other.test:1"] = AppSpec{Routes: routes("GET /elsewhere")}
	require.NoError(t, json.Unmarshal(c.openAPI(), &doc))
	assert.Equal(t, "3.1.0", doc.OpenAPI)
	assert.Len(t, doc.Paths, 3)
	assert.Contains(t, doc.Paths, "/elsewhere", "whichever application the request reaches")
	require.Contains(t, doc.Paths, "/a/{id}")
	assert.Contains(t, doc.Paths["/a/{id}"], "get")
	assert.Contains(t, doc.Paths["/a/{id}"], "parameters")
	assert.NotContains(t, doc.Paths["/a/{id}"], "propfind")
	require.Contains(t, doc.Paths, "/{path}")
	assert.Contains(t, doc.Paths["/{path}"], "head")

	c = readNamed(t, "two-sites-share-workers")
	require.NoError(t, json.Unmarshal(c.openAPI(), &doc))
	assert.Contains(t, doc.Paths, "/unblock", "the first target's")
	assert.Contains(t, doc.Paths, "/{page}", "the second target's")
}

func TestRounds(t *testing.T) {
	assert.Equal(t, 1, readNamed(t, "cef-pdf-preflight").rounds())
	assert.Equal(t, 10, readNamed(t, "two-sites-share-workers").rounds(), "four parts of one, one of the other, twice")
}
