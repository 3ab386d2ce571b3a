package lint

import (
	"fmt"
	"strings"

	"diag405/kong/config"
)

// Rules about plain paths that were meant as more than the letters they are.

// literalStar: plain paths are prefixes and have no wildcard.
func literalStar(s *subject) []Finding {
	return s.eachPath(func(r *config.Route, path string) *Finding {
		if config.IsRegexPath(path) || !strings.Contains(path, "*") || placeholderIn(path) != "" || regexSign(path) != "" {
			return nil
		}
		return &Finding{
			Sentence: fmt.Sprintf("the plain path %s has a *, which is no wildcard: it matches only a request that has a * there itself", path),
			Fix:      s.starFix(r, path),
		}
	})
}

// starFix drops a star at the end, since a plain path takes whatever follows, and
// makes an expression of the others.
func (s *subject) starFix(r *config.Route, path string) Fix {
	better := strings.TrimRight(path, "*")
	if better == "" || strings.Contains(better, "*") {
		better = "~" + starExpression(better)
		if !strings.HasSuffix(path, "*") {
			better += "$"
		}
		return s.pathFix(r, path, better, "write "+better)
	}
	if core, ok := strings.CutSuffix(better, "."); ok {
		// app.* is all that begins with app in an expression, and app.js in a shell.
		return Fix{Words: fmt.Sprintf("write %s, or %s where the dot was to be any character: each takes everything that begins so", better, core)}
	}
	return s.prefixFix(r, path, better)
}

// prefixFix puts in place of a path the plain one that it only wanted to be the start of.
func (s *subject) prefixFix(r *config.Route, path, better string) Fix {
	return s.pathFix(r, path, better, fmt.Sprintf("write %s, which takes everything that begins so", better))
}

// pathFix puts one path in place of another, and keeps strip_path from removing
// what that matches.
func (s *subject) pathFix(r *config.Route, path, better, words string) Fix {
	fix := Fix{Words: words, Set: map[string]any{"route.paths": replaced(r.Paths, path, better)}, Certain: true}
	if s.strips(r) && s.missed(r, better) {
		fix.Words += ", and set strip_path=false, as otherwise nothing of " + better + " reaches the upstream"
		fix.Set["route.strip_path"] = false
	}
	return fix
}

// missed reports whether what strip_path removes of a path would be missed.
func (s *subject) missed(r *config.Route, path string) bool {
	if core, _ := s.plainCore(path); core != "" {
		// Who wrote a star or a name into the path of a few methods meant an endpoint.
		severity := s.consumed(r, path, core)
		return severity == Warning || severity == Info && endpointMethods(r)
	}
	return s.eatenBy(r, path) == Warning
}

// literalPlaceholder: Kong knows no :name and no {name}.
func literalPlaceholder(s *subject) []Finding {
	return s.eachPath(func(r *config.Route, path string) *Finding {
		found := placeholderIn(path)
		if found == "" {
			return nil
		}
		f := &Finding{
			Sentence: fmt.Sprintf("%s in the path %s is no placeholder: Kong compares it letter by letter", found, path),
			Fix:      unreadable,
		}
		if better := placeholderExpression(path); s.of(better).readable && len(config.Alternatives(better)) == 1 {
			f.Fix = s.pathFix(r, path, better, "write "+better)
		}
		return f
	})
}

// unreadable is the fix of a path that makes no expression as it stands.
var unreadable = Fix{Words: "write it as a regular expression that Kong's router can read, with ~ in front"}

// literalRegex: since Kong 3.0 an expression is one only with ~ in front. Without it
// brackets and backslashes are compared letter by letter, and no client sends them.
func literalRegex(s *subject) []Finding {
	return s.eachPath(func(r *config.Route, path string) *Finding {
		sign := regexSign(path)
		if sign == "" || config.IsRegexPath(path) || placeholderIn(path) != "" {
			return nil
		}
		f := &Finding{
			Sentence: fmt.Sprintf("the path %s reads like a regular expression and has no ~ in front, so it is none: Kong compares %s letter by letter", path, sign),
			Fix:      s.regexFix(r, path),
		}
		if sign == "$" { // RFC 3986 allows it in a path, so it may be one
			f.Severity, f.Fix.Certain = Warning, false
		}
		return f
	})
}

// regexFix marks an expression as one. Where all that it says is how a path begins, a
// plain path says it, too, and is not tried before all others.
func (s *subject) regexFix(r *config.Route, path string) Fix {
	core := path
	if strings.HasPrefix(path, "/~/") { // as Kong's ingress controller wants expressions marked
		core = path[len("/~"):]
	}
	rest, tail := core, ""
	if !s.usesCaptures(r) {
		rest, tail = cutAnything(core)
	}
	better := s.marked(r, core)
	switch {
	case tail != "" && !meansMore(rest):
		return s.prefixFix(r, path, rest)
	case better == "":
		return unreadable
	case tail != "" && s.strips(r) && s.eatenBy(r, "~"+rest) == "":
		better = "~" + rest
		return s.pathFix(r, path, better, fmt.Sprintf("write %s, as strip_path would remove what %s matches, too", better, tail))
	}
	fix := s.pathFix(r, path, better, "write "+better)
	if s.strips(r) && s.eatenBy(r, better) == Info {
		fix.Words += ", and set strip_path=false, as otherwise what " + better + " matches does not reach the upstream"
		fix.Set["route.strip_path"] = false
	}
	return fix
}

// eatenBy is how sure it is that what strip_path removes for an expression is missed.
func (s *subject) eatenBy(r *config.Route, expression string) Severity {
	shape, ok := s.shapeOf(expression)
	if !ok || s.usesCaptures(r) {
		return ""
	}
	return eaten(r, shape)
}

// marked is an expression with ~ in front, and closed where it is an endpoint's; "" for
// one that the router cannot read.
func (s *subject) marked(r *config.Route, core string) string {
	better := "~" + withoutGlobs(core)
	if alternatives := config.Alternatives(better); len(alternatives) > 1 {
		better, _ = grouped(alternatives)
	}
	if better == "" || len(s.samplesOf(better)) == 0 {
		return ""
	}
	if endpointMethods(r) && s.openEnd(better) {
		better += "$"
	}
	return better
}
