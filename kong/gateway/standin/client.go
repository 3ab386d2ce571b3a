package standin

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
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
		w := &clientWriter{w: bufio.NewWriter(conn), r: r, conn: conn, keepAlive: x.client.keepAlive && err == nil}
		if err != nil {
			x.refuse(w)
		} else {
			x.serve(ctx, w)
		}
		x.response.times.finished = time.Now()
		x.runLog()
		g.release(x.state)
		if !w.keepAlive {
			return
		}
	}
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

// refuse answers a request that could not be read.
func (x *exchange) refuse(w *clientWriter) {
	if x.request.method == "" {
		x.request.method = "GET" // so that the answer has a body
	}
	x.apply(x.errorPage(400))
	x.filterHeader()
	w.send(x.client, &x.response)
}

// clientWriter writes the answer to one request.
type clientWriter struct {
	w         *bufio.Writer
	r         *bufio.Reader // what else the client sends, for upgraded connections
	conn      net.Conn
	keepAlive bool
}

// send writes an answer whose body is known.
func (w *clientWriter) send(c clientRequest, r *response) {
	w.body(c, r, bytes.NewReader(r.body))
}

// stream writes an answer as it comes from the upstream. Its error is one of the
// upstream's: an answer that is cut short.
func (w *clientWriter) stream(c clientRequest, r *response) error {
	if r.status == http.StatusSwitchingProtocols {
		w.tunnel(r)
		return nil
	}
	err := w.body(c, r, r.received.body)
	if err != nil {
		w.keepAlive = false // an answer cut short ends with its connection
	}
	return err
}

// body writes head and body. Its error is one of reading the body.
func (w *clientWriter) body(c clientRequest, r *response, body io.Reader) error {
	hasBody := wire.HasBody(c.Method, r.status)
	f := r.fields()
	chunked := false
	switch {
	case f.Has("Content-Length") || !hasBody:
	case c.Proto == "HTTP/1.1":
		chunked = true
		f.Add("Transfer-Encoding", "chunked")
	default:
		w.keepAlive = false
	}
	f.Add("Connection", map[bool]string{true: "keep-alive", false: "close"}[w.keepAlive])
	wire.WriteHead(w.w, wire.StatusLine(r.status), f)
	defer w.w.Flush()
	if !hasBody {
		return nil
	}
	return w.copy(r, body, chunked)
}

// copy writes the body piece by piece and flushes each, so that an event
// stream flows.
func (w *clientWriter) copy(r *response, body io.Reader, chunked bool) error {
	w.w.Flush()
	buf := make([]byte, 32<<10)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			w.piece(buf[:n], chunked)
			r.sent += int64(n)
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
func (w *clientWriter) tunnel(r *response) {
	w.keepAlive = false
	f := r.fields()
	f.Add("Connection", "upgrade")
	wire.WriteHead(w.w, wire.StatusLine(r.status)+"Switching Protocols", f)
	w.w.Flush()
	var both sync.WaitGroup
	both.Go(func() {
		io.Copy(r.received.w, w.r)
		r.received.close()
	})
	io.Copy(w.conn, r.received.r)
	w.conn.Close()
	both.Wait()
}

// fields are those of the answer, in nginx's order: its own first.
func (r *response) fields() wire.Fields {
	var f wire.Fields
	rest := r.header.Clone()
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
