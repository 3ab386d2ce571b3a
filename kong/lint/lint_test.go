package lint

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong"
	"diag405/kong/config"
)

func parse(t *testing.T, doc string) *config.Config {
	t.Helper()
	cfg, err := config.Parse([]byte("{_format_version: '3.0', " + doc + "}"))
	require.NoError(t, err, doc)
	return cfg
}

// service is a document with one service at url and these routes.
func service(url, routes string) string {
	return "services: [{name: s, url: '" + url + "', routes: [" + routes + "]}]"
}

// found are findings as lines: id severity object.
func found(findings []Finding) []string {
	list := []string{}
	for _, f := range findings {
		list = append(list, fmt.Sprintf("%s %s %s", f.ID, f.Severity, f.Object))
	}
	return list
}

// Each rule has rows that it fires on, and rows next to them that it does not.
var lintTests = []struct {
	doc  string
	want []string
}{
	// literal-star
	{service("http://a", `{name: r, paths: [/x/*]}`), []string{"literal-star error route r"}},
	{service("http://a", `{name: r, paths: [/x/*/y]}`), []string{"literal-star error route r"}},
	{service("http://a", `{name: r, paths: ['~/x/.*'], strip_path: false}`), nil},

	// literal-regex
	{service("http://a", `{name: r, paths: ['/orders/[0-9]+/pay'], methods: [POST]}`), []string{"literal-regex error route r"}},
	{service("http://a/base", `{name: r, paths: ['/items(/|$)(.*)']}`), []string{"literal-regex error route r"}},
	{service("http://a", `{name: r, paths: ['/items$'], methods: [POST]}`), []string{"literal-regex warning route r"}},
	{service("http://a", `{name: r, paths: ['/$metadata'], strip_path: false}`), nil}, // which a path may have

	// literal-placeholder
	{service("http://a", `{name: r, paths: [/users/:id], strip_path: false}`), []string{"literal-placeholder error route r"}},
	{service("http://a", `{name: r, paths: [/users/:id]}`), []string{"literal-placeholder error route r"}},
	{service("http://a", `{name: r, paths: ['~/users/{id}'], strip_path: false}`), []string{"literal-placeholder error route r"}},
	{service("http://a", `{name: r, paths: ['/models:predict'], strip_path: false}`), nil}, // a colon inside a segment is ordinary

	// regex-star
	{service("http://a", `{name: r, paths: ['~/x/*'], strip_path: false}`), []string{"regex-star warning route r"}},
	{service("http://a", `{name: r, paths: ['~/x/*$'], strip_path: false}`), nil},
	{service("http://a", `{name: r, paths: ['~/x/?$'], strip_path: false}`), nil},

	// regex-alternative
	{service("http://a", `{name: r, paths: ['~/x|/y'], strip_path: false}`), []string{"regex-alternative warning route r"}},
	{service("http://a", `{name: r, paths: ['~/(x|y)'], strip_path: false}`), nil},
	{service("http://a", `{name: r, paths: ['~/[x|y]\|'], strip_path: false}`), nil},

	// regex-open-end
	{service("http://a", `{name: r, paths: ['~/users/\d+'], methods: [GET], strip_path: false}`), []string{"regex-open-end info route r"}},
	{service("http://a", `{name: r, paths: ['~/users/\d+$'], methods: [GET], strip_path: false}`), nil},
	{service("http://a", `{name: r, paths: ['~/users/\d+(/|$)'], methods: [GET], strip_path: false}`), nil},
	{service("http://a", `{name: r, paths: ['~/users/\d+'], strip_path: false}`), nil}, // a prefix, as far as anybody can tell

	// consumed-path
	{service("http://a", `{name: r, paths: [/api/send], methods: [POST]}`), []string{"consumed-path warning route r"}},
	{service("http://a/", `{name: r, paths: [/api/send], methods: [POST]}`), []string{"consumed-path warning route r"}},
	{service("http://a", `{name: r, paths: [/hook], methods: [POST]}`), []string{"consumed-path warning route r"}},
	{service("http://a", `{name: r, paths: ['~/api/send$']}`), []string{"consumed-path warning route r"}},
	{service("http://a", `{name: r, paths: [/api/users]}`), []string{"consumed-path info route r"}},
	{service("http://a", `{name: r, paths: [/shop]}`), nil},                                                           // a mount point
	{service("http://a", `{name: r, paths: [/shop], methods: [GET]}`), nil},                                           // that only reads
	{service("http://a", `{name: r, paths: [/team/api/v1]}`), nil},                                                    // its name says so
	{service("http://a", `{name: r, paths: [/team/v1], methods: [POST]}`), []string{"consumed-path warning route r"}}, // its methods say more
	{service("http://a", `{name: r, paths: [/api/send], methods: [GET, POST]}`), []string{"consumed-path info route r"}},
	{service("http://a", `{name: r, paths: ['~/shop/app$', /shop/app/]}`), []string{"consumed-path info route r"}}, // a mount point with a boundary
	{service("http://a", `{name: r, paths: [/a/b], methods: [GET, POST, PUT, PATCH, DELETE]}`), []string{"consumed-path info route r"}},
	{service("http://a/api/send", `{name: r, paths: [/api/send], methods: [POST]}`), nil}, // the service puts it back
	{service("http://a", `{name: r, paths: [/api/send], methods: [POST], strip_path: false}`), nil},
	{service("http://a", `{name: r, paths: [/api/send], methods: [POST], protocols: [https], plugins: [{name: request-termination}]}`), nil},

	// regex-strip
	{service("http://a", `{name: r, paths: ['~/users/\d+$']}`), []string{"regex-strip warning route r"}},
	{service("http://a", `{name: r, paths: ['~/app/.*']}`), []string{"regex-strip warning route r"}},
	{service("http://a", `{name: r, paths: ['~/api/v[1-2]/auth']}`), []string{"regex-strip info route r"}},
	{service("http://a", `{name: r, paths: ['~/tenants/[^/]+']}`), []string{"regex-strip info route r"}},
	{service("http://a", `{name: r, paths: ['~/shop(/|$)']}`), nil},
	{service("http://a/healthz", `{name: r, paths: ['~/health(z|y)$']}`), nil}, // names for one thing
	{service("http://a", `{name: r, paths: ['~/users/(?<id>\d+)$'], plugins: [{name: request-transformer, config: {replace: {uri: '/u/$(uri_captures.id)'}}}]}`), nil},
	{service("http://a", `{name: r, paths: ['~/users/(?<id>\d+)'], plugins: [{name: request-transformer, config: {add: {headers: ['x-id:$(uri_captures.id)']}}}]}`), nil},

	// doubled-prefix
	{service("http://a/api", `{name: r, paths: [/api/x], strip_path: false}`), []string{"doubled-prefix error route r"}},
	{service("http://a/api/v1", `{name: r, paths: [/v1/x], strip_path: false}`), []string{"doubled-prefix warning route r"}},
	{service("http://a/api", `{name: r, paths: ['~/api/\d+$'], strip_path: false}`), []string{"doubled-prefix error route r"}},
	{service("http://a/api", `{name: r, paths: ['~/api\d+$'], strip_path: false}`), nil},
	{service("http://a/api", `{name: r, paths: [/apis], strip_path: false}`), nil},
	{service("http://a/api", `{name: r, paths: [/api]}`), nil},

	// trailing-slash
	{service("http://a/base/", `{name: r, paths: [/x]}`), []string{"trailing-slash info route r"}},
	{service("http://a/base", `{name: r, paths: [/x/]}`), []string{"trailing-slash info route r"}},
	{service("http://a/base", `{name: r, paths: [/x, /]}`), nil},
	{service("http://a/base/", `{name: r, paths: [/x], strip_path: false}`), nil},

	// path-handling-v1
	{service("http://a/base", `{name: r, paths: [/x], path_handling: v1}`), []string{"path-handling-v1 warning route r"}},
	{service("http://a", `{name: r, paths: [/x], path_handling: v1}`), []string{"path-handling-v1 info route r"}},

	// shadowed-route
	{service("http://a", `{name: r, paths: [/x/y], strip_path: false}, {name: q, paths: ['~/x/'], methods: [GET], strip_path: false}`), nil}, // the other methods come
	{service("http://a", `{name: r, paths: [/x/y], strip_path: false}, {name: q, paths: ['~/x/']}`), []string{"shadowed-route error route r"}},
	{service("http://a", `{name: r, paths: [/x/y], strip_path: false}, {name: q, paths: ['~/x/'], strip_path: false}`), []string{"shadowed-route info route r"}}, // to the same
	{service("http://a", `{name: r, paths: [/x], hosts: [a.example], strip_path: false}, {name: q, paths: ['~/x'], strip_path: false}`), nil},
	{service("http://a", `{name: r, paths: [/x/y]}, {name: q, paths: ['~/x/\d+$'], strip_path: false}`), []string{"consumed-path info route r"}},
	{service("http://a", `{name: r, paths: [/x]}, {name: q, paths: ['~/x$', '~/x/[^/]+/[^/]+$'], strip_path: false}`), nil}, // /x/y still comes
	{service("http://a", `{name: r, methods: [PUT]}, {name: q, paths: [/]}`), []string{"shadowed-route info route r"}},
	{service("http://a", `{name: r, methods: [PUT], preserve_host: true}, {name: q, paths: [/]}`), []string{"shadowed-route error route r"}},

	{service("http://a", `{name: r, paths: ['~/x/\d+'], strip_path: false}, {name: q, paths: ['~/x/\w+'], strip_path: false, preserve_host: true, regex_priority: 1}`), []string{"shadowed-route warning route r"}}, // samples of an expression are no proof
	{service("http://a", `{name: r, paths: [/x], headers: {v: [a, b]}}, {name: q, paths: [/x], headers: {v: [a]}, methods: [GET], strip_path: false}`), nil},

	// shadowed-path
	{service("http://a", `{name: r, paths: [/x/y, /z], strip_path: false}, {name: q, paths: ['~/x/']}`), []string{"shadowed-path warning route r"}},

	// shadowed-method: of equal routes the higher id wins
	{service("http://a", `{name: r, id: 00000000-0000-4000-8000-000000000001, paths: [/x], methods: [GET, POST], strip_path: false}, {name: q, id: 00000000-0000-4000-8000-000000000002, paths: [/x], methods: [GET]}`),
		[]string{"shadowed-method warning route r"}},
	{service("http://a", `{name: r, paths: [/x], methods: [GET], strip_path: false}, {name: q, paths: [/x], methods: [POST], strip_path: false}`), nil},

	// priority-order
	{service("http://a", `{name: r, paths: [/x/y], methods: [GET, POST], strip_path: false}, {name: q, paths: ['~/x/y$'], strip_path: false, preserve_host: true}`), []string{"priority-order warning route r"}},
	{service("http://a", `{name: r, paths: [/x], methods: [GET]}, {name: q, hosts: [a.example]}`), []string{"priority-order info route q"}}, // one for all that lose to it
	{service("http://a", `{name: r, paths: [/x]}, {name: q, hosts: [a.example]}`), nil},                                                     // neither says more

	// cors-unrouted
	{service("http://a", `{name: r, paths: [/x], methods: [PUT, GET], plugins: [{name: cors}]}`), []string{"cors-unrouted error route r"}},
	{service("http://a", `{name: r, paths: [/x], methods: [GET], plugins: [{name: cors}]}`), []string{"cors-unrouted warning route r"}},
	{service("http://a", `{name: r, paths: [/x], methods: [GET], plugins: [{name: cors, enabled: false}]}`), nil},
	{service("http://a", `{name: r, paths: [/x], plugins: [{name: cors}]}`), nil},
	{service("http://a", `{name: r, paths: [/x], methods: [GET]}, {name: q, paths: [/x], methods: [OPTIONS]}`) + ", plugins: [{name: cors}]", nil},
	{service("http://a", `{name: r, paths: [/x], methods: [GET]}`) + ", plugins: [{name: cors}]", []string{"cors-unrouted warning route r"}},

	// cors-missing
	{service("http://a", `{name: r, paths: [/x], plugins: [{name: response-transformer, config: {add: {headers: ['Access-Control-Allow-Origin:*']}}}]}`), []string{"cors-missing warning route r"}},
	{service("http://a", `{name: r, paths: [/x]}, {name: q, paths: [/y], plugins: [{name: cors}]}`), []string{"cors-missing info route r"}},
	{service("http://a", `{name: r, paths: [/x], plugins: [{name: response-transformer, config: {add: {headers: ['X-A:b']}}}]}`), nil},

	// preflight-continue
	{service("http://a", `{name: r, paths: [/x], plugins: [{name: cors, config: {preflight_continue: true}}]}`), []string{"preflight-continue info plugin cors"}},
	{service("http://a", `{name: r, paths: [/x], plugins: [{name: cors, config: {preflight_continue: false}}]}`), nil},

	// redirect-method
	{service("http://a", `{name: r, paths: [/x], protocols: [https], https_redirect_status_code: 301}`), []string{"redirect-method warning route r"}},
	{service("http://a", `{name: r, paths: [/x], protocols: [https], https_redirect_status_code: 308}`), nil},
	{service("http://a", `{name: r, paths: [/x], protocols: [https]}`), nil},
	{service("http://a", `{name: r, paths: [/x], https_redirect_status_code: 301}`), nil}, // it takes http, too
	{service("http://a", `{name: r, paths: [/x], methods: [GET], protocols: [https], https_redirect_status_code: 301}`), nil},

	// method-rewritten
	{"plugins: [{name: request-transformer, config: {http_method: POST}}]", []string{"method-rewritten error plugin request-transformer"}},
	{service("http://a", `{name: r, paths: [/x]}`) + ", plugins: [{name: request-transformer, service: s, config: {http_method: POST}}]", []string{"method-rewritten warning plugin request-transformer"}},
	{service("http://a", `{name: r, paths: [/x], plugins: [{name: request-transformer, config: {http_method: POST}}]}`), []string{"method-rewritten info plugin request-transformer"}},
	{service("http://a", `{name: r, paths: [/x], methods: [GET], plugins: [{name: request-transformer, config: {http_method: POST}}]}`), nil}, // a translation

	// fixed-path
	{service("http://a", `{name: r, paths: [/x], plugins: [{name: request-transformer, config: {replace: {uri: /y}}}]}`), []string{"fixed-path info plugin request-transformer"}},
	{service("http://a", `{name: r, paths: ['~/x$'], plugins: [{name: request-transformer, config: {replace: {uri: /y}}}]}`), nil},
	{service("http://a", `{name: r, paths: ['~/x$']}`) + ", plugins: [{name: request-transformer, service: s, config: {replace: {uri: /y}}}]", []string{"fixed-path warning plugin request-transformer"}},

	// buffered-method
	{service("http://a", `{name: r, paths: [/x], methods: [GET, PURGE], plugins: [{name: diag405, config: {buffering: always}}]}`), []string{"buffered-method error route r"}},
	{service("http://a", `{name: r, paths: [/x], methods: [GET, PURGE], plugins: [{name: diag405}]}`), nil},
	{service("http://a", `{name: r, paths: [/x], methods: [GET, PURGE], plugins: [{name: ours}]}`), []string{"buffered-method error route r"}},
	{service("http://a", `{name: r, paths: [/x], methods: [GET], plugins: [{name: ours}]}`), nil},

	{service("http://a", `{name: r, paths: [/x], methods: [GET, PURGE], plugins: [{name: ai-request-transformer}]}`), []string{"buffered-method error route r"}}, // no response phase, but enable_buffering
	{service("http://a", `{name: r, paths: [/x], methods: [PURGE], plugins: [{name: ai-proxy-advanced}]}`), []string{"buffered-method warning route r"}},
	{service("http://a", `{name: r, paths: [/x], methods: [GET, PURGE], plugins: [{name: ai-response-transformer}]}`), nil},                      // asks the upstream by itself
	{service("http://a", `{name: r, paths: [/x], methods: [GET, PURGE], plugins: [{name: ai-request-transformer}, {name: diag405}]}`), nil},      // which takes PURGE out of buffering
	{service("http://a", `{name: r, paths: [/x], methods: [GET, PURGE], plugins: [{name: ai-request-transformer}, {name: grpc-gateway}]}`), nil}, // which sends all as POST

	// buffered-answers
	{service("http://a", `{name: r, paths: [/x]}`) + ", plugins: [{name: diag405}]", []string{"buffered-answers warning plugin diag405"}},
	{service("http://a", `{name: r, paths: [/x]}`) + ", plugins: [{name: diag405, enabled: false}]", nil},
	{service("http://a", `{name: r, paths: [/x]}`) + ", plugins: [{name: diag405-log}]", nil}, // which has no response phase
	{service("http://a", `{name: r, paths: [/x]}`) + ", plugins: [{name: diag405, service: s}]", nil},
	{service("http://a", `{name: r, paths: [/x]}, {name: q, paths: [/y], response_buffering: false}`) + ", plugins: [{name: diag405, service: s}]", []string{"buffered-answers warning plugin diag405"}},
	{service("http://a", `{name: r, paths: [/x]}, {name: q, paths: [/v1/stream], strip_path: false}`) + ", plugins: [{name: diag405, service: s}]", []string{"buffered-answers warning plugin diag405"}},
	{service("http://a", `{name: r, paths: [/x], plugins: [{name: diag405}]}, {name: q, paths: [/v1/stream], strip_path: false}`), nil}, // not that route
	{service("http://a", `{name: r, paths: ['~/chat/completions$'], strip_path: false, plugins: [{name: diag405}]}`), []string{"buffered-answers warning plugin diag405"}},
	{service("http://a", `{name: r, paths: [/x], plugins: [{name: ai-proxy}, {name: diag405}]}`), []string{"buffered-answers warning plugin diag405"}},
	{service("http://a", `{name: r, paths: [/events/upstream], strip_path: false, plugins: [{name: diag405}]}`), nil},
	{"services: [{name: s, url: 'http://a', read_timeout: 3600000, routes: [{name: r, paths: [/x]}], plugins: [{name: diag405}]}]", []string{"buffered-answers warning plugin diag405"}},
	{"services: [{name: s, url: 'http://a', read_timeout: 599999, routes: [{name: r, paths: [/x]}], plugins: [{name: diag405}]}]", nil},

	// upper-case-host
	{service("http://a", `{name: r, hosts: [A.example]}`), []string{"upper-case-host warning route r"}},
	{service("http://a", `{name: r, hosts: [a.example]}`), nil},

	// preserve-host-off
	{service("http://store.example", `{name: r, hosts: [b.store.example], paths: [/]}`), []string{"preserve-host-off warning route r"}},
	{service("http://store.example", `{name: r, hosts: [b.store.example], paths: [/], preserve_host: true}`), nil},
	{service("http://store.example", `{name: r, hosts: [www.example], paths: [/]}`), nil},
	{service("http://a", `{name: q, hosts: [a.example], paths: [/]}, {name: r, hosts: [b.example], paths: [/]}`), []string{"preserve-host-off info route r"}},
	{service("http://a", `{name: q, hosts: [a.example], paths: [/x]}, {name: r, hosts: [b.example], paths: [/]}`), nil},

	// preserve-host-mixed
	{service("http://a", `{name: q, hosts: [a.example], paths: [/]}, {name: r, hosts: [b.example], paths: [/], preserve_host: true}`), []string{"preserve-host-mixed warning service s"}},

	// preserve-host-foreign
	{service("https://shop.herokuapp.com", `{name: r, paths: [/], preserve_host: true}`), []string{"preserve-host-foreign warning route r"}},
	{service("https://shop.herokuapp.com", `{name: r, paths: [/]}`), nil},
	{service("https://shop.example", `{name: r, paths: [/], preserve_host: true}`), nil},

	// host-and-path
	{service("http://store.example/pics", `{name: r, hosts: [pics.store.example], paths: [/], preserve_host: true}`), []string{"host-and-path warning route r"}},
	{service("http://store.example/pics", `{name: r, hosts: [www.store.example], paths: [/], preserve_host: true}`), nil},
	{service("http://store.example/api", `{name: r, hosts: [api.store.example], paths: [/], preserve_host: true}`), nil},

	// age-order (measured on a Kong that had just started)
	{service("http://a", `{name: r, paths: ['~/a'], regex_priority: -1}, {name: q, paths: [/a], hosts: [q.h], methods: [GET], headers: {x-a: [u]}}`),
		[]string{"age-order warning route q", "shadowed-route info route q"}},
	{service("http://a", `{name: r, paths: ['~/a']}, {name: q, paths: [/a], hosts: [q.h], methods: [GET]}`), nil},

	// Routes with an expression take part in the order. In a warm Kong a plain route with
	// four kinds of fields comes before one of low priority, in a fresh one behind it.
	{service("http://a", `{name: r, expression: 'http.path ^= "/a" && http.method == "GET"', priority: 1}, {name: q, expression: 'http.path ^= "/"', priority: 2}`),
		[]string{"shadowed-route warning route r"}},
	{service("http://a", `{name: r, expression: 'http.path ^= "/a" && http.method == "GET"', priority: 2}, {name: q, expression: 'http.path ^= "/"', priority: 1}`), nil},
	{service("http://a", `{name: r, expression: 'http.path ^= "/"'}, {name: q, paths: [/a], hosts: [q.h], methods: [GET], headers: {x-a: [u]}}`),
		[]string{"age-order warning route q"}},
	{service("http://a", `{name: r, expression: 'http.path == "/a" && http.path == "/b"'}`), []string{"not-modelled info route r"}},

	// no-service, disabled-service, unused-service, not-modelled
	{"routes: [{name: r, paths: [/x]}]", []string{"no-service warning route r"}},
	{"routes: [{name: r, paths: [/x], plugins: [{name: redirect, config: {location: 'https://x.example'}}]}]", nil},
	{"services: [{name: s, url: 'http://a', enabled: false, routes: [{name: r, paths: [/x/*]}]}]", []string{"disabled-service info service s"}},
	{service("http://a", ""), []string{"unused-service info service s"}},
	{service("http://a", `{name: r, expression: 'http.path == "/x"'}`), nil},
	{service("grpc://a", `{name: r, protocols: [grpc], paths: [/x/y]}`), nil}, // gRPC has one method and no strip_path
}

