package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// answer is what the client gets.
type answer struct {
	status int
	header http.Header
}

// sendTimeout bounds one request.
const sendTimeout = 20 * time.Second

// send sends a request to the gateway at address and waits for the whole answer.
// It writes the request itself, since the path has to go out byte for byte.
func send(ctx context.Context, address string, r Request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	a, err := exchange(conn, r, address)
	if ctx.Err() != nil {
		err = ctx.Err() // the connection was closed for it
	}
	if err != nil {
		return answer{}, fmt.Errorf("sending %s %q: %w", r.Method, r.Path, err)
	}
	return a, nil
}

func exchange(conn net.Conn, r Request, address string) (answer, error) {
	if _, err := conn.Write(r.wire(address)); err != nil {
		return answer{}, err
	}
	return receive(bufio.NewReader(conn), r.Method)
}

func receive(r *bufio.Reader, method string) (answer, error) {
	for {
		resp, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return answer{}, err
		}
		a := answer{resp.StatusCode, resp.Header}
		if a.status == http.StatusSwitchingProtocols {
			return a, nil
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return answer{}, err
		}
		if a.status >= 200 {
			return a, nil
		}
	}
}

// wire is the request as it is sent to a gateway at address.
func (r Request) wire(address string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s %s\r\n", r.Method, r.Path, r.protocol())
	field := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	field("Host", cmp.Or(r.Host, r.header("Host"), address))
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		if !strings.EqualFold(name, "Host") && !strings.EqualFold(name, "Content-Length") {
			field(name, r.Headers[name])
		}
	}
	if r.Scheme == "https" && r.header("X-Forwarded-Proto") == "" {
		field("X-Forwarded-Proto", "https") // as whatever ended TLS in front would say
	}
	if r.Body != "" || slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch}, r.Method) {
		field("Content-Length", fmt.Sprint(len(r.Body)))
	}
	b.WriteString("\r\n" + r.Body)
	return b.Bytes()
}

func (r Request) header(name string) string {
	for key, value := range r.Headers {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}

// protocol is HTTP/1.0 where a case asks for it. Other versions go out as
// HTTP/1.1, which is what the gateways listen for.
func (r Request) protocol() string {
	if strings.TrimPrefix(string(r.HTTPVersion), "HTTP/") == "1.0" {
		return "HTTP/1.0"
	}
	return "HTTP/1.1"
}
