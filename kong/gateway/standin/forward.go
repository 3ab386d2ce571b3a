package standin

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"diag405/kong/forecast"
)

// upstreamVars are the $upstream_... variables of Kong's nginx configuration
// (kong/templates/nginx_kong.lua): what the upstream will be sent.
type upstreamVars struct {
	scheme, uri, host, connection, upgrade, te, via                                   string
	forwardedFor, forwardedProto, forwardedHost, forwardedPort, forwardedPath, prefix string
}

// forwarded is what a trusted client says of itself in a header, and what the
// gateway knows otherwise.
func (x *exchange) forwarded(header, known string) string {
	if said := x.request.header.Get(header); said != "" && x.gw.options.TrustClients {
		return said
	}
	return known
}

// forwardedProto is the scheme that the client used; its connection to the
// gateway is always plain.
func (x *exchange) forwardedProto() string { return x.forwarded("X-Forwarded-Proto", "http") }

// prepareUpstream fills the upstream variables as they are before plugins run.
func (x *exchange) prepareUpstream() {
	ip, _ := x.conn.remote()
	_, port := x.conn.local()
	u := &x.upstream
	u.uri, u.host = x.match.UpstreamPath, x.match.UpstreamHost
	u.connection = "keep-alive"
	if strings.EqualFold(x.request.header.Get("Upgrade"), "websocket") {
		u.connection, u.upgrade = "keep-alive, Upgrade", "websocket"
	}
	u.forwardedFor = appended(x.request.header.Get("X-Forwarded-For"), ip)
	u.forwardedProto = x.forwardedProto()
	u.forwardedHost = x.forwarded("X-Forwarded-Host", x.request.host)
	u.forwardedPort = x.forwarded("X-Forwarded-Port", strconv.Itoa(port))
	u.forwardedPath = x.forwarded("X-Forwarded-Path", x.match.ForwardedPath)
	u.prefix = x.forwarded("X-Forwarded-Prefix", x.match.Stripped)
	u.via = appended(x.request.header.Get("Via"), strings.TrimPrefix(x.client.Proto, "HTTP/")+" "+serverHeader)
	if x.service() != nil {
		u.scheme = x.service().Protocol
		x.balance = newBalance(x.service())
	}
}

// appended adds an element to a comma-separated list.
func appended(list, element string) string {
	if list == "" {
		return element
	}
	return list + ", " + element
}

// finishUpstream does access.after in kong/runloop/handler.lua: the query joins
// the path, a peer is chosen, and hop-by-hop fields go.
func (x *exchange) finishUpstream(ctx context.Context) *answer {
	u := &x.upstream
	if x.request.hasQuery || strings.HasSuffix(x.client.uri, "?") {
		u.uri += "?" + x.request.query
	}
	p, err := x.gw.choose(ctx, x.state, &x.balance)
	var none *balancerError
	if errors.As(err, &none) {
		x.response.exited = true
		return x.errorAnswer(none.status, none.message)
	}
	x.balance.peer = p
	if u.host == "" {
		u.host = forecast.HostHeader(u.scheme, p.hostname, p.port)
	}
	for _, name := range x.request.header.Tokens("Connection") {
		if name != "keep-alive" && name != "close" && (name != "upgrade" || u.upgrade == "") {
			x.request.header.Del(name)
		}
	}
	if slices.Contains(x.request.header.Tokens("TE"), "trailers") {
		u.te = "trailers"
	}
	x.request.header.Del("Proxy")
	x.request.header.Del("Proxy-Connection")
	return nil
}