func TestLint(t *testing.T) {
	fired := map[string]bool{}
	for _, tt := range lintTests {
		cfg := parse(t, tt.doc)
		findings := Lint(cfg, Options{ResponsePhase: []string{"ours"}})
		if tt.want == nil {
			tt.want = []string{}
		}
		assert.Equal(t, tt.want, found(findings), tt.doc)
		for _, f := range findings {
			fired[f.ID] = true
			assert.NotEmpty(t, f.Sentence, tt.doc)
			assert.NotEmpty(t, f.Fix.Words, tt.doc)
			assert.False(t, strings.ContainsAny(f.Sentence+f.Fix.Words, "\n\t"), tt.doc)
			assert.True(t, f.Severity.AtLeast(Info) && ruleOf(f.ID).severity.AtLeast(f.Severity), "%s: graver than its rule", tt.doc)
		}
	}
	for _, r := range rules {
		assert.True(t, fired[r.id] || r.check == nil, "%s: no row that it fires on", r.id)
	}
}

// Of a service whose path is only a slash it is not said that it has none.
func TestConsumedPathNamesTheSlash(t *testing.T) {
	for url, want := range map[string]string{
		"http://a":  "strip_path removes the whole of /api/send and service s has no path, so its upstream gets POST /",
		"http://a/": "strip_path removes the whole of /api/send and service s has only the path /, so its upstream gets POST /",
	} {
		findings := Lint(parse(t, service(url, "{name: r, paths: [/api/send], methods: [POST]}")), Options{})
		require.Len(t, findings, 1, url)
		assert.Equal(t, want, findings[0].Sentence, url)
	}
}

