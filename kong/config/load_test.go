package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
)

func variables(set map[string]string) config.Option {
	return config.Variables(func(name string) (string, bool) { v, ok := set[name]; return v, ok })
}

// files are texts by name, in the order given: name, text, name, text.
func files(texts ...string) []config.File {
	var list []config.File
	for i := 0; i < len(texts); i += 2 {
		list = append(list, config.File{Name: texts[i], Data: []byte(strings.TrimPrefix(texts[i+1], "\n"))})
	}
	return list
}

func load(t *testing.T, texts ...string) *config.Config {
	t.Helper()
	c, err := config.Load(files(texts...), variables(map[string]string{"DECK_HOST": "set.example", "DECK_PORT": "81", "DECK_PATHS": "[/a, /b]"}))
	require.NoError(t, err)
	return c
}

func notes(c *config.Config) string {
	var lines []string
	for _, n := range c.Notes {
		lines = append(lines, n.String())
	}
	return strings.Join(lines, "\n")
}

func TestDefaultsOfDeck(t *testing.T) {
	c := load(t, "kong.yml", `
_format_version: "3.0"
_info:
  select_tags: [team]
  defaults:
    route: {strip_path: false, protocols: [https]}
    service: {path: /base, retries: 1}
    upstream: {algorithm: least-connections}
    target: {weight: 7}
_konnect: {control_plane_name: default}
services:
- name: s
  host: a.example
  routes:
  - {name: r, paths: [/x]}
  - {name: q, paths: [/y], strip_path: true, tags: [own]}
  - {name: g, paths: [/g], protocols: [grpc], strip_path: null}
- {name: u, url: "http://a.example"}
upstreams: [{name: a.example, targets: [{target: b}]}]
`)
	assert.False(t, c.Routes[0].StripPath)
	assert.Equal(t, []string{"https"}, c.Routes[0].Protocols)
	assert.Equal(t, []string{"team"}, c.Routes[0].Tags)
	assert.True(t, c.Routes[1].StripPath, "what is written counts")
	assert.Equal(t, []string{"own", "team"}, c.Routes[1].Tags)
	assert.False(t, c.Routes[2].StripPath)
	assert.Equal(t, "/base", c.Services[0].Path)
	assert.Empty(t, c.Services[1].Path, "a url has its path")
	assert.Equal(t, 1, c.Services[1].Retries)
	assert.Equal(t, "least-connections", c.Upstreams[0].Algorithm)
	assert.Equal(t, 7, c.Upstreams[0].Targets[0].Weight)
}

func TestPluginConfigsOfDeck(t *testing.T) {
	c := load(t, "kong.yml", `
_format_version: "3.0"
_plugin_configs:
  shared: {preflight_continue: true, origins: ["*"]}
plugins:
- {name: cors, _config: shared, config: {origins: ["https://a.example"]}}
services:
- {name: s, url: "http://a.example", plugins: [{name: cors, _config: shared}]}
`)
	assert.Equal(t, map[string]any{"preflight_continue": true, "origins": []any{"*"}}, c.Plugins[0].Config)
	assert.Equal(t, map[string]any{"preflight_continue": true, "origins": []any{"https://a.example"}}, c.Plugins[1].Config)
}

// A variable's value is read as if it stood in the text: quoted it is a string, else
// whatever it looks like.
func TestVariables(t *testing.T) {
	c := load(t, "kong.yml", `
_format_version: "3.0"
# ${{ env "DECK_OTHER" }} of a remark is none
services:
- name: s
  host: ${{ env "DECK_HOST" }}
  port: ${{ env "DECK_PORT" }}
  routes: [{name: r, paths: ${{ env "DECK_PATHS" }}, hosts: ["${{ env "DECK_HOST" }}"]}]
- {name: u, url: "http://${{ env "DECK_HOST" }}:${{ env "DECK_PORT" | toInt }}/v1"}
`)
	assert.Equal(t, "set.example", c.Services[0].Host)
	assert.Equal(t, 81, c.Services[0].Port)
	assert.Equal(t, []string{"/a", "/b"}, c.Routes[0].Paths)
	assert.Equal(t, []string{"set.example"}, c.Routes[0].Hosts)
	assert.Equal(t, 81, c.Services[1].Port)
	assert.Equal(t, "/v1", c.Services[1].Path)
	assert.Empty(t, c.Notes)
}

