package trial

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

// Request is what a client sends.
type Request struct {
	Method      string            `json:"method"`
	Path        string            `json:"path"` // the request target, byte for byte
	Host        string            `json:"host"` // empty: the gateway's address
	Headers     map[string]string `json:"headers"`
	Body        string            `json:"body"`
	Scheme      string            `json:"scheme"`       // https: it came over TLS, which somebody in front has ended
	HTTPVersion Version           `json:"http_version"` // 1.0, or else it goes out as 1.1
}

// Version is an HTTP version, written as a string or a number.
type Version string

// UnmarshalJSON takes both.
func (v *Version) UnmarshalJSON(data []byte) error {
	*v = Version(strings.Trim(string(data), `"`))
	return nil
}

// Answer is what the client gets.
type Answer struct {
	Status int
	Header http.Header
}

// sendTimeout bounds one request.
const sendTimeout = 20 * time.Second

// Send sends a request to the gateway at address (host:port) and waits for the
// whole answer, for twenty seconds at most. It writes the request itself, since the
// path has to go out byte for byte.
func Send(ctx context.Context, address string, r Request) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return Answer{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	a, err := exchange(conn, r, address)
	if ctx.Err() != nil {
		err = ctx.Err() // the connection was closed for it
	}
	if err != nil {
		return Answer{}, fmt.Errorf("sending %s %q: %w", r.Method, r.Path, err)
	}
	return a, nil
}

func exchange(conn net.Conn, r Request, address string) (Answer, error) {
	if _, err := conn.Write(r.wire(address)); err != nil {
		return Answer{}, err
	}
	return receive(bufio.NewReader(conn), r.Method)
}

func receive(r *bufio.Reader, method string) (Answer, error) {
	for {
		resp, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return Answer{}, err
		}
		a := Answer{resp.StatusCode, resp.Header}
		if a.Status == http.StatusSwitchingProtocols {
			return a, nil
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return Answer{}, err
		}
		if a.Status >= 200 {
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
