package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// readPlugin reads a plugin (kong/db/schema/entities/plugins.lua) that stands in
// one of what the scope names, or in nothing.
func (d *document) readPlugin(o *object, in Scope) {
	name := o.str("name", "")
	p := &Plugin{
		Name:         name,
		InstanceName: o.str("instance_name", ""),
		Service:      in.Service,
		Route:        in.Route,
		Consumer:     in.Consumer,
		Enabled:      o.boolean("enabled", true),
		Protocols:    o.set("protocols", d.checkProtocol()),
		Config:       o.pluginConfig(),
	}
	if len(in.Groups) > 0 {
		p.ConsumerGroup = in.Groups[0]
	}
	if !o.has("name") {
		o.fail("name", errors.New("is required"))
	}
	if !o.has("protocols") {
		p.Protocols = []string{"grpc", "grpcs", "http", "https"}
	}
	d.config.Plugins = append(d.config.Plugins, p)
	d.add(p, o)
	o.skip("tags", "ordering", "condition")
	o.skipOfDeck("plugins")
	o.skip(common...)
	d.resolvePlugin(o, p)
	d.claim(claim{o: o, entity: p, kind: "plugins", naming: "instance_name", within: o.workspace(), name: p.InstanceName})
	o.refuseUnknown()
}

// resolvePlugin links a plugin to what it names, and gives it its id.
func (d *document) resolvePlugin(o *object, p *Plugin) {
	service, route, consumer := o.reference("service"), o.reference("route"), o.reference("consumer")
	d.later = append(d.later, func(d *document) {
		if d.isElsewhere(o, "services", service) || d.isElsewhere(o, "routes", route) {
			d.leaveOut(o, p)
			return
		}
		if service != "" {
			p.Service = d.service(o, service)
		}
		if route != "" {
			p.Route = d.route(o, route)
		}
		if consumer != "" && d.find(o, "consumers", consumer) == nil && !d.deck.elsewhere["consumers"] {
			d.lackConsumer(o, consumer)
		}
		p.Consumer, p.ConsumerGroup = d.consumerName(o, p.Consumer), d.groupName(o, p.ConsumerGroup)
	})
	if p.Service != nil {
		service = p.Service.ID
	}
	if p.Route != nil {
		route = p.Route.ID
	}
	p.Consumer = cmp.Or(consumer, p.Consumer)
	p.ConsumerGroup = cmp.Or(o.reference("consumer_group"), p.ConsumerGroup)
	key := pluginKey(p.Name, route, service, p.Consumer, p.ConsumerGroup)
	if d.lenient && o.has("model") { // which Kong 3.14 tells plugins apart by, too
		key += ":" + o.reference("model")
	}
	p.ID = d.entityID("plugins", o, key)
	c := claim{o: o, entity: p, kind: "plugins", id: p.ID}
	if !o.has("id") {
		c.twice = errPluginTwice
	}
	d.claim(c)
}

// isElsewhere reports a reference to what decK is told to look for in Kong itself.
func (d *document) isElsewhere(o *object, kind, ref string) bool {
	return ref != "" && d.deck.elsewhere[kind] && d.find(o, kind, ref) == nil
}

// leaveOut takes a plugin out that is bound to something that is not in the files.
func (d *document) leaveOut(o *object, p *Plugin) {
	d.config.Plugins = slices.DeleteFunc(d.config.Plugins, func(other *Plugin) bool { return other == p })
	d.note(o.src.at(o.node), "%s: is bound to something that default_lookup_tags says is not in the files: it is left out", &o.at)
}

// lackConsumer: part of a configuration may have its consumers in another part, and
// routing does not depend on them.
func (d *document) lackConsumer(o *object, consumer string) {
	if !d.lenient {
		o.fail("consumer", fmt.Errorf("%q is not among the consumers", consumer))
		return
	}
	d.note(o.src.at(o.fields.get("consumer").key), "%s: consumer: %q is not among the consumers", &o.at, consumer)
}

var errPluginTwice = errors.New("is there twice with the same service, route and consumer")

var errMapping = errors.New("should be a mapping")
