package standin

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
	"time"

	"diag405/kong/config"
	"diag405/kong/gateway/standin/nginxlog"
	"diag405/kong/router"
)

// serverHeader is what the gateway calls itself in Server and Via: what clients
// of a Kong 3.9.1 see.
const serverHeader = "kong/3.9.1"

// An exchange is one request on its way through the gateway, and its answer. Its
// parts each know one side of it; what needs more than one is a method here. The
// way of the request is in serve.go.
type exchange struct {
	gw      *standIn
	state   *state // the configuration in force when the request came
	conn    *clientConn
	id      string // $kong_request_id
	started time.Time

	client   clientRequest // what the client sent, which nothing changes
	request  request       // the same now, with what plugins changed
	match    *router.Match // nil: no route matched
	upstream upstreamVars  // what the upstream will be sent
	balance  balance       // and where
	run      pluginRun     // what plugins do and keep
	response response      // what the client gets
}

// newExchange is one that has not been read yet. It holds on to the configuration
// in force, which its last user gives back.
func (g *standIn) newExchange(conn *clientConn) *exchange {
	conn.requests++
	return &exchange{gw: g, conn: conn, id: requestID(), started: time.Now(), state: g.acquire(), run: newPluginRun()}
}

// requestID makes a $kong_request_id.
func requestID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// route is the one that matched; nil: none.
func (x *exchange) route() *config.Route {
	if x.match == nil {
		return nil
	}
	return x.match.Route
}

// service is the route's; nil: it has none.
func (x *exchange) service() *config.Service {
	if x.match == nil {
		return nil
	}
	return x.match.Service
}

// save copies the exchange for a log phase that runs later.
func (x *exchange) save() *exchange {
	x.gw.retain(x.state)
	saved := *x
	saved.request.header, saved.response.header = x.request.header.Clone(), x.response.header.Clone()
	saved.run.ctx = maps.Clone(x.run.ctx)
	return &saved
}

// log writes a line with the suffix that lines of a request have. message
// starts with Lua file and line.
func (x *exchange) log(lv nginxlog.Level, message string) {
	if x.run.phase == logPhase {
		x.logTimer(lv, message)
		return
	}
	activity := ""
	if x.run.phase == responsePhase {
		activity = " while sending to client"
	}
	x.gw.log.Write(lv, x.conn.number, "[kong] "+message+activity+x.logSuffix(""))
}

// logTimer writes a line of the log phase, which Kong runs in a timer.
func (x *exchange) logTimer(lv nginxlog.Level, message string) {
	ip, _ := x.conn.remote()
	_, port := x.conn.local()
	x.gw.log.Write(lv, x.conn.number, fmt.Sprintf("[kong] %s, context: ngx.timer, client: %s, server: 0.0.0.0:%d", message, ip, port))
}

// logSuffix is what nginx and lua_kong_error_log_request_id put behind each
// message of a request.
func (x *exchange) logSuffix(upstream string) string {
	ip, _ := x.conn.remote()
	var b strings.Builder
	fmt.Fprintf(&b, ", client: %s, server: kong, request: \"%s\"", ip, x.client.line)
	if upstream != "" {
		fmt.Fprintf(&b, ", upstream: \"%s\"", upstream)
	}
	if host := x.request.header.Get("Host"); host != "" {
		fmt.Fprintf(&b, ", host: \"%s\"", host)
	}
	fmt.Fprintf(&b, ", request_id: \"%s\"", x.id)
	return b.String()
}
