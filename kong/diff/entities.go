package diff

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/router"
)

// side is one of the two configurations.
type side struct {
	cfg    *config.Config
	kong   *forecast.Forecaster
	routes []*route // those that the router has
	of     map[*config.Route]*route
}

// route is a route with what it is compared by.
type route struct {
	*config.Route
	label   string // name or id
	takes   string // which requests it takes, and when it is tried
	does    string // what then becomes of them
	partner *route // the same one in the other configuration
	demand  *demand
	opaque  string // plugins that change requests in a way that is not worked out
	variant []variant
}

// concern is how far the change of a configuration concerns a route.
type concern int

const (
	untouched concern = iota
	reworked          // it takes the same requests and does something else with them
	rematched         // it takes others, or is new or gone
)

func (r *route) concern() concern {
	switch p := r.partner; {
	case p == nil || p.takes != r.takes:
		return rematched
	case p.does != r.does:
		return reworked
	}
	return untouched
}

func newSide(cfg *config.Config) (*side, error) {
	cfg = sortedTargets(cfg)
	kong, err := forecast.New(cfg)
	if err != nil {
		return nil, err
	}
	s := &side{cfg: cfg, kong: kong, of: map[*config.Route]*route{}}
	bound := pluginsByTarget(cfg)
	for _, r := range cfg.Routes {
		if r.Service != nil && !r.Service.Enabled || isStream(r) {
			continue
		}
		plugins := bound.of(r)
		x := &route{Route: r, label: router.Name(r), takes: takesOf(r), does: s.doesOf(r, plugins), opaque: opaque(plugins), variant: variants(plugins)}
		s.routes = append(s.routes, x)
		s.of[r] = x
	}
	return s, nil
}

// isStream: such a route takes connections and no requests.
func isStream(r *config.Route) bool {
	return !slices.ContainsFunc(r.Protocols, func(p string) bool { return strings.HasPrefix(p, "http") || strings.HasPrefix(p, "grpc") })
}

// sortedTargets is a configuration with the targets of upstreams in an order that does
// not change when they are written in another.
func sortedTargets(cfg *config.Config) *config.Config {
	out := *cfg
	out.Upstreams = nil
	for _, u := range cfg.Upstreams {
		sorted := *u
		sorted.Targets = slices.SortedFunc(slices.Values(u.Targets), func(a, b config.Target) int {
			return strings.Compare(text(a), text(b))
		})
		out.Upstreams = append(out.Upstreams, &sorted)
	}
	return &out
}

// text is a value as one text, to compare it by.
func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%#v", v)
	}
	return string(data)
}

// takesOf is what decides which requests a route takes, and when it is tried.
func takesOf(r *config.Route) string {
	return text([]any{
		sorted(r.Protocols), sorted(r.Methods), sorted(r.Hosts), sorted(r.SNIs), r.Paths, r.Headers,
		r.RegexPriority, r.Expression, r.Priority, r.Sources, r.Destinations, r.CreatedAt, strings.ToLower(r.ID),
	})
}

// sorted is a set in one order.
func sorted(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

// doesOf is what becomes of the requests that a route takes.
func (s *side) doesOf(r *config.Route, plugins []*config.Plugin) string {
	does := []any{r.StripPath, r.PreserveHost, r.PathHandling, r.HTTPSRedirectStatusCode}
	if svc := r.Service; svc != nil {
		does = append(does, svc.Protocol, svc.Host, svc.Port, svc.Path)
		if i := slices.IndexFunc(s.cfg.Upstreams, func(u *config.Upstream) bool { return u.Name == svc.Host }); i >= 0 {
			does = append(does, s.cfg.Upstreams[i].HostHeader, s.cfg.Upstreams[i].Targets)
		}
	}
	for _, p := range plugins {
		does = append(does, p.Name, p.Config, p.Consumer, p.ConsumerGroup, p.Route != nil, p.Service != nil)
	}
	return text(does)
}

// anyName is what a route is but for its name and id.
func (r *route) anyName() string {
	plain := *r.Route
	plain.ID = ""
	return takesOf(&plain) + r.does
}

// pair finds for each route the one that it is in the other configuration: by name, by
// id, and else one that takes and does the same, which was renamed.
func pair(before, after *side) (renamed []Rename) {
	match := func(key func(*route) string) (pairs [][2]*route) {
		byKey := map[string]*route{}
		for _, r := range after.routes {
			if k := key(r); k != "" && r.partner == nil && byKey[k] == nil {
				byKey[k] = r
			}
		}
		for _, r := range before.routes {
			if other := byKey[key(r)]; r.partner == nil && other != nil && other.partner == nil {
				r.partner, other.partner = other, r
				pairs = append(pairs, [2]*route{r, other})
			}
		}
		return pairs
	}
	match(func(r *route) string {
		if r.Name == "" {
			return ""
		}
		return r.Workspace + "\x00" + r.Name
	})
	match(func(r *route) string { return strings.ToLower(r.ID) })
	for _, p := range match((*route).anyName) {
		if p[0].label != p[1].label {
			renamed = append(renamed, Rename{p[0].label, p[1].label})
		}
	}
	return renamed
}

// alone are routes that the other configuration has not got.
func (s *side) alone() []string {
	var list []string
	for _, r := range s.routes {
		if r.partner == nil {
			list = append(list, r.label)
		}
	}
	return list
}
