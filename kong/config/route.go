package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"diag405/kong/atc"
)

// maxTime bounds a time in seconds.
const maxTime = 1 << 40

func checkMethod(method string) error {
	if !isMadeOf(method, func(c rune) bool { return 'A' <= c && c <= 'Z' }) {
		return fmt.Errorf("%q should be upper case letters only", method)
	}
	return nil
}

// readRoute reads a route (kong/db/schema/entities/routes.lua) with the plugins
// in it. The service is the one that the route is nested in.
func (d *document) readRoute(o *object, parent *Service) {
	r := &Route{}
	o.addDefaults("route")
	id, name := d.identify("routes", o, r)
	protocols := o.set("protocols", d.checkProtocol())
	if !o.has("protocols") {
		protocols = []string{"http", "https"}
	}
	if isGRPC(protocols) {
		o.dropDefault("strip_path") // as decK does
	}
	*r = Route{
		ID:                      id,
		Name:                    name,
		Service:                 parent,
		Protocols:               protocols,
		Methods:                 o.set("methods", checkMethod),
		Hosts:                   o.strings("hosts", checkRouteHost),
		Paths:                   d.readPaths(o),
		Headers:                 d.readHeaders(o),
		SNIs:                    o.set("snis", d.checkSNI()),
		Sources:                 readPeers(o, "sources"),
		Destinations:            readPeers(o, "destinations"),
		StripPath:               o.boolean("strip_path", !isGRPC(protocols)),
		PreserveHost:            o.boolean("preserve_host", false),
		PathHandling:            o.oneOf("path_handling", "v0", "v1"),
		RegexPriority:           o.integer("regex_priority", 0, -1<<31, 1<<31-1),
		HTTPSRedirectStatusCode: o.integer("https_redirect_status_code", 426, 301, 426),
		RequestBuffering:        o.boolean("request_buffering", true),
		ResponseBuffering:       o.boolean("response_buffering", true),
		CreatedAt:               o.integer("created_at", 0, 0, maxTime),
		Tags:                    o.tags(),
		Workspace:               o.workspace(),
	}
	if d.config.Flavor == Expressions {
		r.Expression = o.str("expression", "")
		r.Priority = o.integer("priority", 0, 0, maxPriority)
	}
	d.add(r, o)
	if isWebSocket(r.Protocols) {
		d.note(o.src.at(o.node), "%s: is for WebSockets alone (%s), which Kong Enterprise has routes for: it is left out", &o.at, strings.Join(r.Protocols, ", "))
	} else {
		d.config.Routes = append(d.config.Routes, r)
	}
	o.skip("filter_chains")
	o.skip(common...)
	d.checkRoute(o, r)
	d.resolveRouteService(o, r)
	for _, p := range o.objects("plugins", "name") {
		d.readPlugin(p, Scope{Route: r})
	}
	o.refuseUnknown()
}

// resolveRouteService links a route that is not nested in its service.
func (d *document) resolveRouteService(o *object, r *Route) {
	ref := o.reference("service")
	if ref == "" {
		return
	}
	if r.Service != nil {
		o.fail("service", fmt.Errorf("%q is set on a route that stands inside a service", ref))
		return
	}
	d.later = append(d.later, func(d *document) { r.Service = d.service(o, ref) })
}

// SpeaksGRPC reports a protocol of a route or a service that is gRPC's.
func SpeaksGRPC(protocol string) bool { return protocol == "grpc" || protocol == "grpcs" }

func isGRPC(protocols []string) bool {
	return len(protocols) > 0 && strings.HasPrefix(protocols[0], "grpc")
}

// isWebSocket reports the protocols of Kong Enterprise's routes for WebSockets.
func isWebSocket(protocols []string) bool {
	return len(protocols) > 0 && (protocols[0] == "ws" || protocols[0] == "wss")
}

func (d *document) readPaths(o *object) []string {
	check := func(p string) error { return checkRoutePath(p, d.config.Flavor) }
	old := o.src.version == "2.1" || o.src.version == "1.1"
	if !old {
		return o.strings("paths", check)
	}
	paths := o.strings("paths", func(p string) error { return check(migratePath(p)) })
	for i := range paths {
		paths[i] = migratePath(paths[i])
	}
	return paths
}

func (d *document) readHeaders(o *object) map[string][]string {
	n := o.get("headers")
	if n == nil {
		return nil
	}
	h := newObject(position{in: &o.at, field: "headers"}, n, o.sourceOf("headers"))
	headers := map[string][]string{}
	for _, name := range slices.Sorted(h.fields.names()) {
		if err := checkHeader(name); err != nil {
			h.fail(name, err)
		}
		headers[name] = h.strings(name, d.checkHeaderValue)
	}
	return headers
}

