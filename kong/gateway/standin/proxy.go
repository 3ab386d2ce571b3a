package standin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"diag405/kong/router"
	"diag405/kong/wire"
)

// serve takes the exchange from its request to its answer, as Kong does
// (kong/init.lua and kong/runloop/handler.lua):
//
//	route -> access plugins -> choose a peer -> upstream
//	      -> (buffered) whole answer -> response plugins -> header filters -> client
//	      -> (else) header filters -> client, as it comes
//
// The log phase follows once the client has its answer.
func (x *exchange) serve(ctx context.Context, w *clientWriter) {
	x.phase = access
	if made := x.toUpstream(ctx); made != nil {
		x.apply(made)
	} else if x.buffered {
		x.serveBuffered(ctx)
	} else if r, err := x.askUpstream(ctx); err != nil {
		x.fail(err)
	} else {
		x.stream(w, r)
		return
	}
	x.filterHeader()
	w.send(x)
}

// toUpstream does all that comes before the upstream is asked. It returns the
// answer that Kong or a plugin makes, or nil to go on.
func (x *exchange) toUpstream(ctx context.Context) *answer {
	// nginx takes neither, before Kong sees them (ngx_http_process_request_header).
	if x.method == "TRACE" || x.method == "CONNECT" {
		return x.errorPage(405)
	}
	if router.Refused(x.requestURI) {
		return x.errorPage(400)
	}
	if made := x.findRoute(); made != nil {
		return made
	}
	if made := x.checkProtocol(); made != nil {
		return made
	}
	x.prepareUpstream()
	x.plugins = x.state.pluginsFor(x.route, x.service)
	x.runAccess()
	if x.delayed != nil {
		return x.delayed
	}
	if x.service == nil {
		x.exited = true
		return x.errorAnswer(503, "no Service found with those values")
	}
	if made := x.finishUpstream(ctx); made != nil {
		return made
	}
	x.times.accessEnd = time.Now()
	x.proxied = true
	if x.buffered && x.upstream.upgrade != "" {
		x.gw.log.write(levelNotice, x.conn.number, fmt.Sprintf(
			"[kong] init.lua:1279 response buffering was turned off: connection upgrade (%s)", x.upstream.upgrade)+x.logSuffix(""))
		x.buffered = false
	}
	return nil
}

// findRoute routes the request.
func (x *exchange) findRoute() *answer {
	_, port := x.conn.local()
	header := http.Header{}
	for _, h := range x.header {
		header.Add(h.Name, h.Value)
	}
	m, ok := x.state.router.Match(router.Request{
		Method: x.method, Target: x.requestURI, Host: x.header.Get("Host"), Scheme: "http", Port: port, Header: header,
	})
	if !ok {
		x.exited = true
		return x.errorAnswer(404, "no Route matched with those values")
	}
	x.match, x.route, x.service = m, m.Route, m.Service
	if x.gw.options.AllowDebugHeader && x.header.Has("Kong-Debug") {
		x.addDebugHeaders()
	}
	return nil
}

// addDebugHeaders tells the route and service (kong/router/utils.lua).
func (x *exchange) addDebugHeaders() {
	set := func(name, value string) {
		if value != "" {
			x.out.Set(name, value)
		}
	}
	set("Kong-Route-Id", x.route.ID)
	set("Kong-Route-Name", x.route.Name)
	if x.service != nil {
		set("Kong-Service-Id", x.service.ID)
		set("Kong-Service-Name", x.service.Name)
	}
}

// forwarded is what a trusted client says of itself in a header, and what the
// gateway knows otherwise.
func (x *exchange) forwarded(header, known string) string {
	if said := x.header.Get(header); said != "" && x.gw.options.TrustClients {
		return said
	}
	return known
}

// forwardedProto is the scheme that the client used; its connection to the
// gateway is always plain.
func (x *exchange) forwardedProto() string { return x.forwarded("X-Forwarded-Proto", "http") }

// checkProtocol refuses what the route's protocols do not allow over plain
// HTTP/1 (access.before in kong/runloop/handler.lua).
func (x *exchange) checkProtocol() *answer {
	has := func(p string) bool { return slices.Contains(x.route.Protocols, p) }
	if has("https") && !has("http") && x.forwardedProto() != "https" {
		x.exited = true
		status := x.route.HTTPSRedirectStatusCode
		if slices.Contains([]int{301, 302, 307, 308}, status) {
			x.out.Set("Location", "https://"+x.forwarded("X-Forwarded-Host", x.host)+x.requestURI)
			return &answer{status: status}
		}
		return x.errorAnswer(426, "Please use HTTPS protocol",
			wire.Field{Name: "Connection", Value: "Upgrade"}, wire.Field{Name: "Upgrade", Value: "TLS/1.2, HTTP/1.1"})
	}
	if has("grpc") || has("grpcs") {
		if strings.HasPrefix(x.header.Get("Content-Type"), "application/grpc") {
			x.exited = true
			return x.errorAnswer(426, "Please use HTTP2 protocol",
				wire.Field{Name: "connection", Value: "Upgrade"}, wire.Field{Name: "upgrade", Value: "HTTP/2"})
		}
		if !has("http") {
			x.exited = true
			return x.errorAnswer(415, "Non-gRPC request matched gRPC route")
		}
	}
	return nil
}

