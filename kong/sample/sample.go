// Package sample makes values of requests that a route takes, to ask a router with. What
// a route leaves open is filled with what no other route names.
package sample

import (
	"net/http"
	"strings"

	"diag405/kong/atc"
	"diag405/kong/config"
)

// Unnamed is a word that no configuration has; it keeps samples apart from what routes
// name.
const Unnamed = "zz9"

// Concrete puts a label in the place of wildcards.
func Concrete(names []string) []string {
	var list []string
	for _, name := range names {
		list = append(list, strings.Replace(name, "*", Unnamed, 1))
	}
	return list
}

// Headers have every value that a route wants of a header, though not in every
// combination. Value makes something that one of the route's values takes.
func Headers(r *config.Route, value func(string) string) []http.Header {
	longest := 1
	for _, values := range r.Headers {
		longest = max(longest, len(values))
	}
	var headers []http.Header
	for i := range longest {
		header := http.Header{}
		for name, values := range r.Headers {
			if len(values) > 0 {
				header.Set(strings.ReplaceAll(name, "_", "-"), value(values[i%len(values)]))
			}
		}
		headers = append(headers, header)
	}
	return headers
}

// Predicates are those of an expression, in whatever branch; none of nil.
func Predicates(t *atc.Trace) []*atc.Trace {
	switch {
	case t == nil:
		return nil
	case t.Kind == "":
		return []*atc.Trace{t}
	}
	var out []*atc.Trace
	for _, part := range t.Parts {
		out = append(out, Predicates(part)...)
	}
	return out
}