// A change that a finding offers as data can be made, and then the finding is gone.
func TestMechanicalFixes(t *testing.T) {
	for _, tt := range lintTests {
		cfg := parse(t, tt.doc)
		for _, f := range Lint(cfg, Options{}) {
			if len(f.Fix.Set) == 0 || f.Object.Kind == "plugin" {
				continue
			}
			change := config.Change{Set: f.Fix.Set, ServiceName: "s"}
			if f.Object.Kind == "route" {
				change.RouteName = f.Object.Name
			}
			mended, err := config.Patch([]byte("{_format_version: '3.0', "+tt.doc+"}"), change)
			if !assert.NoError(t, err, "%s: %v", tt.doc, f.Fix) {
				continue
			}
			after, err := config.Parse(mended)
			if assert.NoError(t, err, "%s", mended) {
				assert.NotContains(t, found(Lint(after, Options{})), found([]Finding{f})[0], "%s", mended)
			}
		}
	}
}

// A mended path is not one that strip_path then removes.
func TestPathFixesKeepThePath(t *testing.T) {
	for _, path := range []string{"/api/get/*", "/users/*/items", "/users/:id"} {
		cfg := parse(t, service("http://a", "{name: r, methods: [GET], paths: ['"+path+"']}"))
		findings := Lint(cfg, Options{})
		require.Len(t, findings, 1, path)
		assert.Equal(t, false, findings[0].Fix.Set["route.strip_path"], path)
	}
	cfg := parse(t, service("http://a", "{name: r, paths: [/shop/*]}"))
	assert.NotContains(t, Lint(cfg, Options{})[0].Fix.Set, "route.strip_path", "a mount point")
}

