package router

import (
	"slices"

	"diag405/kong/atc"
	"diag405/kong/config"
)

// A Survey asks a router for a great many requests. It gives the same answers as
// [Router.Match] and [Router.ByAge], and remembers what the last path led to. It is
// for one goroutine.
type Survey struct {
	router *Router
	path   string
	under  map[*index][]*byHost // what that path leads to
	hosts  map[string][]string  // what hosts are looked up by
}

// maxHosts bounds how many hosts a survey remembers.
const maxHosts = 64

// Survey starts one.
func (r *Router) Survey() *Survey {
	return &Survey{router: r, under: map[*index][]*byHost{}, hosts: map[string][]string{}}
}

// A Place is where requests come to that differ in nothing but their method. It
// remembers which routes take the rest of such a request.
type Place struct {
	router      *Router
	query       *query
	refusal     Refusal
	warm, fresh *queue
	traditional *tradPlace
}

// TellsTLS reports whether it makes a difference to any route that a request comes
// over TLS, to a port of its own: by snis, a host's port, or an expression. A route's
// protocols are looked at after it was chosen.
func (r *Router) TellsTLS() bool {
	if r.traditional != nil {
		return r.traditional.tellsTLS()
	}
	return slices.ContainsFunc(r.parts, func(c *compiled) bool {
		takesBoth := len(c.protocols) == 0 || slices.Contains(c.protocols, "http") && slices.Contains(c.protocols, "https")
		return c.expression != nil || !takesBoth || len(c.route.SNIs) > 0 || len(c.destinations) > 0 ||
			slices.ContainsFunc(c.hosts, func(h hostPattern) bool { return h.hasPort })
	})
}

// tellsTLS: a host with the scheme's port is another one.
func (t *traditional) tellsTLS() bool {
	return len(t.index.snis) > 0 || slices.ContainsFunc(t.parts, func(p *part) bool {
		return slices.ContainsFunc(p.route.Hosts, func(h string) bool { _, _, ok := tradSplitPort(h, ""); return ok })
	})
}

// At is the place of a request. Its method does not count.
func (s *Survey) At(req Request) *Place {
	p := &Place{router: s.router, query: newQuery(req)}
	if t := s.router.traditional; t != nil {
		p.traditional = t.at(p.query)
		return p
	}
	if p.refusal = s.router.unreadable(p.query); p.refusal != "" {
		return p
	}
	orders := s.router.ordered()
	p.warm = s.queue(orders.warm, p.query)
	p.fresh = p.warm
	if orders.aging {
		p.fresh = s.queue(orders.young, p.query)
	}
	return p
}

// queue are the parts that may take requests to a place.
func (s *Survey) queue(order *sieve, q *query) *queue {
	if q.path != s.path {
		s.path = q.path
		clear(s.under)
	}
	under, ok := s.under[order.index]
	if !ok {
		under = order.index.underPath(q.path, "")
		s.under[order.index] = under
	}
	var hosts, headers []string
	if order.index.hosts {
		hosts = s.hostKeys(q.host)
	}
	if order.index.headers && len(q.header) > 0 {
		headers = headerKeys(q.header, atc.Lower)
	}
	return &queue{order: order.order, query: q, left: merge{underHost(under, hosts, headers), -1}}
}

func (s *Survey) hostKeys(host string) []string {
	keys, ok := s.hosts[host]
	if !ok {
		if len(s.hosts) >= maxHosts {
			clear(s.hosts)
		}
		keys = hostKeys(host)
		s.hosts[host] = keys
	}
	return keys
}

// Route is the route that takes a request with this method, nil for none.
func (p *Place) Route(method string) *config.Route {
	if p.traditional != nil {
		return p.traditional.route(method)
	}
	if s := p.warm.first(method); s != nil {
		return s.part.route
	}
	return nil
}

// Match is [Router.Match] for a request with this method.
func (p *Place) Match(method string) (*Match, bool) {
	if p.traditional != nil {
		return p.traditional.match(method)
	}
	s := p.warm.first(method)
	return s.match(), s != nil
}

