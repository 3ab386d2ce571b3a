package diff

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/sample"
)

// Where two routes meet: the least of a request that both take. What a request has
// beyond that can only bring in more routes.

// demand is what a route asks of a request beside its path.
type demand struct {
	methods, hosts, snis []string // none: any
	headers              []http.Header
	queries              []string // with their "?"
	schemes              []string
	// said tells that these are values which an expression speaks of, and not what it
	// asks for.
	said bool
}

// aim is a request without its path.
type aim struct {
	method, host, scheme, sni, query string
	header                           http.Header
}

// meet are the aims at which two demands are met. One of nil asks for nothing.
func meet(a, b *demand) []aim {
	if b == nil {
		b = &demand{headers: []http.Header{{}}, queries: []string{""}, said: a.said}
	}
	either := a.said || b.said
	hosts := both(a.hosts, b.hosts, either, meetHosts, sample.Unnamed+".example")
	methods := both(a.methods, b.methods, either, meetEqual, http.MethodGet, otherMethod)
	var list []aim
	for _, scheme := range union(a.schemes, b.schemes) {
		snis := []string{""}
		if scheme == "https" {
			snis = both(a.snis, b.snis, either, meetHosts, "")
		}
		for _, host := range hosts {
			for _, header := range joinHeaders(a.headers, b.headers) {
				for _, query := range union(a.queries, b.queries) {
					for _, sni := range snis {
						for _, method := range methods {
							list = append(list, aim{method, host, scheme, sni, query, header})
						}
					}
				}
			}
		}
	}
	return list
}

// otherMethod is one that no route lists.
const otherMethod = "ZZ"

// both are the values that two lists agree on, an empty one taking any; when neither
// has one, free. Of what expressions speak of there is no telling: it is all.
func both(a, b []string, either bool, agree func(a, b string) []string, free ...string) []string {
	switch {
	case either:
		return union(sample.Concrete(a), sample.Concrete(b), free)
	case len(a) == 0 && len(b) == 0:
		return free
	case len(a) == 0:
		return sample.Concrete(b)
	case len(b) == 0:
		return sample.Concrete(a)
	}
	var list []string
	for _, x := range a {
		for _, y := range b {
			list = union(list, agree(x, y))
		}
	}
	return list
}

func union(lists ...[]string) []string {
	var out []string
	for _, list := range lists {
		for _, s := range list {
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

func meetEqual(a, b string) []string {
	if a == b {
		return []string{a}
	}
	return nil
}

// meetHosts are hosts that two names of hosts take, wildcards and ports included.
func meetHosts(a, b string) []string {
	nameA, portA := cutPort(a)
	nameB, portB := cutPort(b)
	if portA != "" && portB != "" && portA != portB {
		return nil
	}
	var list []string
	for _, name := range meetNames(nameA, nameB) {
		list = append(list, name+max(portA, portB))
	}
	return list
}

// cutPort splits a host before the colon of its port, if it has one.
func cutPort(host string) (name, port string) {
	at := strings.LastIndexByte(host, ':')
	if at < 0 || strings.Contains(host[at:], "]") || strings.Count(host, ":") > 1 && !strings.HasPrefix(host, "[") {
		return host, ""
	}
	return host[:at], host[at:]
}

func meetNames(a, b string) []string {
	wildA, wildB := strings.Contains(a, "*"), strings.Contains(b, "*")
	switch {
	case !wildA && !wildB:
		return meetEqual(a, b)
	case !wildA:
		return taken(b, a)
	case !wildB:
		return taken(a, b)
	}
	var list []string
	for _, name := range append(sample.Concrete([]string{a, b}), crossed(a, b)...) {
		if len(taken(a, name)) > 0 && len(taken(b, name)) > 0 {
			list = union(list, []string{name})
		}
	}
	return list
}

// crossed is what a wildcard in front and one at the end have in common.
func crossed(a, b string) []string {
	if strings.HasPrefix(b, "*.") {
		a, b = b, a
	}
	if strings.HasPrefix(b, "*.") || strings.HasPrefix(a, "*.") != strings.HasSuffix(b, ".*") {
		return nil
	}
	return []string{strings.TrimSuffix(b, ".*") + strings.TrimPrefix(a, "*")}
}

// taken is a host if a wildcard takes it.
func taken(wildcard, host string) []string {
	front, end, _ := strings.Cut(wildcard, "*")
	if len(host) > len(front)+len(end) && strings.HasPrefix(host, front) && strings.HasSuffix(host, end) {
		return []string{host}
	}
	return nil
}

// joinHeaders are headers that have what two routes ask for. Of a header of which they
// ask for different values it has both.
func joinHeaders(a, b []http.Header) []http.Header {
	var list []http.Header
	for _, x := range a {
		for _, y := range b {
			joined := x.Clone()
			for name, values := range y {
				joined[name] = union(joined[name], values)
			}
			if !slices.ContainsFunc(list, func(h http.Header) bool { return maps.EqualFunc(h, joined, slices.Equal[[]string]) }) {
				list = append(list, joined)
			}
		}
	}
	return list
}

// demandOf is what a route asks for. Schemes are those of which Kong tells the
// difference on such a route.
func demandOf(r *config.Route) *demand {
	d := &demand{methods: r.Methods, hosts: r.Hosts, snis: r.SNIs, headers: sample.Headers(r, headerValue), queries: []string{""}, schemes: []string{"http"}}
	plain := slices.Contains(r.Protocols, "http") && slices.Contains(r.Protocols, "https")
	withPort := slices.ContainsFunc(r.Hosts, func(h string) bool { _, port := cutPort(h); return port != "" })
	if !plain || withPort || len(r.SNIs) > 0 {
		d.schemes = []string{"http", "https"}
	}
	if slices.ContainsFunc(r.Protocols, func(p string) bool { return strings.HasPrefix(p, "grpc") }) {
		d.headers = append(d.headers, withType(d.headers[0]))
	}
	return d
}

func withType(h http.Header) http.Header {
	h = h.Clone()
	h.Set("Content-Type", "application/grpc")
	return h
}

// headerValue is something that a route's value of a header takes.
func headerValue(value string) string {
	pattern, ok := strings.CutPrefix(value, "~*")
	if !ok {
		return value
	}
	l, ok := regexLang(pattern)
	if !ok {
		return ""
	}
	return shortest(l)
}

// shortest is the shortest text that an expression matches, "" where there is none
// within bounds.
func shortest(l lang) string {
	x := &explorer{langs: []lang{l}, cells: cellsOf([]lang{l})}
	first := x.start()
	queue, seen := []*state{first}, map[string]bool{first.key(): true}
	for n := 0; n < len(queue) && n < maxStates; n++ {
		s := queue[n]
		if len(s.taken) > 0 || slices.ContainsFunc(s.live, func(l live) bool { return l.ends }) {
			return s.word
		}
		for _, cell := range x.cells {
			to := x.step(s, cell[0])
			if key := to.key(); !seen[key] {
				seen[key] = true
				queue = append(queue, to)
			}
		}
	}
	return ""
}