// Where routing does not depend on it, an unset variable is a note.
func TestUnsetVariables(t *testing.T) {
	c := load(t, "kong.yml", `
_format_version: "3.0"
services:
- name: s
  host: ${{ env "DECK_H" }}
  port: ${{ env "DECK_P" | toInt }}
  tags: ["${{ env "DECK_H" }}"]
  routes: [{name: "r-${{ env "DECK_N" }}", paths: [/a]}]
- {name: u, url: "https://${{ env "DECK_H" }}:${{ env "DECK_P" }}/v1"}
upstreams: [{name: "${{ env "DECK_H" }}", targets: [{target: "${{ env "DECK_T" }}:${{ env "DECK_P" }}"}]}]
plugins:
- {name: rate-limiting, config: {minute: ${{ env "DECK_M" | toInt }}, policy: "${{ env "DECK_H" }}"}}
consumers: [{username: ann, keyauth_credentials: [{key: "${{ env "DECK_K" }}"}]}]
`)
	assert.Equal(t, "DECK_H", c.Services[0].Host)
	assert.Equal(t, 80, c.Services[0].Port)
	assert.Equal(t, []string{"DECK_H"}, c.Services[0].Tags)
	assert.Equal(t, "r-DECK_N", c.Routes[0].Name)
	assert.Equal(t, "DECK_H", c.Services[1].Host)
	assert.Equal(t, 443, c.Services[1].Port)
	assert.Equal(t, "DECK_H", c.Upstreams[0].Name)
	assert.Equal(t, []config.Target{{Host: "DECK_T", Port: 8000, Weight: 100}}, c.Upstreams[0].Targets)
	assert.Equal(t, map[string]any{"minute": 0, "policy": "DECK_H"}, c.Plugins[0].Config)
	assert.Contains(t, notes(c), `kong.yml:4: variable DECK_H is not set: its name or a default stands in for it, as routing does not depend on it`)
	assert.Len(t, c.Notes, 6, "each variable once:\n%s", notes(c))
}

