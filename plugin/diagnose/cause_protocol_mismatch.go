package diagnose

import (
	"net/http"
	"slices"
	"strings"
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
				fixes:  []Fix{p.fix(v)},
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

func isWebDAV(v *view) bool { return slices.Contains(webDAVMethods, v.Client.Method) }

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

// grpcService are what Kong asks of a service with protocol grpc: no path
// (kong/db/schema/entities/services.lua).
func grpcService(v *view) map[string]any {
	set := map[string]any{"service.protocol": "grpc"}
	if v.servicePath() != "" {
		set["service.path"] = nil
	}
	return set
}

func grpcWebFix(v *view) Fix {
	set := grpcService(v)
	set["plugin.grpc-web"] = map[string]any{}
	return Fix{
		Words: "enable the grpc-web plugin on " + routeEntity(v.Route).String() + " and set protocol=grpc on " + serviceEntity(v.Service).String(),
		Set:   set, Entity: routeEntity(v.Route),
	}
}

// grpcFix makes the route one for gRPC, on which Kong takes neither strip_path nor
// methods (kong/db/schema/entities/routes.lua).
func grpcFix(v *view) Fix {
	set := grpcService(v)
	set["route.protocols"], set["route.strip_path"] = []any{"grpc", "grpcs"}, false
	if v.Route != nil && len(v.Route.Methods) > 0 {
		set["route.methods"] = nil
	}
	return Fix{
		Words: "set protocols=grpc,grpcs and strip_path=false on " + routeEntity(v.Route).String() + ", and protocol=grpc on " + serviceEntity(v.Service).String(),
		Set:   set, Entity: routeEntity(v.Route),
	}
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
