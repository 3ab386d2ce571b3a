package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Parse reads a declarative configuration, YAML or JSON, as Kong itself does. Without
// an option it is read for the router flavour that it hints at, see [For].
// References are resolved, defaults filled in, and entities without an id get the
// one that Kong in DB-less mode generates for them. What people keep beside Kong's
// own form reads [Load].
//
// An error joins everything that is wrong with the document, one line a
// problem, each naming the entity and the field as they stand in the document:
//
//	services[0] "weather": routes[1] "r": paths[0]: "api" should start with / (plain) or ~/ (regular expression)
//
// Entities that neither routing nor the way of a request needs (certificates,
// credentials, vaults, ...) are accepted and skipped.
func Parse(data []byte, options ...Option) (*Config, error) {
	d, err := parseText(data, options...)
	if err == nil {
		err = d.problem()
	}
	if err != nil {
		return nil, err
	}
	return d.config, nil
}

func parseText(data []byte, options ...Option) (*document, error) {
	root, err := parseDocument(data)
	if err != nil {
		return nil, err
	}
	d := newDocument(options...)
	d.sources = []*source{{d: d, file: &file{variables: &variables{}}, node: root.Content[0]}}
	d.read()
	return d, nil
}

// parseDocument is the text's first document, with keys in order.
func parseDocument(data []byte) (*yaml.Node, error) {
	if text := string(data); isJSON(text) {
		return parseJSON(text), nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("reading declarative configuration: %w", err)
	}
	if doc.Kind != yaml.DocumentNode || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errNoMapping
	}
	return &doc, nil
}

// A document is a configuration while it is being read.
type document struct {
	lenient bool // as Load reads, not as Kong does
	whole   bool // the files are not parsed in pieces
	files   []*file
	sources []*source
	lookup  func(variable string) (string, bool)

	config   *Config
	problems []*Problem
	reported map[string]bool // problems, by what they say
	notes    []remark
	noted    map[string]bool // what is noted once

	homes homes      // of entities
	spare [][]string // see borrow
	// later are references that can only be resolved once all entities are known.
	later []func(d *document)
	taken takings
	deck  deck

	isPart bool
	found  []finding // of a part
}

func newDocument(options ...Option) *document {
	d := &document{
		config:   &Config{},
		lookup:   func(string) (string, bool) { return "", false },
		reported: map[string]bool{},
		noted:    map[string]bool{},
		taken:    takings{},
	}
	for _, option := range options {
		option(d)
	}
	return d
}

func (d *document) read() {
	for _, s := range d.sources {
		s.root = newObject(position{}, s.node, s)
		if d.config.Flavor == "" && hint(s.node) == Expressions {
			d.config.Flavor = Expressions
		}
	}
	d.config.Flavor = cmp.Or(d.config.Flavor, TraditionalCompatible)
	d.readVersions()
	d.readDeck()
	d.readConsumers()
	d.readConsumerGroups()
	d.inParts("services", "name", (*document).readService)
	d.inParts("routes", "name", func(d *document, o *object) { d.readRoute(o, nil) })
	d.inParts("upstreams", "name", (*document).readUpstream)
	d.each("targets", "target", d.readTopLevelTarget)
	d.inParts("plugins", "name", func(d *document, o *object) { d.readPlugin(o, Scope{}) })
	for _, resolve := range d.later {
		resolve(d)
	}
	for _, s := range d.sources {
		s.root.skip(skipped...)
		s.root.refuseUnknown()
	}
}

// each reads the entities of a kind, in all documents.
func (d *document) each(kind, naming string, read func(*object)) {
	for _, s := range d.sources {
		for _, o := range s.root.objects(kind, naming) {
			read(o)
		}
	}
}

// inParts is each for what may be read side by side.
func (d *document) inParts(kind, naming string, read func(*document, *object)) {
	for _, s := range d.sources {
		d.readList(s.root, kind, naming, read)
	}
}

// add keeps where an entity stands.
func (d *document) add(entity any, o *object) {
	d.homes.add(home{entity, o.node, o.src})
	if d.config.places != nil {
		d.config.places.add(placed{entity, o.src.at(o.node)})
	}
}

