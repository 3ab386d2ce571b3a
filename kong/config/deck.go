package config

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// deck is what decK does to entities on their way to Kong (pkg/file/builder.go in
// go-database-reconciler).
type deck struct {
	defaults  map[string][]*object // of _info.defaults, by kind
	plugins   map[string]*object   // of _plugin_configs
	tags      []string             // select_tags, which every entity gets
	elsewhere map[string]bool      // kinds that default_lookup_tags says are not in the files
}

// ofDeck are keys that decK and newer or other Kongs have beside those that Kong
// 3.9 takes, and that have no part in routing. Kong itself refuses them.
var ofDeck = map[string][]string{
	"":          {"partials", "custom_entities", "custom_plugins", "cloned_plugins", "service_packages", "plugins_partials", "ai_models"},
	"services":  {"tls_sans"},
	"upstreams": {"sticky_sessions_cookie", "sticky_sessions_cookie_path"},
	"targets":   {"failover"},
	"plugins":   {"partials", "run_on", "_config", "model", "version"},
}

// skipOfDeck declares the fields of decK's for a kind of entity.
func (o *object) skipOfDeck(kind string) {
	if o.src.d.lenient {
		o.skip(ofDeck[kind]...)
	}
}

func (d *document) readDeck() {
	d.deck = deck{defaults: map[string][]*object{}, plugins: map[string]*object{}, elsewhere: map[string]bool{}}
	if !d.lenient {
		return
	}
	for _, s := range d.sources {
		s.root.skipOfDeck("")
		s.workspace = nameOf(s.node, "_workspace")
		if n := s.root.get("_info"); n != nil {
			d.deck.readInfo(newObject(position{field: "_info"}, n, s))
		}
		if n := s.root.get("_plugin_configs"); n != nil {
			configs := newObject(position{field: "_plugin_configs"}, n, s)
			for name, m := range configs.fields.all() {
				d.deck.plugins[name] = newObject(position{in: &configs.at, field: name}, m.value, s)
			}
		}
	}
}

func (k *deck) readInfo(info *object) {
	for _, tag := range info.set("select_tags", nil) {
		if !slices.Contains(k.tags, tag) {
			k.tags = append(k.tags, tag)
		}
	}
	if n := info.get("default_lookup_tags"); n != nil {
		for kind := range newObject(position{in: &info.at, field: "default_lookup_tags"}, n, info.src).fields.all() {
			k.elsewhere[kind] = true
		}
	}
	n := info.get("defaults")
	if n == nil {
		return
	}
	defaults := newObject(position{in: &info.at, field: "defaults"}, n, info.src)
	for kind, m := range defaults.fields.all() {
		base := newObject(position{in: &defaults.at, field: kind}, m.value, info.src)
		base.skip(defaultFields[kind]...)
		base.skip(common...)
		base.skip(ofDeck[kind+"s"]...)
		if defaultFields[kind] != nil {
			base.refuseUnknown()
		}
		k.defaults[kind] = append(k.defaults[kind], base)
	}
}

// defaultFields are the fields that defaults may have.
var defaultFields = map[string][]string{
	"service": slices.Concat(serviceFields, []string{"client_certificate", "tls_verify", "tls_verify_depth", "ca_certificates"}),
	"route":   routeFields,
	"upstream": slices.Concat(upstreamFields, []string{"slots", "healthchecks", "hash_on", "hash_fallback", "hash_on_header",
		"hash_fallback_header", "hash_on_cookie", "hash_on_cookie_path", "hash_on_query_arg", "hash_fallback_query_arg",
		"hash_on_uri_capture", "hash_fallback_uri_capture", "tags", "client_certificate", "use_srv_name"}),
	"target": {"weight", "tags", "target", "upstream"},
}

// addDefaults lays decK's defaults under an entity. A url stands for the fields of
// an address.
func (o *object) addDefaults(kind string) {
	for _, base := range o.src.d.deck.defaults[kind] {
		if o.fields.get("url") != nil {
			o.inherit(base, addressFields...)
		} else {
			o.inherit(base)
		}
	}
}

// dropDefault takes a default out again that does not fit.
func (o *object) dropDefault(field string) {
	if m := o.fields.get(field); m != nil && m.home != o {
		m.value = absent
	}
}

// absent stands in the place of a value that is not to count.
var absent = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}

// tags are an entity's own, and those that decK gives to every entity.
func (o *object) tags() []string {
	tags := o.set("tags", nil)
	for _, tag := range o.src.d.deck.tags {
		if !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}

// pluginConfig is a plugin's configuration over the shared one that it names with
// _config.
func (o *object) pluginConfig() map[string]any {
	config := decodeConfig(o, o.get("config"))
	name := nameOf(o.node, "_config")
	if name == "" || !o.src.d.lenient {
		return config
	}
	o.skip("_config")
	shared := o.src.d.deck.plugins[name]
	if shared == nil {
		o.fail("_config", fmt.Errorf("%q is not among the _plugin_configs", name))
		return config
	}
	all := decodeConfig(o, shared.node)
	for field, value := range config {
		if all == nil {
			all = map[string]any{}
		}
		all[field] = value
	}
	return all
}

func decodeConfig(o *object, n *yaml.Node) map[string]any {
	if n == nil {
		return nil
	}
	var config map[string]any
	if err := n.Decode(&config); err != nil {
		o.fail("config", errMapping)
	}
	return config
}