// The founding configuration has both of its mistakes found.
func TestFounding(t *testing.T) {
	cfg, err := config.Parse(kong.Founding)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"literal-star error route internal-weather-route-GET",
		"consumed-path warning route internal-weather-route-POST",
	}, found(Lint(cfg, Options{})))
}

// With what lint offers for both, nothing is found any more.
func TestFoundingMended(t *testing.T) {
	cfg, err := config.Parse(kong.Founding)
	require.NoError(t, err)
	doc := kong.Founding
	for _, f := range Lint(cfg, Options{}) {
		doc, err = config.Patch(doc, config.Change{RouteName: f.Object.Name, Set: f.Fix.Set})
		require.NoError(t, err)
	}
	mended, err := config.Parse(doc)
	require.NoError(t, err)
	assert.Empty(t, Lint(mended, Options{}))
	proofs, _, err := Prove(mended, "internal-weather-service", []Operation{{"GET", "/api/getWeather/{location}"}, {"POST", "/api/sendWeather"}}, Options{})
	require.NoError(t, err)
	for _, p := range proofs {
		assert.Equal(t, Reached, p.Outcome, p.Operation)
	}
}

func TestIgnore(t *testing.T) {
	const two = `{name: q, paths: [/y/*]}, {name: r, paths: [/x/*]%s}`
	tests := []struct {
		tags   string
		ignore []Ignore
		want   []string
	}{
		{"", nil, []string{"literal-star error route q", "literal-star error route r"}},
		{"", []Ignore{{"literal-star", ""}}, []string{}},
		{"", []Ignore{{"literal-star", "q"}}, []string{"literal-star error route r"}},
		{"", []Ignore{{"consumed-path", ""}}, []string{"literal-star error route q", "literal-star error route r"}},
		{", tags: ['diag405:ignore=literal-star']", nil, []string{"literal-star error route q"}},
		{", tags: ['diag405:ignore=consumed-path']", nil, []string{"literal-star error route q", "literal-star error route r"}},
	}
	for _, tt := range tests {
		cfg := parse(t, service("http://a", fmt.Sprintf(two, tt.tags)))
		assert.Equal(t, tt.want, found(Lint(cfg, Options{Ignore: tt.ignore})), "%+v", tt)
	}
}

