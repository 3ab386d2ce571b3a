package router

import (
	"slices"

	"diag405/kong/config"
)

// Of many routes some are looked at side by side with others.

// fewRoutes is how many routes are not worth to be looked at side by side. Tests have
// fewer.
var fewRoutes = 128

// compiledRoutes are the parts of some routes, and what is wrong with the others.
type compiledRoutes struct {
	parts []*compiled
	errs  []error
}

func (c *compiledRoutes) add(routes []*config.Route, flavor config.Flavor) {
	c.parts = make([]*compiled, 0, len(routes))
	for _, route := range routes {
		parts, err := compileRoute(route, flavor)
		if err != nil {
			c.errs = append(c.errs, &RouteError{route, err})
			continue
		}
		slices.SortFunc(parts, before)
		c.parts = append(c.parts, parts...)
	}
}

// firstFound is the first of some parts that takes a request.
type firstFound struct {
	part   *compiled
	prefix string
}

func (f *firstFound) add(parts []*compiled, q *query, comesBefore func(a, b *compiled) int) {
	for _, one := range parts {
		if f.part != nil && comesBefore(f.part, one) < 0 {
			continue
		}
		if prefix, ok := one.match(q); ok {
			*f = firstFound{one, prefix}
		}
	}
}