func checkHeader(name string) error {
	if !isMadeOf(name, func(c rune) bool { return isAlphanumeric(c) || c == '_' || c == '-' }) {
		return errors.New("may only have letters, digits, - and _")
	}
	if strings.EqualFold(name, "host") {
		return errors.New("hosts are matched by the field hosts")
	}
	return nil
}

// checkHeaderValue looks at an expression, which has "~*" in front, as the router
// will: lowered, its escapes and group names included. The traditional one does it
// request by request, and takes a broken one for one that never matches.
func (d *document) checkHeaderValue(value string) error {
	pattern, ok := strings.CutPrefix(value, "~*")
	if !ok || d.config.Flavor == Traditional {
		return nil
	}
	_, err := atc.ParseRegex(LowerASCII(pattern))
	return regexProblem(value, err)
}

func readPeers(o *object, field string) []Peer {
	var peers []Peer
	for _, p := range o.objects(field, "") {
		peer := Peer{IP: p.str("ip", ""), Port: p.integer("port", 0, 0, 65535)}
		if p.has("ip") {
			p.check("ip", peer.IP, checkIPOrCIDR)
		}
		if !p.has("ip") && !p.has("port") {
			p.fail("", errors.New("needs ip or port"))
		}
		p.refuseUnknown()
		peers = append(peers, peer)
	}
	return peers
}

// checkRoute reports what the fields of a route say against each other
// (kong/db/schema/entities/routes.lua and routes_subschemas.lua).
func (d *document) checkRoute(o *object, r *Route) {
	if o.has("https_redirect_status_code") && !slices.Contains([]int{426, 301, 302, 307, 308}, r.HTTPSRedirectStatusCode) {
		o.fail("https_redirect_status_code", fmt.Errorf("%d should be one of 426, 301, 302, 307, 308", r.HTTPSRedirectStatusCode))
	}
	if n := o.get("protocols"); n != nil && n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		o.fail("protocols", errors.New("needs at least one"))
		return
	}
	if len(r.Protocols) == 0 {
		return
	}
	checkFamily(o, r)
	d.checkForbidden(o, r)
	d.checkMatchers(o, r)
	checkExpression(o, r)
}

// checkFamily refuses protocols that no one listener serves together.
func checkFamily(o *object, r *Route) {
	families := [][]string{{"http", "https"}, {"tcp", "tls", "udp"}, {"tls_passthrough"}, {"grpc", "grpcs"}}
	for _, family := range families {
		if !slices.Contains(family, r.Protocols[0]) {
			continue
		}
		for _, p := range r.Protocols {
			if !slices.Contains(family, p) {
				o.fail("protocols", fmt.Errorf("%q and %q cannot be on the same route", r.Protocols[0], p))
			}
		}
	}
}

// checkForbidden refuses fields that mean nothing with the route's protocols.
func (d *document) checkForbidden(o *object, r *Route) {
	var fields []string
	switch {
	case subsystems[r.Protocols[0]] == "stream":
		fields = []string{"methods", "hosts", "paths", "headers"}
	case isGRPC(r.Protocols):
		fields = []string{"methods", "sources", "destinations"}
		if d.config.Flavor == Expressions {
			fields = fields[:1]
		}
		if r.StripPath {
			o.fail("strip_path", fmt.Errorf("cannot be true when protocols is %q", r.Protocols))
		}
	case d.config.Flavor != Expressions:
		fields = []string{"sources", "destinations"}
	}
	for _, field := range fields {
		if o.has(field) {
			o.fail(field, fmt.Errorf("cannot be set when protocols is %q", r.Protocols))
		}
	}
	secure := func(p string) bool { return slices.Contains([]string{"grpcs", "https", "tls", "tls_passthrough"}, p) }
	if len(r.SNIs) > 0 && !slices.ContainsFunc(r.Protocols, secure) {
		o.fail("snis", fmt.Errorf("cannot be set when protocols is %q: none of them is encrypted", r.Protocols))
	}
}

// checkMatchers wants a route to match something.
func (d *document) checkMatchers(o *object, r *Route) {
	if r.Expression != "" {
		return
	}
	fields := []string{"methods", "hosts", "headers", "paths", "snis"}
	switch {
	case r.Protocols[0] == "tls_passthrough":
		fields = []string{"snis"}
	case subsystems[r.Protocols[0]] == "stream":
		fields = []string{"sources", "destinations", "snis"}
	case isGRPC(r.Protocols):
		fields = fields[1:]
	}
	if d.config.Flavor == Expressions {
		fields = append(fields, "expression")
	}
	for _, field := range fields {
		if n := o.get(field); n != nil && len(n.Content) > 0 {
			return
		}
	}
	o.fail("", fmt.Errorf("needs at least one of %s", strings.Join(fields, ", ")))
}