// TestLoadRefuses compares whole messages: every one says where, and there are all.
func TestLoadRefuses(t *testing.T) {
	for _, row := range []struct {
		name  string
		files []config.File
		want  string
	}{
		{"variables that routing depends on", files("kong.yml", `
_format_version: "3.0"
services:
- {name: s, protocol: "${{ env "DECK_A" }}", host: h}
- {name: u, url: "http://h/${{ env "DECK_A" }}"}
- name: t
  host: h
  path: ${{ env "DECK_B" }}
  routes:
  - name: r
    methods: ["${{ env "DECK_C" }}"]
    paths:
    - /a
    - /${{ env "DECK_D" }}
    strip_path: ${{ env "DECK_E" | toBool }}
`), `kong.yml:3: services[0] "s": protocol: variable DECK_A is not set, and routing depends on it
kong.yml:4: services[1] "u": url: variable DECK_A is not set, and routing depends on it
kong.yml:7: services[2] "t": path: variable DECK_B is not set, and routing depends on it
kong.yml:10: services[2] "t": routes[0] "r": methods[0]: variable DECK_C is not set, and routing depends on it
kong.yml:13: services[2] "t": routes[0] "r": paths[1]: variable DECK_D is not set, and routing depends on it
kong.yml:14: services[2] "t": routes[0] "r": strip_path: variable DECK_E is not set, and routing depends on it`},
		{"templates that are none of decK's", files("kong.yml", `
_format_version: "3.0"
services:
- {name: s, host: "${{ env "DECK_HOST" | upper }}", port: ${{ env "DECK_HOST" | toInt }}}
- {name: "${{ if true }}", host: h}
`), `kong.yml:3: ${{ env "DECK_HOST" | upper }} has "upper", which is not a filter of decK's
kong.yml:3: variable DECK_HOST is "set.example", which toInt refuses
kong.yml:4: ${{ if true }} is not of the form ${{ env "DECK_X" }}, with a filter at most`},
		{"all files, by line", files("a.yml", `
_format_version: "3.0"
routes:
- {name: r, paths: [a], service: nowhere}
- {name: r, paths: [/]}
`, "b.json", `{
  "services": [
    {"name": "s", "host": "h",
     "port": "80", "paht": "/x"}
  ]
}`), `a.yml:3: routes[0] "r": paths[0]: "a" should start with / (plain) or ~/ (regular expression)
a.yml:3: routes[0] "r": service: "nowhere" is not among the services
a.yml:4: routes[1] "r": name: "r" is already used by another of the routes, at a.yml:3
b.json:4: services[0] "s": port: "80" should be a whole number
b.json:4: services[0] "s": paht: unknown field; path is one`},
		{"a default, once", files("kong.yml", `
_format_version: "3.0"
_info:
  defaults:
    route:
      protocols: [ftp]
      strip_pth: true
services: [{name: s, host: h, routes: [{paths: [/a]}, {paths: [/b]}]}]
`), `kong.yml:5: _info: defaults: route: protocols[0]: "ftp" should be one of ["http" "https" "grpc" "grpcs" "tcp" "tls" "tls_passthrough" "udp"]
kong.yml:6: _info: defaults: route: strip_pth: unknown field; strip_path is one`},
		{"a slip of the pen", files("kong.yml", "_format_version: \"3.0\"\nservice: []\nroutes: [{paths: [/a], stripPath: false}]\n"),
			"kong.yml:2: service: unknown field; services is one\nkong.yml:3: routes[0]: stripPath: unknown field; strip_path is one"},
		{"a shared configuration that is not there", files("kong.yml", "_format_version: \"3.0\"\nplugins:\n- name: cors\n  _config: x\n"),
			`kong.yml:4: plugins[0] "cors": _config: "x" is not among the _plugin_configs`},
		{"broken YAML", files("kong.yml", "_format_version: \"3.0\"\nservices:\n- {name: s\n"),
			"kong.yml:3: reading declarative configuration: did not find expected ',' or '}'"},
		{"something else", files("a.yml", "kind: ConfigMap\napiVersion: v1\n"), "a.yml:1: the document is a Kubernetes ConfigMap, not a configuration of Kong"},
		{"no mapping", files("a.yml", "- a\n", "b.yml", ""),
			"a.yml:1: declarative configuration should be a mapping with _format_version and entities\nb.yml: declarative configuration should be a mapping with _format_version and entities"},
		{"a version of Kong's to come", files("a.yml", "_format_version: '4.0'\n"), `a.yml:1: _format_version: "4.0" should be one of ["3.0" "2.1" "1.1"]`},
		{"other variables", files("a.yml", "_format_version: '3.0'\nservices:\n- {name: a, host: $HOST}\n"),
			`a.yml:3: services[0] "a": host: "$HOST" is not a host name; $HOST looks like a variable that is filled in before Kong reads the file: give the file as it is then`},
		{"a mistake in a text", files("a.yml", "kind: ConfigMap\ndata:\n  k: |\n    _format_version: '3.0'\n    routes:\n    - {}\n"),
			`a.yml:6: routes[0]: needs at least one of methods, hosts, headers, paths, snis`},
		{"a mistake in a quoted text", files("a.json", `{"data": {"k": "_format_version: '3.0'\nroutes: [{}]\n"}}`),
			`a.json (the text in data.k):2: routes[0]: needs at least one of methods, hosts, headers, paths, snis`},
	} {
		_, err := config.Load(row.files, variables(map[string]string{"DECK_HOST": "set.example"}))
		assert.EqualError(t, err, row.want, row.name)
		var p *config.Problem
		assert.True(t, errors.As(err, &p) && p.At.File != "", row.name)
	}
}

