package diagnose

import (
	"net/http"
	"slices"

	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/router"
)

// Foreseen is a request as a forecast sees it go, with nothing of an answer. Routes are
// the configuration's.
func Foreseen(f *forecast.Forecast, routes []*config.Route) Exchange {
	r := f.Request
	x := Exchange{Client: Request{Method: r.Method, Scheme: r.Scheme, Host: r.Host, Header: r.Header}}
	x.Client.Path, x.Client.Query = router.SplitTarget(r.Target)
	if m := f.Match; m != nil {
		x.Route, x.Service, x.Stripped, x.Routes = m.Route, m.Service, m.Stripped, routes
	}
	if p := f.Buffered; p != nil {
		x.Buffered, x.BufferedBy = true, p.Name
	}
	if u := f.Upstream; u != nil {
		x.Upstream = Request{Method: u.Method, Path: u.Path(), Query: u.Query(), Scheme: u.Scheme, Host: u.Host}
	}
	if a := f.Answer; a != nil {
		x.Source = a.Source
	}
	return x
}

// Within is the exchange with what a configuration knows of its route, which it has by
// id or name. ok is false where the route is known and is not in the configuration.
func Within(x Exchange, routes []*config.Route) (in Exchange, ok bool) {
	x.Routes = routes
	if x.Route == nil {
		return x, true
	}
	for _, r := range routes {
		if x.Route.ID != "" && r.ID == x.Route.ID || x.Route.Name != "" && r.Name == x.Route.Name {
			x.Route, x.Service = r, r.Service
			return x, true
		}
	}
	return x, false
}

// Hypothetical is the exchange with the 405 that most often comes: where a plugin
// changed the method, one of an application that takes the client's; else one of
// something that only reads, or for a request that reads, only takes POST.
func Hypothetical(x Exchange) Exchange {
	allow := http.MethodGet
	switch {
	case x.Client.Method != x.Upstream.Method:
		allow = x.Client.Method
	case isRead(x.Upstream.Method):
		allow = http.MethodPost
	}
	x.Response = Response{Status: http.StatusMethodNotAllowed, Header: http.Header{"Allow": {allow}}}
	return x
}

// shown are causes that an answer has to show: no way through Kong leads to them.
var shown = []Code{MethodNotAllowed, Unknown, WrongUpstream, RedirectMethodChange, HeadUnsupported, TargetDivergence}

// IsShown reports a cause that nothing but an answer can show. What an application lacks
// cannot be foreseen.
func (c Code) IsShown() bool { return slices.Contains(shown, c) }

// OfStatus is the diagnosis of an exchange of whose answer the status is known and
// nothing else, as in an access log, and whose way through Kong is foreseen and was not
// seen. So nothing is more than likely, and that only where no header of the answer could
// change it: Kong itself answers, or the application's document offers what the fix leads
// to. Where the way through Kong leads to what most often refuses, that is possible.
func OfStatus(x Exchange, seen Offers) Diagnosis {
	x.Response.Header = nil
	d := Explain(x, seen)
	if d.Certainty == Confirmed {
		d.Certainty = Likely
		return d
	}
	d.Certainty, d.Facts = Possible, nil
	would := Explain(Hypothetical(x), seen)
	if would.Certainty == Possible || would.Cause.IsShown() {
		return notTold(x, d)
	}
	reason := "the way through Kong makes a 405 likely"
	for _, c := range append([]Considered{{Cause: d.Cause, Reason: d.Reason}}, d.Considered...) {
		if c.Cause == would.Cause {
			reason = c.Reason
		}
	}
	return Diagnosis{Cause: would.Cause, Certainty: Possible, Evidence: would.Evidence, Reason: reason, Fixes: would.Fixes}
}

// notTold: nothing of the way through Kong is to blame, and what the upstream takes is
// not known.
func notTold(x Exchange, d Diagnosis) Diagnosis {
	if !isKnown(x) {
		return d
	}
	return Diagnosis{
		Cause: MethodNotAllowed, Certainty: Possible,
		Reason: "the upstream got " + x.Upstream.Line().String() + " and refused it; what it takes there is not known",
		Fixes: []Fix{{
			Words: "ask the upstream what it takes at " + x.Upstream.Path + ", and offer " + x.Upstream.Method + " there in the application if this is the path it expects",
			App:   "Offer " + x.Upstream.Method + " at " + x.Upstream.Path + ".",
		}},
	}
}
