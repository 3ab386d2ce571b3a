package atc

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// SyntaxError is what is wrong with an expression, and where.
type SyntaxError struct {
	Offset  int // in bytes
	Line    int // from 1
	Column  int // in characters, from 1
	Problem string

	cause error
}

// Unwrap is what a regular expression is refused for; nil for everything else.
func (e *SyntaxError) Unwrap() error { return e.cause }

// Error is "line:column: problem".
func (e *SyntaxError) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Problem) }

// maxDepth bounds how deep parentheses and functions are nested. Kong's parser is
// recursive, too, and ends the worker where its stack ends.
const maxDepth = 500

// Parse reads an expression. Which fields there are is not its business, see
// [Expression.Check]. An error is a [*SyntaxError].
func Parse(source string) (e *Expression, err error) {
	p := &parser{src: source}
	defer func() {
		if r := recover(); r != nil {
			bad, ok := r.(*SyntaxError)
			if !ok {
				panic(r)
			}
			e, err = nil, bad
		}
	}()
	if i := invalidUTF8(source); i >= 0 {
		p.fail(i, "is not UTF-8")
	}
	p.space()
	root := p.expression()
	if p.pos < len(p.src) {
		p.fail(p.pos, `expected "&&", "||" or the end, found %s`, p.found())
	}
	return &Expression{source: source, root: root}, nil
}

// invalidUTF8 is where a string stops being UTF-8, -1 for nowhere.
func invalidUTF8(s string) int {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)) {
			return i
		}
	}
	return -1
}

// A parser reads from left to right and never goes back. Each rule leaves it
// behind the white space that follows. A problem is a panic with a *SyntaxError
// that Parse recovers.
type parser struct {
	src   string
	pos   int
	depth int
	last  int // where the last token ended, before the white space behind it
}

func (p *parser) fail(offset int, format string, args ...any) {
	panic(p.problem(offset, fmt.Sprintf(format, args...)))
}

func (p *parser) problem(offset int, words string) *SyntaxError {
	before := p.src[:offset]
	line := strings.LastIndexByte(before, '\n') + 1
	return &SyntaxError{
		Offset:  offset,
		Line:    strings.Count(before, "\n") + 1,
		Column:  utf8.RuneCountInString(before[line:]) + 1,
		Problem: words,
	}
}

// found is what stands where the parser is, for a message.
func (p *parser) found() string {
	rest := p.src[p.pos:]
	if rest == "" {
		return "the end"
	}
	const most = 12
	shown := 0
	for i := range rest {
		if i > most {
			break
		}
		shown = i
	}
	if len(rest) <= most {
		shown = len(rest)
	}
	return fmt.Sprintf("%q", rest[:shown])
}

func (p *parser) space() {
	p.last = p.pos
	for p.pos < len(p.src) && strings.IndexByte(" \t\r\n", p.src[p.pos]) >= 0 {
		p.pos++
	}
}

// take reads a token when it stands here.
func (p *parser) take(token string) bool {
	if !strings.HasPrefix(p.src[p.pos:], token) {
		return false
	}
	p.pos += len(token)
	p.space()
	return true
}

// deeper guards the rules that call themselves.
func (p *parser) deeper() (leave func()) {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.pos, "is nested more than %d deep", maxDepth)
	}
	return func() { p.depth-- }
}

// expression is a chain of "&&", whose members are chains of "||": the precedence
// of the PrattParser in src/parser.rs. Both group to the left.
func (p *parser) expression() node {
	defer p.deeper()()
	return p.chain("&&", func() node { return p.chain("||", p.term) })
}

func (p *parser) chain(op string, member func() node) node {
	start := p.pos
	left := member()
	for p.take(op) {
		right := member()
		left = &logical{span{start, p.last}, op == "||", left, right}
	}
	return left
}

func (p *parser) term() node {
	start := p.pos
	negated := p.take("!")
	if !p.take("(") {
		if negated {
			p.fail(p.pos, `expected "(" behind "!", found %s`, p.found())
		}
		return p.predicate()
	}
	inner := p.expression()
	if !p.take(")") {
		p.fail(p.pos, `expected "&&", "||" or ")", found %s`, p.found())
	}
	if negated {
		return &not{span{start, p.last}, inner}
	}
	return inner
}

func (p *parser) predicate() node {
	start := p.pos
	out := &predicate{}
	p.leftSide(out)
	out.op = p.operator()
	at := p.pos
	out.value = p.constant()
	if out.op == Regex {
		out.value = p.pattern(at, out.value)
	}
	out.span = span{start, p.last}
	return out
}

// leftSide is a field, or lower() or any() of a left side. How often one of them
// is there makes no difference.
func (p *parser) leftSide(out *predicate) {
	defer p.deeper()()
	at := p.pos
	name := p.ident()
	if !p.take("(") {
		out.field = name
		return
	}
	p.leftSide(out)
	if !p.take(")") {
		p.fail(p.pos, `expected ")", found %s`, p.found())
	}
	switch name {
	case "lower":
		out.lower = true
	case "any":
		out.any = true
	default:
		p.fail(at, "%q is not a function: there are lower and any", name)
	}
}

func (p *parser) ident() string {
	start := p.pos
	for p.pos < len(p.src) && isIdent(p.src[p.pos], p.pos == start) {
		p.pos++
	}
	if p.pos == start {
		p.fail(start, "expected a field, found %s", p.found())
	}
	name := p.src[start:p.pos]
	p.space()
	return name
}

// isIdent reports whether a field's name may go on with c. A header's dashes are
// written as underscores.
func isIdent(c byte, first bool) bool {
	letter := 'a' <= c|0x20 && c|0x20 <= 'z'
	return letter || !first && ('0' <= c && c <= '9' || c == '_' || c == '.')
}

// operators in an order in which none hides a longer one behind it.
var operators = []Operator{
	Equals, NotEquals, Regex, Prefix, Postfix, GreaterOrEqual, Greater, LessOrEqual, Less, In, Contains,
}

func (p *parser) operator() Operator {
	at := p.pos
	for _, op := range operators {
		if p.take(string(op)) {
			return op
		}
	}
	if p.take("not") {
		if !p.take("in") {
			p.fail(p.pos, `expected "in" behind "not", found %s`, p.found())
		}
		// The grammar allows any white space between the two, and the parser
		// behind it panics at all but one blank (parse_binary_operator).
		if p.src[at:p.last] != string(NotIn) {
			p.fail(at, `"not in" has to have exactly one blank: Kong's worker ends at anything else`)
		}
		return NotIn
	}
	p.fail(at, "expected an operator, found %s", p.found())
	return ""
}
