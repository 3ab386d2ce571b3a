package config

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Change is what to set on a route, its service, and the plugins that apply to
// them. The route and the service are found by id, also a generated one, or by
// name; an empty ServiceID and ServiceName stand for the route's own service.
type Change struct {
	RouteID, RouteName     string
	ServiceID, ServiceName string

	// Set leads from what to change to the value that it gets. Values are what
	// encoding/json can write; nil removes.
	//
	//	route.FIELD     a field of the route, such as route.strip_path
	//	service.FIELD   a field of the service; protocol, host, port and path are
	//	                changed inside url when that is where they are written
	//	service.url     replaces protocol, host, port and path as well
	//	plugin.NAME     the plugin's config: of the most specific one that applies
	//	                to the route, else of a new one on the route; nil removes
	//	                all that apply: the route's, the service's, global ones
	Set map[string]any

	// Flavor is the router flavour that the result is for; "" goes by the document.
	Flavor Flavor
}

// Patch makes a change to a declarative configuration as it is written. Keys
// keep their order, and YAML its comments and, where it can, the layout of the
// lines that do not change; JSON stays JSON. Paths of an older _format_version
// stay as they are written.
//
// An entity that is not there, a key that Kong does not know, and a result that
// [Parse] refuses are errors.
func Patch(doc []byte, c Change) ([]byte, error) {
	files, err := PatchFiles([]File{{Data: doc}}, c)
	if err != nil {
		return nil, err
	}
	return files[0].Data, nil
}

// PatchFiles is [Patch] for what [Load] reads: files that are parts of one
// configuration. Variables of decK's stay as they are written. All files come back;
// those that the change does not concern, with the same bytes. Where [Load] and not
// [Parse] takes the files, it has to take the result.
func PatchFiles(files []File, c Change, options ...Option) ([]File, error) {
	options = append(slices.Clone(options), For(c.Flavor), func(d *document) { d.whole = true })
	p := patch{strict: isStrict(files, options)}
	if err := p.find(files, c, options); err != nil {
		return nil, err
	}
	plain, err := p.formatAll()
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(c.Set)) {
		if err := p.set(key, c.Set[key]); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	changed, err := p.formatAll()
	if err != nil {
		return nil, err
	}
	out := slices.Clone(files)
	for i, f := range p.doc.files {
		out[i].Data = f.rewrite(files[i].Data, plain[i], changed[i])
	}
	if err := p.check(out, options); err != nil {
		return nil, fmt.Errorf("the change leaves a configuration that Kong refuses: %w", err)
	}
	return out, nil
}

// isStrict reports a file that Kong itself takes.
func isStrict(files []File, options []Option) bool {
	if len(files) != 1 {
		return false
	}
	_, err := Parse(files[0].Data, options...)
	return err == nil
}

// check reads the result as the original was read.
func (p *patch) check(files []File, options []Option) error {
	if p.strict {
		_, err := Parse(files[0].Data, options...)
		return err
	}
	return loadDocument(files, options...).setProblem()
}

// setProblem joins the problems, but for variables that are not set: they stay as
// they are written.
func (d *document) setProblem() error {
	d.problems = slices.DeleteFunc(d.problems, func(p *Problem) bool { return errors.Is(p, ErrUnset) })
	return d.problem()
}

// A patch is a change under way.
type patch struct {
	strict  bool
	doc     *document
	route   *Route
	service *Service // nil when the route has none
}

// find reads the files and looks the change's entities up in them.
func (p *patch) find(files []File, c Change, options []Option) error {
	p.doc = loadDocument(files, options...)
	if err := p.doc.setProblem(); err != nil {
		return err
	}
	for _, s := range p.doc.sources {
		if s.text != nil {
			return errors.New("the configuration is a text inside another document: take it out to change it")
		}
	}
	for _, f := range p.doc.files {
		f.variables.restore()
	}
	if err := p.findRoute(c); err != nil {
		return err
	}
	return p.findService(c)
}

func (p *patch) findRoute(c Change) error {
	if c.RouteID == "" && c.RouteName == "" {
		return nil
	}
	for _, r := range p.doc.config.Routes {
		if isNamed(r.ID, r.Name, c.RouteID, c.RouteName) {
			p.route = r
			return nil
		}
	}
	return fmt.Errorf("route %q is not in the configuration", cmp.Or(c.RouteName, c.RouteID))
}

func (p *patch) findService(c Change) error {
	if c.ServiceID == "" && c.ServiceName == "" {
		if p.route != nil {
			p.service = p.route.Service
		}
		return nil
	}
	for _, s := range p.doc.config.Services {
		if isNamed(s.ID, s.Name, c.ServiceID, c.ServiceName) {
			p.service = s
			return nil
		}
	}
	return fmt.Errorf("service %q is not in the configuration", cmp.Or(c.ServiceName, c.ServiceID))
}

// isNamed goes by the id when there is one. Kong draws a random id for a route
// without a name, so an id that differs is no proof once the names agree.
func isNamed(id, name, wantID, wantName string) bool {
	return wantID != "" && strings.EqualFold(id, wantID) || wantName != "" && name == wantName
}

