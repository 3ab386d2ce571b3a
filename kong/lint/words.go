package lint

import (
	"fmt"
	"slices"
	"strings"

	"diag405/kong/config"
)

// ownWords are segments by which applications commonly name their own API;
// gateways mount applications under other names.
var ownWords = []string{"api", "apis", "rest", "rpc"}

// isOwn reports whether a segment is an API word or a version (v1, v2.1).
func isOwn(segment string) bool {
	s := strings.ToLower(segment)
	if slices.Contains(ownWords, s) {
		return true
	}
	return len(s) > 1 && s[0] == 'v' && strings.Trim(s[1:], "0123456789.") == ""
}

// basePath is a route's service's path, "" when it has none or only a slash.
func basePath(r *config.Route) string {
	if r.Service == nil || len(config.Segments(r.Service.Path)) == 0 {
		return ""
	}
	return r.Service.Path
}

// list joins things as in a sentence: a, b and c.
func list(things []string) string {
	if len(things) < 2 {
		return strings.Join(things, "")
	}
	return strings.Join(things[:len(things)-1], ", ") + " and " + things[len(things)-1]
}

// atMost is a list that stays readable.
func atMost(n int, things []string) string {
	if len(things) <= n {
		return list(things)
	}
	return fmt.Sprintf("%s and %d more", strings.Join(things[:n], ", "), len(things)-n)
}

// line is a method and a path, of which the method may be any.
func line(method, path string) string {
	if method == "" {
		return path
	}
	return method + " " + path
}

// onlyMethod is the method that a route is there for, "" when there are several.
func onlyMethod(r *config.Route) string {
	if len(r.Methods) == 1 {
		return r.Methods[0]
	}
	return ""
}

// takes reports whether a route takes a method.
func takes(r *config.Route, method string) bool {
	return len(r.Methods) == 0 || slices.Contains(r.Methods, method)
}

// plural is a count with its noun: 1 route, 2 routes.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// verb ends a verb by how many do it.
func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// replaced is a copy of a list with one element in place of another.
func replaced(list []string, old, new string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		if s == old {
			s = new
		}
		out[i] = s
	}
	return out
}
