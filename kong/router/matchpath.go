package router

import (
	"slices"
	"strings"
	"sync"

	"diag405/kong/config"
)

// MatchPath is which part of a normalised path the route's paths match, when the
// rest of the request matches. Of several the choice is Kong's: expressions
// before plain paths, the first expression, the longest plain path. It is true
// with "" for a route without paths, and false for one whose expression cannot
// be compiled. Of the route it looks at nothing but the paths.
func MatchPath(route *config.Route, path string) (prefix string, ok bool) {
	paths := pathsOf(route)
	if paths == nil {
		return "", false
	}
	return paths.matchPath(path)
}

// maxKnownPaths bounds how many routes' paths are kept compiled.
const maxKnownPaths = 1024

// knownPaths keeps the paths of routes compiled: a caller that asks what other
// settings would have led to asks for the same route again and again, and an
// expression takes longer to compile than all the rest. It is no state that
// anybody could see: what is kept depends on the paths alone.
var knownPaths = struct {
	sync.Mutex
	compiled map[string]*compiled
}{compiled: map[string]*compiled{}}

// pathsOf compiles the route's paths, nil when one cannot be.
func pathsOf(route *config.Route) *compiled {
	key := strings.Join(route.Paths, "\x00")
	knownPaths.Lock()
	paths, ok := knownPaths.compiled[key]
	knownPaths.Unlock()
	if ok {
		return paths
	}
	paths = compilePaths(route.Paths)
	knownPaths.Lock()
	defer knownPaths.Unlock()
	if len(knownPaths.compiled) >= maxKnownPaths {
		clear(knownPaths.compiled)
	}
	knownPaths.compiled[key] = paths
	return paths
}

func compilePaths(paths []string) *compiled {
	all := &compiled{}
	if all.addPaths(paths) != nil {
		return nil
	}
	slices.SortStableFunc(all.plain, func(a, b string) int { return len(b) - len(a) })
	return all
}
