package diff_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/diff"
	"diag405/kong/gateway"
	"diag405/kong/gateway/standin"
)

// What is claimed to change changes in a running gateway, exactly as it is claimed, and
// of requests at random none changes without the diff saying so. DIAG405_LONG asks for
// more.
func TestAgainstTheStandIn(t *testing.T) {
	pairs, requests := 150, 40
	if os.Getenv("DIAG405_LONG") != "" {
		pairs = 2000
	}
	b := newBench(t)
	claims, changed, kinds := 0, 0, map[diff.Kind]int{}
	for n := range pairs {
		m := maker{rand.New(rand.NewPCG(405, uint64(n))), b.ports}
		p := b.load(t, m)
		for _, c := range p.report.Changes {
			claims++
			for _, k := range c.Kinds {
				kinds[k]++
			}
			b.confirm(t, p, c)
		}
		for range requests {
			if b.covered(t, p, m.request()) {
				changed++
			}
		}
		if t.Failed() {
			t.Fatalf("pair %d, %s:\n%s\n%s", n, p.flavor, p.before, p.after)
		}
	}
	t.Logf("%d claims of %d pairs confirmed, by kind %v; %d of %d requests at random changed", claims, pairs, kinds, changed, pairs*requests)
	for _, k := range diff.Kinds() {
		assert.True(t, k == diff.Plugin || kinds[k] > 0, "no pair has %s", k)
	}
}

// bench is two gateways of each flavour, before and after, and what is behind them.
type bench struct {
	ports    []int
	gateways map[config.Flavor][2]*client
}

type pair struct {
	flavor        config.Flavor
	before, after []byte
	report        *diff.Report
	gateways      [2]*client
}

func newBench(t *testing.T) *bench {
	b := &bench{gateways: map[config.Flavor][2]*client{}}
	hosts := map[string]string{}
	for i := range 2 {
		up := httptest.NewServer(http.HandlerFunc(echo))
		t.Cleanup(up.Close)
		u, err := url.Parse(up.URL)
		require.NoError(t, err)
		port, err := strconv.Atoi(u.Port())
		require.NoError(t, err)
		b.ports = append(b.ports, port)
		hosts[fmt.Sprintf("up%d.test", i)] = "127.0.0.1"
	}
	for _, f := range config.Flavors {
		var two [2]*client
		for i := range two {
			g, err := standin.Start(t.Context(), gateway.Options{Flavor: f, Hosts: hosts, AllowDebugHeader: true, TrustClients: true})
			require.NoError(t, err)
			t.Cleanup(func() { _ = g.Close() })
			two[i] = dial(t, g)
		}
		b.gateways[f] = two
	}
	return b
}

// echo says what an upstream got.
func echo(w http.ResponseWriter, r *http.Request) {
	_, port, _ := net.SplitHostPort(r.Context().Value(http.LocalAddrContextKey).(net.Addr).String())
	w.Header().Set("X-Got", strings.Join([]string{r.Method, r.RequestURI, r.Host, port}, " "))
}

// load makes a pair, compares it, and loads it.
func (b *bench) load(t *testing.T, m maker) *pair {
	p := &pair{flavor: m.flavor()}
	doc := m.document(p.flavor)
	var err error
	p.before, err = json.Marshal(doc)
	require.NoError(t, err)
	p.after, err = json.Marshal(m.mutate(doc, p.flavor))
	require.NoError(t, err)
	b.compare(t, p)
	return p
}

// compare compares a pair, and loads it.
func (b *bench) compare(t *testing.T, p *pair) {
	before, err := config.Parse(p.before, config.For(p.flavor))
	require.NoError(t, err, "%s", p.before)
	after, err := config.Parse(p.after, config.For(p.flavor))
	require.NoError(t, err, "%s", p.after)
	p.report, err = diff.Compare(before, after, diff.Options{})
	require.NoError(t, err)
	p.gateways = b.gateways[p.flavor]
	require.NoError(t, p.gateways[0].Load(t.Context(), p.before))
	require.NoError(t, p.gateways[1].Load(t.Context(), p.after))
}

// seen is what became of a request in a gateway.
type seen struct {
	Route  string
	Status int    // of an answer that is not the upstream's
	Got    string // by the upstream
}

// claimed is what an outcome says will be seen.
func claimed(o diff.Outcome) seen {
	s := seen{Route: o.Route, Status: o.Status}
	if u := o.Upstream; u != nil {
		_, port, _ := net.SplitHostPort(u.Address)
		s.Got = strings.Join([]string{u.Method, u.URI, u.Host, port}, " ")
	}
	return s
}

// confirm asks both gateways with the witness of a change.
func (b *bench) confirm(t *testing.T, p *pair, c *diff.Change) {
	if !canAsk(p, c.Witness) {
		return
	}
	assert.Equal(t, claimed(c.Before), p.gateways[0].ask(t, c.Witness), "before: %s", c.Witness)
	assert.Equal(t, claimed(c.After), p.gateways[1].ask(t, c.Witness), "after: %s", c.Witness)
}

