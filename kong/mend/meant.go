package mend

import (
	"fmt"
	"net/http"
	"slices"

	"diag405/kong/config"
	"diag405/kong/diff"
	"diag405/kong/lint"
	"diag405/kong/router"
)

// unmeant says what changes beside the requests that a finding is about; "" for nothing.
func unmeant(before, after *view, f lint.Finding, r *diff.Report) string {
	if len(r.Sampled) > 0 {
		return "what else it changes cannot be told: " + r.Sampled[0]
	}
	own := ownRoutes(before.cfg, target(f))
	for _, c := range r.Changes {
		if !isMeant(before.cfg, after.cfg, own, f, c) {
			return fmt.Sprintf("%s, which route %s took, would change too", c.Witness, c.Before.Route)
		}
	}
	return ""
}

// isMeant reports whether a change is of requests that its own routes took already, of
// those that no route took, or of those that they were to take.
func isMeant(before, after *config.Config, own []string, f lint.Finding, c *diff.Change) bool {
	if slices.Contains(own, c.Before.Route) {
		return true
	}
	if !slices.Contains(own, c.After.Route) {
		return false
	}
	switch f.ID {
	case "cors-unrouted":
		return c.Before.Route == "" || c.Witness.Method == http.MethodOptions
	case "literal-star", "literal-regex", "literal-placeholder", "regex-star":
		return c.Before.Route == "" || lessSaid(before, after, c)
	}
	return c.Before.Route == ""
}

// lessSaid reports whether the route that took a request did so by less of its path than
// the one that takes it now: a catch-all.
func lessSaid(before, after *config.Config, c *diff.Change) bool {
	target, _ := router.SplitTarget(c.Witness.Target)
	path := router.Normalize(target)
	old, _ := router.MatchPath(named(before, c.Before.Route), path)
	now, _ := router.MatchPath(named(after, c.After.Route), path)
	return len(old) < len(now)
}

// named is the route with a name or id, which stands in a change.
func named(cfg *config.Config, label string) *config.Route {
	i := slices.IndexFunc(cfg.Routes, func(r *config.Route) bool { return router.Name(r) == label })
	return cfg.Routes[i]
}

// ownRoutes are the names, or ids, of a route or of those of a service.
func ownRoutes(cfg *config.Config, o lint.Object) []string {
	var list []string
	for _, r := range cfg.Routes {
		if o.Kind == "route" && r.ID == o.ID || o.Kind == "service" && r.Service != nil && r.Service.ID == o.ID {
			list = append(list, router.Name(r))
		}
	}
	return list
}
