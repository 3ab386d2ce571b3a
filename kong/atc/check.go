package atc

import (
	"fmt"
	"strings"
)

// Schema is which fields there are, by name. A name that ends in ".*" stands for
// all that have one more segment than what is in front of it: "http.headers.*"
// covers http.headers.x_tier and not http.headers.x.tier.
type Schema map[string]Type

// HTTP and Stream are the fields of Kong's two subsystems (kong/router/fields.lua).
var (
	HTTP = Schema{
		"net.protocol": String, "tls.sni": String, "http.method": String, "http.host": String, "http.path": String,
		"http.path.segments.*": String, "http.headers.*": String, "http.queries.*": String,
		"net.src.port": Int, "net.dst.port": Int, "http.path.segments.len": Int,
		"net.src.ip": IPAddr, "net.dst.ip": IPAddr,
	}
	Stream = Schema{
		"net.protocol": String, "tls.sni": String,
		"net.src.port": Int, "net.dst.port": Int,
		"net.src.ip": IPAddr, "net.dst.ip": IPAddr,
	}
)

// typeOf is a field's type (src/schema.rs).
func (s Schema) typeOf(field string) (Type, bool) {
	if t, ok := s[field]; ok {
		return t, true
	}
	i := strings.LastIndexByte(field, '.')
	if i < 0 {
		return "", false
	}
	t, ok := s[field[:i]+".*"]
	return t, ok
}

// Check says what is wrong with an expression's fields and types, as far as the
// first of them. The error is a [*SyntaxError].
func (e *Expression) Check(s Schema) error {
	for _, p := range e.predicates() {
		if problem := p.problem(s); problem != "" {
			return e.errorAt(p.start, problem)
		}
	}
	return nil
}

func (e *Expression) errorAt(offset int, problem string) error {
	return (&parser{src: e.source}).problem(offset, problem)
}

// Fields are the fields that the expression looks at, each once, in its order.
func (e *Expression) Fields() []string {
	var out []string
	seen := map[string]bool{}
	for _, p := range e.predicates() {
		if !seen[p.field] {
			seen[p.field] = true
			out = append(out, p.field)
		}
	}
	return out
}

// Texts are those of the expression's fields that hold text, in a schema of Kong's.
func (e *Expression) Texts() []string {
	var out []string
	for _, field := range e.Fields() {
		if t, _ := HTTP.typeOf(field); t == String {
			out = append(out, field)
		}
	}
	return out
}

func (e *Expression) predicates() []*predicate {
	var out []*predicate
	walk(e.root, func(p *predicate) { out = append(out, p) })
	return out
}

func walk(n node, visit func(*predicate)) {
	switch n := n.(type) {
	case *logical:
		walk(n.left, visit)
		walk(n.right, visit)
	case *not:
		walk(n.inner, visit)
	case *predicate:
		visit(n)
	}
}

// problem is what a predicate's types say against each other, "" for nothing
// (Validate in src/semantics.rs, in its order).
func (p *predicate) problem(s Schema) string {
	field, ok := s.typeOf(p.field)
	free := p.op == Regex || p.op == In || p.op == NotIn // of the rule that both sides have one type
	switch {
	case !ok:
		return fmt.Sprintf("there is no field %s", p.field)
	case !free && field != p.value.Type:
		return fmt.Sprintf("%s is of type %s and cannot be compared with %s", p.field, field, p.value.Type)
	case p.lower && field != String:
		return fmt.Sprintf("lower() is for text, and %s is of type %s", p.field, field)
	}
	return p.misused(field)
}

// misused is what an operator says against its operands.
func (p *predicate) misused(field Type) string {
	want := map[Operator]Type{
		Regex: String, Prefix: String, Postfix: String, Contains: String,
		Greater: Int, GreaterOrEqual: Int, Less: Int, LessOrEqual: Int, In: IPAddr, NotIn: IPAddr,
	}[p.op]
	switch {
	case want == "":
		return ""
	case field != want:
		return fmt.Sprintf("%s is for fields of type %s, and %s is of type %s", p.op, want, p.field, field)
	case want == IPAddr && p.value.Type != IPCIDR:
		return fmt.Sprintf("%s wants a CIDR block behind it", p.op)
	}
	return ""
}