// ByAge is [Router.ByAge] for a request with this method.
func (p *Place) ByAge(method string) (warm, fresh *Match, differ bool) {
	if p.warm == p.fresh || p.refusal != "" {
		return nil, nil, false
	}
	a, b := p.warm.first(method), p.fresh.first(method)
	if a == b || a != nil && b != nil && a.part == b.part {
		return nil, nil, false
	}
	warm, fresh = a.match(), b.match()
	return warm, fresh, !same(warm, fresh)
}

// A queue is the parts that may take requests to a place, in their order, as far as
// somebody has asked.
type queue struct {
	order []*compiled
	query *query
	left  merge
	found []*stand
}

// A stand is a part that takes requests to a place, if their method is one of its.
type stand struct {
	part   *compiled
	query  *query // with the method, where there is an expression
	prefix string
	made   *Match
}

// first is the first that takes a request with this method; nil for none.
func (u *queue) first(method string) *stand {
	if u == nil {
		return nil
	}
	for i := 0; ; i++ {
		if i == len(u.found) && !u.more() {
			return nil
		}
		if s := u.found[i]; s.takes(method) {
			return s
		}
	}
}

// more looks for one more part, and is false when there is none. An expression may
// look at the method anywhere, so it is kept for later.
func (u *queue) more() bool {
	for {
		place, ok := u.left.next()
		if !ok {
			return false
		}
		part := u.order[place]
		if part.expression != nil {
			u.found = append(u.found, &stand{part: part, query: u.query})
			return true
		}
		if prefix, ok := part.matchRest(u.query); ok {
			u.found = append(u.found, &stand{part: part, query: u.query, prefix: prefix})
			return true
		}
	}
}

func (s *stand) takes(method string) bool {
	if s.part.expression == nil {
		return s.part.matchMethod(method)
	}
	asked := *s.query
	asked.method, asked.read = method, nil
	prefix, ok := s.part.match(&asked)
	if ok {
		s.query, s.prefix, s.made = &asked, prefix, nil
	}
	return ok
}

// match is what the upstream gets, nil without a part.
func (s *stand) match() *Match {
	if s == nil {
		return nil
	}
	if s.made == nil {
		s.made = newMatch(s.query, s.part, s.prefix)
	}
	return s.made
}

// A tradPlace is a [Place] of the traditional router: of each category those parts
// that take requests to it, if their method is one of theirs; nil until asked.
type tradPlace struct {
	router *traditional
	look   *look // without a method
	found  [][]taken
	known  []bool
}

func (t *traditional) at(q *query) *tradPlace {
	n := len(t.categories)
	return &tradPlace{router: t, look: t.lookBut(q), found: make([][]taken, n), known: make([]bool, n)}
}

func (p *tradPlace) route(method string) *config.Route {
	if m, ok := p.first(p.asked(method)); ok {
		return m.route
	}
	return nil
}

func (p *tradPlace) match(method string) (*Match, bool) {
	l := p.asked(method)
	m, ok := p.first(l)
	if !ok {
		return nil, false
	}
	return m.build(l), true
}

// asked is the request with a method.
func (p *tradPlace) asked(method string) *look {
	q := *p.look.query
	q.method = method
	l := *p.look
	l.query = &q
	p.router.lookAtMethod(&l)
	return &l
}

// first is [traditional.first].
func (p *tradPlace) first(l *look) (taken, bool) {
	if l.kinds == 0 {
		return taken{}, false
	}
	start := p.router.start(l.kinds)
	for i, c := range p.router.categories[start:] {
		if m, ok := c.choose(l, p.of(start+i)); ok {
			return m, true
		}
	}
	return taken{}, false
}

// of are the parts of one category.
func (p *tradPlace) of(i int) []taken {
	if !p.known[i] {
		p.known[i] = true
		for part := range p.router.categories[i].candidates(p.look) {
			if m, ok := part.matchRest(p.look); ok {
				p.found[i] = append(p.found[i], m)
			}
		}
	}
	return p.found[i]
}

// choose is [category.first] of parts that take all but the method.
func (c *category) choose(l *look, parts []taken) (taken, bool) {
	var first taken
	by := kinds(0)
	for _, m := range parts {
		if !m.matchMethod(l.method) {
			continue
		}
		if first.part == nil {
			first, by = m, c.reduce(l)
		}
		if m.isHit(by, l) {
			return m, true
		}
	}
	return first, first.part != nil
}