// A tag of a service holds for its routes and their plugins.
func TestIgnoreByServiceTag(t *testing.T) {
	cfg := parse(t, `services: [{name: s, url: 'http://a', tags: ['diag405:ignore=literal-star', 'diag405:ignore=preflight-continue'],
		routes: [{name: r, paths: [/x/*], plugins: [{name: cors, config: {preflight_continue: true}}]}]}]`)
	assert.Empty(t, Lint(cfg, Options{}))
}

func TestParseIgnore(t *testing.T) {
	got, err := ParseIgnore("operation-unreached:GET /")
	require.NoError(t, err)
	assert.Equal(t, Ignore{"operation-unreached", "GET /"}, got)
	_, err = ParseIgnore("no-such:r")
	assert.ErrorContains(t, err, `"no-such" is not the id of a finding`)
}

// Every rule has its section in docs/lint.md, which says how grave it is, and
// names pages that exist.
func TestEveryRuleIsDocumented(t *testing.T) {
	data, err := os.ReadFile("../../docs/lint.md")
	require.NoError(t, err)
	page := string(data)
	for _, r := range rules {
		_, section, ok := strings.Cut(page, "\n### "+r.id+"\n")
		if !assert.True(t, ok, "%s: no section in docs/lint.md", r.id) {
			continue
		}
		section, _, _ = strings.Cut(section, "\n#")
		assert.Contains(t, section, "**"+string(r.severity)+"**", "%s: its section does not say how grave it is", r.id)
		assert.Contains(t, section, "Fix:", "%s: its section has no fix", r.id)
		if r.cause != "" {
			assert.FileExists(t, filepath.Join("../../docs/causes", r.cause+".md"), r.id)
			assert.Contains(t, section, "(causes/"+r.cause+".md)", r.id)
		}
	}
	assert.Equal(t, len(rules), strings.Count(page, "\n### "), "docs/lint.md has sections of no rule")
}