func TestPlaces(t *testing.T) {
	c := load(t, "a.yml", `
_format_version: "3.0"
services:
- name: s
  host: h
  routes:
  - &r {name: r, paths: [/a]}
  - {<<: *r, name: q}
`, "b.json", `{"plugins":[
 {"name": "cors"}],
 "upstreams": [{
  "name": "u"}]}`)
	assert.Equal(t, "a.yml:3", c.Place(c.Services[0]).String())
	assert.Equal(t, "a.yml:6", c.Place(c.Routes[0]).String())
	assert.Equal(t, "a.yml:7", c.Place(c.Routes[1]).String())
	assert.Equal(t, "b.json:2", c.Place(c.Plugins[0]).String())
	assert.Equal(t, "b.json:3", c.Place(c.Upstreams[0]).String())
	assert.Equal(t, "", c.Place(&config.Route{}).String())
}

// TestLoadNotes has what is passed over, and all notes that come of it.
func TestLoadNotes(t *testing.T) {
	const version = "_format_version: \"3.0\"\n"
	for _, row := range []struct {
		name  string
		files []config.File
		want  string
	}{
		{"what has no part in routing", files("k.yml", version+`partials: [{name: p, type: redis-ee}]
custom_entities: [{type: degraphql_routes, fields: {}}]
custom_plugins: [{name: mine, schema: x, handler: y}]
cloned_plugins: [{name: mine, ref: rate-limiting}]
licenses: [{payload: x}]
services: [{name: s, host: h, tls_sans: {dnsnames: [a]}}]
upstreams: [{name: u, sticky_sessions_cookie: c, targets: [{target: a, failover: true}]}]
plugins: [{name: nobody-knows-me, partials: [{name: p}], run_on: first, ordering: {before: {access: [cors]}}, condition: x}]
`), ""},
		{"fields of the future, once", files("k.yml", version+"x-anchors: {}\nroutes:\n- {paths: [/a], colour: red}\n- {paths: [/b], colour: blue}\n"),
			"k.yml:2: x-anchors: unknown field, passed over; Kong 3.9 refuses it\nk.yml:4: routes[0]: colour: unknown field, passed over; Kong 3.9 refuses it"},
		{"WebSockets", files("k.yml", version+"services: [{name: s, protocol: ws, host: h, path: /a}]\nroutes: [{name: w, protocols: [ws, wss], paths: [/a], service: s}]\n"),
			`k.yml:3: routes[0] "w": is for WebSockets alone (ws, wss), which Kong Enterprise has routes for: it is left out`},
		{"several documents", files("k.yml", version+"---\n---\nservices: []\n"), "k.yml:4: the file has 2 documents; Kong and decK load only the first"},
		{"no version", files("a.yml", "\nservices: []\n"), `a.yml:1: there is no _format_version, which Kong wants; it is read as "3.0"`},
		{"a version that is not Kong's", files("a.yml", "_format_version: '1.0'\n"), `a.yml:1: _format_version: "1.0" is read as 1.1; Kong takes 3.0, 2.1, 1.1 alone`},
		{"a consumer in another file", files("a.yml", version+"plugins:\n- {name: cors, consumer: ann}\n"), `a.yml:3: plugins[0] "cors": consumer: "ann" is not among the consumers`},
		{"a service in Kong", files("a.yml", version+"_info: {default_lookup_tags: {services: [x]}}\nplugins: [{name: cors, service: s}]\n"),
			`a.yml:3: plugins[0] "cors": is bound to something that default_lookup_tags says is not in the files: it is left out`},
		{"what the routers here cannot read", files("a.yml", version+"routes:\n- {paths: [\"~/[a&&b]\"]}\n"),
			`a.yml:3: routes[0]: paths[0]: "~/[a&&b]": && in a character class is not modelled here; the route is left out, and may take requests in Kong`},
		{"other things in a folder", files("a.yml", version, "b.yml", "kind: Ingress\napiVersion: networking.k8s.io/v1\n", "c.json", `{"name": "x"}`),
			"b.yml:1: the document is a Kubernetes Ingress, not a configuration of Kong: it is passed over\n" +
				"c.json:1: the document is not a configuration of Kong: it has neither _format_version nor services, routes or plugins: it is passed over"},
	} {
		c, err := config.Load(row.files)
		if assert.NoError(t, err, row.name) {
			assert.Equal(t, row.want, notes(c), row.name)
		}
	}
}

