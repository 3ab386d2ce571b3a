package config_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
)

func TestParseFlavor(t *testing.T) {
	for name, want := range map[string]config.Flavor{"": config.TraditionalCompatible, "traditional": config.Traditional, "expressions": config.Expressions} {
		got, err := config.ParseFlavor(name)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := config.ParseFlavor("Traditional")
	assert.EqualError(t, err, `"Traditional" should be one of ["traditional_compatible" "traditional" "expressions"]`)
}

func TestHint(t *testing.T) {
	for doc, want := range map[string]config.Flavor{
		"routes: [{paths: [/]}]":                     config.TraditionalCompatible,
		`routes: [{expression: 'http.path == "/"'}]`: config.Expressions,
		`services: [{host: h, routes: [{paths: [/a]}, {expression: 'http.path == "/"'}]}]`: config.Expressions,
		"routes: [{paths: [/], priority: 0}]":                                              config.Expressions, // as such a Kong exports it
	} {
		assert.Equal(t, want, parse(t, doc).Flavor, doc)
	}
	c, err := config.Parse([]byte(`{_format_version: "3.0"}`), config.For(config.Traditional))
	require.NoError(t, err)
	assert.Equal(t, config.Traditional, c.Flavor)
}

func TestExpression(t *testing.T) {
	c := parse(t, `routes: [{name: r, expression: 'http.path ^= "/a"', priority: 70368744177663, created_at: 1700000000}, {paths: [/]}]`)
	assert.Equal(t, `http.path ^= "/a"`, c.Routes[0].Expression)
	assert.Equal(t, 1<<46-1, c.Routes[0].Priority)
	assert.Equal(t, 1700000000, c.Routes[0].CreatedAt)
	assert.Equal(t, []string{"/"}, c.Routes[1].Paths)
}

func TestExpressionFromAdmin(t *testing.T) {
	c, err := config.FromAdmin(config.Admin{Routes: []json.RawMessage{[]byte(`{
		"id": "10000000-0000-0000-0000-000000000000", "name": "r", "protocols": ["http"], "created_at": 1700000000,
		"expression": "http.path == \"/\"", "priority": 5, "paths": null, "regex_priority": 0}`)}})
	require.NoError(t, err)
	assert.Equal(t, config.Expressions, c.Flavor)
	assert.Equal(t, `http.path == "/"`, c.Routes[0].Expression)
	assert.Equal(t, 5, c.Routes[0].Priority)
}

// TestFlavorRefuses has what one flavour takes and another does not: the flavour,
// routes, and the whole message, "" for none.
func TestFlavorRefuses(t *testing.T) {
	const path = `expression: 'http.path == "/"'`
	for _, row := range []struct {
		flavor       config.Flavor
		routes, want string
	}{
		{config.TraditionalCompatible, "{" + path + "}", "routes[0]: needs at least one of methods, hosts, headers, paths, snis\nroutes[0]: expression: unknown field"},
		{config.Traditional, "{paths: [/], priority: 1}", "routes[0]: priority: unknown field"},
		{config.Expressions, "{" + path + ", priority: 1}", ""},
		{config.Expressions, "{" + path + ", paths: [/], hosts: [a]}", "routes[0]: expression: cannot be set together with hosts, paths"},
		{config.Expressions, "{" + path + ", paths: [], methods: null}", ""},
		{config.Expressions, "{" + path + ", regex_priority: 1}", "routes[0]: regex_priority: cannot be set together with expression: set priority"},
		{config.Expressions, "{paths: [/], priority: 1}", "routes[0]: priority: cannot be set together with paths: it is for routes with an expression"},
		{config.Expressions, "{" + path + ", priority: -1}", "routes[0]: priority: -1 is outside 0..70368744177663"},
		{config.Expressions, "{priority: 0}", "routes[0]: needs at least one of methods, hosts, headers, paths, snis, expression"},
		{config.Expressions, `{expression: 'http.path = "/"'}`, `routes[0]: expression: 1:11: expected an operator, found "= \"/\""`},
		{config.Expressions, `{expression: 'http.paht == "/"'}`, "routes[0]: expression: 1:1: there is no field http.paht"},
		{config.Expressions, `{expression: 'net.port == 80'}`, ""},
		{config.Expressions, `{expression: 'any(net.port) == 80'}`, "routes[0]: expression: 1:1: there is no field net.port"},
		{config.Expressions, `{expression: 'http.path.segments.0_2 == "a" && http.path.segments.len > 1'}`, ""},
		{config.Expressions, `{expression: 'http.path.segments.2_2 == "a"'}`,
			"routes[0]: expression: http.path.segments.2_2 should end in len, a segment such as 0, or a range such as 0_2"},
		{config.Expressions, `{expression: 'http.path.segments.x == "a"'}`,
			"routes[0]: expression: http.path.segments.x should end in len, a segment such as 0, or a range such as 0_2"},
		{config.Expressions, `{protocols: [tcp], expression: 'net.dst.port == 80'}`, ""},
		{config.Expressions, `{protocols: [tcp], expression: 'http.path == "/"'}`, "routes[0]: expression: 1:1: there is no field http.path"},
		{config.Expressions, "{paths: [/], sources: [{ip: 10.0.0.0/8}]}", ""},
		{config.TraditionalCompatible, "{paths: [/], sources: [{ip: 10.0.0.0/8}]}", `routes[0]: sources: cannot be set when protocols is ["http" "https"]`},

		{config.Traditional, "{paths: ['~/(?!admin)']}", ""},
		{config.TraditionalCompatible, "{paths: ['~/(?!admin)']}",
			"routes[0]: paths[0]: \"~/(?!admin)\" is not a regular expression of Kong's router: error parsing regexp: invalid or unsupported Perl syntax: `(?!`"},
		{config.Traditional, "{paths: ['~/(']}",
			"routes[0]: paths[0]: \"~/(\" is not a regular expression of Kong's router: error parsing regexp: missing closing ): `/(`"},
		{config.Traditional, "{paths: [/], headers: {x-a: ['~*(']}}", ""},
		{config.Traditional, "{snis: ['*.a']}", `routes[0]: snis[0]: "*.a" must not have a wildcard with router_flavor = traditional`},
		{config.TraditionalCompatible, "{snis: ['*.a']}", ""},
	} {
		_, err := config.Parse([]byte("_format_version: '3.0'\nroutes: ["+row.routes+"]"), config.For(row.flavor))
		if row.want == "" {
			assert.NoError(t, err, row.routes)
			continue
		}
		assert.EqualError(t, err, row.want, row.routes)
	}
}

// TestHosts are those that Kong takes for a route; what it refuses is in
// TestParseRefuses.
func TestHosts(t *testing.T) {
	for _, host := range []string{
		"a", "a.", "A_b.c-d", "-a.b", "a:80", "*.a", "a.*", "*.a:80", "10.0.0.1", "010.0.0.1", "10.0.0.1:80",
		"::", "::1", "1::", "[::31]:321", "[::1]", "1:2:3:4:5:6:7:8",
	} {
		assert.Equal(t, []string{host}, parse(t, "routes: [{hosts: ['"+host+"']}]").Routes[0].Hosts)
	}
}
