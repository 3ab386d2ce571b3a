package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
)

// parse reads a document that is given without its version.
func parse(t *testing.T, doc string) *config.Config {
	t.Helper()
	c, err := config.Parse([]byte("_format_version: '3.0'\n" + doc))
	require.NoError(t, err)
	return c
}

func TestDefaults(t *testing.T) {
	c := parse(t, `
services:
- name: s
  host: h
  routes:
  - name: r
    paths: [/p]
    plugins:
    - name: cors
upstreams:
- name: u
  targets:
  - target: a.example
`)
	s := &config.Service{
		ID: c.Services[0].ID, Name: "s", Protocol: "http", Host: "h", Port: 80,
		Retries: 5, ConnectTimeout: 60000, WriteTimeout: 60000, ReadTimeout: 60000, Enabled: true,
	}
	r := &config.Route{
		ID: c.Routes[0].ID, Name: "r", Service: s, Protocols: []string{"http", "https"}, Paths: []string{"/p"},
		StripPath: true, PathHandling: "v0", HTTPSRedirectStatusCode: 426, RequestBuffering: true, ResponseBuffering: true,
	}
	assert.Equal(t, &config.Config{
		FormatVersion: "3.0",
		Flavor:        config.TraditionalCompatible,
		Services:      []*config.Service{s},
		Routes:        []*config.Route{r},
		Plugins: []*config.Plugin{{
			ID: c.Plugins[0].ID, Name: "cors", Route: r, Enabled: true, Protocols: []string{"grpc", "grpcs", "http", "https"},
		}},
		Upstreams: []*config.Upstream{{
			ID: c.Upstreams[0].ID, Name: "u", Algorithm: "round-robin",
			Targets: []config.Target{{Host: "a.example", Port: 8000, Weight: 100}},
		}},
	}, c)
	assert.Same(t, c.Services[0], c.Routes[0].Service)
}

func TestServiceURL(t *testing.T) {
	for _, row := range []struct {
		fields, protocol, host string
		port                   int
		path                   string
	}{
		{"url: http://h", "http", "h", 80, ""},
		{"url: https://h", "https", "h", 443, ""},
		{"url: http://h:81/x%20y", "http", "h", 81, "/x%20y"},
		{"url: 'http://[::1]:81/'", "http", "::1", 81, "/"},
		{"url: grpc://h", "grpc", "h", 80, ""},
		{"url: http://h:81/x, port: 82, path: /y", "http", "h", 82, "/y"},
		{"host: h, port: 81, protocol: https, path: /x/", "https", "h", 81, "/x/"},
		{"host: h, path: null", "http", "h", 80, ""},
	} {
		s := parse(t, "services: [{"+row.fields+"}]").Services[0]
		assert.Equal(t, row.protocol, s.Protocol, row.fields)
		assert.Equal(t, row.host, s.Host, row.fields)
		assert.Equal(t, row.port, s.Port, row.fields)
		assert.Equal(t, row.path, s.Path, row.fields)
	}
}

func TestReferences(t *testing.T) {
	c := parse(t, `
routes:
- {name: byName, service: s, paths: [/a]}
- {name: byMapping, service: {name: s}, paths: [/b]}
- {name: byID, service: {id: 10000000-0000-0000-0000-000000000000}, paths: [/c]}
- {name: none, paths: [/d]}
services:
- {id: 10000000-0000-0000-0000-000000000000, name: s, host: h, plugins: [{name: onService}]}
consumers:
- {username: ann, plugins: [{name: onConsumer}]}
plugins:
- {name: global}
- {name: byName, route: byName, service: s, consumer: ann}
targets:
- {target: "b:81", upstream: u, weight: 7}
upstreams:
- {name: u}
`)
	service := map[string]*config.Service{}
	for _, r := range c.Routes {
		service[r.Name] = r.Service
	}
	s := c.Services[0]
	assert.Equal(t, map[string]*config.Service{"byName": s, "byMapping": s, "byID": s, "none": nil}, service)

	plugin := map[string]*config.Plugin{}
	for _, p := range c.Plugins {
		plugin[p.Name] = p
	}
	assert.Same(t, s, plugin["onService"].Service)
	assert.Equal(t, "ann", plugin["onConsumer"].Consumer)
	assert.Nil(t, plugin["global"].Service)
	assert.Same(t, c.Routes[0], plugin["byName"].Route)
	assert.Same(t, s, plugin["byName"].Service)
	assert.Equal(t, "ann", plugin["byName"].Consumer)
	assert.Equal(t, []config.Target{{Host: "b", Port: 81, Weight: 7}}, c.Upstreams[0].Targets)
}

