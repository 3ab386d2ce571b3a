package standin

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"diag405/kong/gateway"
	"diag405/kong/measured"

	"github.com/stretchr/testify/require"
)

// recorder is an upstream that keeps the last request.
type recorder struct {
	mu   sync.Mutex
	last *seen
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	header := req.Header.Clone()
	if req.ContentLength >= 0 && req.Header.Get("Content-Length") != "" {
		header.Set("Content-Length", fmt.Sprint(req.ContentLength))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = &seen{req.Method, req.RequestURI, req.Host, header, string(body)}
}

func (r *recorder) take() *seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.last
	r.last = nil
	return s
}

func TestAnswersAsMeasured(t *testing.T) {
	scenarios, err := measured.Plugins.Scenarios()
	require.NoError(t, err)
	rec := &recorder{}
	up := httptest.NewServer(rec)
	defer up.Close()
	g := standInFor(t, gateway.Options{}, "")
	equal, total := 0, 0
	var differences []string
	for _, s := range scenarios {
		ports := newPortMap(t, up)
		if err := g.Load(t.Context(), ports.local(s.Kong)); err != nil {
			total += len(s.Requests)
			differences = append(differences, fmt.Sprintf("%s: %v", s.ID, err))
			continue
		}
		for _, r := range s.Requests {
			total++
			got := send(t, g, requestText(r))
			if diff := compare(r.Expect, got, rec.take(), ports); diff != "" {
				differences = append(differences, fmt.Sprintf("%s: %s %s: %s", s.ID, r.Method, r.Target, diff))
			} else {
				equal++
			}
		}
	}
	fmt.Printf("gateway: %d of %d equal\n", equal, total)
	for _, d := range differences[:min(10, len(differences))] {
		t.Error(d)
	}
	require.Positive(t, total)
	require.Equal(t, total, equal)
}

// requestText is the request as it goes over the wire.
func requestText(r measured.Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\nHost: %s", r.Method, r.Target, r.Host)
	for name, value := range r.Headers {
		fmt.Fprintf(&b, "\n%s: %s", name, value)
	}
	if r.Body != "" || slices.Contains([]string{"POST", "PUT", "PATCH"}, r.Method) {
		b.WriteString("\n\n" + r.Body) // clients send a length with these methods
	}
	return b.String()
}

// portMap puts the ports of this run in place of the measured ones. Port 9899
// is where nobody listens.
type portMap struct{ up, nobody string }

func newPortMap(t *testing.T, up *httptest.Server) portMap {
	t.Helper()
	_, port, err := net.SplitHostPort(up.Listener.Addr().String())
	require.NoError(t, err)
	return portMap{up: port, nobody: closedPort(t)}
}

// closedPort is a port that refuses connections.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}

var measuredPort = regexp.MustCompile(`(127\.0\.0\.1:|"port": ?)(98\d\d)`)

func (p portMap) local(text []byte) []byte {
	return measuredPort.ReplaceAllFunc(text, func(m []byte) []byte {
		parts := measuredPort.FindSubmatch(m)
		port := p.up
		if string(parts[2]) == "9899" {
			port = p.nobody
		}
		return append(slices.Clone(parts[1]), port...)
	})
}

// changing are parts of an answer that differ from run to run: request ids, and
// addresses of Lua tables.
var changing = regexp.MustCompile(`\b[0-9a-f]{32}\b|0x[0-9a-f]{12}\b`)

func stable(s string) string { return changing.ReplaceAllString(s, "#") }

// compare says what differs from what Kong did.
func compare(e measured.Outcome, got received, at *seen, ports portMap) string {
	var diffs []string
	check := func(what string, got, want any) {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			diffs = append(diffs, fmt.Sprintf("%s %q, want %q", what, got, want))
		}
	}
	check("status", got.Status, e.Status)
	if e.Body != nil {
		check("body", stable(got.Body), stable(*e.Body))
	}
	for name, want := range e.Headers {
		check(name, got.Header.Get(name), string(ports.local([]byte(want))))
	}
	for name := range got.Header { // those of cors are all recorded
		if e.Headers != nil && strings.HasPrefix(name, "Access-Control-") && !hasName(e.Headers, name) {
			diffs = append(diffs, fmt.Sprintf("%s %q, want none", name, got.Header.Get(name)))
		}
	}
	check("reached the upstream", at != nil, e.Upstream != nil)
	if at == nil || e.Upstream == nil {
		return strings.Join(diffs, "; ")
	}
	check("method", at.Method, e.Upstream.Method)
	check("uri", stable(at.URI), stable(e.Upstream.URI))
	check("host", at.Host, string(ports.local([]byte(e.Upstream.Host))))
	if e.Upstream.Body != nil {
		check("upstream body", at.Body, *e.Upstream.Body)
	}
	for name, want := range e.Upstream.Headers {
		check("upstream "+name, at.Header.Values(name), want)
	}
	for name := range at.Header {
		if e.Upstream.Headers != nil && !hasName(e.Upstream.Headers, name) && !slices.Contains([]string{"Connection", "X-Forwarded-Port", "X-Kong-Request-Id"}, name) {
			diffs = append(diffs, fmt.Sprintf("upstream %s %q, want none", name, at.Header.Values(name)))
		}
	}
	return strings.Join(diffs, "; ")
}

func hasName[T any](m map[string]T, name string) bool {
	for k := range m {
		if strings.EqualFold(k, name) {
			return true
		}
	}
	return false
}
