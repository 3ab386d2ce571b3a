package lint

import (
	"go.yaml.in/yaml/v3"

	"diag405/kong/config"
	"diag405/kong/lint"
)

// objectLines finds where in a file services, routes and plugins begin. It walks
// the document in the order in which config.Parse reads it; where the numbers do
// not agree, lines stay unknown.
func objectLines(data []byte, cfg *config.Config) map[lint.Object]int {
	var doc yaml.Node
	if yaml.Unmarshal(data, &doc) != nil || len(doc.Content) == 0 {
		return nil
	}
	w := &lineWalk{}
	w.walk(doc.Content[0])
	lines := map[lint.Object]int{}
	if len(w.services) == len(cfg.Services) {
		for i, s := range cfg.Services {
			lines[lint.Object{Kind: "service", Name: s.Name, ID: s.ID}] = w.services[i]
		}
	}
	if len(w.routes) == len(cfg.Routes) {
		for i, r := range cfg.Routes {
			lines[lint.Object{Kind: "route", Name: r.Name, ID: r.ID}] = w.routes[i]
		}
	}
	if len(w.plugins) == len(cfg.Plugins) {
		for i, p := range cfg.Plugins {
			lines[lint.Object{Kind: "plugin", Name: p.Name, ID: p.ID}] = w.plugins[i]
		}
	}
	return lines
}

// lineWalk collects lines in the order of the entities.
type lineWalk struct{ services, routes, plugins []int }

func (w *lineWalk) walk(root *yaml.Node) {
	for _, consumer := range listOf(root, "consumers") {
		w.addPlugins(consumer)
	}
	for _, group := range listOf(root, "consumer_groups") {
		w.addPlugins(group)
	}
	for _, service := range listOf(root, "services") {
		w.services = append(w.services, service.Line)
		w.addRoutes(service)
		w.addPlugins(service)
	}
	w.addRoutes(root)
	w.addPlugins(root)
}

func (w *lineWalk) addRoutes(owner *yaml.Node) {
	for _, route := range listOf(owner, "routes") {
		w.routes = append(w.routes, route.Line)
		w.addPlugins(route)
	}
}

func (w *lineWalk) addPlugins(owner *yaml.Node) {
	for _, plugin := range listOf(owner, "plugins") {
		w.plugins = append(w.plugins, plugin.Line)
	}
}

// listOf are the elements of a mapping's list.
func listOf(n *yaml.Node, name string) []*yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name && n.Content[i+1].Kind == yaml.SequenceNode {
			return n.Content[i+1].Content
		}
	}
	return nil
}