// prepareUpstream fills the upstream variables as they are before plugins run.
func (x *exchange) prepareUpstream() {
	ip, _ := x.conn.remote()
	_, port := x.conn.local()
	u := &x.upstream
	u.uri, u.host = x.match.UpstreamPath, x.match.UpstreamHost
	u.connection = "keep-alive"
	if strings.EqualFold(x.header.Get("Upgrade"), "websocket") {
		u.connection, u.upgrade = "keep-alive, Upgrade", "websocket"
	}
	u.forwardedFor = appended(x.header.Get("X-Forwarded-For"), ip)
	u.forwardedProto = x.forwardedProto()
	u.forwardedHost = x.forwarded("X-Forwarded-Host", x.host)
	u.forwardedPort = x.forwarded("X-Forwarded-Port", strconv.Itoa(port))
	u.forwardedPath = x.forwarded("X-Forwarded-Path", x.match.ForwardedPath)
	u.prefix = x.forwarded("X-Forwarded-Prefix", x.match.Stripped)
	u.via = appended(x.header.Get("Via"), strings.TrimPrefix(x.client.Proto, "HTTP/")+" "+serverHeader)
	if x.service != nil {
		u.scheme = x.service.Protocol
		x.balance = newBalance(x.service)
	}
}

// appended adds an element to a comma-separated list.
func appended(list, element string) string {
	if list == "" {
		return element
	}
	return list + ", " + element
}

// runAccess runs the access phase of the plugins in order. The first answer
// ends it for the plugins behind, whose later phases still run.
func (x *exchange) runAccess() {
	for _, p := range x.plugins {
		if p.has(response) {
			x.buffered = true
		}
		if x.delayed != nil || !p.has(access) {
			continue
		}
		if err := p.access(x); err != nil {
			x.delayed = x.accessFailure(p, err)
		}
	}
}

// errExit is a plugin's phase that ended with kong.response.exit: the answer is
// in exchange.delayed.
var errExit = errors.New("the plugin made the answer")

// ended is the answer to a request that ended in a phase in a way that is the same
// in all of them: the plugin made an answer, or its server is gone. Nil otherwise.
func (x *exchange) ended(err error) *answer {
	switch {
	case errors.Is(err, errExit):
		x.exited = true
		return x.delayed
	case errors.Is(err, errNoServer):
		x.exited = true
		return x.errorAnswer(500, errorMessages[500])
	}
	return nil
}

// accessFailure is the answer to a request whose access phase failed. A PDK call
// that raises makes another body than a plugin server that is gone
// (execute_collecting_plugins_iterator in kong/init.lua, handle_event in
// pb_rpc.lua).
func (x *exchange) accessFailure(p *boundPlugin, err error) *answer {
	if a := x.ended(err); a != nil {
		return a
	}
	x.log(levelError, fmt.Sprintf("init.lua:405 [%s] %s", p.name(), err))
	x.unexpected = true
	return &answer{status: 500, header: wire.Fields{{Name: "Content-Type", Value: jsonType}},
		body: []byte(`{"message":"An unexpected error occurred"}`)}
}

// finishUpstream does access.after in kong/runloop/handler.lua: the query joins
// the path, a peer is chosen, and hop-by-hop fields go.
func (x *exchange) finishUpstream(ctx context.Context) *answer {
	u := &x.upstream
	if x.hasQuery || strings.HasSuffix(x.requestURI, "?") {
		u.uri += "?" + x.query
	}
	p, err := x.gw.choose(ctx, x.state, &x.balance)
	var none *balancerError
	if errors.As(err, &none) {
		x.exited = true
		return x.errorAnswer(none.status, none.message)
	}
	x.balance.peer = p
	if u.host == "" {
		u.host = hostHeader(p, u.scheme)
	}
	for _, name := range x.header.Tokens("Connection") {
		if name != "keep-alive" && name != "close" && (name != "upgrade" || u.upgrade == "") {
			x.header.Del(name)
		}
	}
	if slices.Contains(x.header.Tokens("TE"), "trailers") {
		u.te = "trailers"
	}
	x.header.Del("Proxy")
	x.header.Del("Proxy-Connection")
	return nil
}

// fail makes the answer to a request whose upstream could not be asked.
func (x *exchange) fail(err error) {
	status := 502
	var failed *upstreamError
	if errors.As(err, &failed) {
		status = failed.status
	}
	x.times.answered = time.Now()
	x.apply(x.errorPage(status))
}

// serveBuffered reads the whole answer and runs the response phase on it
// (Kong.response in kong/init.lua).
func (x *exchange) serveBuffered(ctx context.Context) {
	r, err := x.askUpstream(ctx)
	if err != nil {
		x.fail(err)
		return
	}
	body, err := io.ReadAll(r.body)
	r.close()
	if err != nil {
		x.logUpstream(failure("reading upstream", err, true))
		x.fail(failure("reading upstream", err, true))
		return
	}
	x.times.answered = time.Now()
	x.received, x.status, x.outBody = r, r.status, body
	x.received.body = nil
	header := upstreamFields(r.header)
	for _, name := range header.Names() {
		x.out.Set(spelling(header, name), header.Values(name)...)
	}
	x.runResponse()
}

