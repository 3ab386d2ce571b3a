package standin

import (
	"cmp"
	"fmt"
	"slices"

	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/gateway/standin/pluginserver"
)

// boundPlugin is one plugin entity of a configuration, ready to run: in a
// plugin server, or as one of the plugins that come with the gateway.
type boundPlugin struct {
	entity   *config.Plugin
	priority int
	phases   phase
	config   map[string]any // with defaults filled in
	external external
	bundled  *bundledPlugin
}

// external is a plugin's instance in a plugin server.
type external interface {
	Handle(pluginserver.Event) error
	Close()
}

var _ external = (*pluginserver.Instance)(nil)

func (p *boundPlugin) name() string      { return p.entity.Name }
func (p *boundPlugin) has(ph phase) bool { return p.phases&ph != 0 }
func (p *boundPlugin) access(x *exchange) error {
	if p.bundled != nil {
		return p.bundled.access(x, p)
	}
	return x.handle(p)
}

// bindPlugins checks the plugins of a configuration and makes them ready: all of
// them in the order of the document, and those in force in order of priority; equal
// ones in order of their names, the later first (kong/db/dao/plugins.lua sorts by
// priority, then name, descending).
func (g *standIn) bindPlugins(cfg *config.Config) (all, inForce []*boundPlugin, err error) {
	for n, entity := range cfg.Plugins {
		p, err := g.bindPlugin(entity)
		if err != nil {
			return nil, nil, fmt.Errorf("in 'plugins': in entry %d of 'plugins' (%s): %w", n+1, entity.Name, err)
		}
		all = append(all, p)
	}
	inForce = slices.DeleteFunc(slices.Clone(all), func(p *boundPlugin) bool { return !p.entity.Enabled })
	slices.SortStableFunc(inForce, func(a, b *boundPlugin) int {
		return cmp.Or(cmp.Compare(b.priority, a.priority), cmp.Compare(b.name(), a.name()))
	})
	return all, inForce, nil
}

func (g *standIn) bindPlugin(entity *config.Plugin) (*boundPlugin, error) {
	p := &boundPlugin{entity: entity}
	if b, ok := bundledPlugins[entity.Name]; ok {
		return p, p.bindBundled(b)
	}
	if s, ok := g.servers[entity.Name]; ok {
		return p, p.bindExternal(s, g.sequence.Add(1))
	}
	return nil, fmt.Errorf("in 'name': plugin '%s' not enabled; add it to the 'plugins' configuration property", entity.Name)
}

func (p *boundPlugin) bindBundled(b *bundledPlugin) (err error) {
	known, _ := forecast.Known(p.name())
	p.bundled, p.priority, p.phases = b, known.Priority, b.phases
	if p.config, err = b.schema.Complete(p.entity.Config); err != nil || b.check == nil {
		return err
	}
	return b.check(p.config)
}

func (p *boundPlugin) bindExternal(s *pluginserver.Server, seq int32) (err error) {
	p.priority = s.Info.Priority
	for _, name := range s.Info.Phases {
		ph, err := phaseNamed(name)
		if err != nil {
			return err
		}
		p.phases |= ph
	}
	if p.config, err = s.Info.Schema.Complete(p.entity.Config); err != nil {
		return err
	}
	for name, id := range p.ids() {
		p.config[name] = id
	}
	p.external = s.Instance(p.entity.ID, seq, p.config)
	return nil
}

// ids are what Kong puts into a configuration to say where it is in force
// (get_plugin_config in kong/runloop/plugins_iterator.lua).
func (p *boundPlugin) ids() map[string]any {
	out := map[string]any{}
	if p.entity.Route != nil {
		out["route_id"] = p.entity.Route.ID
	}
	if p.entity.Service != nil {
		out["service_id"] = p.entity.Service.ID
	}
	return out
}

// phaseNamed is the phase that a plugin server announces. Those that plain
// HTTP never comes to count as none; rewrite is not modelled.
func phaseNamed(name string) (phase, error) {
	switch name {
	case "access":
		return accessPhase, nil
	case "response":
		return responsePhase, nil
	case "log":
		return logPhase, nil
	case "certificate", "preread":
		return 0, nil
	}
	return 0, fmt.Errorf("the stand-in has no phase %q", name)
}

// pluginsFor are the plugins that apply to a route and its service, in order.
// Consumers are not modelled.
func (s *state) pluginsFor(route *config.Route, service *config.Service) []*boundPlugin {
	var entities []*config.Plugin
	for _, p := range s.plugins {
		entities = append(entities, p.entity)
	}
	applying := config.Applying(entities, config.Scope{Route: route, Service: service})
	return slices.DeleteFunc(slices.Clone(s.plugins), func(p *boundPlugin) bool { return !slices.Contains(applying, p.entity) })
}
