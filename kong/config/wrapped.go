package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A text is one inside a file: a value that holds a configuration.
type text struct {
	where string // the fields that lead to it
	line  int    // of the file, in front of its first one; 0 where it has no lines of its own
}

// place is where a line of a text stands, or of the file itself without one.
func (t *text) place(file string, line int) Place {
	switch {
	case t == nil:
		return Place{File: file, Line: line}
	case t.line > 0:
		return Place{File: file, Line: t.line + line}
	}
	return Place{File: strings.TrimSpace(file + " (the text in " + t.where + ")"), Line: line}
}

// at is where a node of the document stands.
func (s *source) at(n *yaml.Node) Place { return s.text.place(s.file.name, n.Line) }

// addSource takes a document out of its wrapper:
//
//   - the ingress controller's dump has it under config, beside a hash
//   - GET /config of Kong has it there as a text, a ConfigMap and a Helm chart's
//     values under other fields
//   - what the Admin API lists is a page of entities of one kind
func (d *document) addSource(f *file, node *yaml.Node, in *text) {
	node = resolve(node)
	if node.Kind != yaml.MappingNode {
		d.report(in.place(f.name, node.Line), errNoMapping)
		return
	}
	if inner := lookup(node, "config"); inner != nil && in == nil && !hasKongs(node) && inner.Kind == yaml.MappingNode {
		node = inner
	}
	if page := readPage(node); page != nil {
		node = page
	}
	if lookup(node, "_format_version") == nil && in == nil && d.addTexts(f, node, "", maxWrappers) {
		return
	}
	d.sources = append(d.sources, &source{d: d, file: f, index: len(d.sources), node: node, text: in})
}

// maxWrappers bounds how deep in a document a text is looked for.
const maxWrappers = 6

// addTexts adds the texts in a document that are configurations of Kong's, and is false
// when there is none.
func (d *document) addTexts(f *file, n *yaml.Node, where string, depth int) (found bool) {
	n = resolve(n)
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" && isConfiguration(n.Value) {
		in := &text{where: where}
		if n.Style&yaml.LiteralStyle != 0 {
			in.line = n.Line
		}
		d.addText(f, n.Value, in)
		return true
	}
	for i := 0; depth > 0 && i < len(n.Content); i++ {
		inner := where
		if n.Kind == yaml.MappingNode {
			inner = strings.TrimPrefix(where+"."+n.Content[i].Value, ".")
			i++
		}
		found = d.addTexts(f, n.Content[i], inner, depth-1) || found
	}
	return found
}

// isConfiguration reports a text that is meant for Kong, with mistakes in it or not.
func isConfiguration(text string) bool {
	lines := strings.Split(text, "\n")
	return strings.Contains(text, `"_format_version"`) && isJSON(text) ||
		slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "_format_version:") })
}

// readPage makes a document of a page of the Admin API's; nil for anything else.
func readPage(n *yaml.Node) *yaml.Node {
	data := lookup(n, "data")
	if data == nil || data.Kind != yaml.SequenceNode || lookup(n, "next") == nil || hasKongs(n) || len(data.Content) == 0 {
		return nil
	}
	for _, k := range pageKinds {
		if slices.ContainsFunc(k.fields, func(field string) bool { return lookup(resolve(data.Content[0]), field) != nil }) {
			scalar := func(value string) *yaml.Node {
				return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Line: n.Line}
			}
			return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Line, Content: []*yaml.Node{
				scalar("_format_version"), scalar("3.0"), scalar(k.kind), data,
			}}
		}
	}
	return nil
}

// pageKinds are the kinds of entities by fields that the others have not got.
var pageKinds = []struct {
	kind   string
	fields []string
}{
	{"routes", []string{"strip_path", "expression"}},
	{"services", []string{"connect_timeout", "retries"}},
	{"upstreams", []string{"slots", "hash_on"}},
	{"targets", []string{"target"}},
	{"plugins", []string{"config"}},
	{"consumers", []string{"username"}},
}