func TestWrappers(t *testing.T) {
	for name, text := range map[string]string{
		"ingress controller": `{"hash": "3a2f", "config": {"_format_version": "3.0", "services": [{"name": "s", "host": "h"}]}}`,
		"GET /config":        `{"config": "_format_version: \"3.0\"\nservices:\n- {name: s, host: h}\n"}`,
		"UTF-16":             "\xff\xfe" + wide("_format_version: \"3.0\"\r\nservices:\r\n- {name: s, host: h}\r\n"),
		"Helm":               "a: {b: [{config: \"_format_version: '3.0'\\nservices: [{name: s, host: h}]\"}]}",
		"Admin API":          `{"data": [{"name": "s", "host": "h", "retries": 5}], "next": null}`,
		"with a mark":        "\ufeff_format_version: \"3.0\"\r\nservices:\r\n- {name: s, host: h}\r\n",
	} {
		c, err := config.Load(files("k", text))
		if assert.NoError(t, err, name) {
			assert.Equal(t, "s", c.Services[0].Name, name)
		}
	}
	_, err := config.Load(files("k", `{"config": "_format_version: \"3.0\"\nservices:\n- {name: s}\n"}`))
	assert.EqualError(t, err, `k (the text in config):3: services[0] "s": host: is required (or url)`)
}

// wide is a text of ASCII in UTF-16, the lower byte first.
func wide(s string) string {
	return strings.Join(strings.Split(s, ""), "\x00") + "\x00"
}

// An export of a database has flat lists, references by id, nulls for what is unset,
// and names that count in their workspace.
func TestExport(t *testing.T) {
	c := load(t, "kong.yml", `
_format_version: '3.0'
_transform: false
consumer_group_consumers:
- {consumer: 10000000-0000-0000-0000-00000000000c, consumer_group: 10000000-0000-0000-0000-00000000000d, created_at: 1}
consumer_groups: [{id: 10000000-0000-0000-0000-00000000000d, name: gold}]
consumers: [{id: 10000000-0000-0000-0000-00000000000c, username: ann, custom_id: ~}]
plugins:
- {name: cors, consumer_group: {id: 10000000-0000-0000-0000-00000000000d}, consumer: null, route: 10000000-0000-0000-0000-00000000000b, config: {}}
routes:
- {id: 10000000-0000-0000-0000-00000000000b, name: r, ws_id: w1, paths: [/a], methods: null, headers: ~, service: 10000000-0000-0000-0000-00000000000a}
- {name: r, ws_id: w2, paths: [/b]}
services:
- {id: 10000000-0000-0000-0000-00000000000a, name: s, ws_id: w1, host: h, path: null, client_certificate: ~}
targets:
- {target: 'a:1', upstream: 10000000-0000-0000-0000-00000000000e}
upstreams:
- {id: 10000000-0000-0000-0000-00000000000e, name: u}
workspaces: [{id: w1, name: default}]
parameters: [{key: cluster_id, value: x}]
`)
	assert.Same(t, c.Services[0], c.Routes[0].Service)
	assert.Same(t, c.Routes[0], c.Plugins[0].Route)
	assert.Equal(t, "gold", c.Plugins[0].ConsumerGroup)
	assert.Equal(t, &config.Consumer{ID: "10000000-0000-0000-0000-00000000000c", Username: "ann", Groups: []string{"gold"}}, c.Consumer("ann"))
	assert.Same(t, c.Consumer("ann"), c.Consumer("10000000-0000-0000-0000-00000000000c"))
	assert.Nil(t, c.Consumer(""))
	assert.Len(t, c.Upstreams[0].Targets, 1)
	assert.Empty(t, c.Notes)
}

// Anchors may merge what merges, and may go round.
func TestAnchors(t *testing.T) {
	c := load(t, "kong.yml", `
_format_version: "3.0"
.base: &base {strip_path: false, methods: [GET]}
.more: &more {<<: *base, preserve_host: true}
routes:
- {<<: *more, name: r, paths: [/a], methods: [POST]}
- {<<: [*more, {regex_priority: 3}], name: q, paths: [/b]}
`)
	assert.False(t, c.Routes[0].StripPath)
	assert.True(t, c.Routes[0].PreserveHost)
	assert.Equal(t, []string{"POST"}, c.Routes[0].Methods)
	assert.Equal(t, 3, c.Routes[1].RegexPriority)

	_, err := config.Load(files("k.yml", "_format_version: '3.0'\nx: &a {<<: *a}\nroutes: [{<<: *a, paths: [/]}]\n"))
	assert.NoError(t, err)
}

