package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
)

// TestPatch compares whole documents: a change touches what it names, and
// comments, order and quoting of the rest stay.
func TestPatch(t *testing.T) {
	const before = `# gateway
_format_version: "3.0"
services:
  - name: s # the service
    url: http://h:81/base
    routes:
      - name: r
        # what it takes
        paths: [/a] # one
        methods:
          - GET
      - name: other
        paths:
          - /b
        plugins:
          - name: cors
    plugins:
      - name: request-transformer
        config: {http_method: POST}
plugins:
  - name: request-transformer
`
	for _, row := range []struct {
		name string
		set  map[string]any
		want string
	}{
		{"a new field goes last", map[string]any{"route.strip_path": false}, `# gateway
_format_version: "3.0"
services:
  - name: s # the service
    url: http://h:81/base
    routes:
      - name: r
        # what it takes
        paths: [/a] # one
        methods:
          - GET
        strip_path: false
      - name: other
        paths:
          - /b
        plugins:
          - name: cors
    plugins:
      - name: request-transformer
        config: {http_method: POST}
plugins:
  - name: request-transformer
`},
		{"a value keeps the look of the one it replaces",
			map[string]any{"route.paths": []string{"/a", "/c"}, "route.methods": []string{"GET", "POST"}}, `# gateway
_format_version: "3.0"
services:
  - name: s # the service
    url: http://h:81/base
    routes:
      - name: r
        # what it takes
        paths: [/a, /c] # one
        methods:
          - GET
          - POST
      - name: other
        paths:
          - /b
        plugins:
          - name: cors
    plugins:
      - name: request-transformer
        config: {http_method: POST}
plugins:
  - name: request-transformer
`},
		{"null removes, in a url too",
			map[string]any{"route.methods": nil, "service.path": nil, "plugin.request-transformer": nil}, `# gateway
_format_version: "3.0"
services:
  - name: s # the service
    url: http://h:81
    routes:
      - name: r
        # what it takes
        paths: [/a] # one
      - name: other
        paths:
          - /b
        plugins:
          - name: cors
`},
		{"a plugin is added to the route, or changed where it applies",
			map[string]any{
				"plugin.cors":                map[string]any{"methods": []string{"GET"}, "preflight_continue": true},
				"plugin.request-transformer": map[string]any{"http_method": "PUT"},
			}, `# gateway
_format_version: "3.0"
services:
  - name: s # the service
    url: http://h:81/base
    routes:
      - name: r
        # what it takes
        paths: [/a] # one
        methods:
          - GET
        plugins:
          - name: cors
            config:
              methods: [GET]
              preflight_continue: true
      - name: other
        paths:
          - /b
        plugins:
          - name: cors
    plugins:
      - name: request-transformer
        config: {http_method: PUT}
plugins:
  - name: request-transformer
`},
	} {
		got, err := config.Patch([]byte(before), config.Change{RouteName: "r", Set: row.set})
		require.NoError(t, err, row.name)
		assert.Equal(t, row.want, string(got), row.name)
	}
}

// TestPatchService has one row for each way a service's address is written.
// A list keeps the comments of its elements, and their quotes.
func TestPatchList(t *testing.T) {
	const before = `_format_version: "3.0"
routes:
  - name: r
    paths:
      # first
      - /a # one
      - "/b"   # two
      # last
    methods: [GET, "POST"] # all
`
	for _, row := range []struct {
		key       string
		value     any
		old, want string
	}{
		{"route.paths", []any{"/a/", "/b"}, "- /a # one", "- /a/ # one"},
		{"route.paths", []any{"/a", "/c"}, `- "/b"   # two`, `- "/c" # two`},
		{"route.paths", []any{"/b"}, "      # first\n      - /a # one\n", ""},
		{"route.methods", []any{"GET", "POST", "OPTIONS"}, `[GET, "POST"]`, `[GET, "POST", OPTIONS]`},
	} {
		got, err := config.Patch([]byte(before), config.Change{RouteName: "r", Set: map[string]any{row.key: row.value}})
		require.NoError(t, err)
		assert.Equal(t, strings.Replace(before, row.old, row.want, 1), string(got), row.want)
	}
}

// JSON keeps its layout, and what is new stands like its neighbours.
func TestPatchJSON(t *testing.T) {
	const before = `{
  "_format_version": "3.0",
  "routes": [ {"name": "r", "paths": ["/a", "/b"], "methods" : [ ]},
    {
      "name": "q",

      "paths": [
        "/q"
      ]
    } ]
}
`
	for _, row := range []struct {
		route, key string
		value      any
		old, want  string
	}{
		{"r", "route.paths", []any{"/a", "/c"}, `"/b"`, `"/c"`},
		{"r", "route.paths", []any{"/a", "/b", "/c"}, `"/b"`, `"/b", "/c"`},
		{"r", "route.paths", []any{"/b"}, `"/a", `, ``},
		{"r", "route.methods", []any{"GET"}, `[ ]`, `["GET"]`},
		{"r", "route.strip_path", false, `[ ]}`, `[ ], "strip_path": false}`},
		{"r", "route.methods", nil, `, "methods" : [ ]`, ``},
		{"q", "route.strip_path", false, "        \"/q\"\n      ]", "        \"/q\"\n      ],\n\n      \"strip_path\": false"},
	} {
		got, err := config.Patch([]byte(before), config.Change{RouteName: row.route, Set: map[string]any{row.key: row.value}})
		require.NoError(t, err)
		assert.Equal(t, strings.Replace(before, row.old, row.want, 1), string(got), row.want)
	}
}

