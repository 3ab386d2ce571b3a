package router

import (
	"diag405/kong/config"
	"diag405/kong/cores"
)

// Of many routes some are looked at side by side with others.

// fewRoutes is how many routes are not worth to be looked at side by side. Tests have
// fewer.
var fewRoutes = 128

// compileSideBySide makes parts of all routes, in the order of these, and says what is
// wrong with those of which it cannot.
func compileSideBySide[P any](routes []*config.Route, compile func(*config.Route) ([]P, error)) (parts []P, errs []error) {
	type some struct {
		parts []P
		errs  []error
	}
	all := cores.Map(len(routes), fewRoutes, func(from, to int) (s some) {
		s.parts = make([]P, 0, to-from)
		for _, route := range routes[from:to] {
			parts, err := compile(route)
			if err != nil {
				s.errs = append(s.errs, &RouteError{route, err})
				continue
			}
			s.parts = append(s.parts, parts...)
		}
		return s
	})
	for _, s := range all {
		parts, errs = append(parts, s.parts...), append(errs, s.errs...)
	}
	return parts, errs
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