// canAsk: the stand-in has no TLS, and only the expressions router looks at that.
func canAsk(p *pair, w diff.Witness) bool {
	return w.Scheme == "http" || p.flavor != config.Expressions
}

// covered asks both gateways with some request. If it changes, there has to be a
// change that says in what way.
func (b *bench) covered(t *testing.T, p *pair, w diff.Witness) bool {
	if !canAsk(p, w) {
		w.Scheme = "http"
	}
	before, after := p.gateways[0].ask(t, w), p.gateways[1].ask(t, w)
	renamed := slices.Contains(p.report.Renamed, diff.Rename{Old: before.Route, New: after.Route})
	if before == after || renamed && before.Got == after.Got && before.Status == after.Status {
		return false
	}
	want := differ(before, after, renamed)
	said := slices.ContainsFunc(p.report.Changes, func(c *diff.Change) bool {
		x, y := claimed(c.Before), claimed(c.After)
		return x.Route == before.Route && y.Route == after.Route && x.Status == before.Status && y.Status == after.Status && hasAll(differ(x, y, renamed), want)
	})
	assert.True(t, said, "%s went to %v and goes to %v, in %s, which is not said", w, before, after, want)
	return true
}

func hasAll(list, want []string) bool {
	return !slices.ContainsFunc(want, func(s string) bool { return !slices.Contains(list, s) })
}

// differ is in what two sights differ.
func differ(a, b seen, renamed bool) []string {
	var list []string
	if a.Route != b.Route && !renamed {
		list = append(list, "route")
	}
	if a.Got == "" || b.Got == "" {
		return append(list, fmt.Sprintf("%t %d to %t %d", a.Got != "", a.Status, b.Got != "", b.Status))
	}
	x, y := strings.Fields(a.Got), strings.Fields(b.Got)
	pathX, queryX, _ := strings.Cut(x[1], "?")
	pathY, queryY, _ := strings.Cut(y[1], "?")
	for name, same := range map[string]bool{
		"method": x[0] == y[0], "path": pathX == pathY, "query": queryX == queryY, "host": x[2] == y[2], "port": x[3] == y[3],
	} {
		if !same {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// client asks a gateway over one connection.
type client struct {
	gateway.Gateway
	conn net.Conn
	r    *bufio.Reader
}

func dial(t *testing.T, g gateway.Gateway) *client {
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", strings.TrimPrefix(g.URL(), "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &client{g, conn, bufio.NewReader(conn)}
}

func (c *client) ask(t *testing.T, w diff.Witness) seen {
	t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: %s\r\nKong-Debug: 1\r\nX-Forwarded-Proto: %s\r\n", w.Method, w.Target, w.Host, w.Scheme)
	for name, values := range w.Header {
		for _, v := range values {
			fmt.Fprintf(&text, "%s: %s\r\n", name, v)
		}
	}
	_, err := io.WriteString(c.conn, text.String()+"\r\n")
	require.NoError(t, err)
	res, err := http.ReadResponse(c.r, &http.Request{Method: w.Method})
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, res.Body)
	require.NoError(t, err)
	s := seen{Route: res.Header.Get("Kong-Route-Name"), Got: res.Header.Get("X-Got")}
	if s.Got == "" {
		s.Status = res.StatusCode
	}
	return s
}

// The pairs that the command is shown with: every claim is confirmed.
func TestPairsOfTheCommand(t *testing.T) {
	files, err := filepath.Glob("../../cmd/diag405/testdata/diff/*.txtar")
	require.NoError(t, err)
	b := newBench(t)
	pairs, claims := 0, 0
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		require.NoError(t, err)
		texts := map[string][]byte{}
		for _, f := range archive.Files {
			texts[f.Name] = f.Data
		}
		if texts["old.yml"] == nil || texts["new.yml"] == nil {
			continue
		}
		p := &pair{before: b.local(t, texts["old.yml"]), after: b.local(t, texts["new.yml"]), flavor: flavorOf(filepath.Base(file))}
		b.compare(t, p)
		pairs++
		for _, c := range p.report.Changes {
			claims++
			b.confirm(t, p, c)
		}
	}
	t.Logf("%d claims of %d pairs confirmed", claims, pairs)
	assert.GreaterOrEqual(t, pairs, 10)
}

func flavorOf(script string) config.Flavor {
	if f := config.Flavor(strings.TrimSuffix(script, ".txtar")); slices.Contains(config.Flavors, f) {
		return f
	}
	return config.TraditionalCompatible
}

// local puts upstreams of this machine in place of those of a configuration: one for
// those without a port or with 8080, the other for the rest.
func (b *bench) local(t *testing.T, doc []byte) []byte {
	return regexp.MustCompile(`http://[a-z]+:(\d+)`).ReplaceAllFunc(doc, func(url []byte) []byte {
		i := 1
		if bytes.HasSuffix(url, []byte(":8080")) {
			i = 0
		}
		return fmt.Appendf(nil, "http://up%d.test:%d", i, b.ports[i])
	})
}
