package compare

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/curl"
)

// received has an exchange with a server that takes one request and answers it, and returns
// what came.
func received(t *testing.T, answer string, args ...string) (request string, x *exchange) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	got := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var b bytes.Buffer
		buffer := make([]byte, 4096)
		for !strings.Contains(b.String(), "\r\n\r\n") {
			n, err := conn.Read(buffer)
			if b.Write(buffer[:n]); err != nil {
				break
			}
		}
		got <- b.String()
		_, _ = io.WriteString(conn, answer)
	}()
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "URL", "http://"+l.Addr().String())
	}
	r, err := curl.Parse(args, nil)
	require.NoError(t, err)
	x = &exchange{way: throughKong, request: r}
	x.send(context.Background())
	return <-got, x
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// The request line has what curl would send, byte for byte.
func TestTargets(t *testing.T) {
	for _, target := range []string{"/", "/a%2Fb/%7Ec", "/a//b", "//a", "/%", "/a?", "/a?b=%zz&c", "/ä", "/a;b=c", "/*"} {
		got, x := received(t, ok, "URL"+target)
		require.NoError(t, x.problem, target)
		assert.Equal(t, "GET "+target+" HTTP/1.1", strings.SplitN(got, "\r\n", 2)[0])
	}
	got, x := received(t, ok, "-x", "URL", "http://a.example/b?c")
	require.NoError(t, x.problem)
	assert.Equal(t, "GET http://a.example/b?c HTTP/1.1", strings.SplitN(got, "\r\n", 2)[0], "what a proxy gets")
}

// Nothing goes along that curl would not send.
func TestNothingElseIsSent(t *testing.T) {
	got, x := received(t, ok, "URL/", "-H", "User-Agent:", "-H", "Accept:", "-H", "Host: a.example")
	require.NoError(t, x.problem)
	assert.Equal(t, "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n", got)
	assert.Equal(t, int64(2), x.size)
	assert.Equal(t, "OK", x.reason)
}

func TestNoAnswer(t *testing.T) {
	_, x := received(t, "", "URL/")
	assert.ErrorContains(t, x.problem, "EOF")
	_, x = received(t, "SMTP\r\n", "URL/")
	assert.ErrorContains(t, x.problem, "malformed HTTP")

	silent, err := net.Listen("tcp", "127.0.0.1:0") // what connects is never accepted
	require.NoError(t, err)
	defer silent.Close()
	x = &exchange{way: throughKong, request: &curl.Request{
		Method: "GET", URL: curl.URL{Scheme: "http", Address: silent.Addr().String(), Target: "/"}, Timeout: 20 * time.Millisecond,
	}}
	x.send(context.Background())
	assert.EqualError(t, x.problem, "nothing came within 20ms")
}

// An event stream is not waited for.
func TestEventStream(t *testing.T) {
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		fmt.Fprint(w, "data: 1\n\n")
		w.(http.Flusher).Flush()
		<-done
	}))
	defer server.Close()
	defer close(done)
	r, err := curl.Parse([]string{server.URL}, nil)
	require.NoError(t, err)
	x := &exchange{request: r}
	x.send(context.Background())
	require.NoError(t, x.problem)
	assert.Equal(t, "an event stream", bytesOf(x.size))
}

func TestInsecure(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the client that refuses
	server.StartTLS()
	defer server.Close()
	for _, insecure := range []bool{false, true} {
		x := &exchange{request: &curl.Request{Method: "GET", URL: curl.URL{Scheme: "https", Address: server.Listener.Addr().String(), Target: "/"}, Insecure: insecure}}
		x.send(context.Background())
		assert.Equal(t, insecure, x.problem == nil, "-k %v: %v", insecure, x.problem)
	}
}

func TestTable(t *testing.T) {
	tests := []struct {
		text string
		want []string
	}{
		{"", []string{""}},
		{"short", []string{"short"}},
		{"exactly-10", []string{"exactly-10"}},
		{"POST /long/path", []string{"POST /long", "/path"}},
		{"POST /a/b/c/d", []string{"POST /a/b", "/c/d"}},
		{"abcdefghijklm", []string{"abcdefghij", "klm"}},
		{"äöüäöüäöüäöü", []string{"äöüäöüäöüä", "öü"}},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, wrap(tt.text, 10), tt.text)
	}
	var out strings.Builder
	table := &table{screen: cli.NewScreen(&out), width: 48, columns: 2}
	table.row("to", cli.Plain, []string{"one two three four five", "\x1b[2J"})
	table.rowIfAny("no", []string{"", ""})
	assert.Equal(t, "to        one two three four  \ufffd[2J\n          five\n", table.String())
}
