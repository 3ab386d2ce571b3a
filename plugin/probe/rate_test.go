package probe_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/plugin/diagnose"
	"diag405/plugin/probe"
)

// process is what one plugin server asks with: ten diagnoses a second for an upstream.
func process(c *clock) *probe.Prober {
	return probe.New(probe.Options{
		Timeout: time.Minute, Now: c.Now, CacheSize: 8192, PerSecond: 10 * probe.MaxRequests, InAll: 20 * probe.MaxRequests,
	})
}

// about is a question about five paths that nobody asked about before, of one share.
func about(share string, n int) probe.Question {
	q := probe.Question{Refused: diagnose.Line{Method: "POST", Path: fmt.Sprintf("/%s%d/a", share, n)}, Share: share}
	for i := range 4 {
		q.Paths = append(q.Paths, fmt.Sprintf("/%s%d/b%d/c", share, n, i))
	}
	return q
}

// The limit is for the process and the upstream: that five routes lead there, each with
// an instance of its own, makes it no larger.
func TestRateIsForTheProcess(t *testing.T) {
	u := serve(t, application{"*": "404"})
	p := process(newClock())
	for route := range 5 {
		for i := range 10 {
			q := about(fmt.Sprint("route", route), i)
			q.Scope = uint64(route)
			p.Ask(t.Context(), u.place(), q)
		}
	}
	assert.Equal(t, 100, u.count(""))
}

// A flood on one path leaves half of the second to the others.
func TestFloodLeavesAShare(t *testing.T) {
	u := serve(t, application{"*": "404"})
	c := newClock()
	p := process(c)
	for range 3 {
		before := u.count("")
		for i := range 100 {
			p.Ask(t.Context(), u.place(), about("flood", i+before))
		}
		assert.Equal(t, 50, u.count("")-before)
		assert.Len(t, p.Ask(t.Context(), u.place(), about("bystander", before)), 5, "asked in full")
		c.move(time.Second)
	}
}

// All upstreams together have a limit, too.
func TestRateInAll(t *testing.T) {
	p := process(newClock())
	asked := 0
	for range 4 {
		u := serve(t, application{"*": "404"})
		for i := range 20 {
			p.Ask(t.Context(), u.place(), about(fmt.Sprint("share", i), i))
		}
		asked += u.count("")
	}
	assert.Equal(t, 200, asked)
}

// What bears the mark of another process's probe is asked about once a second.
func TestRateOfTheMarked(t *testing.T) {
	u := serve(t, application{"*": "404"})
	c := newClock()
	p := process(c)
	for second := range 2 {
		for i := range 20 {
			q := about(fmt.Sprintf("share%d-", second), i)
			q.Marked = true
			p.Ask(t.Context(), u.place(), q)
		}
		assert.Equal(t, 18*(second+1), u.count(""))
		c.move(time.Second)
	}
	assert.Len(t, p.Ask(t.Context(), u.place(), about("other", 1)), 5, "what is not marked has the rest")
}

// Two gateways with a process each, and each other's upstream: a request to one ends.
func TestGatewaysThatAskEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var probers [2]*probe.Prober
		var asked atomic.Int32
		gateway := func(self int) func(context.Context, string, string) (net.Conn, error) {
			return func(context.Context, string, string) (net.Conn, error) {
				near, far := net.Pipe()
				go func() {
					defer far.Close()
					asked.Add(1)
					explain(probers[self], far)
				}()
				return near, nil
			}
		}
		for i := range probers {
			probers[i] = probe.New(probe.Options{PerSecond: 100, Dial: gateway(1 - i)})
		}
		probers[0].Ask(t.Context(), gatewayPlace, question("/a"))
		time.Sleep(time.Hour)
		assert.Less(t, asked.Load(), int32(60))
		before := asked.Load()
		time.Sleep(time.Hour)
		assert.Equal(t, before, asked.Load(), "nobody asks any more")
	})
}

var gatewayPlace = probe.Upstream{Scheme: "http", Address: "gateway.test:80", Host: "gateway.test"}

// explain is a gateway whose upstream refuses all: it asks, unless the request is its
// own probe.
func explain(p *probe.Prober, conn net.Conn) {
	req, err := readRequest(conn)
	if err != nil {
		return
	}
	marked, own := p.Marked(req.Header)
	if !own {
		q := question("/x"+req.URL.Path, req.URL.Path+"/y")
		q.Refused = diagnose.Line{Method: req.Method, Path: req.URL.Path}
		q.Marked = marked
		p.Ask(context.Background(), gatewayPlace, q)
	}
	io.WriteString(conn, "HTTP/1.1 405 No\r\nAllow: GET\r\nContent-Length: 0\r\n\r\n")
}

// A gateway whose upstream is itself does not ask itself at all.
func TestGatewayThatAsksItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p *probe.Prober
		var asked atomic.Int32
		p = probe.New(probe.Options{PerSecond: 100, Dial: func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go func() {
				defer far.Close()
				asked.Add(1)
				explain(p, far)
			}()
			return near, nil
		}})
		p.Ask(t.Context(), gatewayPlace, question("/a"))
		time.Sleep(time.Hour)
		assert.EqualValues(t, 3, asked.Load(), "two paths and a control")
	})
}

// Instances of two configurations have their answers to themselves.
func TestScope(t *testing.T) {
	u := serve(t, application{"*": "404", "/": "405 GET"})
	p := process(newClock())
	for scope := range uint64(2) {
		for range 3 {
			q := question("/a")
			q.Scope = scope
			assert.Len(t, p.Ask(t.Context(), u.place(), q), 2)
		}
		assert.Equal(t, 3*(int(scope)+1), u.count(""))
	}
}

// Of an upstream that hangs no more requests are under way than so many.
func TestUnderWay(t *testing.T) {
	hang, began := make(chan struct{}), make(chan struct{}, 2000)
	u := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { began <- struct{}{}; <-hang }))
	defer close(hang)
	p := probe.New(probe.Options{Timeout: time.Minute, CacheSize: 8192, PerSecond: 2000})
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // who asks does not wait
	for i := range 100 {
		p.Ask(ctx, u.place(), about(fmt.Sprint("share", i), i))
	}
	for range 512 {
		<-began
	}
	require.Never(t, func() bool { return len(began) > 0 }, 50*time.Millisecond, 10*time.Millisecond)
}

func TestFamily(t *testing.T) {
	for path, want := range map[string]string{
		"/": "", "": "", "/a": "", "/a/": "", "/a/b": "/a", "/orders/7": "/orders", "/orders/7/items/8": "/orders/{}/items",
		"/orders/9/items/": "/orders/{}", "*": "", "//a": "/",
	} {
		assert.Equal(t, want, probe.Family(path), path)
	}
}

func readRequest(conn net.Conn) (*http.Request, error) {
	return http.ReadRequest(bufio.NewReader(conn))
}
