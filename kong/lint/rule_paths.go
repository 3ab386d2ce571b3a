package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"diag405/kong/config"
)

// Rules that look at a path by itself.

// eachPath asks of every path of every route.
func (s *subject) eachPath(check func(r *config.Route, path string) *Finding) []Finding {
	var findings []Finding
	for _, r := range s.routes {
		for _, path := range r.Paths {
			if f := check(r, path); f != nil {
				f.Object = routeObject(r)
				findings = append(findings, *f)
			}
		}
	}
	return findings
}

// starOnSlash is a star that repeats a slash, unless what follows is the end:
// /*$ is an unusual way to write /?$, but does what it says.
var starOnSlash = regexp.MustCompile(`/\*([^$]|$)`)

// regexStar: a path that was written as for a shell, and marked as an expression.
func regexStar(s *subject) []Finding {
	return s.eachPath(func(r *config.Route, path string) *Finding {
		if !config.IsRegexPath(path) || !starOnSlash.MatchString(path) {
			return nil
		}
		better := strings.ReplaceAll(path, "/*", "/.*")
		if rest, ok := strings.CutSuffix(path, "/*"); ok && !strings.Contains(rest, "/*") {
			better = rest + "/"
		}
		return &Finding{
			Sentence: fmt.Sprintf("/* in the expression %s repeats the slash and stands for nothing else: %s matches as well", path, runOn(path)),
			Fix:      s.pathFix(r, path, better, "write "+better),
		}
	})
}

// runOn is a path that the expression takes although no slash is where the star
// is.
func runOn(path string) string {
	before, _, _ := strings.Cut(strings.TrimPrefix(path, "~"), "/*")
	return before + "x"
}

// regexAlternative: "^" binds to the first alternative alone, as Kong puts it in
// front of the text as it stands.
func regexAlternative(s *subject) []Finding {
	return s.eachPath(func(r *config.Route, path string) *Finding {
		alternatives := config.Alternatives(path)
		if !config.IsRegexPath(path) || len(alternatives) < 2 {
			return nil
		}
		f := &Finding{Sentence: fmt.Sprintf("of the expression %s only the first alternative is anchored: %s matches anywhere in a path", path, list(alternatives[1:]))}
		if better, ok := grouped(alternatives); ok {
			f.Fix = Fix{Words: "write " + better, Set: map[string]any{"route.paths": replaced(r.Paths, path, better)}, Certain: true}
			return f
		}
		f.Fix = Fix{Words: "make each alternative a path of its own"}
		return f
	})
}

// grouped puts alternatives into one group behind the slash that a path must
// begin with.
func grouped(alternatives []string) (string, bool) {
	var rest []string
	for _, a := range alternatives {
		behind, ok := strings.CutPrefix(a, "/")
		if !ok {
			return "", false
		}
		rest = append(rest, behind)
	}
	return "~/(?:" + strings.Join(rest, "|") + ")", true
}

// regexOpenEnd: an expression is not closed at its end. For a prefix that is
// right; said of an endpoint it takes more than it names.
func regexOpenEnd(s *subject) []Finding {
	return s.eachPath(func(r *config.Route, path string) *Finding {
		if !config.IsRegexPath(path) || !endpointMethods(r) || len(config.Alternatives(path)) > 1 {
			return nil
		}
		if s.strips(r) || !s.openEnd(path) {
			return nil
		}
		samples := s.samplesOf(path)
		if len(samples) == 0 {
			return nil
		}
		sample := strings.TrimSuffix(samples[0], "/")
		return &Finding{
			Sentence: fmt.Sprintf("the expression %s does not end with $, so it takes %s/anything as well as %s", path, sample, sample),
			Fix: Fix{
				Words: fmt.Sprintf("write %s$ if nothing below it is meant", path),
				Set:   map[string]any{"route.paths": replaced(r.Paths, path, path+"$")},
			},
		}
	})
}

// openEnd reports whether an expression ends in the midst of what a client chooses, and
// anything may follow.
func (s *subject) openEnd(path string) bool {
	shape, ok := s.shapeOf(path)
	if !ok || shape.closed || shape.swallows || !shape.endless {
		return false
	}
	parts, _ := s.partsOf(path)
	return len(cutBoundary(parts)) == len(parts)
}

// endpointMethods reports whether a route's methods look like one endpoint's. A
// mount point has none, or a long list; HEAD and OPTIONS by themselves say nothing.
func endpointMethods(r *config.Route) bool {
	real := slices.DeleteFunc(slices.Clone(r.Methods), func(m string) bool { return m == "OPTIONS" || m == "HEAD" })
	return len(real) > 0 && (len(real) < 4 || !slices.Contains(real, "GET"))
}
