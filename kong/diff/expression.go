package diff

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"diag405/kong/atc"
	"diag405/kong/config"
	"diag405/kong/sample"
)

// Routes with an expression: the values that its predicates speak of are crossed, and
// whether the whole takes them is left to the router.

// maxSaid bounds how many values of a field an expression is asked with.
const maxSaid = 6

// sayings are predicates' values by field, and their predicates on the path.
type sayings struct {
	values map[string][]string
	paths  []lang
	blind  bool // there are fields of which no values are made
}

func sayingsOf(r *config.Route) sayings {
	s := sayings{values: map[string][]string{}}
	e, err := config.CompileExpression(r)
	if err != nil {
		return sayings{blind: true}
	}
	for _, p := range sample.Predicates(e.Trace(noFields{})) {
		s.note(p)
	}
	return s
}

// noFields is a request without anything.
type noFields struct{}

// Values implements [atc.Fields].
func (noFields) Values(string) []atc.Value { return nil }

func (s *sayings) note(p *atc.Trace) {
	value := p.Value.String()
	switch {
	case p.Field == "http.path":
		s.notePath(p.Operator, value)
	case p.Field == "http.method", p.Field == "http.host", p.Field == "tls.sni", p.Field == "net.protocol",
		strings.HasPrefix(p.Field, "http.headers."), strings.HasPrefix(p.Field, "http.queries."):
		if list := s.values[p.Field]; len(list) < maxSaid {
			s.values[p.Field] = union(list, taking(p.Operator, value))
		}
	default:
		s.blind = true
	}
}

// taking is a value that a predicate holds for, or just does not.
func taking(op atc.Operator, value string) []string {
	switch op {
	case atc.Prefix:
		return []string{value, value + sample.Unnamed}
	case atc.Postfix, atc.Contains:
		return []string{value, sample.Unnamed + value}
	case atc.Regex:
		if re, err := atc.CompileRegex(value); err == nil {
			if l, ok := regexLang(re.String()); ok {
				return []string{shortest(l)}
			}
		}
		return nil
	}
	return []string{value}
}

// notePath adds a predicate to what paths are put into classes by.
func (s *sayings) notePath(op atc.Operator, value string) {
	quoted := regexp.QuoteMeta(value)
	source := map[atc.Operator]string{
		atc.Equals: "^" + quoted + "$", atc.NotEquals: "^" + quoted + "$", atc.Postfix: quoted + "$", atc.Contains: quoted,
	}[op]
	switch op {
	case atc.Prefix:
		s.paths = append(s.paths, lang{text: value})
		return
	case atc.Regex:
		if re, err := atc.CompileRegex(value); err == nil {
			source = re.String()
		}
	}
	l, ok := regexLang(source)
	if !ok {
		s.blind = true
		return
	}
	s.paths = append(s.paths, l)
}

// demand is what requests have to have for the predicates, one or the other.
func (s sayings) demand() *demand {
	d := &demand{
		said:    true,
		methods: s.values["http.method"], hosts: s.values["http.host"], snis: s.values["tls.sni"],
		headers: []http.Header{{}}, queries: []string{""}, schemes: []string{"http", "https"},
	}
	all := http.Header{}
	for _, field := range sorted(fieldsOf(s.values)) {
		values := s.values[field]
		if name, ok := strings.CutPrefix(field, "http.headers."); ok {
			name = strings.ReplaceAll(name, "_", "-")
			all.Set(name, values[0])
			for _, v := range values {
				d.headers = append(d.headers, http.Header{http.CanonicalHeaderKey(name): {v}})
			}
		}
		if name, ok := strings.CutPrefix(field, "http.queries."); ok {
			for _, v := range values {
				d.queries = append(d.queries, "?"+name+"="+v)
			}
		}
	}
	if len(all) > 1 {
		d.headers = append(d.headers, all)
	}
	d.headers = d.headers[:min(len(d.headers), maxSaid)]
	d.queries = slices.Compact(d.queries[:min(len(d.queries), maxSaid)])
	return d
}

func fieldsOf(values map[string][]string) []string {
	var list []string
	for field := range values {
		list = append(list, field)
	}
	return list
}

// spread adds to aims those that differ from one in a value of which expressions
// around it speak: they can also ask that a request has it not.
func spread(aims []aim, around []*demand) []aim {
	out := slices.Clone(aims)
	for _, d := range around {
		for _, a := range aims {
			for _, method := range d.methods {
				b := a
				b.method = method
				out = append(out, b)
			}
			for _, host := range sample.Concrete(d.hosts) {
				b := a
				b.host = host
				out = append(out, b)
			}
			for _, header := range joinHeaders([]http.Header{a.header}, d.headers) {
				b := a
				b.header = header
				out = append(out, b)
			}
			for _, query := range d.queries {
				b := a
				b.query = query
				out = append(out, b)
			}
		}
	}
	return out
}
