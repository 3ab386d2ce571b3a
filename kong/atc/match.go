package atc

import (
	"cmp"
	"strconv"
	"strings"
)

// Fields gives the values that a request has for a field: none for a field that
// it has not got, several for a repeated header or argument.
type Fields interface {
	Values(field string) []Value
}

// Result is what an expression that matched leaves behind.
type Result struct {
	// Matched is, for each field that a predicate matched, the part of it that did:
	// of == the whole, of ^= and =^ the constant, of ~ the match. Of several
	// predicates the last one that held counts, be it inside a branch or a "!( )"
	// that came to nothing.
	Matched map[string]string
	// Captures are the groups of the expressions that matched, of all fields together,
	// by number ("0" is the whole match) and by name. A later one overwrites.
	Captures map[string]string
}

// Match evaluates the expression for a request.
func (e *Expression) Match(f Fields) (Result, bool) {
	r := Result{}
	ok := eval(e.root, f, &r)
	return r, ok
}

// eval is Execute of src/interpreter.rs: left before right, and right only when it
// still matters.
func eval(n node, f Fields, r *Result) bool {
	switch n := n.(type) {
	case *logical:
		if eval(n.left, f, r) == n.or {
			return n.or
		}
		return eval(n.right, f, r)
	case *not:
		return !eval(n.inner, f, r)
	}
	return n.(*predicate).eval(f.Values(n.(*predicate).field), r)
}

// eval wants all values to match, or with any() one of them; none is false.
func (p *predicate) eval(values []Value, r *Result) bool {
	for _, v := range values {
		if p.lower {
			v.Text = Lower(v.Text)
		}
		if ok := p.holds(v, r); ok == p.any {
			return ok
		}
	}
	return !p.any && len(values) > 0
}

// holds compares one value and notes what it matched.
func (p *predicate) holds(v Value, r *Result) bool {
	switch p.op {
	case Equals:
		return p.equals(v) && r.note(p.field, p.value)
	case NotEquals:
		return !p.equals(v)
	case Prefix:
		return strings.HasPrefix(v.Text, p.value.Text) && r.note(p.field, p.value)
	case Postfix:
		return strings.HasSuffix(v.Text, p.value.Text) && r.note(p.field, p.value)
	case Contains:
		return strings.Contains(v.Text, p.value.Text)
	case Regex:
		return p.matches(v.Text, r)
	case In:
		return p.value.Block.Contains(v.Addr)
	case NotIn:
		return !p.value.Block.Contains(v.Addr)
	}
	return p.ordered(cmp.Compare(v.Number, p.value.Number))
}

func (p *predicate) equals(v Value) bool {
	return v.Text == p.value.Text && v.Number == p.value.Number && v.Addr == p.value.Addr
}

// ordered takes the sign of the comparison of field and constant.
func (p *predicate) ordered(sign int) bool {
	switch p.op {
	case Greater:
		return sign > 0
	case GreaterOrEqual:
		return sign >= 0
	case Less:
		return sign < 0
	}
	return sign <= 0
}

func (p *predicate) matches(text string, r *Result) bool {
	re := p.value.regex
	at := re.FindStringSubmatchIndex(text)
	if at == nil {
		return false
	}
	r.note(p.field, Text(text[at[0]:at[1]]))
	for i, name := range re.SubexpNames() {
		if at[2*i] < 0 {
			continue // took no part
		}
		group := text[at[2*i]:at[2*i+1]]
		r.capture(strconv.Itoa(i), group)
		if name != "" {
			r.capture(name, group)
		}
	}
	return true
}

func (r *Result) note(field string, v Value) bool {
	if r.Matched == nil {
		r.Matched = map[string]string{}
	}
	r.Matched[field] = v.Text
	return true
}

func (r *Result) capture(name, group string) {
	if r.Captures == nil {
		r.Captures = map[string]string{}
	}
	r.Captures[name] = group
}