// The version decides what an expression is; Kong rewrites paths of old documents.
func TestOldVersions(t *testing.T) {
	doc := `{"_format_version": "2.1", "services": [{"host": "h", "routes": [
		{"paths": ["/plain//x", "/v\\d+", "/a%2Eb+", "/%41"]}]}]}`
	c, err := config.Parse([]byte(doc))
	require.NoError(t, err)
	assert.Equal(t, []string{"/plain/x", `~/v\d+`, `~/a\.b+`, "/A"}, c.Routes[0].Paths)
}

// JSON is read as JSON: tabs, escapes that YAML lacks, numbers with a fraction.
func TestJSON(t *testing.T) {
	c, err := config.Parse([]byte("{\n\t\"_format_version\": \"3.0\",\n\t\"services\": [{\"name\": \"\\u00e9\\ud83d\\ude00\", \"host\": \"h\", \"port\": 81.0}]}"))
	require.NoError(t, err)
	assert.Equal(t, "é😀", c.Services[0].Name)
	assert.Equal(t, 81, c.Services[0].Port)
}

func TestYAMLAliasesAndMergeKeys(t *testing.T) {
	c := parse(t, `
services:
- &one {name: one, host: h, port: 81}
- {<<: *one, name: two}
`)
	assert.Equal(t, "two", c.Services[1].Name)
	assert.Equal(t, 81, c.Services[1].Port)
}

// Ids decide between routes of the same priority. The wanted values are those of
// a uuid library for Kong's namespace and keys.
func TestGeneratedIDs(t *testing.T) {
	c := parse(t, `
services:
- {name: s, host: h, routes: [{name: r, paths: [/]}, {paths: [/]}], plugins: [{name: cors}]}
upstreams:
- {name: u}
`)
	assert.Equal(t, "b268827a-8f7f-551f-8769-e6bceb2f3ec6", c.Services[0].ID)
	assert.Equal(t, "da7ba03a-f1be-52d4-8a7e-c8f32640689a", c.Routes[0].ID)
	assert.Equal(t, "3869fa1a-fb43-541b-b3da-0089d5765b2f", c.Plugins[0].ID)
	assert.Equal(t, "597a2b96-28b9-56b9-8745-bb55e59539cc", c.Upstreams[0].ID)
	assert.NotEqual(t, c.Routes[0].ID, c.Routes[1].ID)
	assert.Len(t, c.Routes[1].ID, 36)
}

