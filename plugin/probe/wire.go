package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"diag405/kong/forecast"
	"diag405/plugin/diagnose"
)

const (
	maxReply = 16 << 10 // bytes of an answer that are read, head and body
	maxPath  = 2048     // bytes of a path that is asked
	maxHost  = 255
)

// reply is what is kept of an answer.
type reply struct {
	status int
	allow  diagnose.Allow
	server string // Server and X-Powered-By: whose answer it is
	// firstRoute is true when Allow may name the methods of the first route only.
	firstRoute bool
}

// exchange asks one path and reads the answer. It writes the request itself: an
// http.Client would send a path such as // as something else, add headers, and
// keep connections.
func (p *Prober) exchange(ctx context.Context, at place) (*reply, error) {
	conn, err := p.options.connect(ctx, at.Upstream)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	if _, err := io.WriteString(conn, p.request(at)); err != nil {
		return nil, err
	}
	return readReply(bufio.NewReader(io.LimitReader(conn, maxReply)), at.method)
}

// connect opens the connection and, for https, TLS on it. The certificate is not
// verified, as Kong verifies none unless told to (tls_verify): the probe has to
// reach whatever the request reached, it tells that server nothing secret, and
// all it takes from it is a list of methods.
func (o Options) connect(ctx context.Context, u Upstream) (net.Conn, error) {
	conn, err := o.Dial(ctx, "tcp", u.Address)
	if err != nil || u.Scheme == "http" {
		return conn, err
	}
	secure := tls.Client(conn, &tls.Config{ServerName: forecast.Hostname(u.Host), InsecureSkipVerify: true})
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

func (p *Prober) request(at place) string {
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: diag405\r\n%s: %s\r\nConnection: close\r\n\r\n",
		at.method, at.path, at.Host, GuardHeader, p.secret)
}

// readReply reads the final answer. Interim ones (RFC 9110 section 15.2) may come
// before it.
func readReply(r *bufio.Reader, method string) (*reply, error) {
	for range 4 {
		resp, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return nil, err
		}
		if resp.StatusCode >= 200 {
			return newReply(resp), nil
		}
	}
	return nil, errors.New("no final answer")
}

func newReply(resp *http.Response) *reply {
	return &reply{
		status:     resp.StatusCode,
		allow:      diagnose.ParseAllow(resp.Header.Values("Allow")),
		server:     resp.Header.Get("Server") + " " + resp.Header.Get("X-Powered-By"),
		firstRoute: isASGI(resp.Header.Get("Server")) || isStarlette(resp),
	}
}

// isASGI reports whether a Server header is that of a server which Starlette and
// FastAPI run on. An application behind a proxy does not show it.
func isASGI(server string) bool {
	name, _, _ := strings.Cut(strings.ToLower(server), "/")
	switch {
	case name == "uvicorn", name == "granian", name == "daphne":
		return true
	}
	return strings.HasPrefix(name, "hypercorn") // hypercorn-h11, hypercorn-h2
}

// isStarlette reports whether a 405 has the body of FastAPI or of Starlette, which
// a proxy leaves as it is. Both come with a Content-Length (measured with uvicorn);
// for a body of unknown length nobody waits.
func isStarlette(resp *http.Response) bool {
	const fastAPI, starlette = `{"detail":"Method Not Allowed"}`, "Method Not Allowed"
	if resp.ContentLength != int64(len(fastAPI)) && resp.ContentLength != int64(len(starlette)) {
		return false
	}
	body, err := io.ReadAll(resp.Body)
	return err == nil && (string(body) == fastAPI || string(body) == starlette)
}

func (u Upstream) valid() bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Address != "" && validHost(u.Host)
}

// validHost reports whether a Host header can be sent as it is (RFC 9110 section
// 7.2, less what no upstream's name contains).
func validHost(host string) bool {
	return host != "" && len(host) <= maxHost && !strings.ContainsFunc(host, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._:[]", r))
	})
}

// validPath reports whether a path can stand in a request line as it is. A query
// is the client's own and is never sent.
func validPath(path string) bool {
	return strings.HasPrefix(path, "/") && len(path) <= maxPath && !strings.ContainsFunc(path, func(r rune) bool {
		return r <= ' ' || r > '~' || r == '?' || r == '#'
	})
}
