package lint

import (
	"fmt"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/router"
)

// Rules about what route and service make of a path.

// strips reports whether strip_path decides what the upstream of a route gets.
func (s *subject) strips(r *config.Route) bool { return r.StripPath && s.computesPath(r) }

// plainCore is the path that a route's path stands for when it has one only, and
// whether nothing may follow it.
func (s *subject) plainCore(path string) (core string, exact bool) {
	if !config.IsRegexPath(path) {
		return path, false
	}
	shape, ok := s.shapeOf(path)
	if !ok || !shape.whole || shape.swallows || len(config.Alternatives(path)) > 1 {
		return "", false
	}
	return shape.literal, shape.closed
}

// consumedPath: strip_path leaves nothing, and the service has nothing to put
// there. A mount point of one segment is what strip_path is for.
func consumedPath(s *subject) []Finding {
	var findings []Finding
	for _, r := range s.routes {
		if !s.strips(r) || basePath(r) != "" {
			continue
		}
		paths := map[Severity][]string{}
		for _, path := range r.Paths {
			core, _ := s.plainCore(path)
			if severity := s.consumed(r, path, core); severity != "" {
				paths[severity] = append(paths[severity], core)
			}
		}
		for _, severity := range []Severity{Warning, Info} {
			if len(paths[severity]) > 0 {
				findings = append(findings, consumedFinding(r, severity, paths[severity]))
			}
		}
	}
	return findings
}

func consumedFinding(r *config.Route, severity Severity, paths []string) Finding {
	f := Finding{
		Severity: severity,
		Object:   routeObject(r),
		Sentence: fmt.Sprintf("strip_path removes the whole of %s and %s %s, so its upstream gets %s",
			atMost(3, paths), serviceObject(r.Service), noMore(r.Service.Path), line(onlyMethod(r), "/")),
		Fix: Fix{Words: "set strip_path=false", Set: map[string]any{"route.strip_path": false}, Certain: severity == Warning},
	}
	if severity == Info {
		f.Fix.Words += fmt.Sprintf(", unless %s is only the gateway's name for the application", atMost(3, paths))
	}
	return f
}

// noMore says of a service's path that it adds nothing.
func noMore(path string) string {
	if path == "" {
		return "has no path"
	}
	return "has only the path " + path
}

// consumed is how sure it is that a path is an endpoint's and not the place where
// an application is mounted; "" for not at all.
func (s *subject) consumed(r *config.Route, path, core string) Severity {
	parts := config.Segments(core)
	if len(parts) == 0 || meansMore(path) || basePath(r) != "" {
		return ""
	}
	_, exact := s.plainCore(path)
	exact = exact && !continued(r, path, core)
	switch {
	case forecast.ForEndpoint(r), exact && len(parts) > 1:
		return Warning
	case len(parts) > 1 && !isOwn(parts[len(parts)-1]): // /api and /team/v1 are mount points by their names
		return Info
	}
	return ""
}

// continued reports whether another path of the route takes what lies below: ~/app$
// and /app/ together are a mount point with a boundary.
func continued(r *config.Route, path, core string) bool {
	return slices.ContainsFunc(r.Paths, func(other string) bool {
		return other != path && !meansMore(other) && strings.HasPrefix(strings.TrimPrefix(other, "~"), core+"/")
	})
}

// regexStrip: what an expression matched is removed, and with it what the client
// chose.
func regexStrip(s *subject) []Finding {
	return s.eachPath(func(r *config.Route, path string) *Finding {
		if !config.IsRegexPath(path) || !s.strips(r) || s.usesCaptures(r) {
			return nil
		}
		shape, ok := s.shapeOf(path)
		if !ok {
			return nil
		}
		sample := s.example(r, path)
		if sample == nil {
			return nil
		}
		f := &Finding{
			Severity: eaten(r, shape),
			Sentence: fmt.Sprintf("strip_path removes all that %s matches: of %s the upstream gets %s", path, sample.Path, sample.UpstreamPath),
			Fix:      Fix{Words: "set strip_path=false", Set: map[string]any{"route.strip_path": false}, Certain: eaten(r, shape) == Warning},
		}
		if f.Severity == "" {
			return nil
		}
		return f
	})
}

// eaten is how sure it is that what an expression removes is missed.
func eaten(r *config.Route, shape shape) Severity {
	switch {
	case shape.swallows && len(config.Segments(shape.literal)) > 0, shape.closed && shape.endless:
		return Warning // nothing is left, whatever it was
	case shape.closed && shape.varies && basePath(r) == "":
		return Warning
	case shape.closed || shape.swallows || !shape.varies:
		return ""
	}
	return Info
}

// usesCaptures reports whether a plugin passes on what an expression captured.
func (s *subject) usesCaptures(r *config.Route) bool {
	return slices.ContainsFunc(s.plugins(r), func(p *config.Plugin) bool { return mentions(p.Config, "uri_captures") })
}

