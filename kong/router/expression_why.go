package router

import (
	"fmt"
	"strings"

	"diag405/kong/atc"
	"diag405/kong/config"
)

// Trace holds a route's expression against a request, predicate by predicate; nil
// for a route that has none or is not in the router.
func (r *Router) Trace(req Request, route *config.Route) *atc.Trace {
	if r.traditional != nil {
		return nil
	}
	parts := r.groups()[route]
	if len(parts) == 0 || parts[0].expression == nil {
		return nil
	}
	return parts[0].expression.Trace(newQuery(req))
}

// whyExpression names the predicates that decided.
func whyExpression(c *compiled, q *query) finding {
	if c.expression == nil {
		return finding{}
	}
	trace := c.expression.Trace(q)
	return judge("expression", trace.Holds, func() string {
		var words []string
		for _, p := range trace.Blame() {
			words = append(words, predicateWords(p))
		}
		return strings.Join(words, ", and ")
	})
}

// predicateWords is a clause such as `http.method == "POST" does not hold: it is GET`.
func predicateWords(p *atc.Trace) string {
	var got []string
	for _, v := range p.Got {
		got = append(got, v.String())
	}
	verb := "holds"
	if !p.Holds {
		verb = "does not hold"
	}
	return fmt.Sprintf("%s %s: it is %s", p.Source, verb, orNone(strings.Join(got, ", ")))
}

// whyProtocol speaks only of a protocol that the request has not got: that it has
// one of the route's goes without saying.
func whyProtocol(c *compiled, q *query) finding {
	if c.matchProtocol(q) {
		return finding{}
	}
	return judge("protocol", false, func() string {
		return fmt.Sprintf("its protocols are %s, and the request came over %s", list(c.route.Protocols), q.protocol())
	})
}

func whyPeers(c *compiled, q *query) finding {
	if len(c.sources)+len(c.destinations) == 0 {
		return finding{}
	}
	words := fmt.Sprintf("the request came from %s to %s, port %d", orNone(q.clientIP), orNone(q.serverIP), q.port)
	if c.matchPeers(q) {
		return judge("peer", true, just(words))
	}
	return judge("peer", false, just("its sources or destinations do not have it: "+words))
}

// What decides between routes of which the first has an expression.
const (
	ByExpressionField By = "expression field" // the other one has none
	ByPriority        By = "priority"         // the field priority is higher
)

func orderOfExpression(first, second *compiled) Order {
	a, b := first.route.Priority, second.route.Priority
	switch {
	case second.expression == nil:
		return Order{ByExpressionField, "it has an expression"}
	case a != b:
		return Order{ByPriority, fmt.Sprintf("its priority is %d against %d", a, b)}
	}
	return Order{ByID, fmt.Sprintf("their priority is %d alike, and its id is the higher", a)}
}
