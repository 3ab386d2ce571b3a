package lint

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"diag405/cmd/diag405/cli"
	"diag405/kong/config"
	"diag405/kong/lint"
	"diag405/kong/mend"
)

// deckPatch is one patch of the file that deck file patch takes (patch/deckpatch.go in
// Kong's go-apiops): values are set on every object that a selector finds, keys removed.
type deckPatch struct {
	Selectors []string       `yaml:"selectors"`
	Values    map[string]any `yaml:"values,omitempty"`
	Remove    []string       `yaml:"remove,omitempty"`
}

// printDeckPatch prints what -fix would change. What no selector finds is left to a
// comment.
func printDeckPatch(r *result, s *cli.Screen) error {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	var left []string
	for _, f := range r.mended.Fixed {
		patch, ok := r.patchOf(f)
		words := cli.Printable(fmt.Sprintf("%s: %s: %s", f.ID, f.Object, f.Fix.Words))
		if !ok {
			left = append(left, "not found by a selector: "+words)
			continue
		}
		node := &yaml.Node{}
		if err := node.Encode(patch); err != nil {
			return fmt.Errorf("writing a patch: %w", err)
		}
		node.HeadComment = words
		list.Content = append(list.Content, node)
	}
	if len(list.Content) == 0 {
		list.Style = yaml.FlowStyle
	}
	version := &yaml.Node{Kind: yaml.ScalarNode, Value: "1.0", Style: yaml.DoubleQuotedStyle}
	doc := &yaml.Node{Kind: yaml.MappingNode, HeadComment: strings.Join(left, "\n"), Content: []*yaml.Node{text("_format_version"), version, text("patches"), list}}
	e := yaml.NewEncoder(s.Out)
	e.SetIndent(2)
	return errors.Join(e.Encode(doc), e.Close())
}

func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: s} }

// patchOf is a change as a patch, if a patch can say it. A path of a service goes into
// the fields that its url is short for, as a patch cannot change a part of a text.
func (r *result) patchOf(f mend.Fixed) (p deckPatch, ok bool) {
	p.Values = map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(f.Change.Set)) {
		_, field, _ := strings.Cut(key, ".")
		if value := f.Change.Set[key]; value != nil {
			p.Values[field] = value
		} else {
			p.Remove = append(p.Remove, field)
		}
	}
	on := f.Object
	if f.Fix.On != nil {
		on = *f.Fix.On
	}
	if _, ok := f.Change.Set["service.path"]; ok {
		svc := serviceOf(on, r.from.Config)
		on = lint.Object{Kind: "service", Name: svc.Name, ID: svc.ID}
		p.Values["protocol"], p.Values["host"], p.Values["port"] = svc.Protocol, svc.Host, svc.Port
		p.Remove = append(p.Remove, "url")
	}
	by := r.selector(on)
	p.Selectors = []string{"$.routes" + by, "$.services[*].routes" + by}
	if on.Kind == "service" {
		p.Selectors = []string{"$.services" + by}
	}
	return p, by != ""
}

// serviceOf is the service that an object is, or has.
func serviceOf(o lint.Object, cfg *config.Config) *config.Service {
	for _, r := range cfg.Routes {
		if o.Kind == "route" && r.ID == o.ID {
			return r.Service
		}
	}
	for _, s := range cfg.Services {
		if o.Kind == "service" && s.ID == o.ID {
			return s
		}
	}
	return &config.Service{}
}

// selector finds an object by its name, which has no quotes, or by the id if that is
// written somewhere; "" if there is no such selector.
func (r *result) selector(o lint.Object) string {
	if o.Name != "" {
		return "[?(@.name=='" + o.Name + "')]"
	}
	written := slices.ContainsFunc(r.from.Files, func(f config.File) bool { return bytes.Contains(f.Data, []byte(o.ID)) })
	if o.ID != "" && written {
		return "[?(@.id=='" + o.ID + "')]"
	}
	return ""
}
