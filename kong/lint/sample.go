package lint

import (
	"net/http"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/router"
	"diag405/kong/sample"
)

// Samples are requests made from a route's own attributes, to ask the router where
// they go. What a route leaves open is filled with what no other route names.

// knownMethods are tried for a route that takes all of them.
var knownMethods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND"}

// sampling is a route's samples: every combination of these.
type sampling struct {
	route   *config.Route
	paths   []samplePath
	methods []string
	hosts   []string
	headers []http.Header
	snis    []string // "" is without TLS
	queries []string // with their "?"
}

// samplePath is a path with the path of the route that it is a sample of, and whether
// the route takes it.
type samplePath struct {
	of, path string
	fits     bool
}

func (s *subject) sampling(r *config.Route) sampling {
	if r.Expression != "" {
		return s.expressionSampling(r)
	}
	return sampling{
		route:   r,
		paths:   s.samplePaths(r),
		methods: s.sampleMethods(r),
		hosts:   s.sampleHosts(r),
		headers: s.sampleHeaders(r),
		snis:    s.sampleSNIs(r),
		queries: []string{""},
	}
}

// samplePaths are for each path of the route that path, and ones below it.
func (s *subject) samplePaths(r *config.Route) []samplePath {
	if len(r.Paths) == 0 {
		return s.anyPaths()
	}
	var list []samplePath
	for _, of := range r.Paths {
		from := []string{of}
		if config.IsRegexPath(of) {
			from = s.samplesOf(of)
		}
		for _, path := range from {
			list = append(list, s.samplePath(r, of, path))
			for _, rest := range deeper {
				list = append(list, s.samplePath(r, of, strings.TrimSuffix(path, "/")+rest))
			}
		}
	}
	return list
}

func (s *subject) samplePath(r *config.Route, of, path string) samplePath {
	return samplePath{of, path, s.matchesPath(r, path)}
}

// deeper is what may follow a path, in so many segments.
var deeper = []string{"/" + sample.Unnamed, "/" + sample.Unnamed + "/x1", "/" + sample.Unnamed + "/x1/y2"}

// anyPaths are for a route without paths.
func (s *subject) anyPaths() []samplePath {
	if s.paths == nil {
		s.paths = s.pathsOfRoutes()
	}
	return s.paths
}

func (s *subject) pathsOfRoutes() []samplePath {
	list := []samplePath{{path: "/" + sample.Unnamed}, {path: "/"}}
	for _, r := range s.routes {
		for _, path := range r.Paths {
			if !config.IsRegexPath(path) && len(list) < 8 {
				list = append(list, samplePath{path: path})
			}
		}
	}
	return list
}

func (s *subject) sampleMethods(r *config.Route) []string {
	if len(r.Methods) > 0 {
		return r.Methods
	}
	if s.methods == nil {
		s.methods = s.allMethods()
	}
	return s.methods
}

func (s *subject) allMethods() []string {
	methods := slices.Clone(knownMethods)
	for _, other := range s.routes {
		for _, m := range other.Methods {
			if !slices.Contains(methods, m) && len(methods) < 16 {
				methods = append(methods, m)
			}
		}
	}
	return append(methods, "ZZ")
}

// sampleHosts are the route's, or one that nobody names and those that routes
// without paths name.
func (s *subject) sampleHosts(r *config.Route) []string {
	if len(r.Hosts) > 0 {
		return sample.Concrete(r.Hosts)
	}
	if s.hosts == nil {
		s.hosts = s.pathlessHosts()
	}
	return s.hosts
}

func (s *subject) pathlessHosts() []string {
	hosts := []string{sample.Unnamed + ".example"}
	for _, other := range s.routes {
		if len(other.Paths) > 0 || len(hosts) > 8 {
			continue
		}
		for _, h := range sample.Concrete(other.Hosts) {
			if !slices.Contains(hosts, h) {
				hosts = append(hosts, h)
			}
		}
	}
	return hosts
}

// sampleSNIs are without TLS and with it, as far as the route takes both and it makes
// a difference to some route. A route with SNIs looks at them on TLS only.
func (s *subject) sampleSNIs(r *config.Route) []string {
	if len(r.SNIs) > 0 {
		return sample.Concrete(r.SNIs)
	}
	var snis []string
	if slices.Contains(r.Protocols, "http") {
		snis = append(snis, "")
	}
	if slices.Contains(r.Protocols, "https") && (len(snis) == 0 || s.tellsTLS) {
		snis = append(snis, sample.Unnamed+".example")
	}
	return snis
}

// sampleHeaders have every value that the route wants of a header.
func (s *subject) sampleHeaders(r *config.Route) []http.Header {
	return sample.Headers(r, s.headerValue)
}

// headerValue is something that a route's value of a header takes.
func (x *patterns) headerValue(value string) string {
	if pattern, ok := strings.CutPrefix(value, "~*"); ok {
		return x.headerSample(pattern)
	}
	return value
}

func (x *patterns) headerSample(pattern string) string {
	parts, ok := x.partsOf("~" + pattern)
	if !ok {
		return ""
	}
	var text strings.Builder
	for _, p := range parts {
		text.WriteString(spell(p, 1))
	}
	return text.String()
}

// a trial is a sample and where it went.
type trial struct {
	sample samplePath
	req    router.Request
	route  *config.Route // that takes it, nil for none
	place  *router.Place
}

// match is what its upstream gets, nil for no route.
func (t trial) match() *router.Match {
	m, _ := t.place.Match(t.req.Method)
	return m
}

// each asks the router for every sample until yield has seen enough.
func (s *subject) each(x sampling, yield func(trial) (more bool)) {
	for _, p := range x.paths {
		if !s.eachTo(x, p, yield) {
			return
		}
	}
}

// eachTo asks for the samples of one path.
func (s *subject) eachTo(x sampling, p samplePath, yield func(trial) (more bool)) (more bool) {
	requests := s.requestsTo(x, p)
	places := make([]*router.Place, len(requests))
	for _, method := range x.methods {
		for i, req := range requests {
			if places[i] == nil {
				places[i] = s.survey.At(req)
			}
			req.Method = method
			if !yield(trial{p, req, places[i].Route(method), places[i]}) {
				return false
			}
		}
	}
	return true
}

// requestsTo are the samples of one path, without a method.
func (s *subject) requestsTo(x sampling, p samplePath) []router.Request {
	var list []router.Request
	for _, host := range x.hosts {
		for _, header := range x.headers {
			for _, sni := range x.snis {
				scheme := "http"
				if sni != "" {
					scheme = "https"
				}
				for _, port := range s.portsOf(scheme) {
					for _, query := range x.queries {
						list = append(list, router.Request{Target: p.path + query, Host: host, Header: header, Scheme: scheme, Port: port, SNI: sni})
					}
				}
			}
		}
	}
	return list
}

// valid reports whether the sample is one of the route at all: what follows a
// path that is an expression may not be what it takes.
func (s *subject) valid(x sampling, t trial) bool {
	if x.route.Expression != "" {
		return s.holds(x.route, t.req)
	}
	return len(x.route.Paths) == 0 || t.sample.fits
}
