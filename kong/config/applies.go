package config

import "slices"

// A Scope is a request as plugins are chosen for it: the route that takes it, the
// service that it goes to, and who asks. What is not there, or not known, is zero.
type Scope struct {
	Route    *Route
	Service  *Service
	Consumer string   // as plugins name it: an id or a username
	Groups   []string // the consumer's groups
}

// Applying are the plugins of a list that run for a request: of each name the one
// instance that says most of the request, in the order of the list. A plugin that
// is switched off leaves its place to a less specific one.
//
// Kong looks for an instance in the order of precedence (lookup_cfg in
// kong/runloop/plugins_iterator.lua).
func Applying(plugins []*Plugin, s Scope) []*Plugin {
	chosen := map[string]*Plugin{}
	for _, p := range plugins {
		if !p.Enabled || !p.AppliesTo(s) {
			continue
		}
		if other := chosen[p.Name]; other == nil || p.precedes(other) {
			chosen[p.Name] = p
		}
	}
	return slices.DeleteFunc(slices.Clone(plugins), func(p *Plugin) bool { return chosen[p.Name] != p })
}

// AppliesTo reports whether everything that the plugin is bound to is the
// request's.
func (p *Plugin) AppliesTo(s Scope) bool {
	return (p.Route == nil || p.Route == s.Route) &&
		(p.Service == nil || p.Service == s.Service) &&
		(p.Consumer == "" || p.Consumer == s.Consumer) &&
		(p.ConsumerGroup == "" || slices.Contains(s.Groups, p.ConsumerGroup))
}

// MayApply reports whether the plugin applies to requests to a route that goes to a
// service, the one who asks left aside.
func (p *Plugin) MayApply(r *Route, s *Service) bool {
	return p.AppliesTo(Scope{Route: r, Service: s, Consumer: p.Consumer, Groups: []string{p.ConsumerGroup}})
}

// On is the route or the service that the plugin is bound to, nil for neither. One that is
// bound to both is on the route.
func (p *Plugin) On() any {
	switch {
	case p.Route != nil:
		return p.Route
	case p.Service != nil:
		return p.Service
	}
	return nil
}

// ForSome reports whether the plugin is for requests of one consumer or of one
// group of them only.
func (p *Plugin) ForSome() bool { return p.Consumer != "" || p.ConsumerGroup != "" }

// bound are the kinds of things that a plugin is bound to.
type bound struct{ consumer, group, service, route bool }

// precedence is in which order Kong looks for an instance of a plugin. Groups are
// of Kong Enterprise (its documentation, "Plugin precedence"); without them it is
// the order of lookup_cfg.
var precedence = []bound{
	{consumer: true, route: true, service: true},
	{group: true, route: true, service: true},
	{consumer: true, route: true},
	{consumer: true, service: true},
	{group: true, route: true},
	{group: true, service: true},
	{route: true, service: true},
	{consumer: true},
	{group: true},
	{route: true},
	{service: true},
	{},
}

// precedes reports whether Kong takes this instance rather than another of the
// same name, where both apply.
func (p *Plugin) precedes(other *Plugin) bool { return p.place() < other.place() }

func (p *Plugin) place() int {
	return slices.Index(precedence, bound{
		consumer: p.Consumer != "",
		group:    p.ConsumerGroup != "" && p.Consumer == "", // Kong refuses both together
		service:  p.Service != nil,
		route:    p.Route != nil,
	})
}
