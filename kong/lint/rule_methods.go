package lint

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/forecast"
)

// Rules about what becomes of a method.

// corsUnrouted: cors answers preflights only on routes that take them. Where
// methods are listed without OPTIONS, Kong answers 404.
func corsUnrouted(s *subject) []Finding {
	var findings []Finding
	for _, r := range s.routes {
		cors := s.plugin(r, "cors")
		if cors == nil || takes(r, http.MethodOptions) {
			continue
		}
		t := s.preflight(r)
		if t.route != nil && s.plugin(t.route, "cors") != nil {
			continue
		}
		f := Finding{
			Object:   routeObject(r),
			Severity: corsSeverity(r, cors),
			Sentence: fmt.Sprintf("cors is on for %s, but the route takes only %s: a browser's preflight OPTIONS %s %s", scope(cors), list(r.Methods), t.req.Target, whereTo(t)),
			Fix: Fix{
				Words: "add OPTIONS to its methods; cors then answers the preflight",
				Set:   map[string]any{"route.methods": withOptions(r.Methods)}, Certain: true,
			},
		}
		findings = append(findings, f)
	}
	return findings
}

// corsSeverity: GET, HEAD and some POST go without a preflight; a global cors
// says little about one route.
func corsSeverity(r *config.Route, cors *config.Plugin) Severity {
	simple := !slices.ContainsFunc(r.Methods, func(m string) bool { return m != "GET" && m != "HEAD" && m != "POST" })
	if simple || cors.Route == nil && cors.Service == nil {
		return Warning
	}
	return Error
}

// preflight is OPTIONS for what the route takes.
func (s *subject) preflight(r *config.Route) trial {
	x := s.sampling(r)
	x.methods = []string{http.MethodOptions}
	var first trial
	s.each(x, func(t trial) bool { first = t; return false })
	return first
}

func whereTo(t trial) string {
	if t.route == nil {
		return "gets 404 from Kong"
	}
	return "goes to " + routeObject(t.route).String() + ", which has no cors"
}

func withOptions(methods []string) []any {
	var list []any
	for _, m := range methods {
		list = append(list, m)
	}
	return append(list, http.MethodOptions)
}

// corsMissing: browsers are expected where headers for them are added by hand, or
// where other routes of the service have cors.
func corsMissing(s *subject) []Finding {
	var findings []Finding
	for _, r := range s.routes {
		if r.Service == nil || s.plugin(r, "cors") != nil || slices.ContainsFunc(s.plugins(r), answers) {
			continue
		}
		switch p, other := s.corsByHand(r), s.corsSibling(r); {
		case p != nil:
			findings = append(findings, Finding{
				Object:   routeObject(r),
				Sentence: fmt.Sprintf("%s adds Access-Control-Allow headers by hand, but nothing answers the preflight: %s", p.Name, s.preflightFate(r)),
				Fix:      Fix{Words: "use the cors plugin instead"},
			})
		case other != nil && !s.takesPreflight(r):
			findings = append(findings, Finding{
				Severity: Info,
				Object:   routeObject(r),
				Sentence: fmt.Sprintf("%s of the same service has cors and this route has not: %s", routeObject(other), s.preflightFate(r)),
				Fix:      Fix{Words: "put cors on " + serviceObject(r.Service).String() + " if browsers use this route, too"},
			})
		}
	}
	return findings
}

func (s *subject) preflightFate(r *config.Route) string {
	t := s.preflight(r)
	switch {
	case t.route == nil:
		return "OPTIONS gets 404 from Kong"
	case t.route == r:
		return "OPTIONS goes to the upstream, which has to answer it"
	}
	return "OPTIONS goes to " + routeObject(t.route).String()
}

// takesPreflight reports whether preflights for the route come to one with cors.
func (s *subject) takesPreflight(r *config.Route) bool {
	t := s.preflight(r)
	return t.route != nil && s.plugin(t.route, "cors") != nil
}

func (s *subject) corsByHand(r *config.Route) *config.Plugin {
	return find(s.plugins(r), func(p *config.Plugin) bool {
		if !strings.HasPrefix(p.Name, "response-transformer") {
			return false
		}
		return slices.ContainsFunc([]string{"add", "append", "replace"}, func(list string) bool {
			return mentionsFold(value(p.Config, list, "headers"), "access-control-allow-")
		})
	})
}

func mentionsFold(v any, word string) bool {
	headers, _ := v.([]any)
	return slices.ContainsFunc(headers, func(h any) bool {
		s, _ := h.(string)
		return strings.Contains(strings.ToLower(s), word)
	})
}

// corsSibling is another route of the service with a cors of its own.
func (s *subject) corsSibling(r *config.Route) *config.Route {
	if s.withCors == nil {
		s.withCors = map[*config.Service][]*config.Route{}
		for _, other := range s.routes {
			if p := s.plugin(other, "cors"); p != nil && p.Route != nil {
				s.withCors[other.Service] = append(s.withCors[other.Service], other)
			}
		}
	}
	return find(s.withCors[r.Service], func(other *config.Route) bool { return other != r })
}

// preflightContinue: cors hands preflights on.
func preflightContinue(s *subject) []Finding {
	var findings []Finding
	for _, p := range s.cfg.Plugins {
		if on, _ := p.Config["preflight_continue"].(bool); p.Name != "cors" || !p.Enabled || !on {
			continue
		}
		findings = append(findings, Finding{
			Object:   pluginObject(p),
			Sentence: "for " + scope(p) + " it hands preflights on, so the upstream must answer OPTIONS itself, without credentials and on every path",
			Fix:      Fix{Words: "set preflight_continue=false, unless the application answers preflights", Set: map[string]any{"plugin.cors": map[string]any{"preflight_continue": false}}},
		})
	}
	return findings
}

