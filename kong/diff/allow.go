package diff

import (
	"fmt"
	"slices"
	"strings"
)

// Allow is a change that is meant: in one kind, of one route, or both.
type Allow struct {
	Kind  Kind   // "" for any
	Route string // name or id, before or after; "" for any
}

// ParseAllow reads KIND, ROUTE or KIND:ROUTE. What is the name of a kind is one; a
// route of that name is :ROUTE.
func ParseAllow(s string) (Allow, error) {
	kind, route, both := strings.Cut(s, ":")
	known := slices.Contains(Kinds(), Kind(kind))
	switch {
	case s == "" || s == ":":
		return Allow{}, fmt.Errorf("%q names no kind and no route", s)
	case both && (known || kind == ""):
		return Allow{Kind(kind), route}, nil
	case known:
		return Allow{Kind: Kind(kind)}, nil
	}
	return Allow{Route: s}, nil
}

// allowed reports whether a change is meant in all its kinds.
func allowed(list []Allow, c *Change) bool {
	return !slices.ContainsFunc(c.Kinds, func(k Kind) bool {
		return !slices.ContainsFunc(list, func(a Allow) bool {
			return (a.Kind == "" || a.Kind == k) && (a.Route == "" || a.Route == c.Before.Route || a.Route == c.After.Route)
		})
	})
}
