package config

import (
	"cmp"
	"slices"
)

// Consumer is somebody who asks, as authentication plugins find out.
type Consumer struct {
	ID       string
	Username string
	CustomID string
	Groups   []string // as plugins name them, see [Plugin.ConsumerGroup]
}

// Name is how plugins name a consumer: by the username, or by the id without one.
func (c *Consumer) Name() string { return cmp.Or(c.Username, c.ID) }

// Consumer finds one by username, custom_id or id; nil when there is none.
func (c *Config) Consumer(name string) *Consumer {
	for _, of := range []func(*Consumer) string{
		func(c *Consumer) string { return c.Username },
		func(c *Consumer) string { return c.CustomID },
		func(c *Consumer) string { return c.ID },
	} {
		if i := slices.IndexFunc(c.Consumers, func(c *Consumer) bool { return of(c) == name && name != "" }); i >= 0 {
			return c.Consumers[i]
		}
	}
	return nil
}

// A group of consumers, of Kong Enterprise.
type group struct{ id, name string }

// readConsumers notes who plugins can refer to.
func (d *document) readConsumers() {
	d.each("consumers", "username", func(o *object) {
		c := &Consumer{ID: nameOf(o.node, "id"), Username: nameOf(o.node, "username"), CustomID: nameOf(o.node, "custom_id")}
		for _, g := range o.list("groups") {
			c.Groups = append(c.Groups, cmp.Or(nameOf(g, "name"), nameOf(g, "id"), resolve(g).Value))
		}
		d.config.Consumers = append(d.config.Consumers, c)
		d.add(c, o)
		d.taken.hold(space{"consumers", "id", ""}, c.ID, c)
		d.taken.hold(space{"consumers", "name", o.workspace()}, c.Username, c)
		for _, p := range o.objects("plugins", "name") {
			d.readPlugin(p, Scope{Consumer: cmp.Or(c.ID, c.Username)})
		}
	})
}

// readConsumerGroups reads the plugins that stand in groups, as decK writes them.
// A reference to a group is not checked: decK leaves groups to other files.
func (d *document) readConsumerGroups() {
	d.each("consumer_groups", "name", func(o *object) {
		g := &group{nameOf(o.node, "id"), nameOf(o.node, "name")}
		d.taken.hold(space{"consumer_groups", "id", ""}, g.id, g)
		d.taken.hold(space{"consumer_groups", "name", o.workspace()}, g.name, g)
		for _, member := range o.list("consumers") {
			d.join(o, cmp.Or(nameOf(member, "username"), nameOf(member, "id"), resolve(member).Value), g)
		}
		for _, p := range o.objects("plugins", "name") {
			d.readPlugin(p, Scope{Groups: []string{cmp.Or(g.id, g.name)}})
		}
	})
	d.each("consumer_group_consumers", "", func(o *object) {
		consumer, ref := o.reference("consumer"), o.reference("consumer_group")
		if g, ok := d.find(o, "consumer_groups", ref).(*group); ok {
			d.join(o, consumer, g)
		}
	})
}

// join puts a consumer into a group, as far as it is there.
func (d *document) join(o *object, consumer string, g *group) {
	if c, ok := d.find(o, "consumers", consumer).(*Consumer); ok {
		c.Groups = append(c.Groups, cmp.Or(g.name, g.id))
	}
}

// consumerName and groupName are how a plugin's consumer and group are called here:
// by name where one is known, so that the same one is called the same.
func (d *document) consumerName(o *object, ref string) string {
	if c, ok := d.find(o, "consumers", ref).(*Consumer); ok {
		return c.Name()
	}
	return ref
}

func (d *document) groupName(o *object, ref string) string {
	if g, ok := d.find(o, "consumer_groups", ref).(*group); ok {
		return cmp.Or(g.name, g.id)
	}
	return ref
}
