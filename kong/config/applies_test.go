package config_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
)

// Every instance applies; each is tried without those before it.
func TestPrecedence(t *testing.T) {
	s, r := &config.Service{ID: "s"}, &config.Route{ID: "r"}
	inOrder := []*config.Plugin{
		{ID: "consumer, route, service", Consumer: "ann", Route: r, Service: s},
		{ID: "group, route, service", ConsumerGroup: "gold", Route: r, Service: s},
		{ID: "consumer, route", Consumer: "ann", Route: r},
		{ID: "consumer, service", Consumer: "ann", Service: s},
		{ID: "group, route", ConsumerGroup: "gold", Route: r},
		{ID: "group, service", ConsumerGroup: "gold", Service: s},
		{ID: "route, service", Route: r, Service: s},
		{ID: "consumer", Consumer: "ann"},
		{ID: "group", ConsumerGroup: "gold"},
		{ID: "route", Route: r},
		{ID: "service", Service: s},
		{ID: "global"},
	}
	for _, p := range inOrder {
		p.Name, p.Enabled = "cors", true
	}
	request := config.Scope{Route: r, Service: s, Consumer: "ann", Groups: []string{"silver", "gold"}}
	for i, want := range inOrder {
		rest := slices.Clone(inOrder[i:])
		assert.Equal(t, []*config.Plugin{want}, config.Applying(rest, request))
		slices.Reverse(rest)
		assert.Equal(t, []*config.Plugin{want}, config.Applying(rest, request), "%s, in the other order", want.ID)
	}
}

func TestApplying(t *testing.T) {
	c := parse(t, `
services:
- {name: a, host: h, routes: [{name: r, paths: [/r]}, {name: other, paths: [/o]}], plugins: [{name: cors, instance_name: service}]}
- {name: b, host: h}
consumers: [{username: ann, plugins: [{name: jwt, instance_name: consumer}]}]
consumer_groups: [{name: gold, plugins: [{name: acl, instance_name: nested}]}]
plugins:
- {name: cors, instance_name: global}
- {name: cors, instance_name: route, route: r, enabled: false}
- {name: acl, instance_name: group, consumer_group: {name: silver}}
- {name: acl, instance_name: all}
- {name: jwt, instance_name: elsewhere, service: b}
- {name: session, instance_name: only, route: other}
`)
	route := func(i int) config.Scope { return config.Scope{Route: c.Routes[i], Service: c.Routes[i].Service} }
	groups := func(s config.Scope, names ...string) config.Scope { s.Groups = names; return s }
	consumer := func(s config.Scope, name string) config.Scope { s.Consumer = name; return s }
	for _, tt := range []struct {
		name  string
		scope config.Scope
		want  []string
	}{
		{"one that is switched off leaves its place", route(0), []string{"service", "all"}},
		{"a plugin of another route", route(1), []string{"service", "all", "only"}},
		{"no route", config.Scope{}, []string{"global", "all"}},
		{"a group's plugin is not for everybody", groups(route(0), "silver"), []string{"service", "group"}},
		{"one that stands in its group", groups(route(0), "gold"), []string{"nested", "service"}},
		{"a consumer's", consumer(route(0), "ann"), []string{"consumer", "service", "all"}},
	} {
		var got []string
		for _, p := range config.Applying(c.Plugins, tt.scope) {
			got = append(got, p.InstanceName)
		}
		assert.Equal(t, tt.want, got, tt.name)
	}
}

// A group's plugin is another than the global one of the same name, and Kong's
// ids say so.
func TestGroupsHaveTheirOwnPlugins(t *testing.T) {
	c := parse(t, `
plugins:
- {name: acl}
- {name: acl, consumer_group: gold}
- {name: acl, consumer_group: silver}
`)
	require.Len(t, c.Plugins, 3)
	assert.Equal(t, []string{"", "gold", "silver"}, []string{c.Plugins[0].ConsumerGroup, c.Plugins[1].ConsumerGroup, c.Plugins[2].ConsumerGroup})
	assert.False(t, c.Plugins[0].ForSome())
	assert.True(t, c.Plugins[1].ForSome())
}

// A change is made where it has an effect on every request to the route.
func TestPatchChangesThePluginThatRuns(t *testing.T) {
	doc := func(off, global string) string {
		return `{"_format_version":"3.0","services":[{"name":"s","host":"h","routes":[{"name":"r","paths":["/"]}],` +
			`"plugins":[{"name":"cors","enabled":false,"config":` + off + `}]}],` +
			`"plugins":[{"name":"cors","consumer_group":"gold","config":{}},{"name":"cors","config":` + global + `}]}` + "\n"
	}
	got, err := config.Patch([]byte(doc("{}", "{}")), config.Change{RouteName: "r", Set: map[string]any{"plugin.cors": map[string]any{"max_age": 5}}})
	require.NoError(t, err)
	assert.Equal(t, doc("{}", `{"max_age":5}`), string(got))
}
