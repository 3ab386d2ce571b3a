package standin

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"diag405/kong/forecast"
	"diag405/kong/gateway/cost"
	"diag405/kong/gateway/standin/nginxlog"
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
	x.gw.spend(cost.Request)
	x.run.phase = accessPhase
	if made := x.toUpstream(ctx); made != nil {
		x.apply(made)
	} else if x.run.buffered {
		x.serveBuffered(ctx)
	} else if r, err := x.askUpstream(ctx); err != nil {
		x.fail(err)
	} else {
		x.stream(w, r)
		return
	}
	x.filterHeader()
	w.send(x.client, &x.response)
}

// toUpstream does all that comes before the upstream is asked. It returns the
// answer that Kong or a plugin makes, or nil to go on.
func (x *exchange) toUpstream(ctx context.Context) *answer {
	if made := x.findRoute(); made != nil {
		return made
	}
	if made := x.checkProtocol(); made != nil {
		return made
	}
	x.prepareUpstream()
	x.run.plugins = x.state.pluginsFor(x.route(), x.service())
	x.runAccess()
	if x.run.exit != nil {
		return x.run.exit
	}
	if x.service() == nil {
		x.response.exited = true
		return x.errorAnswer(503, "no Service found with those values")
	}
	if made := x.finishUpstream(ctx); made != nil {
		return made
	}
	x.response.times.accessEnd = time.Now()
	x.response.proxied = true
	if x.run.buffered && x.upstream.upgrade != "" {
		x.gw.log.Write(nginxlog.Notice, x.conn.number, fmt.Sprintf(
			"[kong] init.lua:1279 response buffering was turned off: connection upgrade (%s)", x.upstream.upgrade)+x.logSuffix(""))
		x.run.buffered = false
	}
	return nil
}

// findRoute routes the request, if nginx lets it through to Kong.
func (x *exchange) findRoute() *answer {
	serverIP, port := x.conn.local()
	clientIP, clientPort := x.conn.remote()
	header := http.Header{}
	for _, h := range x.request.header {
		header.Add(h.Name, h.Value)
	}
	d := x.state.router.Decide(router.Request{
		Method: x.request.method, Target: x.client.Target, Host: x.request.header.Get("Host"), Scheme: "http", Port: port, Header: header,
		ClientIP: clientIP, ClientPort: clientPort, ServerIP: serverIP,
	})
	switch d.Refusal {
	case "":
	case router.NoRoute, router.NotUTF8:
		x.response.exited = true
		return x.errorAnswer(404, "no Route matched with those values")
	default:
		return x.errorPage(d.Refusal.Status())
	}
	x.match = d.Match
	if x.gw.options.AllowDebugHeader && x.request.header.Has("Kong-Debug") {
		x.addDebugHeaders()
	}
	return nil
}

// addDebugHeaders tells the route and service (kong/router/utils.lua).
func (x *exchange) addDebugHeaders() {
	set := func(name, value string) {
		if value != "" {
			x.response.header.Set(name, value)
		}
	}
	set("Kong-Route-Id", x.route().ID)
	set("Kong-Route-Name", x.route().Name)
	if x.service() != nil {
		set("Kong-Service-Id", x.service().ID)
		set("Kong-Service-Name", x.service().Name)
	}
}

// checkProtocol refuses what the route's protocols do not allow over plain HTTP/1.
func (x *exchange) checkProtocol() *answer {
	r, refused := forecast.Refuses(x.route(), x.forwardedProto(), x.request.header.Get("Content-Type"), false)
	if !refused {
		return nil
	}
	x.response.exited = true
	if r.Redirects() {
		x.response.header.Set("Location", "https://"+x.forwarded("X-Forwarded-Host", x.request.host)+x.client.uri)
		return &answer{status: r.Status}
	}
	if upgrade := r.Upgrade(); upgrade != "" {
		return x.errorAnswer(r.Status, r.Message, wire.Field{Name: "Connection", Value: "Upgrade"}, wire.Field{Name: "Upgrade", Value: upgrade})
	}
	return x.errorAnswer(r.Status, r.Message)
}
