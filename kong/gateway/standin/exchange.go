package standin

import (
	"fmt"
	"net"
	"strings"
	"time"

	"diag405/kong/config"
	"diag405/kong/router"
	"diag405/kong/wire"
)

// serverHeader is what the gateway calls itself in Server and Via: what clients
// of a Kong 3.9.1 see.
const serverHeader = "kong/3.9.1"

// An exchange is one request on its way through the gateway, and its answer.
// The order of its methods in proxy.go is the way of the request.
type exchange struct {
	gw      *standIn
	state   *state // the configuration in force when the request came
	conn    *clientConn
	id      string // $kong_request_id
	started time.Time

	// What the client sent, which nothing changes.
	line       string // $request
	client     wire.Request
	requestURI string // $request_uri: the target in origin form
	host       string // $host
	keepAlive  bool

	// The request now, with what plugins changed. Header has the client's Host:
	// the one for the upstream is in upstream.host.
	method   string
	query    string // $args
	hasQuery bool   // whether there is a "?"
	header   wire.Fields
	body     []byte
	hasBody  bool // whether the client framed a body, if an empty one

	match    *router.Match
	route    *config.Route   // nil: no route matched
	service  *config.Service // nil: the route has none
	upstream upstreamVars
	balance  balance

	plugins  []*boundPlugin // those that apply, in order; nil before the route is known
	ctx      map[string]any // ngx.ctx, as far as plugins set it
	shared   map[string]any // kong.ctx.shared
	scratch  map[*boundPlugin]any
	record   []serializeValue
	buffered bool // ngx.ctx.buffered_proxying

	phase      phase
	logger     string // in the log phase: the plugin that writes
	proxied    bool   // KONG_PROXIED: it was to be proxied, which may have failed
	exited     bool   // KONG_EXITED: Kong or a plugin made the answer
	unexpected bool   // KONG_UNEXPECTED: so did an error
	delayed    *answer

	// The answer.
	status   int
	out      wire.Fields
	outBody  []byte
	sent     int64  // bytes to the client
	received *reply // what the upstream answered; nil when it did not
	times    times
}

// upstreamVars are the $upstream_... variables of Kong's nginx configuration
// (kong/templates/nginx_kong.lua): what the upstream will be sent.
type upstreamVars struct {
	scheme, uri, host, connection, upgrade, te, via                                   string
	forwardedFor, forwardedProto, forwardedHost, forwardedPort, forwardedPath, prefix string
}

// times are what the latency headers are computed of.
type times struct {
	accessEnd, answered, finished time.Time
}

// clientConn is where a request came from.
type clientConn struct {
	net.Conn
	number   int64 // as in the error log: *656
	requests int
}

func (c *clientConn) remote() (ip string, port int) { return hostPort(c.RemoteAddr()) }
func (c *clientConn) local() (ip string, port int)  { return hostPort(c.LocalAddr()) }

func hostPort(a net.Addr) (string, int) {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return a.String(), 0
	}
	return tcp.IP.String(), tcp.Port
}

// originForm is the path and query of a request-target: nginx puts those of an
// absolute target into $request_uri.
func originForm(target string) (uri, authority string) {
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok || strings.ContainsAny(scheme, "/?") {
		return target, ""
	}
	at := strings.IndexAny(rest, "/?")
	if at < 0 {
		return "/", rest
	}
	if rest[at] == '?' {
		return "/" + rest[at:], rest[:at]
	}
	return rest[at:], rest[:at]
}

// hostName is $host: without port, lower case.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		if strings.Contains(name, ":") {
			name = "[" + name + "]"
		}
		host = name
	}
	return strings.ToLower(host)
}

// log writes a line with the suffix that lines of a request have. message
// starts with Lua file and line.
func (x *exchange) log(lv level, message string) {
	if x.phase == logging {
		x.logTimer(lv, message)
		return
	}
	activity := ""
	if x.phase == response {
		activity = " while sending to client"
	}
	x.gw.log.write(lv, x.conn.number, "[kong] "+message+activity+x.logSuffix(""))
}

// logTimer writes a line of the log phase, which Kong runs in a timer.
func (x *exchange) logTimer(lv level, message string) {
	ip, _ := x.conn.remote()
	_, port := x.conn.local()
	x.gw.log.write(lv, x.conn.number, fmt.Sprintf("[kong] %s, context: ngx.timer, client: %s, server: 0.0.0.0:%d", message, ip, port))
}

// logSuffix is what nginx and lua_kong_error_log_request_id put behind each
// message of a request.
func (x *exchange) logSuffix(upstream string) string {
	ip, _ := x.conn.remote()
	var b strings.Builder
	fmt.Fprintf(&b, ", client: %s, server: kong, request: \"%s\"", ip, x.line)
	if upstream != "" {
		fmt.Fprintf(&b, ", upstream: \"%s\"", upstream)
	}
	if host := x.header.Get("Host"); host != "" {
		fmt.Fprintf(&b, ", host: \"%s\"", host)
	}
	fmt.Fprintf(&b, ", request_id: \"%s\"", x.id)
	return b.String()
}

// setCtx sets a value of ngx.ctx.
func (x *exchange) setCtx(key string, value any) {
	if key == "buffered_proxying" {
		x.buffered = value != nil && value != false
		return
	}
	setOrDelete(x.ctx, key, value)
}

func (x *exchange) getCtx(key string) any {
	if key == "buffered_proxying" {
		if x.buffered {
			return true
		}
		return nil
	}
	return x.ctx[key]
}

// setOrDelete does what assigning does in Lua: nil removes.
func setOrDelete(m map[string]any, key string, value any) {
	if value == nil {
		delete(m, key)
		return
	}
	m[key] = value
}
