package lint

import (
	"fmt"
	"slices"
	"strings"

	"diag405/kong/config"
)

// related is what belongs to what in a configuration, found out once: rules ask it of
// every route, and a configuration may have tens of thousands.
type related struct {
	cfg     *config.Config
	bound   map[any][]int                      // the places of the plugins of a route, of a service, and of nil: all others
	plugins map[*config.Route][]*config.Plugin // those that run for a route, as far as somebody has asked
	routes  map[*config.Service][]*config.Route
	tags    map[Object][]string // by kind and id
}

func newRelated(cfg *config.Config) *related {
	x := &related{
		cfg: cfg, bound: map[any][]int{}, plugins: map[*config.Route][]*config.Plugin{},
		routes: map[*config.Service][]*config.Route{}, tags: map[Object][]string{},
	}
	for i, p := range cfg.Plugins {
		to := p.On()
		x.bound[to] = append(x.bound[to], i)
		x.tags[Object{Kind: "plugin", ID: p.ID}] = append(routeTags(p.Route), serviceTags(p.Service)...)
	}
	for _, s := range cfg.Services {
		x.tags[Object{Kind: "service", ID: s.ID}] = serviceTags(s)
	}
	for _, r := range cfg.Routes {
		x.routes[r.Service] = append(x.routes[r.Service], r)
		x.tags[Object{Kind: "route", ID: r.ID}] = routeTags(r)
	}
	return x
}

// pluginsOf are the plugins that run for a route, whoever asks.
func (x *related) pluginsOf(r *config.Route) []*config.Plugin {
	if known, ok := x.plugins[r]; ok {
		return known
	}
	places := slices.Concat(x.bound[nil], x.bound[r])
	if r.Service != nil {
		places = append(places, x.bound[r.Service]...)
	}
	slices.Sort(places)
	var list []*config.Plugin
	for _, i := range places {
		list = append(list, x.cfg.Plugins[i])
	}
	x.plugins[r] = config.Applying(list, config.Scope{Route: r, Service: r.Service})
	return x.plugins[r]
}

// tagsOf are those of an object and of what it belongs to.
func (x *related) tagsOf(o Object) []string { return x.tags[Object{Kind: o.Kind, ID: o.ID}] }

// sameButHosts is the same for routes that send the same requests to the same
// upstream path, their hosts and plugins left aside.
func sameButHosts(r *config.Route) string {
	sorted := func(list []string) string { return strings.Join(slices.Sorted(slices.Values(list)), "\x00") }
	return fmt.Sprintf("%p\n%s\n%s\n%t", r.Service, sorted(r.Paths), sorted(r.Methods), r.StripPath)
}
