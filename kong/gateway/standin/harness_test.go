package standin

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"diag405/kong/gateway"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// buildProbe builds testdata/probe once.
var buildProbe = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "probe-")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "probe")
	if out, err := exec.Command("go", "build", "-o", binary, "./testdata/probe").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the probe plugin: %w\n%s", err, out)
	}
	return binary, os.Link(binary, filepath.Join(dir, "probe-log"))
})

func TestMain(m *testing.M) {
	code := m.Run()
	if binary, err := buildProbe(); err == nil {
		os.RemoveAll(filepath.Dir(binary))
	}
	os.Exit(code)
}

// probePath is the path of the probe plugin, probe or probe-log.
func probePath(t *testing.T, name string) string {
	t.Helper()
	binary, err := buildProbe()
	require.NoError(t, err)
	return filepath.Join(filepath.Dir(binary), name)
}

// standInFor starts a stand-in with plugins and a configuration.
func standInFor(t *testing.T, o gateway.Options, declarative string) *standIn {
	t.Helper()
	return faultyFor(t, nil, o, declarative)
}

// faultyFor starts a stand-in whose replies to plugins go wrong as f says.
func faultyFor(t *testing.T, f Faults, o gateway.Options, declarative string) *standIn {
	t.Helper()
	if o.ErrorLog == nil {
		o.ErrorLog = &gateway.Lines{}
	}
	gw, err := f.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, gw.Close()) })
	if declarative != "" {
		require.NoError(t, gw.Load(t.Context(), []byte(declarative)))
	}
	return gw.(*standIn)
}

// seen is a request as an upstream got it.
type seen struct {
	Method, URI, Host string
	Header            http.Header
	Body              string
}

// echo is an upstream that tells what it got in its answer, as JSON, and takes
// answer header fields from the query argument "answer" (name:value).
func echo(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		for _, h := range r.URL.Query()["answer"] {
			name, value, _ := strings.Cut(h, ":")
			w.Header().Add(name, value)
		}
		status := 200
		fmt.Sscan(r.URL.Query().Get("status"), &status)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(seen{r.Method, r.RequestURI, r.Host, r.Header, string(body)})
	}))
	t.Cleanup(s.Close)
	return s
}

// received is an answer as a client got it, byte for byte in Line.
type received struct {
	Line   string
	Status int
	Header http.Header
	Body   string
}

// seen is what the echo upstream put into the answer.
func (r received) seen(t *testing.T) seen {
	t.Helper()
	var s seen
	require.NoError(t, json.Unmarshal([]byte(r.Body), &s), "%d %q", r.Status, r.Body)
	return s
}

// send sends a request as it is written and reads the answer. Lines end with
// "\n" here; Host and the empty line are added when they are missing.
func send(t *testing.T, g *standIn, request string) received {
	t.Helper()
	head, body, hasBody := strings.Cut(request, "\n\n")
	if !strings.Contains(strings.ToLower(head), "\nhost:") {
		head += "\nHost: " + strings.TrimPrefix(g.URL(), "http://")
	}
	if hasBody {
		head += fmt.Sprintf("\nContent-Length: %d", len(body))
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.URL(), "http://"))
	require.NoError(t, err)
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n"+body)
	return readAnswer(t, bufio.NewReader(conn), strings.Fields(request)[0])
}

// readAnswer reads an answer and leaves what follows it.
func readAnswer(t *testing.T, r *bufio.Reader, method string) received {
	t.Helper()
	_, err := r.Peek(1)
	require.NoError(t, err, "no answer")
	peeked, _ := r.Peek(r.Buffered())
	line, _, _ := strings.Cut(string(peeked), "\r\n")
	resp, err := http.ReadResponse(r, &http.Request{Method: method})
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return received{line, resp.StatusCode, resp.Header, string(body)}
}

// outcome is what the probe plugin reports of a call; the last of a phase has
// no Call.
type outcome struct {
	Phase, Call, Value, Error string
	PID                       int
}

// inbox is what the probe reported. Each phase has a connection of its own, so
// reports of two phases may come in any order.
type inbox struct {
	c    chan outcome
	kept []outcome
}

// next returns the first outcome that take wants; the others are kept.
func (in *inbox) next(t *testing.T, take func(outcome) bool) outcome {
	t.Helper()
	for i, o := range in.kept {
		if take(o) {
			in.kept = slices.Delete(in.kept, i, i+1)
			return o
		}
	}
	timeout := time.After(10 * time.Second)
	for {
		select {
		case o := <-in.c:
			if take(o) {
				return o
			}
			in.kept = append(in.kept, o)
		case <-timeout:
			require.FailNow(t, "no report from the probe", "kept: %v", in.kept)
		}
	}
}

// has tells whether a phase has been reported so far.
func (in *inbox) has(p phase) bool {
	return slices.ContainsFunc(in.kept, func(o outcome) bool { return o.Phase == p.String() })
}

// reports listens for the probe plugin.
func reports(t *testing.T) (address string, outcomes *inbox) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := make(chan outcome, 1000)
	var wg sync.WaitGroup
	t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				for d := json.NewDecoder(conn); ; {
					var o outcome
					if d.Decode(&o) != nil {
						return
					}
					c <- o
				}
			})
		}
	})
	return l.Addr().String(), &inbox{c: c}
}

// phaseOutcomes waits for the end of a phase.
func phaseOutcomes(t *testing.T, in *inbox, p phase) []outcome {
	t.Helper()
	var out []outcome
	for {
		o := in.next(t, func(o outcome) bool { return o.Phase == p.String() })
		if o.Call == "" {
			return out
		}
		out = append(out, o)
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, condition func() bool, what string) {
	t.Helper()
	require.Eventually(t, condition, 10*time.Second, time.Millisecond, what)
}