// What a finding of a literal path writes in its place, and for what reads like an
// expression which part does. After it nothing is found.
func TestLiteralPaths(t *testing.T) {
	tests := []struct {
		id, route, shown, paths string
		strip                   any
	}{
		{"literal-regex", `strip_path: false, paths: ['/items(/|$)(.*)']`, "(/|$)", "~/items(/|$)(.*)", nil},
		{"literal-regex", `paths: ['/items(/|$)(.*)']`, "(/|$)", "~/items(/|$)", nil}, // nginx's rewrite to /$2
		{"literal-regex", `strip_path: false, paths: ['/orders/[0-9]+/pay']`, "[0-9]+", "~/orders/[0-9]+/pay", nil},
		{"literal-regex", `paths: ['/orders/[0-9]+/pay']`, "[0-9]+", "~/orders/[0-9]+/pay", false},
		{"literal-regex", `methods: [POST], paths: ['/orders/[0-9]+']`, "[0-9]+", "~/orders/[0-9]+$", false},
		{"literal-regex", `methods: [GET], strip_path: false, paths: ['/orders/\d+(/|$)']`, `\d`, `~/orders/\d+(/|$)`, nil},
		{"literal-regex", `strip_path: false, paths: ['/~/items/[^/]+$']`, "[^/]+", "~/items/[^/]+$", nil},
		{"literal-regex", `paths: ['/shop/.*']`, ".*", "/shop/", nil},
		{"literal-regex", `paths: ['/shop/(.*)$']`, ".*", "/shop/", nil},
		{"literal-regex", `strip_path: false, paths: ['/v[12]/(.*)']`, "[12]", "~/v[12]/(.*)", nil},
		{"literal-regex", `strip_path: false, paths: ['/a|/b']`, "|", "~/(?:a|b)", nil},
		{"literal-regex", `strip_path: false, paths: ['/x/*/[a-z]{2}']`, "[a-z]", "~/x/[^/]+/[a-z]{2}", nil},
		{"literal-regex", `strip_path: false, paths: ['/v[12]/*/*/x/**']`, "[12]", "~/v[12]/[^/]+/[^/]+/x/", nil},
		{"literal-regex", `strip_path: false, paths: ['/users/?$']`, "/?", "~/users/?$", nil},
		{"literal-regex", `strip_path: false, paths: ['/api/(?!internal).*']`, "(?", "", nil}, // which the router cannot read
		{"literal-regex", `strip_path: false, paths: [/items$]`, "$", "~/items$", nil},
		{"literal-star", `strip_path: false, paths: [/x/*]`, "", "/x/", nil},
		{"literal-star", `strip_path: false, paths: [/x.y/*/z]`, "", `~/x\.y/[^/]+/z$`, nil},
		{"literal-star", `strip_path: false, paths: [/*/z/*]`, "", `~/[^/]+/z/`, nil},
		{"literal-star", `strip_path: false, paths: [/static/app.*]`, "", "", nil}, // of a shell or of an expression
		{"literal-placeholder", `strip_path: false, paths: ['/users/:id']`, "", "~/users/[^/]+$", nil},
		{"literal-placeholder", `strip_path: false, paths: ['/users/:id/*']`, "", "~/users/[^/]+/", nil},
		{"literal-placeholder", `strip_path: false, paths: ['/users/:id(\d+)/a.b']`, "", `~/users/\d+/a\.b$`, nil},
		{"literal-placeholder", `strip_path: false, paths: ['/users/:id?']`, "", "~/users(?:/[^/]+)?$", nil},
		{"literal-regex", `strip_path: false, paths: ['/x/*/(.*)']`, ".*", "~/x/[^/]+/(.*)", nil},
		{"literal-regex", `strip_path: false, paths: ['/~ann/[0-9]+']`, "[0-9]+", "~/~ann/[0-9]+", nil},
		{"literal-regex", `paths: ['/tenants/[^/]+/(.*)']`, "[^/]+", "~/tenants/[^/]+/(.*)", false},
		{"literal-regex", `paths: ['/api/users/?$']`, "/?", "~/api/users/?$", false},
		{"literal-placeholder", `strip_path: false, paths: ['/:lang?/shop']`, "", "~/(?:[^/]+)?/shop$", nil},
		{"literal-placeholder", `strip_path: false, paths: ['/f/:rest*']`, "", "~/f(?:/.*)?$", nil},
		{"literal-placeholder", `strip_path: false, paths: ['/users/{id:[0-9]{3}}/{kind:a|b}']`, "", "~/users/[0-9]{3}/(?:a|b)$", nil},
		{"literal-placeholder", `strip_path: false, paths: ['/users/{id:int}']`, "", "~/users/[^/]+$", nil},
		{"literal-placeholder", `strip_path: false, paths: ['/f/{rest:path}']`, "", "~/f/.*$", nil},
		{"literal-placeholder", `strip_path: false, paths: ['/f/{proxy+}']`, "", "~/f/.+$", nil},
		{"literal-placeholder", `strip_path: false, paths: ['/users/:id(+)']`, "", "~/users/[^/]+$", nil},
		{"literal-placeholder", `strip_path: false, paths: ['/v(\d/:id']`, "", "", nil},
		{"literal-placeholder", `strip_path: false, paths: ['/v[12]/{id}']`, "", "~/v[12]/[^/]+$", nil},
	}
	for _, tt := range tests {
		doc := service("http://a", "{name: r, "+tt.route+"}")
		findings := Lint(parse(t, doc), Options{})
		if !assert.Len(t, findings, 1, doc) {
			continue
		}
		f := findings[0]
		assert.Equal(t, tt.id, f.ID, doc)
		if tt.shown != "" {
			assert.Contains(t, f.Sentence, " "+tt.shown+" letter by letter", doc)
		}
		if tt.paths == "" {
			assert.Empty(t, f.Fix.Set, doc)
			continue
		}
		assert.Equal(t, []any{tt.paths}, f.Fix.Set["route.paths"], doc)
		assert.Equal(t, tt.strip, f.Fix.Set["route.strip_path"], doc)
		assert.Contains(t, f.Fix.Words, tt.paths, doc)
		mended, err := config.Patch([]byte("{_format_version: '3.0', "+doc+"}"), config.Change{RouteName: "r", Set: f.Fix.Set})
		require.NoError(t, err, doc)
		after, err := config.Parse(mended)
		require.NoError(t, err, doc)
		assert.Empty(t, found(Lint(after, Options{})), "%s", mended)
	}
}

