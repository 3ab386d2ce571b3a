package atc

import "slices"

// Trace is a part of an expression held against a request.
type Trace struct {
	Source string // the part as it is written, without the parentheses around it
	Offset int    // where it stands in the expression, in bytes
	Holds  bool
	// Kind is "&&", "||", "!" or, for a predicate, "".
	Kind  string
	Parts []*Trace // two of "&&" and "||", one of "!"

	// Of a predicate:
	Field    string
	Operator Operator
	Value    Value   // what is asked for
	Got      []Value // what the request has
	Any      bool    // one of several values is enough
	Lower    bool    // compared in lower case
}

// Trace evaluates every part of the expression, those too that [Expression.Match]
// need not look at.
func (e *Expression) Trace(f Fields) *Trace { return e.trace(e.root, f) }

func (e *Expression) trace(n node, f Fields) *Trace {
	at := n.where()
	t := &Trace{Source: e.source[at.start:at.end], Offset: at.start, Holds: eval(n, f, &Result{})}
	switch n := n.(type) {
	case *logical:
		t.Kind = "&&"
		if n.or {
			t.Kind = "||"
		}
		t.Parts = []*Trace{e.trace(n.left, f), e.trace(n.right, f)}
	case *not:
		t.Kind = "!"
		t.Parts = []*Trace{e.trace(n.inner, f)}
	case *predicate:
		t.Field, t.Operator, t.Value, t.Any, t.Lower = n.field, n.op, n.value, n.any, n.lower
		t.Got = f.Values(n.field)
	}
	return t
}

// Blame are the predicates for which the part is what it is: of one that does not
// hold those that failed it, of one that holds those that carried it. Inside a
// "!( )" a predicate is to blame for holding.
func (t *Trace) Blame() []*Trace {
	if t.Kind == "" {
		return []*Trace{t}
	}
	var out []*Trace
	for _, part := range t.Parts {
		// A part that did not tip the scale has no share: of an "&&" that failed the
		// half that held.
		if t.Kind == "!" || part.Holds == t.Holds {
			out = append(out, part.Blame()...)
		}
	}
	return slices.Clip(out)
}
