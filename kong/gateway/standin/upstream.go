package standin

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"diag405/kong/forecast"
	"diag405/kong/gateway/standin/nginxlog"
	"diag405/kong/wire"
)

// reply is what the upstream answered. Its body is read from the connection,
// which close ends.
type reply struct {
	status int
	header wire.Fields
	body   io.Reader
	conn   net.Conn
	r      *bufio.Reader // what follows the head, for upgraded connections
	w      io.Writer
	detach func() bool // from the context that closes the connection when it ends
}

func (r *reply) close() {
	r.detach()
	r.conn.Close()
}

// hopFields are set by nginx's proxy module or by Kong's configuration of it
// (kong/templates/nginx_kong.lua), whatever the request says.
var hopFields = []string{
	"Host", "Connection", "Content-Length", "Transfer-Encoding", "Keep-Alive", "Expect", "Upgrade", "TE", "Via",
	"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Path",
	"X-Forwarded-Prefix", "X-Real-IP", "X-Kong-Request-Id",
}

// upstreamHead is the head of the request that goes to the upstream.
func (x *exchange) upstreamHead(method string) wire.Head {
	u := x.upstream
	ip, _ := x.conn.remote()
	var f wire.Fields
	add := func(name, value string) {
		if value != "" {
			f.Add(name, value)
		}
	}
	add("TE", u.te)
	add("Via", u.via)
	add("Host", u.host)
	add("Upgrade", u.upgrade)
	add("Connection", u.connection)
	add("X-Forwarded-For", u.forwardedFor)
	add("X-Forwarded-Proto", u.forwardedProto)
	add("X-Forwarded-Host", u.forwardedHost)
	add("X-Forwarded-Port", u.forwardedPort)
	add("X-Forwarded-Path", u.forwardedPath)
	add("X-Forwarded-Prefix", u.prefix)
	add("X-Real-IP", ip)
	add("X-Kong-Request-Id", x.id)
	if x.request.hasBody || len(x.request.body) > 0 {
		add("Content-Length", strconv.Itoa(len(x.request.body)))
	}
	for _, h := range x.request.header {
		if !slices.ContainsFunc(hopFields, func(name string) bool { return strings.EqualFold(name, h.Name) }) {
			f = append(f, h)
		}
	}
	return wire.Head{Line: method + " " + u.uri + " HTTP/1.1", Fields: f}
}

// upstreamMethod is the method on the way to the upstream.
func (x *exchange) upstreamMethod() string {
	if x.run.buffered {
		return forecast.BufferedMethod(x.request.method)
	}
	return x.request.method
}

// upstreamError is a try that failed.
type upstreamError struct {
	status int // 502 or 504
	doing  string
	err    error
	sent   bool // whether the request had gone out
}

func (e *upstreamError) Error() string { return e.doing + ": " + e.err.Error() }
func (e *upstreamError) Unwrap() error { return e.err }

// askUpstream asks the upstream, as often as it takes.
func (x *exchange) askUpstream(ctx context.Context) (*reply, error) {
	method := x.upstreamMethod()
	call := &upstreamCall{
		method: method, head: x.upstreamHead(method), body: x.request.body, scheme: x.upstream.scheme, host: x.upstream.host, balance: &x.balance,
		next:   func() (peer, error) { return x.gw.choose(ctx, x.state, &x.balance) },
		failed: x.logUpstream,
	}
	return call.ask(ctx)
}

// upstreamCall is a request to an upstream.
type upstreamCall struct {
	method  string
	head    wire.Head
	body    []byte
	scheme  string
	host    string // for TLS
	balance *balance
	next    func() (peer, error)
	failed  func(*upstreamError) // is told of each try that failed
}

// ask sends the request to one peer after the other until one answers, as
// proxy_next_upstream "error timeout" does: a request that has gone out is
// repeated only if its method is idempotent.
func (c *upstreamCall) ask(ctx context.Context) (*reply, error) {
	for n := 0; ; n++ {
		if n > 0 {
			p, err := c.next()
			if err != nil {
				return nil, &upstreamError{status: 502, doing: "choosing a peer", err: err}
			}
			c.balance.peer = p
		}
		r, failed := c.try(ctx)
		if failed == nil {
			return r, nil
		}
		c.failed(failed)
		repeatable := !failed.sent || !slices.Contains([]string{"POST", "LOCK", "PATCH"}, c.method)
		if n >= c.balance.retries || !repeatable {
			return nil, failed
		}
	}
}

