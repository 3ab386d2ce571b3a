package diagnose

import (
	"net/http"
	"slices"
	"strings"

	"diag405/kong/config"
)

// Observations for another protocol.
const (
	davMethod     observation = "a method that only WebDAV has"
	grpcType      observation = "a media type that only gRPC has"
	grpcWebType   observation = "a media type that only gRPC-Web has"
	lostWebSocket observation = "headers of a WebSocket handshake without Upgrade"
	namedSocket   observation = "a path that is named as WebSockets are, asked for without Upgrade"
	eventStream   observation = "the request accepts text/event-stream"
)

// protocolMismatch: the request belongs to another protocol over HTTP than what
// the upstream speaks at that path.
var protocolMismatch = cause{
	code: ProtocolMismatch,
	examine: func(v *view) *finding {
		for _, p := range protocols {
			if !p.speaks(v) {
				continue
			}
			return &finding{
				shows:  p.shows,
				reason: "the request is " + p.name + ", and " + v.got(),
				facts:  []string{p.mark},
				fixes:  append(v.endpointFixes(), p.fix(v)), // the service may be at another path
			}
		}
		return nil
	},
}

// protocol is something that is spoken over HTTP.
type protocol struct {
	name   string
	shows  observation
	mark   string // what it was recognised by
	speaks func(*view) bool
	fix    func(*view) Fix
}

// mkcol makes a collection.
const mkcol = "MKCOL"

var protocols = []protocol{
	{"WebDAV", davMethod, "only WebDAV has this method", isWebDAV, webDAVFix},
	{"gRPC-Web", grpcWebType, "its Content-Type is application/grpc-web", contentType("application/grpc-web"), grpcWebFix},
	{"gRPC", grpcType, "its Content-Type is application/grpc", contentType("application/grpc"), grpcFix},
	{"a WebSocket handshake without Upgrade", lostWebSocket, "it has a WebSocket's headers and no Upgrade header", isLostWebSocket, webSocketFix},
	{"perhaps a WebSocket handshake without Upgrade", namedSocket, "its path is named as WebSockets are, and it has no Upgrade header", isNamedWebSocket, webSocketFix},
	{"a wait for server-sent events", eventStream, "it accepts text/event-stream", isEventStream, eventStreamFix},
}

// webDAVMethods are those of RFC 4918, RFC 3253, RFC 5323 and RFC 4791 that plain
// HTTP does not have.
var webDAVMethods = []string{
	"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK",
	"REPORT", "MKCALENDAR", "SEARCH", "CHECKOUT", "CHECKIN", "MKACTIVITY", "MERGE",
}

// isWebDAV reports a request of WebDAV's to what shows nothing of it.
func isWebDAV(v *view) bool {
	return slices.Contains(webDAVMethods, v.Client.Method) && !v.isWebDAVServer() && !v.mayBeThere()
}

// mayBeThere: a collection that is there already refuses MKCOL with 405 (RFC 4918 section
// 9.3.1). Only an answer that shows plain HTTP speaks against that.
func (v *view) mayBeThere() bool {
	return v.Client.Method == mkcol && v.Upstream.Method == mkcol &&
		(v.isWebDAVServer() || !v.allow.Sent && v.responder.kind != kindStatic && v.responder.kind != kindCDN && v.responder.kind != kindMount)
}

func webDAVFix(v *view) Fix {
	return Fix{
		Words: "point the client at the path where the WebDAV service lives; " + v.Upstream.Path + " is plain HTTP",
		App:   "Offer WebDAV at " + v.Upstream.Path + ", or redirect discovery to where it is.",
	}
}

func contentType(prefix string) func(*view) bool {
	return func(v *view) bool {
		return strings.HasPrefix(strings.ToLower(v.Client.Header.Get("Content-Type")), prefix)
	}
}

// grpcWebFix has the plugin of that name turn the request into gRPC, on an http route.
func grpcWebFix(v *view) Fix {
	var steps []string
	set := map[string]any{}
	if !slices.Contains(v.Plugins, "grpc-web") {
		set["plugin.grpc-web"] = map[string]any{}
		steps = append(steps, "enable the grpc-web plugin on "+routeEntity(v.Route).String())
	}
	if words := grpcService(v, set); words != "" {
		steps = append(steps, "set "+words)
	}
	return toGRPC(v, "the grpc-web plugin and the service", set, strings.Join(steps, " and "))
}

// grpcFix makes the route one for gRPC, on which Kong takes neither strip_path nor
// methods (kong/db/schema/entities/routes.lua).
func grpcFix(v *view) Fix {
	set := map[string]any{}
	route, service := grpcRoute(v, set), grpcService(v, set)
	if route != "" && service != "" {
		route += ", and "
	}
	return toGRPC(v, "route and service", set, "set "+route+service)
}

