package standin

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strings"

	"diag405/kong/bundled"
	"diag405/kong/forecast"
	"diag405/kong/router"
	"diag405/kong/wire"
)

// clientRequest is what the client sent, which nothing changes.
type clientRequest struct {
	wire.Request
	line      string // $request
	uri       string // $request_uri: the target in origin form
	keepAlive bool
}

// request is the client's as it is now, with what plugins changed. Its header has
// the client's Host: the one for the upstream is in upstreamVars.
type request struct {
	method   string
	host     string // $host
	query    string // $args
	hasQuery bool   // whether there is a "?"
	header   wire.Fields
	body     []byte
	hasBody  bool // whether the client framed a body, if an empty one
}

// args is ngx.req.get_uri_args.
func (q *request) args() map[string]any { return bundled.DecodeArgs(q.query) }

// setArgs is ngx.req.set_uri_args.
func (q *request) setArgs(query string) { q.query, q.hasQuery = query, query != "" }

// readRequest reads a request with its body. An error with an exchange is a
// request to refuse.
func (g *standIn) readRequest(conn *clientConn, r *bufio.Reader) (*exchange, error) {
	head, err := wire.ReadHead(r)
	if err != nil && !errors.Is(err, wire.ErrMalformed) {
		return nil, err
	}
	x := g.newExchange(conn)
	x.client.line, x.request.header = head.Line, head.Fields
	if err == nil {
		err = x.readHead()
	}
	if err == nil {
		err = x.request.readBody(conn, r)
	}
	return x, err
}

// readHead takes request line and Host apart.
func (x *exchange) readHead() error {
	c, q := &x.client, &x.request
	var err error
	if c.Request, err = wire.ParseRequestLine(c.line); err != nil {
		return err
	}
	var authority string
	if c.uri, authority = router.OriginForm(c.Target); authority != "" {
		q.header.Set("Host", authority)
	}
	q.method = c.Method
	uri, _, _ := strings.Cut(c.uri, "#") // a fragment is no part of the query
	_, query, _ := strings.Cut(uri, "?")
	q.setArgs(query)
	q.host = hostName(q.header.Get("Host"))
	if len(q.header.Values("Host")) != 1 && (c.Proto == "HTTP/1.1" || q.host != "") {
		return wire.ErrMalformed
	}
	c.keepAlive = c.Proto == "HTTP/1.1" && !slices.Contains(q.header.Tokens("Connection"), "close") ||
		slices.Contains(q.header.Tokens("Connection"), "keep-alive")
	return nil
}

// readBody reads the body, whole, as proxy_request_buffering does.
func (q *request) readBody(conn io.Writer, r *bufio.Reader) error {
	body, err := wire.RequestBody(r, q.header)
	if err != nil {
		return err
	}
	if slices.Contains(q.header.Tokens("Expect"), "100-continue") {
		io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
	}
	q.hasBody = q.header.Has("Content-Length") || q.header.Has("Transfer-Encoding")
	if q.body, err = io.ReadAll(body); err != nil {
		return wire.ErrMalformed
	}
	return nil
}

// hostName is $host: without port, lower case.
func hostName(host string) string {
	name := forecast.Hostname(host)
	if strings.Contains(name, ":") {
		return "[" + name + "]"
	}
	return name
}