// A file from Windows stays one.
func TestPatchKeepsEndsOfLines(t *testing.T) {
	const before = "\ufeff_format_version: \"3.0\"\r\nroutes:\r\n  - name: r # one\r\n    paths: [/a]\r\n"
	got, err := config.Patch([]byte(before), config.Change{RouteName: "r", Set: map[string]any{"route.strip_path": false}})
	require.NoError(t, err)
	assert.Equal(t, before+"    strip_path: false\r\n", string(got))
}

func TestPatchService(t *testing.T) {
	for _, row := range []struct {
		fields string
		key    string
		value  any
		want   string
	}{
		{`"url":"http://h:81/x"`, "service.path", "/y%20z", `"url":"http://h:81/y%20z"`},
		{`"url":"http://h:81/x"`, "service.port", 82, `"url":"http://h:82/x"`},
		{`"url":"http://h:81/x"`, "service.host", "i", `"url":"http://i:81/x"`},
		{`"url":"http://h/x"`, "service.protocol", "https", `"url":"https://h/x"`},
		{`"url":"http://h/x","path":"/y"`, "service.path", "/z", `"url":"http://h/x","path":"/z"`},
		{`"url":"http://h/x","path":"/y"`, "service.path", nil, `"url":"http://h"`},
		{`"url":"http://h/x","port":82`, "service.url", "http://i/z", `"url":"http://i/z"`},
		{`"host":"h","port":81,"path":"/x"`, "service.url", "http://i:82", `"url":"http://i:82"`},
		{`"host":"h","path":"/x"`, "service.path", nil, `"host":"h"`},
		{`"host":"h"`, "service.path", "/x", `"host":"h","path":"/x"`},
		{`"host":"h"`, "service.read_timeout", 5, `"host":"h","read_timeout":5`},
	} {
		doc := func(fields string) string {
			return `{"_format_version":"3.0","services":[{"name":"s",` + fields + `}]}` + "\n"
		}
		got, err := config.Patch([]byte(doc(row.fields)), config.Change{ServiceName: "s", Set: map[string]any{row.key: row.value}})
		require.NoError(t, err, row.fields)
		assert.Equal(t, doc(row.want), string(got), row.fields)
	}
}

// Lines that do not change keep the layout that a YAML writer would not choose.
func TestPatchKeepsLayout(t *testing.T) {
	const before = `_format_version:  "3.0"

services:
- name: s      # aligned
  host: h

  routes:
  - name: r
    paths: [ /a ]

  - name: other
    paths: [ /b ]    # aligned

plugins:
- name: file-log
  config:
    path: |
      one

      two
`
	got, err := config.Patch([]byte(before), config.Change{RouteName: "r", Set: map[string]any{"route.paths": []string{"/c"}}})
	require.NoError(t, err)
	assert.Equal(t, strings.Replace(before, "paths: [ /a ]", "paths: [/c]", 1), string(got))
}

// Entities are found by an id that Kong generates, and JSON keeps its layout.
func TestPatchByGeneratedID(t *testing.T) {
	doc := "{\n  \"_format_version\": \"3.0\",\n  \"routes\": [\n    {\n      \"paths\": [\n        \"/<a>\"\n      ]\n    }\n  ]\n}\n"
	c, err := config.Parse([]byte(doc))
	require.NoError(t, err)
	got, err := config.Patch([]byte(doc), config.Change{RouteID: c.Routes[0].ID, Set: map[string]any{"route.strip_path": false}})
	require.NoError(t, err)
	assert.Equal(t, "{\n  \"_format_version\": \"3.0\",\n  \"routes\": [\n    {\n      \"paths\": [\n        \"/<a>\"\n      ],\n      \"strip_path\": false\n    }\n  ]\n}\n", string(got))
}

func TestPatchLeavesTheRestAlone(t *testing.T) {
	doc := "_format_version: '3.0'\nconsumers:\n- username: 'ann'\n  keyauth_credentials:\n  - key: \"007\"\nroutes:\n- name: r\n  paths: [/]\n"
	got, err := config.Patch([]byte(doc), config.Change{RouteName: "r"})
	require.NoError(t, err)
	assert.Equal(t, doc, string(got))
}

func TestPatchRefuses(t *testing.T) {
	const doc = "_format_version: '3.0'\nroutes:\n- {name: r, paths: [/]}\n"
	for _, row := range []struct {
		change config.Change
		want   string
	}{
		{config.Change{RouteName: "x"}, `route "x" is not in the configuration`},
		{config.Change{RouteName: "r", ServiceName: "x"}, `service "x" is not in the configuration`},
		{config.Change{RouteName: "r", Set: map[string]any{"strip_path": 1}}, `strip_path: unknown key, should be route.FIELD, service.FIELD or plugin.NAME`},
		{config.Change{RouteName: "r", Set: map[string]any{"upstream.name": 1}}, `upstream.name: unknown key, should be route.FIELD, service.FIELD or plugin.NAME`},
		{config.Change{RouteName: "r", Set: map[string]any{"service.path": "/"}}, `service.path: there is no service`},
		{config.Change{Set: map[string]any{"route.paths": nil}}, `route.paths: the change names no route`},
		{config.Change{Set: map[string]any{"plugin.cors": map[string]any{}}}, `plugin.cors: the change names no route to add the plugin to`},
		{config.Change{RouteName: "r", Set: map[string]any{"plugin.cors": nil}}, `plugin.cors: no plugin of that name applies to the route`},
		{config.Change{RouteName: "r", Set: map[string]any{"route.strip": true}},
			`the change leaves a configuration that Kong refuses: routes[0] "r": strip: unknown field`},
		{config.Change{RouteName: "r", Set: map[string]any{"route.paths": nil}},
			`the change leaves a configuration that Kong refuses: routes[0] "r": needs at least one of methods, hosts, headers, paths, snis`},
	} {
		_, err := config.Patch([]byte(doc), row.change)
		assert.EqualError(t, err, row.want)
	}
}