// kinds are the keys of the document that are read.
var kinds = []string{"services", "routes", "upstreams", "targets", "plugins", "consumers", "consumer_groups"}

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

// readVersions takes the versions that Kong 3 takes. Until 3.0 a path was an
// expression by its characters: Kong rewrites such paths when it loads a 1.1 or
// 2.1 document (kong/db/declarative/migrations/route_path.lua), see migratePath.
// Of several documents one is enough to have the version.
func (d *document) readVersions() {
	written := false
	for _, s := range d.sources {
		if s.root.has("_format_version") {
			written = true
			s.readVersion()
			d.config.FormatVersion = cmp.Or(d.config.FormatVersion, s.version)
		}
	}
	if !written && len(d.sources) > 0 {
		d.lackVersion(d.sources[0].root)
	}
	for _, s := range d.sources {
		s.version = cmp.Or(s.version, d.config.FormatVersion)
	}
}

// versions are those that Kong takes.
var versions = []string{"3.0", "2.1", "1.1"}

// readVersion reads a document's version. decK's tools write others, too.
func (s *source) readVersion() {
	written := nameOf(s.node, "_format_version")
	major, _, _ := strings.Cut(written, ".")
	i := slices.IndexFunc(versions, func(v string) bool { return major != "" && strings.HasPrefix(v, major+".") })
	if slices.Contains(versions, written) || i < 0 || !s.d.lenient {
		s.version = s.root.oneOf("_format_version", versions...)
		return
	}
	s.version = versions[i]
	s.root.str("_format_version", "")
	s.d.note(s.at(lookup(s.node, "_format_version")), "_format_version: %q is read as %s; Kong takes %s alone", written, s.version, strings.Join(versions, ", "))
}

// lackVersion: decK does without one, Kong does not.
func (d *document) lackVersion(root *object) {
	if !d.lenient {
		root.fail("_format_version", errors.New(`is required, as in _format_version: "3.0"`))
		return
	}
	d.config.FormatVersion = versions[0]
	d.note(root.src.at(root.node), `there is no _format_version, which Kong wants; it is read as "3.0"`)
}

// identify reads id and name of an entity and refuses what another one of its
// kind already has. Without an id it is the one that Kong generates; without a
// name either, where Kong draws a random one, it depends on the entity's place.
func (d *document) identify(kind string, o *object, entity any) (id, name string) {
	name = o.str("name", "")
	if name != "" {
		o.check("name", name, checkName)
	}
	id = d.entityID(kind, o, name)
	d.claim(claim{o: o, entity: entity, kind: kind, naming: "name", within: o.workspace(), name: name, id: id})
	return id, name
}

// workspace is where an entity's name counts: in its ws_id, which an export has, or
// in decK's _workspace. A Kong without Enterprise's has one only.
func (o *object) workspace() string {
	if !o.src.d.lenient {
		return ""
	}
	return cmp.Or(nameOf(o.node, "ws_id"), o.src.workspace)
}

// entityID is the id as written, else the generated one for the key; without a
// key it depends on the entity's place.
func (d *document) entityID(kind string, o *object, key string) string {
	if o.has("id") {
		id := o.str("id", "")
		o.check("id", id, func(s string) error { _, err := ParseUUID(s); return err })
		return id
	}
	if key == "" {
		key = o.at.String()
		if o.src.index > 0 {
			key = fmt.Sprintf("%d: %s", o.src.index, key)
		}
	}
	if workspace := o.workspace(); workspace != "" { // where Kong draws ids: two of them may have the same names
		key = workspace + "/" + key
	}
	return generatedID(kind, key)
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
	s, ok := d.find(o, "services", ref).(*Service)
	if !ok {
		o.fail("service", fmt.Errorf("%q is not among the services", ref))
	}
	return s
}

func (d *document) route(o *object, ref string) *Route {
	r, ok := d.find(o, "routes", ref).(*Route)
	if !ok {
		o.fail("route", fmt.Errorf("%q is not among the routes", ref))
	}
	return r
}
