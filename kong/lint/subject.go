package lint

import (
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/router"
)

// subject is a configuration with what rules want to know of it.
type subject struct {
	cfg    *config.Config
	o      Options
	routes []*config.Route // those that the rules look at, in the order of the document
	router *router.Router

	broken map[*config.Route]error // why the router has not got a route
	survey *router.Survey
	// tellsTLS: it makes a difference whether a request comes over TLS
	tellsTLS bool
	*patterns

	shadows map[*config.Route]*shadow // what samples of each route led to

	// What every route without methods, hosts or paths is sampled with; nil until it is
	// asked.
	methods, hosts []string
	paths          []samplePath
	ports          []int // that expressions look at

	// Found out once, see where they are asked for.
	twins    map[string][]*config.Route
	withCors map[*config.Service][]*config.Route

	related *related
}

func newSubject(cfg *config.Config, o Options) *subject {
	s := &subject{cfg: cfg, o: o, patterns: newPatterns(), related: newRelated(cfg)}
	rt, err := router.New(cfg)
	s.broken = brokenRoutes(err)
	s.router, s.survey, s.tellsTLS = rt, rt.Survey(), rt.TellsTLS()
	for _, r := range cfg.Routes {
		if s.looksAt(r) {
			s.routes = append(s.routes, r)
		}
	}
	return s
}

// routesTo are the routes of a service that the rules look at.
func (s *subject) routesTo(svc *config.Service) []*config.Route {
	return slices.DeleteFunc(slices.Clone(s.related.routes[svc]), func(r *config.Route) bool { return !s.looksAt(r) })
}

// looksAt reports whether the rules look at a route.
func (s *subject) looksAt(r *config.Route) bool {
	return s.broken[r] == nil && isHTTP(r) && r.Expression == "" && (r.Service == nil || r.Service.Enabled)
}

// matchesPath reports whether a route's paths take one.
func (s *subject) matchesPath(r *config.Route, path string) bool {
	return slices.ContainsFunc(r.Paths, func(p string) bool {
		if config.IsRegexPath(p) {
			return s.matches(p, path)
		}
		return strings.HasPrefix(path, p)
	})
}

// brokenRoutes are the routes that the router could not compile.
func brokenRoutes(err error) map[*config.Route]error {
	broken := map[*config.Route]error{}
	routes, _ := router.Broken(err)
	for _, r := range routes {
		broken[r.Route] = r.Err
	}
	return broken
}

// isHTTP reports whether a route takes plain HTTP, whose methods and paths are
// what the rules are about.
func isHTTP(r *config.Route) bool {
	return slices.Contains(r.Protocols, "http") || slices.Contains(r.Protocols, "https")
}

func routeObject(r *config.Route) Object { return Object{Kind: "route", Name: r.Name, ID: r.ID} }

func serviceObject(s *config.Service) Object {
	return Object{Kind: "service", Name: s.Name, ID: s.ID}
}

func pluginObject(p *config.Plugin) Object { return Object{Kind: "plugin", Name: p.Name, ID: p.ID} }

// scope is what a plugin applies to, as in a sentence.
func scope(p *config.Plugin) string {
	switch {
	case p.Route != nil:
		return routeObject(p.Route).String()
	case p.Service != nil:
		return serviceObject(p.Service).String()
	}
	return "all services"
}

// plugins are those that run for a route, whoever asks.
func (s *subject) plugins(r *config.Route) []*config.Plugin { return s.related.pluginsOf(r) }

// plugin is the plugin of that name which runs for a route, nil for none.
func (s *subject) plugin(r *config.Route, name string) *config.Plugin {
	return find(s.plugins(r), func(p *config.Plugin) bool { return p.Name == name })
}

// computesPath reports whether nothing but route and service makes the path that
// the upstream gets, in the way that the rules reckon with: path handling v1 of the
// traditional router is another.
func (s *subject) computesPath(r *config.Route) bool {
	if s.cfg.Flavor == config.Traditional && r.PathHandling == "v1" {
		return false
	}
	return r.Service != nil && !slices.ContainsFunc(s.plugins(r), func(p *config.Plugin) bool {
		return changesPath(p) || answers(p)
	})
}

func changesPath(p *config.Plugin) bool {
	return rewrittenURI(p) != "" || isFunction(p) && mentions(p.Config, "set_path", "upstream_uri", "set_target")
}

// answers reports whether a plugin answers every request itself, or chooses the
// upstream's path itself: no path of route and service reaches an application
// through it.
func answers(p *config.Plugin) bool {
	if p.Name == "request-termination" {
		return text(p.Config, "trigger") == ""
	}
	known, _ := forecast.Known(p.Name)
	return known.Ends == forecast.Always || known.Path == forecast.Always ||
		known.Code && mentions(p.Config, "response.exit", "ngx.exit")
}

// isFunction reports a plugin that holds code of the operator's.
func isFunction(p *config.Plugin) bool {
	known, _ := forecast.Known(p.Name)
	return known.Code
}

func isTransformer(p *config.Plugin) bool {
	known, _ := forecast.Known(p.Name)
	return known.Transforms
}

// rewrittenURI is the path that a transformer puts in place of the computed one.
func rewrittenURI(p *config.Plugin) string {
	if !isTransformer(p) {
		return ""
	}
	return text(p.Config, "replace", "uri")
}

// text is a string in a plugin's configuration, "" when it is not there.
func text(conf map[string]any, path ...string) string {
	s, _ := value(conf, path...).(string)
	return s
}

func value(conf map[string]any, path ...string) any {
	var v any = conf
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

// mentions reports whether one of the words stands in any string of a value.
func mentions(v any, words ...string) bool {
	switch v := v.(type) {
	case string:
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(v, w) })
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return mentions(e, words...) })
	case map[string]any:
		for key, e := range v {
			if mentions(key, words...) || mentions(e, words...) {
				return true
			}
		}
	}
	return false
}