// TestParseRefuses compares whole messages: each names the entity, the field as
// it is written and the value.
func TestParseRefuses(t *testing.T) {
	for _, row := range [][2]string{
		{"services: [{name: s}]", `services[0] "s": host: is required (or url)`},
		{"services: [{host: h, protokoll: http}]", `services[0]: protokoll: unknown field`},
		{"services: [{host: h, protocol: ftp}]", `services[0]: protocol: "ftp" should be one of ["http" "https" "grpc" "grpcs" "tcp" "tls" "tls_passthrough" "udp"]`},
		{"services: [{host: h, port: 70000}]", `services[0]: port: 70000 is outside 0..65535`},
		{"services: [{host: h, port: '80'}]", `services[0]: port: "80" should be a whole number`},
		{"services: [{host: h, path: x}]", `services[0]: path: "x" should start with /`},
		{"services: [{host: h, path: /a//b}]", `services[0]: path: "/a//b" must not have empty segments`},
		{"services: [{host: h, path: '/a b'}]", `services[0]: path: "/a b" has a character that RFC 3986 does not allow in a path: ' '`},
		{"services: [{host: h, path: /a%2}]", `services[0]: path: "/a%2" has a % without two hexadecimal digits behind it`},
		{"services: [{host: h, protocol: grpc, path: /a}]", `services[0]: path: "/a" cannot be set when protocol is "grpc"`},
		{"services: [{host: 'h:80'}]", `services[0]: host: "h:80" must not have a port`},
		{"services: [{host: 'a b'}]", `services[0]: host: "a b" is not a host name`},
		{"services: [{url: h/x}]", `services[0]: url: "h/x" should be scheme://host[:port][/path]`},
		{"services: [{url: 'http://h:99999'}]", `services[0]: url: "http://h:99999" has a port outside 0..65535`},
		{"services: [{host: h, retries: -1}]", `services[0]: retries: -1 is outside 0..32767`},
		{"services: [{host: h, enabled: 1}]", `services[0]: enabled: "1" should be true or false`},
		{"services: [{host: h, name: 'a b'}]", `services[0] "a b": name: "a b" may only have letters, digits and . - _ ~`},
		{"services: [{host: h, id: x}]", `services[0]: id: "x" is not a uuid`},
		{"services: [{host: h, id: 5a7d2c3e000040008000000000000001}]", `services[0]: id: "5a7d2c3e000040008000000000000001" is not a uuid`},
		{"services: [{host: h, id: '{5a7d2c3e-0000-4000-8000-000000000001}'}]", `services[0]: id: "{5a7d2c3e-0000-4000-8000-000000000001}" is not a uuid`},
		{"services: [{host: h, name: s}, {host: h, name: s}]",
			`services[1] "s": name: "s" is already used by another of the services`},
		{"services: {}", `services: a mapping should be a list`},
		{"services: [x]", "services[0]: should be a mapping of fields to values\nservices[0]: host: is required (or url)"},
		{"services: [{host: h, tags: [a, a]}]", `services[0]: tags: "a" is there twice`},

		{"routes: [{name: r}]", `routes[0] "r": needs at least one of methods, hosts, headers, paths, snis`},
		{"routes: [{paths: [api]}]", `routes[0]: paths[0]: "api" should start with / (plain) or ~/ (regular expression)`},
		{"routes: [{paths: [/a, '~a']}]", `routes[0]: paths[1]: "~a" should start with / (plain) or ~/ (regular expression)`},
		{"routes: [{paths: [/a//b]}]", `routes[0]: paths[0]: "/a//b" must not have empty segments`},
		{"routes: [{paths: [/a/../b]}]", `routes[0]: paths[0]: "/a/../b" is never matched, as Kong normalises request paths: write "/b"`},
		{"routes: [{paths: ['/a%20b']}]", `routes[0]: paths[0]: "/a%20b" is never matched, as Kong normalises request paths: write "/a b"`},
		{"routes: [{paths: [/a%2]}]", `routes[0]: paths[0]: "/a%2" has a % without two hexadecimal digits behind it`},
		{"routes: [{paths: ['~/(']}]", "routes[0]: paths[0]: \"~/(\" is not a regular expression of Kong's router: error parsing regexp: missing closing ): `^/(`"},
		{"routes: [{paths: ['~/(?=a)']}]", "routes[0]: paths[0]: \"~/(?=a)\" is not a regular expression of Kong's router: error parsing regexp: invalid or unsupported Perl syntax: `(?=`"},
		{"routes: [{methods: [get]}]", `routes[0]: methods[0]: "get" should be upper case letters only`},
		{"routes: [{methods: [GET, GET]}]", `routes[0]: methods: "GET" is there twice`},
		{"routes: [{methods: GET}]", "routes[0]: methods: \"GET\" should be a list\nroutes[0]: needs at least one of methods, hosts, headers, paths, snis"},
		{"routes: [{hosts: ['a.*.b']}]", `routes[0]: hosts[0]: "a.*.b" may have its wildcard only as the first or the last label`},
		{"routes: [{hosts: ['*.*']}]", `routes[0]: hosts[0]: "*.*" has more than one wildcard`},
		{"routes: [{hosts: ['a/b']}]", `routes[0]: hosts[0]: "a/b" is not a host name`},
		{"routes: [{headers: {Host: [a]}}]", `routes[0]: headers: Host: hosts are matched by the field hosts`},
		{"routes: [{headers: {x a: [a]}}]", `routes[0]: headers: x a: may only have letters, digits, - and _`},
		{"routes: [{headers: {x-a: a}}]", `routes[0]: headers: x-a: "a" should be a list`},
		{"routes: [{snis: [a], protocols: [http]}]", `routes[0]: snis: cannot be set when protocols is ["http"]: none of them is encrypted`},
		{"routes: [{paths: [/], protocols: [http, grpc]}]", `routes[0]: protocols: "http" and "grpc" cannot be on the same route`},
		{"routes: [{paths: [/], protocols: []}]", `routes[0]: protocols: needs at least one`},
		{"routes: [{paths: [/], protocols: [grpc], strip_path: true}]", `routes[0]: strip_path: cannot be true when protocols is ["grpc"]`},
		{"routes: [{paths: [/], sources: [{ip: 10.0.0.0/8}]}]", `routes[0]: sources: cannot be set when protocols is ["http" "https"]`},
		{"routes: [{protocols: [tcp], sources: [{ip: x}]}]", `routes[0]: sources[0]: ip: "x" is not an address or CIDR block`},
		{"routes: [{protocols: [tcp], sources: [{}]}]", `routes[0]: sources[0]: needs ip or port`},
		{"routes: [{paths: [/], path_handling: v2}]", `routes[0]: path_handling: "v2" should be one of ["v0" "v1"]`},
		{"routes: [{paths: [/], https_redirect_status_code: 303}]", `routes[0]: https_redirect_status_code: 303 should be one of 426, 301, 302, 307, 308`},
		{"routes: [{hosts: ['a-.b']}]", `routes[0]: hosts[0]: "a-.b" is not a host name`},
		{"routes: [{hosts: ['a..b']}]", `routes[0]: hosts[0]: "a..b" is not a host name`},
		{"routes: [{hosts: ['a:70000']}]", `routes[0]: hosts[0]: "a:70000" has a port outside 0..65535`},
		{"routes: [{hosts: ['256.1.1.1']}]", `routes[0]: hosts[0]: "256.1.1.1" is not a host name`},
		{"routes: [{hosts: ['1:2:3']}]", `routes[0]: hosts[0]: "1:2:3" is not a host name`},
		{"routes: [{hosts: ['']}]", `routes[0]: hosts[0]: must not be empty`},
		{"routes: [{headers: {x-a: ['']}}]", `routes[0]: headers: x-a[0]: must not be empty`},
		{"routes: [{headers: {x-a: ['~*(']}}]", "routes[0]: headers: x-a[0]: \"~*(\" is not a regular expression of Kong's router: error parsing regexp: missing closing ): `(`"},
		{"routes: [{paths: [/], snis: [10.0.0.1]}]", `routes[0]: snis[0]: "10.0.0.1" is not a host name`},
		{"routes: [{paths: [/], service: x}]", `routes[0]: service: "x" is not among the services`},
		{"services: [{host: h, routes: [{paths: [/], service: x}]}]", `services[0]: routes[0]: service: "x" is set on a route that stands inside a service`},

		{"plugins: [{name: p}, {name: p}]", `plugins[1] "p": is there twice with the same service, route and consumer`},
		{"plugins: [{config: {}}]", `plugins[0]: name: is required`},
		{"plugins: [{name: p, route: x}]", `plugins[0] "p": route: "x" is not among the routes`},
		{"plugins: [{name: p, consumer: x}]", `plugins[0] "p": consumer: "x" is not among the consumers`},
		{"plugins: [{name: p, config: x}]", `plugins[0] "p": config: should be a mapping`},
		{"plugins: [{name: p, conf: {}}]", `plugins[0] "p": conf: unknown field`},

		{"upstreams: [{}]", `upstreams[0]: name: is required`},
		{"upstreams: [{name: u, algorithm: random}]", `upstreams[0] "u": algorithm: "random" should be one of ["round-robin" "consistent-hashing" "least-connections" "latency"]`},
		{"upstreams: [{name: u, targets: [{target: 'a:b'}]}]", `upstreams[0] "u": targets[0] "a:b": target: "a:b" has a port outside 0..65535`},
		{"upstreams: [{name: u, targets: [{target: a, weight: 70000}]}]", `upstreams[0] "u": targets[0] "a": weight: 70000 is outside 0..65535`},
		{"upstreams: [{name: 10.0.0.1}]", `upstreams[0] "10.0.0.1": name: "10.0.0.1" must not be an address`},
		{"upstreams: [{name: '5'}]", `upstreams[0] "5": name: "5" is not a host name`},
		{"upstreams: [{name: 5}]", `upstreams[0] "5": name: "5" should be a string`},
		{"upstreams: [{name: 'u:80'}]", `upstreams[0] "u:80": name: "u:80" may only have letters, digits and . - _ ~` +
			"\n" + `upstreams[0] "u:80": name: "u:80" must not have a port`},
		{"upstreams: [{name: u, slots: 5}]", `upstreams[0] "u": slots: 5 is outside 10..65536`},
		{"upstreams: [{name: u, hash_on: header}]", `upstreams[0] "u": hash_on_header: is required with hash_on = header`},
		{"upstreams: [{name: u, hash_on: path, hash_fallback: cookie}]", `upstreams[0] "u": hash_on_cookie: is required with hash_fallback = cookie`},
		{"upstreams: [{name: u, hash_fallback: ip}]", `upstreams[0] "u": hash_fallback: "ip" has to be none with hash_on = none`},
		{"upstreams: [{name: u, hash_on: ip, hash_fallback: ip}]", `upstreams[0] "u": hash_fallback: "ip" has to differ from hash_on`},
		{"upstreams: [{name: u, hash_on: header, hash_on_header: a, hash_fallback: header, hash_fallback_header: a}]",
			`upstreams[0] "u": hash_fallback_header: has to differ from hash_on_header`},
		{"upstreams: [{name: u, hash_on: colour}]", `upstreams[0] "u": hash_on: "colour" should be one of ["none" "consumer" "ip" "header" "cookie" "path" "query_arg" "uri_capture"]`},
		{"upstreams: [{name: u, healthchecks: {active: {timeout: -1}}}]", `upstreams[0] "u": healthchecks: active: timeout: -1 is outside 0..65535`},
		{"upstreams: [{name: u, healthchecks: {passive: {unhealthy: {http_failures: 256}}}}]",
			`upstreams[0] "u": healthchecks: passive: unhealthy: http_failures: 256 is outside 0..255`},
		{"targets: [{target: a, upstream: u}]", `targets[0] "a": upstream: "u" is not among the upstreams`},

		{"service: []", `service: unknown field`},
	} {
		_, err := config.Parse([]byte("_format_version: '3.0'\n" + row[0]))
		assert.EqualError(t, err, row[1], row[0])
	}
}