// example is what becomes of a request that an expression matches: of the longest
// of its samples with something behind it, where it allows that.
func (s *subject) example(r *config.Route, path string) *router.Match {
	samples := s.samplesOf(path)
	if len(samples) == 0 {
		return nil
	}
	sample := slices.MaxFunc(samples, func(a, b string) int { return len(a) - len(b) })
	re := s.of(path).regex
	if longer := strings.TrimSuffix(sample, "/") + "/login"; re.MatchString(longer) {
		sample = longer
	}
	prefix := re.FindString(sample)
	return &router.Match{
		Path:         sample,
		Prefix:       prefix,
		UpstreamPath: router.UpstreamPath(r.Service.Path, sample, prefix, true),
	}
}

// doubledPrefix: the route keeps its path, and the service's path ends with what
// that begins with.
func doubledPrefix(s *subject) []Finding {
	return s.eachPath(func(r *config.Route, path string) *Finding {
		base := config.Segments(basePath(r))
		if r.StripPath || !s.computesPath(r) || len(base) == 0 {
			return nil
		}
		own := s.literalSegments(path)
		n := config.Overlap(base, own)
		if n == 0 {
			return nil
		}
		sent := "/" + strings.Join(own, "/")
		doubled := "/" + strings.Join(own[:n], "/")
		f := &Finding{
			Severity: Warning,
			Sentence: fmt.Sprintf("%s has path %s and the route keeps %s, so %s stands twice in what the upstream gets: %s",
				serviceObject(r.Service), r.Service.Path, sent, doubled, router.UpstreamPath(r.Service.Path, sent, "", false)),
			Fix: Fix{Words: "take " + doubled + " out of the service's path"},
		}
		if n == len(base) {
			f.Severity = Error
			f.Fix = Fix{Words: "set the service's path to /" + s.alsoFor(r), Set: map[string]any{"service.path": "/"}, Certain: s.alsoFor(r) == "" && len(r.Paths) == 1}
		}
		if n == len(base) && n == len(own) && len(r.Paths) == 1 && !config.IsRegexPath(path) {
			f.Fix = Fix{Words: "set strip_path=true", Set: map[string]any{"route.strip_path": true}, Certain: true}
		}
		return f
	})
}

// alsoFor warns of a service's other routes.
func (s *subject) alsoFor(r *config.Route) string {
	n := len(s.related.routes[r.Service]) - 1
	if n == 0 {
		return ""
	}
	return ", which its " + plural(n, "other route") + " must be able to do without"
}

// literalSegments are the segments that every path begins with which a route's
// path takes. Of an expression the last may go on, and does not count.
func (s *subject) literalSegments(path string) []string {
	if !config.IsRegexPath(path) {
		return config.Segments(path)
	}
	shape, ok := s.shapeOf(path)
	if !ok {
		return nil
	}
	parts := config.Segments(shape.literal)
	if !shape.whole && !strings.HasSuffix(shape.literal, "/") && len(parts) > 0 {
		parts = parts[:len(parts)-1]
	}
	return parts
}

// trailingSlash: with strip_path, a request for exactly the route's path ends as
// the request does and not as the service's path.
func trailingSlash(s *subject) []Finding {
	return s.eachPath(func(r *config.Route, path string) *Finding {
		base := basePath(r)
		if config.IsRegexPath(path) || path == "/" || base == "" || !s.strips(r) || meansMore(path) {
			return nil
		}
		gets := router.UpstreamPath(base, path, path, true)
		if strings.HasSuffix(gets, "/") == strings.HasSuffix(base, "/") {
			return nil
		}
		f := &Finding{Sentence: fmt.Sprintf("a request for exactly %s gets to the upstream as %s, although the path of %s is %s",
			path, gets, serviceObject(r.Service), base)}
		if strings.HasSuffix(base, "/") {
			f.Fix = Fix{Words: fmt.Sprintf("if %s is a resource, let clients ask for %s/", base, path)}
			return f
		}
		f.Fix = Fix{Words: fmt.Sprintf("if %s is a resource, add the path ~%s$ to the route, which puts nothing behind it, and let clients ask for that", base, strings.TrimSuffix(path, "/"))}
		return f
	})
}

// pathHandlingV1: the router of today has one way only.
func pathHandlingV1(s *subject) []Finding {
	var findings []Finding
	for _, r := range s.routes {
		if s.cfg.Flavor == config.Traditional || r.PathHandling != "v1" || r.Service == nil || len(r.Paths) == 0 {
			continue
		}
		findings = append(findings, Finding{
			Severity: pathHandlingSeverity(r),
			Object:   routeObject(r),
			Sentence: "path_handling v1 has no effect: the traditional_compatible router puts paths together as v0 does",
			Fix:      Fix{Words: "remove it and look at the paths that the upstream gets", Set: map[string]any{"route.path_handling": "v0"}, Certain: true},
		})
	}
	return findings
}

// pathHandlingSeverity: v1 joins without a slash in between, which shows only
// behind a service's path or where a path is cut inside a segment.
func pathHandlingSeverity(r *config.Route) Severity {
	if basePath(r) == "" {
		return Info
	}
	return Warning
}
