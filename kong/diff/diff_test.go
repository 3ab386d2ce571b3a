package diff

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
)

func TestMeetHosts(t *testing.T) {
	tests := []struct {
		a, b string
		want []string
	}{
		{"a.test", "a.test", []string{"a.test"}},
		{"a.test", "b.test", nil},
		{"a.test", "*.test", []string{"a.test"}},
		{"*.test", "a.test:8443", []string{"a.test:8443"}},
		{"a.test:80", "a.test:81", nil},
		{"*.test", "*.a.test", []string{"zz9.a.test"}},
		{"*.test", "*.example", nil},
		{"*.test", "a.*", []string{"a.test"}},
		{"a.*", "*.a.test", []string{"a.a.test"}},
		{"a.*", "b.*", nil},
		{"test", "*.test", nil},
		{"[::1]:80", "[::1]", []string{"[::1]:80"}},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, meetHosts(tt.a, tt.b), "%s and %s", tt.a, tt.b)
		assert.ElementsMatch(t, tt.want, meetHosts(tt.b, tt.a), "%s and %s", tt.b, tt.a)
	}
}

func TestHeaderValue(t *testing.T) {
	for value, want := range map[string]string{"v": "v", `~*^v\d+$`: "v1", "~*(": ""} {
		assert.Equal(t, want, headerValue(value), value)
	}
}

func TestAllow(t *testing.T) {
	change := &Change{Kinds: []Kind{Path, Route}, Before: Outcome{Route: "a"}, After: Outcome{Route: "path"}}
	tests := []struct {
		allow []string
		want  bool
	}{
		{nil, false},
		{[]string{"path"}, false},
		{[]string{"path", "route"}, true},
		{[]string{"a"}, true},
		{[]string{":path"}, true},
		{[]string{"b"}, false},
		{[]string{"path:a", "route"}, true},
		{[]string{"path:b", "route"}, false},
	}
	for _, tt := range tests {
		var list []Allow
		for _, s := range tt.allow {
			a, err := ParseAllow(s)
			require.NoError(t, err)
			list = append(list, a)
		}
		assert.Equal(t, tt.want, allowed(list, change), tt.allow)
	}
	for _, s := range []string{"", ":"} {
		_, err := ParseAllow(s)
		assert.Error(t, err, s)
	}
}

// What is no change: what a file says in another way, and what changes no request.
func TestNoChange(t *testing.T) {
	tests := []struct{ before, after string }{
		{"services: [{name: s, url: 'http://u', routes: [{name: r, paths: [/a, /b], methods: [GET, POST]}]}]",
			"services: [{name: s, host: u, routes: [{name: r, paths: [/b, /a], methods: [POST, GET], protocols: [https, http]}]}]"},
		{"services: [{name: s, host: u, routes: [{name: r, paths: [/a]}]}]\nupstreams: [{name: u, targets: [{target: 'a:80'}, {target: 'b:80'}]}]",
			"services: [{name: s, host: u, routes: [{name: r, paths: [/a]}]}]\nupstreams: [{name: u, targets: [{target: 'b:80'}, {target: 'a:80'}]}]"},
		{"services: [{name: s, url: 'http://u', routes: [{name: r, paths: [/a]}]}]",
			"services: [{name: other, url: 'http://u', retries: 2, read_timeout: 7, routes: [{name: r, paths: [/a], tags: [x]}]}]"},
		// A route that is always behind another one.
		{"services: [{name: s, url: 'http://u', routes: [{name: r, paths: [/]}]}]",
			"services: [{name: s, url: 'http://u', routes: [{name: r, paths: [/]}, {name: q, paths: [/], methods: [GET], hosts: [h]}]}, {name: off, enabled: false, url: 'http://x', routes: [{name: z, paths: [/z]}]}]\nplugins: [{name: rate-limiting, config: {minute: 5}}]"},
	}
	for i, tt := range tests[:3] {
		r := compare(t, tt.before, tt.after)
		assert.Empty(t, r.Changes, "%d", i)
		assert.False(t, r.Unmeant())
	}
	r := compare(t, tests[3].before, tests[3].after)
	require.Len(t, r.Changes, 1)
	assert.Equal(t, []Kind{Route}, r.Changes[0].Kinds, "only who takes it")
}

func compare(t *testing.T, before, after string) *Report {
	t.Helper()
	var two [2]*config.Config
	for i, doc := range []string{before, after} {
		cfg, err := config.Parse([]byte("_format_version: '3.0'\n" + doc))
		require.NoError(t, err, doc)
		two[i] = cfg
	}
	r, err := Compare(two[0], two[1], Options{})
	require.NoError(t, err)
	return r
}

// What changes, and in what.
func TestChanges(t *testing.T) {
	const one = "services: [{name: s, url: 'http://u', routes: [{name: r, paths: [/a]}]}]\n"
	plugin := func(text string) string { return one + "plugins: [" + text + "]" }
	tests := []struct {
		before, after string
		want          []string
	}{
		{one, plugin("{name: request-transformer, config: {http_method: POST}}"), []string{"[method] GET /a"}},
		{plugin("{name: request-transformer, config: {remove: {querystring: [q]}}}"), one, []string{"[query] GET /a?q=zz9"}},
		{plugin("{name: request-transformer, config: {add: {headers: ['x-a:1']}}}"), one, []string{"[plugin] GET /a"}},
		{one, plugin("{name: my-own, config: {a: 1}}"), []string{"[plugin] GET /a"}},
		{one, plugin("{name: request-termination, config: {trigger: x-stop}}"), []string{"[unreached] GET /a with X-Stop: zz9"}},
		{plugin("{name: request-termination}"), plugin("{name: request-termination, config: {status_code: 410}}"), []string{"[answer] GET /a"}},
		{one, one + "consumers: [{username: ann, plugins: [{name: request-termination}]}]", []string{"[unreached] GET /a with consumer ann"}},
		{"services: [{name: s, host: u, routes: [{name: r, paths: [/a]}]}]\nupstreams: [{name: u, targets: [{target: 'a:80'}]}]",
			"services: [{name: s, host: u, routes: [{name: r, paths: [/a]}]}]\nupstreams: [{name: u, targets: [{target: 'a:80'}, {target: 'b:80'}]}]", []string{"[upstream] GET /a"}},
		{"services: [{name: s, url: 'http://u', routes: [{name: r, snis: [a.test], paths: [/a]}]}]",
			"services: [{name: s, url: 'http://u', routes: [{name: r, snis: [b.test], paths: [/a]}]}]",
			[]string{"[reached] GET https://zz9.example/a with server name b.test", "[unreached] GET https://zz9.example/a with server name a.test"}},
	}
	for _, tt := range tests {
		r := compare(t, tt.before, tt.after)
		var got []string
		for _, c := range r.Changes {
			got = append(got, fmt.Sprintf("%s %s", c.Kinds, c.Witness))
		}
		assert.ElementsMatch(t, tt.want, got, "%s\n%s", tt.before, tt.after)
	}
}

// Where requests are examples, it is said.
func TestSampled(t *testing.T) {
	tests := []struct{ route, want string }{
		{"paths: ['~/é+$']", "no request was found for a path of route r"},
		{"paths: ['~/a{1000}b', '~/(.*[ab]){9}c', '~/.*a.{12}$']", "too many routes have paths around those of route r"},
	}
	for _, tt := range tests {
		r := compare(t, "services: [{name: s, url: 'http://u', routes: [{name: r, "+tt.route+"}]}]", "services: [{name: s, url: 'http://u'}]")
		assert.Contains(t, r.Sampled, tt.want)
	}
}
