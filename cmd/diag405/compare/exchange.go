package compare

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"diag405/cmd/diag405/curl"
	"diag405/plugin/diagnose"
)

// Bounds of an exchange.
const (
	wholeTime = 30 * time.Second // where curl is given no --max-time
	maxRead   = 16 << 20         // bytes of a body that are counted
	maxKept   = 16 << 10         // bytes of a body that are looked at
)

// exchange is a request, and what came back.
type exchange struct {
	way     way
	request *curl.Request
	answer  diagnose.Response
	reason  string        // the status line's, behind the number
	size    int64         // of the answer's body, in bytes, -1 for an event stream, which has no end
	took    time.Duration // until the answer's headers were there
	problem error         // why there is no answer
}

// line is what was asked for, without the query.
func (x *exchange) line() diagnose.Line {
	path, _, _ := strings.Cut(x.request.URL.Target, "?")
	return diagnose.Line{Method: x.request.Method, Path: path}
}

// send sends the request as it is and reads the answer. Nothing is followed, decoded or
// tried again.
func (x *exchange) send(ctx context.Context) {
	limit := wholeTime
	if x.request.Timeout > 0 {
		limit = x.request.Timeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	transport := x.transport()
	defer transport.CloseIdleConnections()
	req, err := x.prepare(ctx, transport)
	if err != nil {
		x.problem = err
		return
	}
	began := time.Now()
	res, err := transport.RoundTrip(req)
	x.took = time.Since(began)
	if err != nil {
		x.problem = x.why(err, limit)
		return
	}
	defer res.Body.Close()
	x.answer = diagnose.Response{Status: res.StatusCode, Header: res.Header}
	_, x.reason, _ = strings.Cut(res.Status, " ")
	x.read(res)
}

// read counts the answer's body and keeps its beginning. One that breaks off is as long
// as it came.
func (x *exchange) read(res *http.Response) {
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind == "text/event-stream" {
		x.size = -1
		return
	}
	var kept bytes.Buffer
	n, _ := io.Copy(&kept, io.LimitReader(res.Body, maxKept))
	rest, _ := io.Copy(io.Discard, io.LimitReader(res.Body, maxRead-n))
	x.size, x.answer.Body = n+rest, kept.Bytes()
}

// transport connects as curl is told to.
func (x *exchange) transport() *http.Transport {
	dialer := &net.Dialer{Timeout: x.request.Dial}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, DisableCompression: true, ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: x.request.Insecure}, // -k
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if instead, ok := x.request.Connect[strings.ToLower(address)]; ok {
				address = instead
			}
			return dialer.DialContext(ctx, network, address)
		},
	}
	if x.request.Proxy != "" {
		t.Proxy = func(*http.Request) (*url.URL, error) { return proxyURL(x.request.Proxy) }
	}
	return t
}

// proxyURL is the URL of -x, which is http without a scheme and has port 1080 without one.
func proxyURL(address string) (*url.URL, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("curl's -x %q: %w", address, err)
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), "1080")
	}
	return u, nil
}

// prepare makes a request whose request line has the target byte for byte.
func (x *exchange) prepare(ctx context.Context, t *http.Transport) (*http.Request, error) {
	r := x.request
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL.Scheme+"://"+r.URL.Address, bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	if r.Body == nil {
		req.Body, req.GetBody, req.ContentLength = nil, nil, 0
	}
	req.Host = r.Host
	maps.Copy(req.Header, r.Header)
	if _, ok := req.Header["User-Agent"]; !ok {
		req.Header["User-Agent"] = []string{""} // or net/http names itself
	}
	path, query, hasQuery := strings.Cut(r.URL.Target, "?")
	req.URL.RawQuery, req.URL.ForceQuery = query, hasQuery && query == ""
	proxy, err := t.Proxy(req)
	switch {
	case err != nil:
		return nil, err
	case proxy != nil && r.URL.Scheme == "http":
		req.URL.Opaque = "//" + r.URL.Address + path // a proxy gets the whole URL
	case strings.HasPrefix(path, "//"): // in Opaque it would be taken for a host
		req.URL.RawPath = path
		req.URL.Path, err = url.PathUnescape(path)
	default:
		req.URL.Opaque = path
	}
	return req, err
}

// why says in a clause why there is no answer.
func (x *exchange) why(err error, limit time.Duration) error {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && x.way != throughKong:
		return fmt.Errorf("%w; it may be a name that only Kong's own host knows: -direct URL says where the application is from here", err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("nothing came within %v", limit)
	}
	return err
}