// try asks the chosen peer, and notes it.
func (c *upstreamCall) try(ctx context.Context) (*reply, *upstreamError) {
	p := c.balance.peer
	t := try{ip: p.ip, port: p.port, start: time.Now()}
	r, failed := c.hop(ctx)
	t.took = time.Since(t.start)
	if failed != nil {
		t.state, t.code = "failed", failed.status
	}
	c.balance.tries = append(c.balance.tries, t)
	return r, failed
}

// hop sends the request to the chosen peer and reads the head of the answer.
func (c *upstreamCall) hop(ctx context.Context) (*reply, *upstreamError) {
	b := c.balance
	dialer := net.Dialer{Timeout: b.connectTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", b.peer.address())
	if err != nil {
		return nil, failure("connecting to upstream", err, false)
	}
	if c.scheme == "https" {
		// Kong does not verify an upstream's certificate unless told to (tls_verify).
		tc := tls.Client(conn, &tls.Config{ServerName: hostName(c.host), InsecureSkipVerify: true})
		if err := tc.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, failure("SSL handshaking to upstream", err, false)
		}
		conn = tc
	}
	detach := context.AfterFunc(ctx, func() { conn.Close() })
	r, failed := c.converse(&timedConn{conn, b.readTimeout, b.writeTimeout})
	if failed != nil {
		detach()
		conn.Close()
		return nil, failed
	}
	r.detach = detach
	return r, nil
}

func (c *upstreamCall) converse(conn net.Conn) (*reply, *upstreamError) {
	w := bufio.NewWriter(conn)
	wire.WriteHead(w, c.head.Line, c.head.Fields)
	w.Write(c.body)
	if err := w.Flush(); err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		return nil, failure("sending request to upstream", err, true)
	} // an upstream that closes early may still have answered
	r := bufio.NewReader(conn)
	for {
		answer, err := wire.ReadHead(r)
		if err != nil {
			return nil, failure("reading response header from upstream", err, true)
		}
		status, err := wire.ParseStatusLine(answer.Line)
		if err != nil {
			return nil, failure("reading response header from upstream", err, true)
		}
		if status < 200 && status != 101 {
			continue // interim
		}
		body, err := wire.ResponseBody(r, c.method, status, answer.Fields)
		if err != nil {
			return nil, failure("reading response header from upstream", err, true)
		}
		return &reply{status: status, header: answer.Fields, body: body, conn: conn, r: r, w: conn}, nil
	}
}

// failure gives an error its status: 504 for a timeout, else 502.
func failure(doing string, err error, sent bool) *upstreamError {
	status := 502
	if errors.Is(err, os.ErrDeadlineExceeded) || isTimeout(err) {
		status = 504
	}
	return &upstreamError{status: status, doing: doing, err: err, sent: sent}
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// logUpstream writes nginx's line about a try that failed.
func (x *exchange) logUpstream(e *upstreamError) {
	what := e.err.Error()
	var errno syscall.Errno
	switch {
	case errors.As(e.err, &errno) && !e.sent:
		what = fmt.Sprintf("connect() failed (%d: %s)", int(errno), capital(errno.Error()))
	case e.status == 504:
		what = "upstream timed out (110: Connection timed out)"
	case errors.Is(e.err, io.EOF) || errors.Is(e.err, io.ErrUnexpectedEOF):
		what = "upstream prematurely closed connection"
	}
	url := x.upstream.scheme + "://" + x.balance.peer.address() + x.upstream.uri
	x.gw.log.Write(nginxlog.Error, x.conn.number, what+" while "+e.doing+x.logSuffix(url))
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// timedConn bounds each read and write, as proxy_read_timeout and
// proxy_send_timeout do.
type timedConn struct {
	net.Conn
	read, write time.Duration
}

func (c *timedConn) Read(p []byte) (int, error) {
	c.SetReadDeadline(time.Now().Add(c.read))
	return c.Conn.Read(p)
}

func (c *timedConn) Write(p []byte) (int, error) {
	c.SetWriteDeadline(time.Now().Add(c.write))
	return c.Conn.Write(p)
}
