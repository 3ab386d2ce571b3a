package plugin

import (
	"encoding/json"
	"slices"
	"sync/atomic"
	"time"

	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/plugin/server"
)

// scopeFor is how long route and service are remembered. What a line of the log says
// of them is at most that old; an explained answer has them read again.
const scopeFor = time.Second

// scope is what an instance of a plugin is for. One on a route meets the same route and
// service with every request, one on a service the same service, and a global one
// meets all of them.
type scope struct {
	onRoute, onService bool
	now                func() time.Time // nil is time.Now

	first *server.Batch // what is asked when nothing is known
	then  func(known) asks
	known atomic.Pointer[remembered]
}

// known is what is known of where a request is going before Kong is asked. A route
// may have no service.
type known struct {
	route                *config.Route
	service              *config.Service
	hasRoute, hasService bool
}

type remembered struct {
	known
	until time.Time
	batch *server.Batch // what is asked meanwhile
}

// scopeIn is the scope in a configuration: Kong puts it there (get_plugin_config in
// kong/runloop/plugins_iterator.lua).
func scopeIn(config []byte) *scope {
	var ids struct {
		Route   string `json:"route_id"`
		Service string `json:"service_id"`
	}
	if json.Unmarshal(config, &ids) != nil {
		return newScope("", "")
	}
	return newScope(ids.Route, ids.Service)
}

func newScope(routeID, serviceID string) *scope {
	return &scope{onRoute: routeID != "", onService: routeID == "" && serviceID != ""}
}

// ask has a phase ask what then says, of what is known at the time.
func (s *scope) ask(then func(known) asks) {
	s.then, s.first = then, then(known{}).batch()
}

// batch is what is asked ahead now.
func (s *scope) batch() *server.Batch {
	if r := s.fresh(); r != nil {
		return r.batch
	}
	return s.first
}

func (s *scope) fresh() *remembered {
	r := s.known.Load()
	if r == nil || !s.clock().Before(r.until) {
		return nil
	}
	return r
}

func (s *scope) clock() time.Time {
	if s.now != nil {
		return s.now()
	}
	return time.Now()
}

// asks are those that tell what is remembered, none where it is.
func (s *scope) asks(k known) asks {
	switch {
	case s.onRoute && !k.hasRoute:
		return askRoute | askService
	case s.onService && !k.hasService:
		return askService
	}
	return 0
}

// find is what is known of where a request is going, which Kong is asked once in a
// while. When Kong does not say, nothing is known.
func (s *scope) find(gw gateway) known {
	if r := s.fresh(); r != nil {
		return r.known
	}
	if !s.onRoute && !s.onService {
		return known{}
	}
	k, ok := s.read(gw)
	if !ok {
		return known{}
	}
	s.known.Store(&remembered{k, s.clock().Add(scopeFor), s.then(k).batch()})
	return k
}

// read asks for what is remembered. ok is false for what cannot be right, which is not.
func (s *scope) read(gw gateway) (k known, ok bool) {
	r := reader{gw: gw}
	k = known{service: r.service(), hasService: true}
	if !s.onRoute {
		return k, r.err == nil && k.service != nil
	}
	route := r.entity()
	k.route, k.hasRoute = routeOf(route, k.service), true
	missing := k.service == nil && route.Service.Id != ""
	return k, r.err == nil && k.route != nil && !missing
}

// breakingAsks are what tells whether buffering breaks a request. Not asked is what
// the scope rules out.
func breakingAsks(k known) asks {
	var a asks
	if mayStream(k.route) {
		a |= askAccept
	}
	if mayBeGRPC(k) {
		a |= askContentType
	}
	if mayBeUnnumbered(k.route) {
		a |= askMethod
	}
	return a
}

// mayStream reports whether a client may ask a route for an event stream: a browser
// does with GET (EventSource in the HTML standard, section 9.2), others with a method
// that has a body.
func mayStream(r *config.Route) bool {
	return anyMethod(r, func(m string) bool {
		return m != "HEAD" && m != "OPTIONS" && m != "DELETE" && m != "TRACE"
	})
}

// mayBeUnnumbered reports whether a route takes methods that Kong's buffered hop does
// not know. No plugin can make one: kong.service.request.set_method refuses them.
func mayBeUnnumbered(r *config.Route) bool {
	return anyMethod(r, func(m string) bool { return forecast.BufferedMethod(m) != m })
}

// mayBeGRPC reports whether gRPC may reach the upstream: only a service of that
// protocol is sent it.
func mayBeGRPC(k known) bool {
	return !k.hasService || k.service != nil && config.SpeaksGRPC(k.service.Protocol)
}

// anyMethod reports whether a route takes a method like that. One that is not known
// takes all, as one does that names none.
func anyMethod(r *config.Route, like func(string) bool) bool {
	return r == nil || len(r.Methods) == 0 || slices.ContainsFunc(r.Methods, like)
}
