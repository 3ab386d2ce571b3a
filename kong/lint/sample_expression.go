package lint

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"diag405/kong/atc"
	"diag405/kong/config"
	"diag405/kong/router"
	"diag405/kong/sample"
)

// most bounds how many values of a field samples of an expression have.
const most = 8

// expressionSampling is requests made from what the predicates of a route's expression
// speak of, in whatever branch, and from what no route names. Which of them the whole
// expression takes is asked of the router: see [subject.valid].
func (s *subject) expressionSampling(r *config.Route) sampling {
	said := s.said(r)
	x := sampling{
		route:   r,
		methods: slices.Concat(said["http.method"], knownMethods),
		hosts:   append(said["http.host"], sample.Unnamed+".example"),
		snis:    append([]string{"", sample.Unnamed + ".example"}, said["tls.sni"]...),
		headers: headersSaid(said),
		queries: queriesSaid(said),
	}
	for _, path := range said["http.path"] {
		x.paths = append(x.paths, samplePath{path: path})
	}
	x.paths = append(x.paths, s.anyPaths()...)
	return x
}

// said are values of each field that the predicates of a route's expression take.
func (s *subject) said(r *config.Route) map[string][]string {
	said := map[string][]string{}
	trace := s.router.Trace(router.Request{Method: http.MethodGet, Target: "/"}, r)
	for _, p := range sample.Predicates(trace) {
		for _, value := range s.taking(p) {
			if list := said[p.Field]; len(list) < most && !slices.Contains(list, value) {
				said[p.Field] = append(list, value)
			}
		}
	}
	return said
}

// taking are values that a predicate takes, none of one that only excludes some.
func (s *subject) taking(p *atc.Trace) []string {
	text := p.Value.String()
	front := ""
	if p.Field == "http.path" {
		front = "/" + sample.Unnamed
	}
	switch p.Operator {
	case atc.Equals:
		return []string{text}
	case atc.Prefix:
		return []string{text, text + sample.Unnamed}
	case atc.Postfix, atc.Contains:
		return []string{text, front + text, sample.Unnamed + text}
	case atc.Regex:
		return s.samplesOf("~" + strings.TrimPrefix(text, "^"))
	}
	return nil
}

// headersSaid are none, all of which something is said, and each alone.
func headersSaid(said map[string][]string) []http.Header {
	all := http.Header{}
	out := []http.Header{{}, all}
	for _, field := range slices.Sorted(maps.Keys(said)) {
		values := said[field]
		name, ok := strings.CutPrefix(field, "http.headers.")
		if !ok {
			continue
		}
		name = strings.ReplaceAll(name, "_", "-")
		all.Set(name, values[0])
		for _, value := range values {
			one := http.Header{}
			one.Set(name, value)
			out = append(out, one)
		}
	}
	return out[:min(len(out), most)]
}

// queriesSaid are none, and all arguments of which something is said.
func queriesSaid(said map[string][]string) []string {
	query := url.Values{}
	for field, values := range said {
		if name, ok := strings.CutPrefix(field, "http.queries."); ok {
			query.Set(name, values[0])
		}
	}
	if len(query) == 0 {
		return []string{""}
	}
	return []string{"?" + query.Encode(), ""}
}

// holds reports whether a route's expression takes a request.
func (s *subject) holds(r *config.Route, req router.Request) bool {
	trace := s.router.Trace(req, r)
	return trace != nil && trace.Holds
}

// sampled reports whether some request was found that a route's expression takes.
func (s *subject) sampled(r *config.Route) bool {
	found := false
	x := s.sampling(r)
	s.each(x, func(t trial) bool {
		found = s.valid(x, t)
		return !found
	})
	return found
}

// expressions are the routes with one that the router has, in the order of the
// document. The rules about paths and methods do not look at them, those about the
// order of routes do.
func (s *subject) expressions() []*config.Route {
	return slices.DeleteFunc(slices.Clone(s.cfg.Routes), func(r *config.Route) bool {
		return r.Expression == "" || !isHTTP(r) || s.broken[r] != nil || r.Service != nil && !r.Service.Enabled
	})
}

// portsOf are those on which samples come to Kong: the scheme's, and where an
// expression looks at it Kong's own and those that it names.
func (s *subject) portsOf(scheme string) []int {
	own := map[string]int{"http": 80, "https": 443}[scheme]
	if s.ports == nil {
		s.ports = []int{}
		for _, r := range s.expressions() {
			for _, p := range sample.Predicates(s.router.Trace(router.Request{Target: "/"}, r)) {
				if port := int(p.Value.Number); p.Field == "net.dst.port" && len(s.ports) < most && !slices.Contains(s.ports, port) {
					s.ports = append(s.ports, port)
				}
			}
		}
		if len(s.ports) > 0 {
			s.ports = append(s.ports, 8000)
		}
	}
	return append([]int{own}, s.ports...)
}