func (p *patch) set(key string, value any) error {
	kind, field, ok := strings.Cut(key, ".")
	if !ok || field == "" {
		return errors.New("unknown key, should be route.FIELD, service.FIELD or plugin.NAME")
	}
	switch kind {
	case "route":
		if p.route == nil {
			return errors.New("the change names no route")
		}
		return p.setField(p.doc.homes.get(p.route).node, field, value)
	case "service":
		if p.service == nil {
			return errors.New("there is no service")
		}
		return p.setServiceField(p.doc.homes.get(p.service).node, field, value)
	case "plugin":
		return p.setPlugin(field, value)
	}
	return errors.New("unknown key, should be route.FIELD, service.FIELD or plugin.NAME")
}

// setField sets a mapping's key, or removes it for nil. A new key is written
// last, but above the lists of entities inside.
func (p *patch) setField(n *yaml.Node, field string, value any) error {
	if value == nil {
		removeKey(n, field)
		return nil
	}
	v, err := nodeOf(value)
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == field {
			n.Content[i+1] = dressed(v, n.Content[i+1])
			return nil
		}
	}
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: field}
	n.Content = slices.Insert(n.Content, endOfFields(n), key, v)
	return nil
}

// endOfFields is where in a mapping's content a new field goes.
func endOfFields(n *yaml.Node) int {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if slices.Contains([]string{"routes", "plugins", "targets"}, n.Content[i].Value) {
			return i
		}
	}
	return len(n.Content)
}

func removeKey(n *yaml.Node, field string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == field {
			n.Content = slices.Delete(n.Content, i, i+2)
			return
		}
	}
}

// nodeOf is a value as nodes. Lists of scalars are written on one line, in YAML.
func nodeOf(value any) (*yaml.Node, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	n := parseJSON(string(data)).Content[0]
	undress(n)
	return n, nil
}

// undress leaves it to the YAML writer which strings need quotes.
func undress(n *yaml.Node) {
	n.Style = 0
	scalars := n.Kind == yaml.SequenceNode
	for _, child := range n.Content {
		undress(child)
		scalars = scalars && child.Kind == yaml.ScalarNode
	}
	if scalars {
		n.Style = yaml.FlowStyle
	}
}

// addressFields are what a service's url is short for.
var addressFields = []string{"protocol", "host", "port", "path"}

// setServiceField changes a field where the document has it: by itself, or
// inside url.
func (p *patch) setServiceField(n *yaml.Node, field string, value any) error {
	if field == "url" {
		for _, f := range addressFields {
			removeKey(n, f)
		}
		return p.setField(n, field, value)
	}
	written := lookup(n, "url")
	if written == nil || !slices.Contains(addressFields, field) || lookup(n, field) != nil && value != nil {
		return p.setField(n, field, value)
	}
	removeKey(n, field)
	changed, err := changeURL(written.Value, field, value)
	if err != nil {
		return fmt.Errorf("changing url: %w", err)
	}
	return p.setField(n, "url", changed)
}

// setPlugin changes the config of the plugin that applies, adds one to the
// route, or removes all that apply.
func (p *patch) setPlugin(name string, value any) error {
	plugins := p.plugins(name)
	if value == nil {
		if len(plugins) == 0 {
			return errors.New("no plugin of that name applies to the route")
		}
		for _, plugin := range plugins {
			removeElement(p.doc.homes.get(plugin).src.node, p.doc.homes.get(plugin).node)
		}
		return nil
	}
	if running := Applying(plugins, Scope{Route: p.route, Service: p.service}); len(running) > 0 {
		return p.setField(p.doc.homes.get(running[0]).node, "config", value)
	}
	return p.addPlugin(name, value)
}

// plugins are those of a name that apply to the route, whoever asks.
func (p *patch) plugins(name string) []*Plugin {
	var list []*Plugin
	for _, plugin := range p.doc.config.Plugins {
		if plugin.Name == name && plugin.MayApply(p.route, p.service) {
			list = append(list, plugin)
		}
	}
	return list
}

func (p *patch) addPlugin(name string, config any) error {
	if p.route == nil {
		return errors.New("the change names no route to add the plugin to")
	}
	plugin := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	if err := p.setField(plugin, "name", name); err != nil {
		return err
	}
	if err := p.setField(plugin, "config", config); err != nil {
		return err
	}
	route := p.doc.homes.get(p.route).node
	list := lookup(route, "plugins")
	if list == nil || list.Kind != yaml.SequenceNode {
		removeKey(route, "plugins")
		list = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "plugins"}
		route.Content = append(route.Content, key, list)
	}
	list.Style &^= yaml.FlowStyle
	list.Content = append(list.Content, plugin)
	return nil
}

// removeElement removes an element from the list that it is in, and the list
// with its key when that was the only one.
func removeElement(n, element *yaml.Node) bool {
	for i, child := range n.Content {
		if at := slices.Index(child.Content, element); at >= 0 && child.Kind == yaml.SequenceNode {
			child.Content = slices.Delete(child.Content, at, at+1)
			if len(child.Content) == 0 && n.Kind == yaml.MappingNode {
				n.Content = slices.Delete(n.Content, i-1, i+1)
			}
			return true
		}
		if removeElement(child, element) {
			return true
		}
	}
	return false
}