// A change is written where its entity stands, and leaves variables and files that
// it does not concern as they are.
func TestPatchFiles(t *testing.T) {
	before := files("services.yml", `
_format_version: "3.0"
_info: {defaults: {route: {strip_path: true}}}
services:
  - name: s
    url: http://${{ env "DECK_HOST" }}:${{ env "DECK_PORT" | toInt }}   # where it is
---
upstreams:
  - name: ${{ env "DECK_UPSTREAM" }}
`, "routes.json", `{
  "routes": [
    {
      "name": "r",
      "service": "s",
      "hosts": ["${{ env "DECK_HOSTNAME" }}"]
    }
  ]
}
`)
	after, err := config.PatchFiles(before, config.Change{RouteName: "r", Set: map[string]any{"route.strip_path": false}})
	require.NoError(t, err)
	assert.Equal(t, before[0], after[0])
	assert.Equal(t, `{
  "routes": [
    {
      "name": "r",
      "service": "s",
      "hosts": ["${{ env "DECK_HOSTNAME" }}"],
      "strip_path": false
    }
  ]
}
`, string(after[1].Data))

	after, err = config.PatchFiles(before, config.Change{ServiceName: "s", Set: map[string]any{"service.retries": 1}})
	require.NoError(t, err)
	assert.Equal(t, strings.Replace(string(before[0].Data), "# where it is\n", "# where it is\n    retries: 1\n", 1), string(after[0].Data))
	assert.Equal(t, before[1], after[1])

	_, err = config.PatchFiles(before, config.Change{RouteName: "r", Set: map[string]any{"route.paths": []string{"x"}}})
	assert.ErrorContains(t, err, `paths[0]: "x" should start with /`)
	_, err = config.PatchFiles(files("k", `{"config": "_format_version: \"3.0\"\nroutes: [{name: r, paths: [/]}]\n"}`),
		config.Change{RouteName: "r", Set: map[string]any{"route.strip_path": false}})
	assert.ErrorContains(t, err, "take it out")
}

func FuzzLoad(f *testing.F) {
	f.Add("_format_version: '3.0'\n_info: {defaults: {route: {strip_path: false}}}\nservices: [{url: \"http://${{ env \"DECK_H\" }}/x\", routes: [{paths: ['~/a']}]}]", "v")
	f.Add(`{"hash": "x", "config": {"_format_version": "3.0", "routes": [{"paths": ["/a"], "methods": {}}]}}`, "[a, b]")
	f.Add("_format_version: '3.0'\n---\nplugins: [{name: p, _config: a}]\n_plugin_configs: {a: {b: ${{ env \"DECK_B\" | toInt }}}}", "7")
	f.Add("_format_version: '3.0'\nx: &a {<<: [*a, *a]}\nservices: &s [{<<: *a, routes: *s}]", "")
	f.Add("${{ env \"DECK_ALL\" }}", "_format_version: '3.0'")
	f.Fuzz(func(t *testing.T, text, value string) {
		in := []config.File{{Name: "f", Data: []byte(text)}}
		lookup := config.Variables(func(string) (string, bool) { return value, value != "" })
		c, err := config.Load(in, lookup)
		assert.Equal(t, err == nil, c != nil)
		if err != nil {
			for _, line := range err.(interface{ Unwrap() []error }).Unwrap() {
				var p *config.Problem
				assert.True(t, errors.As(line, &p), "%v", line)
			}
			return
		}
		for _, r := range c.Routes {
			assert.Positive(t, c.Place(r).Line)
		}
		if _, err := config.PatchFiles(in, config.Change{}, lookup); err != nil {
			t.Skip(err) // what can be read but not be changed says so
		}
	})
}