// What RFC 3986 lets a path have, and people do have in theirs, is no expression, and
// neither is a part of one that somebody else's router writes.
func TestPlainPathsAreLeftAlone(t *testing.T) {
	for _, path := range []string{
		"/", "/a.b", "/c++", "/c++/x", "/~user", "/~/x", "/+login", "/a+b", "/wiki/Foo_(bar)", "/Products(1)", "/Products(1)/Name",
		"/Orders('x')", "/odata/GetX(a=1,b=2)", "/$metadata", "/$batch", "/users/$count", "/a;v=1", "/a,b", "/a=b", "/a&b", "/a!",
		"/@scope/pkg", "/models:predict", "/a:b", "/a%5B0-9%5D", "/a b", "/Foo$Bar", "/Foo$.html", "/$", "/a/$", "/posts/[id]", "/posts/[...slug]",
		"/posts/[[...slug]]", "/_next/pages/[id].js", "/items[]", "/items[0]", "/users/{0}", "/search?q=x", "/index.php?/a", "/a.b.c/", "/.well-known/x",
		"/...", "/v1.2+3", "/a(b)(c)", "/(x)", "/a(b)+c", "/x.+y", "/it's",
	} {
		assert.Empty(t, found(Lint(parse(t, service("http://a", "{name: r, strip_path: false, paths: [\""+path+"\"]}")), Options{})), path)
	}
}
