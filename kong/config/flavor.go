package config

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Flavor is one of Kong's routers: its setting router_flavor. The zero value
// stands for the default.
type Flavor string

// The flavours of Kong 3 (router_flavor in kong.conf). They differ in which routes
// a configuration may have, and in which of several routes takes a request.
const (
	// TraditionalCompatible is Kong's default.
	TraditionalCompatible Flavor = "traditional_compatible"
	// Traditional is the router of Kong 2, and what Kong's Helm chart sets: regular
	// expressions are PCRE's, and path_handling v1 works.
	Traditional Flavor = "traditional"
	// Expressions has routes with an expression and a priority beside the others.
	Expressions Flavor = "expressions"
)

// Flavors are all of them, the default first.
var Flavors = []Flavor{TraditionalCompatible, Traditional, Expressions}

// ParseFlavor reads the name of a flavour, "" being the default.
func ParseFlavor(name string) (Flavor, error) {
	switch {
	case name == "":
		return TraditionalCompatible, nil
	case slices.Contains(Flavors, Flavor(name)):
		return Flavor(name), nil
	}
	return "", fmt.Errorf("%q should be one of %q", name, Flavors)
}

// An Option says how to read a configuration.
type Option func(*document)

// For reads a configuration as a Kong with this router flavour does. Without it
// the configuration's own hint decides: a route that has the field expression or
// priority, which only an expressions Kong knows, else the default.
func For(f Flavor) Option {
	return func(d *document) {
		if f != "" {
			d.config.Flavor = f
		}
	}
}

// hint is the flavour that a document seems to be written for.
func hint(root *yaml.Node) Flavor {
	if hasExpressions(valueOf(root, "routes")) {
		return Expressions
	}
	for _, service := range elementsOf(valueOf(root, "services")) {
		if hasExpressions(valueOf(service, "routes")) {
			return Expressions
		}
	}
	return TraditionalCompatible
}

func hasExpressions(routes *yaml.Node) bool {
	return slices.ContainsFunc(elementsOf(routes), func(route *yaml.Node) bool {
		return valueOf(route, "expression") != nil || valueOf(route, "priority") != nil
	})
}

// valueOf and elementsOf look at a node before it is known to be well formed.
func valueOf(n *yaml.Node, key string) *yaml.Node {
	n = resolve(n)
	if value := lookup(n, key); value != nil || lookup(n, "<<") == nil {
		return value
	}
	o := newObject(position{}, n, &source{d: newDocument(), file: &file{variables: &variables{}}})
	if m := o.fields.get(key); m != nil {
		return m.value
	}
	return nil
}

func elementsOf(n *yaml.Node) []*yaml.Node {
	if n == nil || resolve(n).Kind != yaml.SequenceNode {
		return nil
	}
	return resolve(n).Content
}
