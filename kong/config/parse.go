package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Parse reads a declarative configuration, YAML or JSON, for the router flavour
// that [For] says or, without it, that the document shows. References are
// resolved, defaults filled in, and entities without an id get the one that Kong
// in DB-less mode generates for them.
//
// An error joins everything that is wrong with the document, one line a
// problem, each naming the entity and the field as they stand in the document:
//
//	services[0] "weather": routes[1] "r": paths[0]: "api" should start with / (plain) or ~/ (regular expression)
//
// Entities that neither routing nor the way of a request needs (certificates,
// credentials, vaults, ...) are accepted and skipped.
func Parse(data []byte, options ...Option) (*Config, error) {
	root, err := parseDocument(data)
	if err != nil {
		return nil, err
	}
	d := newDocument(root, options...)
	d.read()
	if len(d.errs) > 0 {
		return nil, errors.Join(d.errs...)
	}
	return d.config, nil
}

// parseDocument is the document's root mapping, with keys in order.
func parseDocument(data []byte) (*yaml.Node, error) {
	if isJSON(data) {
		return parseJSON(data)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("reading declarative configuration: %w", err)
	}
	if doc.Kind != yaml.DocumentNode || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("declarative configuration should be a mapping with _format_version and entities")
	}
	return &doc, nil
}

// A document is a configuration while it is being read.
type document struct {
	root   *object
	config *Config
	errs   []error

	// nodes leads from an entity to where it stands in the document.
	nodes map[any]*yaml.Node
	// later are references that can only be resolved once all entities are known.
	later []func()
	taken map[string]bool // "kind id" and "kind name" that were seen
	names map[string]bool // consumers, by name and id
}

func newDocument(root *yaml.Node, options ...Option) *document {
	d := &document{
		config: &Config{},
		nodes:  map[any]*yaml.Node{},
		taken:  map[string]bool{},
		names:  map[string]bool{},
	}
	if root.Kind == yaml.DocumentNode {
		root = root.Content[0]
	}
	d.root = newObject("", root, &d.errs)
	d.config.Flavor = hint(root)
	for _, option := range options {
		option(d)
	}
	return d
}

func (d *document) read() {
	d.readVersion()
	d.root.skip(skipped...)
	d.readConsumers()
	d.readConsumerGroups()
	for _, o := range d.root.objects("services", "name") {
		d.readService(o)
	}
	for _, o := range d.root.objects("routes", "name") {
		d.readRoute(o, nil)
	}
	for _, o := range d.root.objects("upstreams", "name") {
		d.readUpstream(o)
	}
	for _, o := range d.root.objects("targets", "target") {
		d.readTopLevelTarget(o)
	}
	for _, o := range d.root.objects("plugins", "name") {
		d.readPlugin(o, Scope{})
	}
	for _, resolve := range d.later {
		resolve()
	}
	d.root.refuseUnknown()
}

// skipped are keys of the document that are valid and have no part in routing:
// remarks, and the entities of Kong and of its bundled plugins.
var skipped = []string{
	"_transform", "_info", "_comment", "_ignore", "_workspace", "_konnect", "_plugin_configs",
	"certificates", "ca_certificates", "snis", "vaults", "workspaces", "parameters", "tags",
	"key_sets", "keys", "filter_chains", "clustering_data_planes",
	"consumer_group_consumers", "consumer_group_plugins", "licenses", "rbac_roles",
	"acls", "acme_storage", "basicauth_credentials", "hmacauth_credentials", "jwt_secrets",
	"keyauth_credentials", "keyauth_enc_credentials", "mtls_auth_credentials", "oauth2_authorization_codes",
	"oauth2_credentials", "oauth2_tokens", "ratelimiting_metrics", "response_ratelimiting_metrics",
	"session", "sessions", "degraphql_routes", "graphql_ratelimiting_advanced_cost_decoration",
}

// readVersion takes the versions that Kong 3 takes. Until 3.0 a path was an
// expression by its characters: Kong rewrites such paths when it loads a 1.1 or
// 2.1 document (kong/db/declarative/migrations/route_path.lua), see migratePath.
func (d *document) readVersion() {
	if !d.root.has("_format_version") {
		d.root.fail("_format_version", errors.New(`is required, as in _format_version: "3.0"`))
		return
	}
	d.config.FormatVersion = d.root.oneOf("_format_version", "3.0", "2.1", "1.1")
}

// readConsumers notes who plugins can refer to.
func (d *document) readConsumers() {
	for _, o := range d.root.objects("consumers", "username") {
		for _, field := range []string{"id", "username"} {
			if s := nameOf(o.node, field); s != "" {
				d.names[s] = true
			}
		}
		username := nameOf(o.node, "username")
		for _, p := range o.objects("plugins", "name") {
			d.readPlugin(p, Scope{Consumer: cmp.Or(nameOf(o.node, "id"), username)})
		}
	}
}

// readConsumerGroups reads the plugins that stand in groups, as decK writes them.
// A reference to a group is not checked: decK leaves groups to other files.
func (d *document) readConsumerGroups() {
	for _, o := range d.root.objects("consumer_groups", "name") {
		for _, p := range o.objects("plugins", "name") {
			d.readPlugin(p, Scope{Groups: []string{cmp.Or(nameOf(o.node, "id"), nameOf(o.node, "name"))}})
		}
	}
}

// identify reads id and name of an entity and refuses what another one of its
// kind already has. Without an id it is the one that Kong generates; without a
// name either, where Kong draws a random one, it depends on the entity's place.
func (d *document) identify(kind string, o *object) (id, name string) {
	name = o.str("name", "")
	if name != "" {
		o.check("name", name, checkName)
	}
	id = d.entityID(kind, o, name)
	if d.take(o, kind, "name", name) {
		d.take(o, kind, "id", id)
	}
	return id, name
}

// entityID is the id as written, else the generated one for the key; without a
// key it depends on the entity's place in the document.
func (d *document) entityID(kind string, o *object, key string) string {
	if o.has("id") {
		id := o.str("id", "")
		o.check("id", id, func(s string) error { _, err := ParseUUID(s); return err })
		return id
	}
	if key == "" {
		key = o.where
	}
	return generatedID(kind, key)
}

// take reports a name or id that is already in use. False is that it was.
func (d *document) take(o *object, kind, field, value string) bool {
	key := kind + " " + field + " " + value
	if value != "" && d.taken[key] {
		o.fail(field, fmt.Errorf("%q is already used by another of the %s", value, kind))
		return false
	}
	d.taken[key] = true
	return true
}

// reference is how an entity names another: as a string, or as a mapping with an
// id or name.
func (o *object) reference(field string) string {
	n := o.get(field)
	if n == nil {
		return ""
	}
	if n.Kind == yaml.MappingNode {
		for _, key := range []string{"id", "name", "username"} {
			if s := nameOf(n, key); s != "" {
				return s
			}
		}
		o.fail(field, errors.New("should have an id or a name"))
		return ""
	}
	return o.str(field, "")
}

func (d *document) service(o *object, ref string) *Service {
	i := slices.IndexFunc(d.config.Services, func(s *Service) bool { return s.ID == ref || s.Name == ref })
	if i < 0 {
		o.fail("service", fmt.Errorf("%q is not among the services", ref))
		return nil
	}
	return d.config.Services[i]
}

func (d *document) route(o *object, ref string) *Route {
	i := slices.IndexFunc(d.config.Routes, func(r *Route) bool { return r.ID == ref || r.Name == ref })
	if i < 0 {
		o.fail("route", fmt.Errorf("%q is not among the routes", ref))
		return nil
	}
	return d.config.Routes[i]
}
