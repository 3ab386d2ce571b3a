package lint

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"diag405/kong/router"
)

// shape is what a path that is a regular expression looks like from outside.
//
//	~/api/v\d+/users   literal /api/v
//	~/users/\d+$       literal /users/, varies, endless, closed
//	~/app(/|$)         literal /app, whole
//	~/app/.*           literal /app/, swallows
//	~/health$          literal /health, whole, closed
type shape struct {
	literal  string // what every match begins with
	whole    bool   // the literal is all there is
	varies   bool   // some part is chosen by the client: a class, an alternative
	endless  bool   // and of any length
	closed   bool   // it ends with $
	swallows bool   // it ends with .*
}

func readShape(parts []*syntax.Regexp) shape {
	var s shape
	parts, s.closed = cutEnd(parts)
	parts, s.swallows = cutTail(parts)
	parts = cutBoundary(parts)
	s.whole = true
	for _, p := range parts {
		if p.Op != syntax.OpLiteral {
			s.whole = false
		}
		if s.whole {
			s.literal += string(p.Rune)
		}
		varies, endless := choice(p, false)
		s.varies = s.varies || varies
		s.endless = s.endless || endless
	}
	return s
}

// readParts are the parts of an expression, one behind the other, without the "^"
// that Kong puts in front.
func readParts(re *regexp.Regexp) ([]*syntax.Regexp, bool) {
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return nil, false
	}
	return slices.DeleteFunc(flatten(tree), func(p *syntax.Regexp) bool { return p.Op == syntax.OpBeginText }), true
}

func flatten(re *syntax.Regexp) []*syntax.Regexp {
	if re.Op != syntax.OpConcat && re.Op != syntax.OpCapture {
		return []*syntax.Regexp{re}
	}
	var parts []*syntax.Regexp
	for _, sub := range re.Sub {
		parts = append(parts, flatten(sub)...)
	}
	return parts
}

func isEnd(re *syntax.Regexp) bool { return re.Op == syntax.OpEndText || re.Op == syntax.OpEndLine }

func cutEnd(parts []*syntax.Regexp) ([]*syntax.Regexp, bool) {
	if n := len(parts); n > 0 && isEnd(parts[n-1]) {
		return parts[:n-1], true
	}
	return parts, false
}

// cutTail takes away a .* or .+ at the end.
func cutTail(parts []*syntax.Regexp) ([]*syntax.Regexp, bool) {
	n := len(parts)
	if n == 0 || parts[n-1].Op != syntax.OpStar && parts[n-1].Op != syntax.OpPlus {
		return parts, false
	}
	if op := parts[n-1].Sub[0].Op; op != syntax.OpAnyChar && op != syntax.OpAnyCharNotNL {
		return parts, false
	}
	return parts[:n-1], true
}

// cutBoundary takes away what only ends a segment: /?, (/|$).
func cutBoundary(parts []*syntax.Regexp) []*syntax.Regexp {
	if n := len(parts); n > 0 && isBoundary(parts[n-1]) {
		return parts[:n-1]
	}
	return parts
}

func isBoundary(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpCapture:
		return isBoundary(re.Sub[0])
	case syntax.OpQuest, syntax.OpStar:
		return isSlash(re.Sub[0])
	case syntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !isEnd(sub) && !isSlash(sub) })
	}
	return false
}

func isSlash(re *syntax.Regexp) bool { return re.Op == syntax.OpLiteral && string(re.Rune) == "/" }

// choice reports whether a client has a choice of what to write there, and
// whether of any length. An optional literal (healthz?) is a spelling.
func choice(re *syntax.Regexp, repeated bool) (varies, endless bool) {
	switch re.Op {
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return true, repeated
	case syntax.OpAlternate:
		varies = true
	case syntax.OpStar, syntax.OpPlus, syntax.OpRepeat:
		repeated = repeated || re.Op != syntax.OpRepeat || re.Max < 0 || re.Max > 3
	}
	for _, sub := range re.Sub {
		v, e := choice(sub, repeated)
		varies, endless = varies || v, endless || e
	}
	return varies, endless
}

// makeSamples are paths that an expression matches, in different ways.
func makeSamples(re *regexp.Regexp, parts []*syntax.Regexp) []string {
	var samples []string
	for variant := range 6 {
		var text strings.Builder
		for _, p := range parts {
			text.WriteString(spell(p, variant))
		}
		sample := text.String()
		if !strings.HasPrefix(sample, "/") || router.Normalize(sample) != sample || !re.MatchString(sample) {
			continue
		}
		if !slices.Contains(samples, sample) {
			samples = append(samples, sample)
		}
	}
	return samples
}

// spell writes something that a part matches.
func spell(re *syntax.Regexp, variant int) string {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		return string(pick(re.Rune, variant))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return string("ab1z2y"[variant%6])
	case syntax.OpStar, syntax.OpQuest:
		if variant%2 == 0 {
			return ""
		}
		return spell(re.Sub[0], variant)
	case syntax.OpRepeat:
		return strings.Repeat(spell(re.Sub[0], variant), max(re.Min, variant%2*min(1, re.Max)))
	case syntax.OpAlternate:
		return spell(re.Sub[variant%len(re.Sub)], variant)
	}
	var text strings.Builder
	for _, sub := range re.Sub {
		text.WriteString(spell(sub, variant))
	}
	return text.String()
}

// pick chooses a character of a class, one that is usual in paths if there is one.
func pick(ranges []rune, variant int) rune {
	var usual []rune
	for _, c := range "1a2b7z0Zq-_." {
		if inRanges(ranges, c) {
			usual = append(usual, c)
		}
	}
	if len(usual) > 0 {
		return usual[variant%len(usual)]
	}
	return ranges[0]
}

func inRanges(ranges []rune, c rune) bool {
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i] <= c && c <= ranges[i+1] {
			return true
		}
	}
	return false
}
