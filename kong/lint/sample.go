package lint

import (
	"net/http"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/router"
)

// Samples are requests made from a route's own attributes, to ask the router where
// they go. What a route leaves open is filled with what no other route names.

// unnamed is a word that no configuration has; it keeps samples apart from what
// other routes name.
const unnamed = "zz9"

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
}

// samplePath is a path with the path of the route that it is a sample of.
type samplePath struct{ of, path string }

func (s *subject) sampling(r *config.Route) sampling {
	return sampling{
		route:   r,
		paths:   s.samplePaths(r),
		methods: s.sampleMethods(r),
		hosts:   s.sampleHosts(r),
		headers: sampleHeaders(r),
		snis:    sampleSNIs(r),
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
			from = samplesOf(of)
		}
		for _, path := range from {
			list = append(list, samplePath{of, path})
			for _, rest := range deeper {
				list = append(list, samplePath{of, strings.TrimSuffix(path, "/") + rest})
			}
		}
	}
	return list
}

// deeper is what may follow a path, in so many segments.
var deeper = []string{"/" + unnamed, "/" + unnamed + "/x1", "/" + unnamed + "/x1/y2"}

// anyPaths are for a route without paths.
func (s *subject) anyPaths() []samplePath {
	list := []samplePath{{"", "/" + unnamed}, {"", "/"}}
	for _, r := range s.routes {
		for _, path := range r.Paths {
			if !config.IsRegexPath(path) && len(list) < 8 {
				list = append(list, samplePath{"", path})
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
		return concrete(r.Hosts)
	}
	if s.hosts == nil {
		s.hosts = s.pathlessHosts()
	}
	return s.hosts
}

func (s *subject) pathlessHosts() []string {
	hosts := []string{unnamed + ".example"}
	for _, other := range s.routes {
		if len(other.Paths) > 0 || len(hosts) > 8 {
			continue
		}
		for _, h := range concrete(other.Hosts) {
			if !slices.Contains(hosts, h) {
				hosts = append(hosts, h)
			}
		}
	}
	return hosts
}

// concrete puts a label in the place of wildcards.
func concrete(names []string) []string {
	var list []string
	for _, name := range names {
		list = append(list, strings.Replace(name, "*", unnamed, 1))
	}
	return list
}

// sampleSNIs are without TLS and with it, as far as the route takes both. A route
// with SNIs looks at them on TLS only.
func sampleSNIs(r *config.Route) []string {
	if len(r.SNIs) > 0 {
		return concrete(r.SNIs)
	}
	var snis []string
	if slices.Contains(r.Protocols, "http") {
		snis = append(snis, "")
	}
	if slices.Contains(r.Protocols, "https") {
		snis = append(snis, unnamed+".example")
	}
	return snis
}

// sampleHeaders have every value that the route wants of a header, though not in
// every combination.
func sampleHeaders(r *config.Route) []http.Header {
	longest := 1
	for _, values := range r.Headers {
		longest = max(longest, len(values))
	}
	var headers []http.Header
	for i := range longest {
		header := http.Header{}
		for name, values := range r.Headers {
			if len(values) > 0 {
				header.Set(strings.ReplaceAll(name, "_", "-"), headerValue(values[i%len(values)]))
			}
		}
		headers = append(headers, header)
	}
	return headers
}

// headerValue is something that a route's value of a header takes.
func headerValue(value string) string {
	if pattern, ok := strings.CutPrefix(value, "~*"); ok {
		return headerSample(pattern)
	}
	return value
}

func headerSample(pattern string) string {
	parts, ok := partsOf("~" + pattern)
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
	got    *router.Match // nil for no route
}

// requests are all samples.
func (x sampling) requests(yield func(samplePath, router.Request) bool) {
	for _, p := range x.paths {
		for _, method := range x.methods {
			for _, host := range x.hosts {
				for _, header := range x.headers {
					for _, sni := range x.snis {
						req := router.Request{Method: method, Target: p.path, Host: host, Header: header, Scheme: "http", Port: 80}
						if sni != "" {
							req.Scheme, req.Port, req.SNI = "https", 443, sni
						}
						if !yield(p, req) {
							return
						}
					}
				}
			}
		}
	}
}

// each asks the router for every sample until yield has seen enough.
func (s *subject) each(x sampling, yield func(trial) (more bool)) {
	for sample, req := range x.requests {
		t := trial{sample: sample, req: req}
		if m, ok := s.router.Match(req); ok {
			t.got = m
		}
		if !yield(t) {
			return
		}
	}
}

// valid reports whether the sample is one of the route at all: what follows a
// path that is an expression may not be what it takes.
func (x sampling) valid(t trial) bool {
	if len(x.route.Paths) == 0 {
		return true
	}
	_, ok := router.MatchPath(x.route, t.sample.path)
	return ok
}