// toGRPC is a fix that sets what is not set yet. Where all is, Kong speaks gRPC already,
// and to something that does not.
func toGRPC(v *view, already string, set map[string]any, words string) Fix {
	if len(set) > 0 {
		return Fix{Words: words, Set: set, Entity: routeEntity(v.Route)}
	}
	return Fix{
		Words: "point " + serviceEntity(v.Service).String() + " at the address where the application listens for gRPC: " + already + " speak it already, and what answered does not",
		App:   "Serve gRPC at the address that Kong's service has.",
	}
}

// grpcRoute are the changes to the route, which go into set, in words.
func grpcRoute(v *view, set map[string]any) string {
	var words []string
	if v.Route == nil || slices.ContainsFunc(v.Route.Protocols, func(p string) bool { return !config.SpeaksGRPC(p) }) {
		set["route.protocols"] = []any{"grpc", "grpcs"}
		words = append(words, "protocols=grpc,grpcs")
	}
	if v.Route == nil || v.Route.StripPath {
		set["route.strip_path"] = false
		words = append(words, "strip_path=false")
	}
	if v.Route != nil && len(v.Route.Methods) > 0 {
		set["route.methods"] = nil
		words = append(words, "methods=null")
	}
	return onEntity(words, routeEntity(v.Route))
}

// grpcService are those to the service: Kong takes no path on one with protocol grpc
// (kong/db/schema/entities/services.lua).
func grpcService(v *view, set map[string]any) string {
	var words []string
	if v.Service == nil || !config.SpeaksGRPC(v.Service.Protocol) {
		set["service.protocol"] = "grpc"
		words = append(words, "protocol=grpc")
	}
	if v.servicePath() != "" {
		set["service.path"] = nil
		words = append(words, "path=null")
	}
	return onEntity(words, serviceEntity(v.Service))
}

// onEntity is a list of fields as in a sentence, "" for none.
func onEntity(fields []string, e Entity) string {
	if len(fields) == 0 {
		return ""
	}
	return and(fields) + " on " + e.String()
}

// isLostWebSocket: a proxy in front drops Upgrade and Connection, which are
// hop-by-hop, unless it is told to keep them.
func isLostWebSocket(v *view) bool {
	if v.Client.Method != http.MethodGet || v.Client.Header.Get("Upgrade") != "" {
		return false
	}
	for name := range v.Client.Header {
		if strings.HasPrefix(name, "Sec-Websocket-") {
			return true
		}
	}
	return false
}

// webSocketNames are last segments by which applications commonly name a
// WebSocket's path.
var webSocketNames = []string{"ws", "wss", "websocket", "websockets", "socket", "socket.io", "sockjs", "cable"}

func isNamedWebSocket(v *view) bool {
	return v.Client.Method == http.MethodGet && v.Client.Header.Get("Upgrade") == "" &&
		slices.Contains(webSocketNames, strings.ToLower(lastSegment(v.Upstream.Path))) && len(v.methods()) == 0
}

func webSocketFix(v *view) Fix {
	return Fix{
		Words: "have whatever is before Kong pass Connection: Upgrade and Upgrade: websocket on",
		Client: map[string]any{"headers": map[string]any{
			"Connection": "Upgrade",
			"Upgrade":    "websocket",
			// What RFC 6455 section 4.1 asks of a handshake; the key is its example.
			"Sec-WebSocket-Version": "13",
			"Sec-WebSocket-Key":     "dGhlIHNhbXBsZSBub25jZQ==",
		}},
		Upstream: v.at(v.Upstream.Path),
	}
}

func isEventStream(v *view) bool {
	return v.Client.Method == http.MethodGet && v.Upstream.Method == http.MethodGet &&
		strings.Contains(strings.ToLower(v.Client.Header.Get("Accept")), "text/event-stream")
}

// eventStreamFix: endpoints that answer with a stream and refuse to open one on
// GET take the request by POST (the Model Context Protocol's streamable HTTP
// says 405 in as many words).
func eventStreamFix(v *view) Fix {
	if methods := v.methods(); len(methods) > 0 && !slices.Contains(methods, http.MethodPost) {
		return Fix{
			Words: "ask without Accept: text/event-stream for what " + v.Upstream.Path + " offers, or open the stream where there is one",
			App:   "Offer the event stream at " + v.Upstream.Path + ".",
		}
	}
	f := v.clientMethodFix(http.MethodPost)
	f.Words = "the endpoint opens no stream on GET; " + f.Words
	return f
}