// runResponse runs the response phase of the plugins in order. Here a failure
// or an exit ends the phase for all.
func (x *exchange) runResponse() {
	x.phase = response
	for _, p := range x.plugins {
		if !p.has(response) {
			continue
		}
		err := p.external.handle(response, x)
		if err == nil {
			continue
		}
		x.apply(x.responseFailure(p, err))
		return
	}
}

// responseFailure is the answer to a request whose response phase failed.
func (x *exchange) responseFailure(p *boundPlugin, err error) *answer {
	if a := x.ended(err); a != nil {
		return a
	}
	x.log(levelError, fmt.Sprintf("init.lua:1413 [%s] %s", p.name(), err))
	return x.errorPage(500)
}

// upstreamFields are the fields of an upstream's answer that go on to the
// client: without those of the one connection, and what nginx's proxy module
// hides.
func upstreamFields(f wire.Fields) wire.Fields {
	hidden := []string{
		"Connection", "Keep-Alive", "Transfer-Encoding", "X-Pad", "X-Accel-Expires", "X-Accel-Redirect",
		"X-Accel-Limit-Rate", "X-Accel-Buffering", "X-Accel-Charset",
	}
	f = f.Clone()
	for _, name := range hidden {
		f.Del(name)
	}
	return f
}

// stream passes the upstream's answer on as it comes.
func (x *exchange) stream(w *clientWriter, r *reply) {
	defer r.close()
	x.received, x.status = r, r.status
	x.times.answered = time.Now()
	header := upstreamFields(r.header)
	for _, name := range r.header.Tokens("Connection") {
		if name != "close" && name != "upgrade" && name != "keep-alive" {
			header.Del(name)
		}
	}
	for _, name := range []string{"Content-Type", "Content-Length", "Date", "Server"} {
		if header.Has(name) {
			x.out.Del(name)
		}
	}
	x.out = append(x.out, header...)
	x.filterHeader()
	w.stream(x, r)
}

// filterHeader is Kong's header_filter phase: plugins first, then the fields
// that Kong adds (header_filter in kong/runloop/handler.lua).
func (x *exchange) filterHeader() {
	if x.proxied {
		if up := x.out.Get("Upgrade"); up != "" && !strings.EqualFold(up, x.upstream.upgrade) {
			x.out.Del("Upgrade")
		}
		if x.upstream.te == "" {
			x.out.Del("Trailer")
		}
	}
	for _, p := range x.chain() {
		if p.bundled != nil && p.bundled.filterHeader != nil {
			p.bundled.filterHeader(x, p)
		}
	}
	if x.proxied {
		x.out.Set("X-Kong-Upstream-Latency", milliseconds(x.times.answered.Sub(x.times.accessEnd)))
		x.out.Set("X-Kong-Proxy-Latency", milliseconds(x.times.accessEnd.Sub(x.started)))
		// The variable that tells the upstream's Via is empty for a buffered answer.
		via := ""
		if !x.buffered && x.received != nil {
			via = x.received.header.Get("Via")
		}
		x.out.Set("Via", appended(via, "1.1 "+serverHeader))
		if !x.out.Has("Server") {
			x.out.Set("Server", serverHeader)
		}
	} else {
		x.out.Set("X-Kong-Response-Latency", milliseconds(time.Since(x.started)))
		x.out.Set("Server", serverHeader)
	}
	x.out.Set("X-Kong-Request-Id", x.id)
	addCharset(x.status, x.out)
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// chain is the plugins whose later phases run: those of the route, or the
// global ones when there is none (get_collected_iterator in
// kong/runloop/plugins_iterator.lua).
func (x *exchange) chain() []*boundPlugin {
	if x.plugins == nil {
		return x.state.pluginsFor(nil, nil)
	}
	return x.plugins
}

// runLog runs the log phase. What external plugins get is saved, since they run
// after the request has ended.
func (x *exchange) runLog() {
	x.phase = logging
	for _, p := range x.chain() {
		if !p.has(logging) {
			continue
		}
		if p.bundled != nil {
			p.bundled.log(x, p)
			continue
		}
		saved := x.save()
		saved.logger = p.name()
		x.gw.background(func() {
			defer x.gw.release(saved.state)
			err := p.external.handle(logging, saved)
			if err != nil && !errors.Is(err, errNoServer) {
				saved.logTimer(levelError, fmt.Sprintf("init.lua:405 [%s] %s", p.name(), err))
			}
		})
	}
}

// save copies the exchange for a log phase that runs later.
func (x *exchange) save() *exchange {
	x.gw.retain(x.state)
	saved := *x
	saved.header, saved.out = x.header.Clone(), x.out.Clone()
	saved.ctx = copyOf(x.ctx)
	return &saved
}

func copyOf(m map[string]any) map[string]any {
	c := make(map[string]any, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}
