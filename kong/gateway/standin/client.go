package standin

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"diag405/kong/wire"
)

// serveClient answers the requests of one connection, one after the other.
func (g *standIn) serveClient(ctx context.Context, conn *clientConn) {
	r := bufio.NewReader(conn)
	for {
		x, err := g.readRequest(conn, r)
		if x == nil {
			return // the client is gone, or Close closed the connection
		}
		w := &clientWriter{w: bufio.NewWriter(conn), r: r, conn: conn, keepAlive: x.keepAlive && err == nil}
		if err != nil {
			x.refuse(w)
		} else {
			x.serve(ctx, w)
		}
		x.times.finished = time.Now()
		x.runLog()
		g.release(x.state)
		if !w.keepAlive {
			return
		}
	}
}

// readRequest reads a request with its body. An error with an exchange is a
// request to refuse.
func (g *standIn) readRequest(conn *clientConn, r *bufio.Reader) (*exchange, error) {
	head, err := wire.ReadHead(r)
	if err != nil && !errors.Is(err, wire.ErrMalformed) {
		return nil, err
	}
	conn.requests++
	x := &exchange{
		gw: g, conn: conn, id: requestID(), started: time.Now(), state: g.acquire(),
		line: head.Line, header: head.Fields, ctx: map[string]any{}, shared: map[string]any{}, scratch: map[*boundPlugin]any{},
	}
	if err != nil {
		return x, err
	}
	if x.client, err = wire.ParseRequestLine(head.Line); err != nil {
		return x, err
	}
	return x, x.readRest(conn, r)
}

// readRest takes the request line apart and reads the body, whole, as
// proxy_request_buffering does.
func (x *exchange) readRest(conn *clientConn, r *bufio.Reader) error {
	var authority string
	x.requestURI, authority = originForm(x.client.Target)
	if authority != "" {
		x.header.Set("Host", authority)
	}
	x.method = x.client.Method
	x.setQuery()
	x.host = hostName(x.header.Get("Host"))
	if len(x.header.Values("Host")) != 1 && (x.client.Proto == "HTTP/1.1" || x.host != "") {
		return wire.ErrMalformed
	}
	x.keepAlive = x.client.Proto == "HTTP/1.1" && !slices.Contains(x.header.Tokens("Connection"), "close") ||
		slices.Contains(x.header.Tokens("Connection"), "keep-alive")
	body, err := wire.RequestBody(r, x.header)
	if err != nil {
		return err
	}
	if slices.Contains(x.header.Tokens("Expect"), "100-continue") {
		io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
	}
	x.hasBody = x.header.Has("Content-Length") || x.header.Has("Transfer-Encoding")
	if x.body, err = io.ReadAll(body); err != nil {
		return wire.ErrMalformed
	}
	return nil
}

// setQuery takes $args from the request URI; a fragment is not part of it.
func (x *exchange) setQuery() {
	uri, _, _ := strings.Cut(x.requestURI, "#")
	_, x.query, _ = strings.Cut(uri, "?")
	x.hasQuery = x.query != "" // $is_args is empty for an empty query
}

// refuse answers a request that could not be read.
func (x *exchange) refuse(w *clientWriter) {
	if x.method == "" {
		x.method = "GET" // so that the answer has a body
	}
	x.apply(x.errorPage(400))
	x.filterHeader()
	w.send(x)
}

// requestID makes a $kong_request_id.
func requestID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// clientWriter writes the answer to one request.
type clientWriter struct {
	w         *bufio.Writer
	r         *bufio.Reader // what else the client sends, for upgraded connections
	conn      net.Conn
	keepAlive bool
}

// send writes an answer whose body is known.
func (w *clientWriter) send(x *exchange) {
	w.body(x, bytes.NewReader(x.outBody))
}

// stream writes an answer as it comes from the upstream.
func (w *clientWriter) stream(x *exchange, r *reply) {
	if r.status == http.StatusSwitchingProtocols {
		w.tunnel(x, r)
		return
	}
	if err := w.body(x, r.body); err != nil {
		x.logUpstream(failure("reading upstream", err, true))
		w.keepAlive = false // an answer cut short ends with its connection
	}
}

// body writes head and body. Its error is one of reading the body.
func (w *clientWriter) body(x *exchange, body io.Reader) error {
	hasBody := wire.HasBody(x.client.Method, x.status)
	f := x.clientFields()
	chunked := false
	switch {
	case f.Has("Content-Length") || !hasBody:
	case x.client.Proto == "HTTP/1.1":
		chunked = true
		f.Add("Transfer-Encoding", "chunked")
	default:
		w.keepAlive = false
	}
	f.Add("Connection", map[bool]string{true: "keep-alive", false: "close"}[w.keepAlive])
	wire.WriteHead(w.w, wire.StatusLine(x.status), f)
	defer w.w.Flush()
	if !hasBody {
		return nil
	}
	return w.copy(x, body, chunked)
}

// copy writes the body piece by piece and flushes each, so that an event
// stream flows.
func (w *clientWriter) copy(x *exchange, body io.Reader, chunked bool) error {
	w.w.Flush()
	buf := make([]byte, 32<<10)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			w.piece(buf[:n], chunked)
			x.sent += int64(n)
			if w.w.Flush() != nil {
				w.keepAlive = false
				return nil // the client is gone
			}
		}
		if err == io.EOF {
			if chunked {
				w.w.WriteString("0\r\n\r\n")
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (w *clientWriter) piece(p []byte, chunked bool) {
	if !chunked {
		w.w.Write(p)
		return
	}
	w.w.WriteString(strconv.FormatInt(int64(len(p)), 16) + "\r\n")
	w.w.Write(p)
	w.w.WriteString("\r\n")
}

// tunnel passes bytes both ways on an upgraded connection until one side ends.
func (w *clientWriter) tunnel(x *exchange, r *reply) {
	w.keepAlive = false
	f := x.clientFields()
	f.Add("Connection", "upgrade")
	wire.WriteHead(w.w, wire.StatusLine(x.status)+"Switching Protocols", f)
	w.w.Flush()
	var both sync.WaitGroup
	both.Go(func() {
		io.Copy(r.w, w.r)
		r.close()
	})
	io.Copy(w.conn, r.r)
	w.conn.Close()
	both.Wait()
}

// clientFields are the fields of the answer, in nginx's order: its own first.
func (x *exchange) clientFields() wire.Fields {
	var f wire.Fields
	rest := x.out.Clone()
	if !rest.Has("Date") {
		rest.Add("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	for _, name := range []string{"Date", "Content-Type", "Content-Length"} {
		for _, h := range rest {
			if strings.EqualFold(h.Name, name) {
				f = append(f, h)
			}
		}
		rest.Del(name)
	}
	return append(f, rest...)
}
