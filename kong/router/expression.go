package router

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strconv"

	"diag405/kong/atc"
	"diag405/kong/config"
)

// compileExpression makes the part of a route with an expression. The router of
// another flavour takes such a route all the same, if it can get one at all: from
// a database that an expressions Kong has filled (get_exp_and_priority in
// kong/router/compat.lua). It then looks at no protocols, and knows no net.port.
func compileExpression(route *config.Route, flavor config.Flavor) ([]*compiled, error) {
	id, err := config.ParseUUID(route.ID)
	if err != nil {
		return nil, fmt.Errorf("id: %w", err)
	}
	p := expressionPriority(route)
	part := &compiled{route: route, id: id, priority: p, fresh: p}
	if flavor == config.Expressions {
		part.expression, err = config.CompileExpression(route)
		part.protocols = protocolClause(route)
	} else {
		part.expression, err = parseChecked(route.Expression)
	}
	if err != nil {
		return nil, fmt.Errorf("expression: %w", err)
	}
	return []*compiled{part}, nil
}

func parseChecked(source string) (*atc.Expression, error) {
	e, err := atc.Parse(source)
	if err != nil {
		return nil, err
	}
	return e, e.Check(atc.HTTP)
}

// protocolClause is what the expressions flavour adds to every route: one of these
// schemes. A route for https alone takes a plain request as well, so that Kong can
// answer it with 426 or a redirect (get_expression in kong/router/expressions.lua).
func protocolClause(route *config.Route) []string {
	if slices.Equal(route.Protocols, []string{"https"}) {
		return nil
	}
	plain := map[string]string{"grpc": "http", "grpcs": "https"}
	var out []string
	for _, p := range route.Protocols {
		if s, ok := plain[p]; ok {
			p = s
		}
		out = append(out, p)
	}
	return out
}

func (c *compiled) matchProtocol(q *query) bool {
	return len(c.protocols) == 0 || slices.Contains(c.protocols, q.protocol())
}

func (c *compiled) matchExpression(q *query) (prefix string, ok bool) {
	if !c.matchProtocol(q) {
		return "", false
	}
	result, ok := c.expression.Match(q)
	return result.Matched["http.path"], ok
}

// expressionCaptures are the groups of every field's expressions together. Kong
// passes them on when there is more than the whole match (has_capture in
// kong/router/atc.lua).
func (c *compiled) expressionCaptures(q *query) Captures {
	result, _ := c.expression.Match(q)
	if len(result.Captures) < 2 {
		return Captures{}
	}
	out := Captures{Named: map[string]string{}}
	for name, group := range result.Captures {
		n, err := strconv.Atoi(name)
		if err != nil {
			out.Named[name] = group
			continue
		}
		for len(out.Numbered) <= n {
			out.Numbered = append(out.Numbered, "")
		}
		out.Numbered[n] = group
	}
	return out
}

// A peerPattern is an entry of a route's sources or destinations.
type peerPattern struct {
	block netip.Prefix // not valid for any
	port  int          // 0 for any
}

func newPeerPatterns(peers []config.Peer) []peerPattern {
	var out []peerPattern
	for _, p := range peers {
		out = append(out, peerPattern{blockOf(p.IP), p.Port})
	}
	return out
}

// blockOf is an address or a block, "" being neither. Bits behind the mask of an
// IPv4 block do not count (parse_ip_addr in kong/router/transform.lua).
func blockOf(ip string) netip.Prefix {
	if a, err := netip.ParseAddr(ip); err == nil {
		return netip.PrefixFrom(a, a.BitLen())
	}
	block, _ := netip.ParsePrefix(ip)
	return block.Masked()
}

func (p peerPattern) match(ip string, port int) bool {
	if p.port != 0 && p.port != port {
		return false
	}
	if !p.block.IsValid() {
		return true
	}
	a, err := netip.ParseAddr(ip)
	return err == nil && p.block.Contains(a)
}

// addPeers adds what the routes of the expressions flavour have beside those of
// the compatible one.
func (c *compiled) addPeers() {
	c.protocols = protocolClause(c.route)
	c.sources, c.destinations = newPeerPatterns(c.route.Sources), newPeerPatterns(c.route.Destinations)
}

func (c *compiled) matchPeers(q *query) bool {
	return matchPeers(c.sources, q.clientIP, q.clientPort) && matchPeers(c.destinations, q.serverIP, q.port)
}

func matchPeers(patterns []peerPattern, ip string, port int) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p peerPattern) bool { return p.match(ip, port) })
}

// fields are those of type String that a part looks at. Kong reads them for every
// request, before any route is tried.
func (c *compiled) fields() iter.Seq[string] {
	if c.expression != nil {
		return slices.Values(c.expression.Texts())
	}
	return func(yield func(string) bool) {
		ok := (len(c.plain)+len(c.regexes) == 0 || yield("http.path")) &&
			(len(c.hosts) == 0 || yield("http.host")) && (len(c.route.SNIs) == 0 || yield("tls.sni"))
		for i := 0; ok && i < len(c.headers); i++ {
			ok = yield(headerField + c.headers[i].name)
		}
	}
}