// redirectMethod: clients follow 301 and 302 of a POST with GET (RFC 9110
// sections 15.4.2 and 15.4.3).
func redirectMethod(s *subject) []Finding {
	var findings []Finding
	for _, r := range s.routes {
		code := r.HTTPSRedirectStatusCode
		if slices.Contains(r.Protocols, "http") || code != http.StatusMovedPermanently && code != http.StatusFound || readsOnly(r) {
			continue
		}
		findings = append(findings, Finding{
			Object:   routeObject(r),
			Sentence: fmt.Sprintf("it is for https alone and answers http with %d, which clients follow with GET: %s over http arrives as GET", code, writing(r)),
			Fix:      Fix{Words: "set https_redirect_status_code=308, which keeps the method", Set: map[string]any{"route.https_redirect_status_code": http.StatusPermanentRedirect}, Certain: true},
		})
	}
	return findings
}

func isRead(m string) bool {
	return m == http.MethodGet || m == http.MethodHead || m == http.MethodOptions
}

func readsOnly(r *config.Route) bool {
	return len(r.Methods) > 0 && !slices.ContainsFunc(r.Methods, func(m string) bool { return !isRead(m) })
}

// writing is the first method of a route that writes.
func writing(r *config.Route) string {
	if i := slices.IndexFunc(r.Methods, func(m string) bool { return !isRead(m) }); i >= 0 {
		return r.Methods[i]
	}
	return http.MethodPost
}

// methodRewritten: a transformer sets the method of every request in its scope.
// For a route with one method that is a translation; for more it is too much.
func methodRewritten(s *subject) []Finding {
	var findings []Finding
	for _, p := range s.cfg.Plugins {
		to := strings.ToUpper(text(p.Config, "http_method"))
		if !isTransformer(p) || !p.Enabled || to == "" {
			continue
		}
		severity := s.rewriteSeverity(p, to)
		if severity == "" {
			continue
		}
		findings = append(findings, Finding{
			Severity: severity,
			Object:   pluginObject(p),
			Sentence: fmt.Sprintf("for %s it sends every request as %s, whatever the client sent", scope(p), to),
			Fix:      Fix{Words: "put it on a route of its own that lists the methods to be changed"},
		})
	}
	return findings
}

func (s *subject) rewriteSeverity(p *config.Plugin, to string) Severity {
	switch {
	case p.ForSome():
		return Info
	case p.Route == nil && p.Service == nil:
		return Error
	case p.Route == nil:
		return Warning
	case len(p.Route.Methods) == 1 || readsOnly(p.Route) && isRead(to):
		return ""
	}
	return Info
}

// fixedPath: a transformer puts one path in place of all.
func fixedPath(s *subject) []Finding {
	var findings []Finding
	for _, p := range s.cfg.Plugins {
		uri := rewrittenURI(p)
		if !p.Enabled || uri == "" || strings.Contains(uri, "$(") {
			continue
		}
		f := Finding{
			Object:   pluginObject(p),
			Sentence: fmt.Sprintf("for %s it sends every request to %s, whatever path the client asked for", scope(p), uri),
			Fix:      Fix{Words: "use a template such as $(uri_captures.rest), or leave the path to strip_path and the service's path"},
		}
		if p.ForSome() || p.Route != nil {
			f.Severity = Info
		}
		if p.Route != nil && !s.exactOnly(p.Route) || p.Route == nil {
			findings = append(findings, f)
		}
	}
	return findings
}

// exactOnly reports whether a route takes single paths only, which a plugin may
// well translate to one.
func (s *subject) exactOnly(r *config.Route) bool {
	return len(r.Paths) > 0 && !slices.ContainsFunc(r.Paths, func(path string) bool {
		core, exact := s.plainCore(path)
		return core == "" || !exact
	})
}

// bufferedMethod: a plugin for which Kong reads the whole answer makes it send
// methods through a hop that knows fifteen of them.
func bufferedMethod(s *subject) []Finding {
	var findings []Finding
	for _, r := range s.routes {
		odd := slices.DeleteFunc(slices.Clone(r.Methods), func(m string) bool { return forecast.BufferedMethod(m) == m })
		p := forecast.Hop(s.plugins(r), s.o.ResponsePhase...)
		if len(odd) == 0 || p == nil || r.Service == nil || slices.ContainsFunc(s.plugins(r), setsMethod) {
			continue
		}
		why, severity := s.whyBuffered(p)
		findings = append(findings, Finding{
			Severity: severity,
			Object:   routeObject(r),
			Sentence: fmt.Sprintf("plugin %s %s, for which Kong sends methods that it does not know as GET: the upstream gets GET for %s", p.Name, why, list(odd)),
			Fix:      bufferedFix(p, odd),
		})
	}
	return findings
}

// setsMethod reports a plugin that leaves no other method to be lost.
func setsMethod(p *config.Plugin) bool {
	known, _ := forecast.Known(p.Name)
	return known.Method == forecast.Always
}

// whyBuffered: Kong's own plugins have no response phase, and ask for it.
func (s *subject) whyBuffered(p *config.Plugin) (words string, severity Severity) {
	switch known, _ := forecast.Known(p.Name); known.Buffers {
	case forecast.BuffersUnasked:
		return `has answers buffered, unless a request's body has "stream": true`, Warning
	case forecast.Buffers:
		if p.Name != forecast.Own {
			return "has answers buffered", ""
		}
	}
	return "has a response phase", ""
}

func bufferedFix(p *config.Plugin, odd []string) Fix {
	if p.Name == forecast.Own {
		return Fix{Words: "set buffering=auto", Set: map[string]any{"plugin.diag405": map[string]any{"buffering": "auto"}}}
	}
	return Fix{Words: "give " + list(odd) + " a route without " + p.Name}
}