func TestParseReportsEverything(t *testing.T) {
	_, err := config.Parse([]byte(`
services:
- name: weather
  url: http://h
  routes:
  - {name: q, paths: [/q]}
  - {name: r, paths: [api], methods: [post]}
`))
	assert.EqualError(t, err, strings.Join([]string{
		`_format_version: is required, as in _format_version: "3.0"`,
		`services[0] "weather": routes[1] "r": methods[0]: "post" should be upper case letters only`,
		`services[0] "weather": routes[1] "r": paths[0]: "api" should start with / (plain) or ~/ (regular expression)`,
	}, "\n"))
}

func TestParseRefusesDocuments(t *testing.T) {
	for doc, want := range map[string]string{
		"":                       "declarative configuration should be a mapping with _format_version and entities",
		"- a":                    "declarative configuration should be a mapping with _format_version and entities",
		"a: [":                   "reading declarative configuration: yaml: line 1: did not find expected node content",
		`_format_version: "4.0"`: `_format_version: "4.0" should be one of ["3.0" "2.1" "1.1"]`,
		"_format_version: 3.0":   `_format_version: "3.0" should be a string`,
	} {
		_, err := config.Parse([]byte(doc))
		assert.EqualError(t, err, want, doc)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("_format_version: '3.0'\nservices: [{url: http://h/x, routes: [{paths: ['~/a(?<b>c)']}]}]")
	f.Add(`{"_format_version": "2.1", "routes": [{"paths": ["/a%2e"]}], "plugins": [{"name": "p", "route": "r"}]}`)
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, doc string) {
		c, err := config.Parse([]byte(doc))
		assert.Equal(t, err == nil, c != nil)
	})
}
