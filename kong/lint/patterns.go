package lint

import (
	"regexp"
	"regexp/syntax"

	"diag405/kong/config"
)

// patterns keeps what was found out about paths that are regular expressions: many
// rules ask, and reading one takes longer than all that they do with it.
type patterns struct{ known map[string]*pattern }

// A pattern is a path that is a regular expression.
type pattern struct {
	regex    *regexp.Regexp // nil for one that cannot be read
	parts    []*syntax.Regexp
	shape    shape
	readable bool // parts and shape are there
	samples  []string
}

func newPatterns() *patterns { return &patterns{map[string]*pattern{}} }

func (x *patterns) of(path string) *pattern {
	p := x.known[path]
	if p == nil {
		p = newPattern(path)
		x.known[path] = p
	}
	return p
}

func newPattern(path string) *pattern {
	re, err := config.CompilePath(path)
	if err != nil {
		return &pattern{}
	}
	p := &pattern{regex: re}
	if p.parts, p.readable = readParts(re); p.readable {
		p.shape, p.samples = readShape(p.parts), makeSamples(re, p.parts)
	}
	return p
}

// shapeOf is false for an expression that cannot be read.
func (x *patterns) shapeOf(path string) (shape, bool) {
	p := x.of(path)
	return p.shape, p.readable
}

// partsOf are the parts of an expression, one behind the other, without the "^"
// that Kong puts in front.
func (x *patterns) partsOf(path string) ([]*syntax.Regexp, bool) {
	p := x.of(path)
	return p.parts, p.readable
}

// samplesOf are paths that an expression matches, in different ways.
func (x *patterns) samplesOf(path string) []string { return x.of(path).samples }

// matches reports whether an expression takes a path.
func (x *patterns) matches(expression, path string) bool {
	re := x.of(expression).regex
	return re != nil && re.MatchString(path)
}
