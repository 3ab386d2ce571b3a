// Package observability checks what docs/observability.md has people copy: that the files
// parse, that they ask for what there is, and, where the other end can be had, that they
// work.
package observability

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/diag405test"
	"diag405/kong/config"
	"diag405/kong/gateway"
	"diag405/kong/gateway/standin"
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(data)
}

// plugin is a plugin of the only route in an example's configuration.
func plugin(t *testing.T, file, name string) *config.Plugin {
	t.Helper()
	c, err := config.Parse([]byte(read(t, file)))
	require.NoError(t, err, file)
	for _, p := range c.Plugins {
		if p.Name == name {
			return p
		}
	}
	require.Failf(t, "no such plugin", "%s in %s", name, file)
	return nil
}

// freeAddress is one that nobody listens on, for what cannot choose one itself.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// node is a gateway with the plugin, and what it wrote.
type node struct {
	gateway.Gateway
	log     *gateway.Lines
	records string // the file of a log plugin, one record a line
	sent    atomic.Int64
}

// startNode starts a gateway in front of an application that has GET / and, on
// /orders/ID, GET and PUT.
func startNode(t *testing.T, binary string) *node {
	t.Helper()
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Server", "uvicorn") }
	mux.HandleFunc("GET /{$}", answer)
	mux.HandleFunc("GET /orders/{id}", answer)
	mux.HandleFunc("PUT /orders/{id}", answer)
	app := httptest.NewServer(mux)
	t.Cleanup(app.Close)
	n := &node{log: &gateway.Lines{}, records: filepath.Join(t.TempDir(), "records.jsonl")}
	g, err := standin.Start(t.Context(), gateway.Options{Plugins: []string{binary}, ErrorLog: n.log})
	require.NoError(t, err)
	t.Cleanup(func() { g.Close() })
	n.Gateway = g
	require.NoError(t, g.Load(t.Context(), []byte(fmt.Sprintf(`{"_format_version": "3.0", "services": [{"name": "shop", "url": %q,
		"plugins": [{"name": "diag405", "config": {"log_requests": "none"}}, {"name": "file-log", "config": {"path": %q}}],
		"routes": [{"name": "send", "paths": ["/api/send"]}, {"name": "orders", "paths": ["/shop"]}, {"name": "kept", "paths": ["/orders"], "strip_path": false}]}]}`,
		app.URL, n.records))))
	return n
}

func (n *node) ask(t *testing.T, method, target string, want int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, n.URL()+target, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, want, res.StatusCode, "%s %s", method, target)
	n.sent.Add(1)
}

// recorded waits until there is a record of each request, and returns them.
func (n *node) recorded(t *testing.T) []byte {
	t.Helper()
	var data []byte
	require.Eventually(t, func() bool {
		data, _ = os.ReadFile(n.records)
		return int64(bytes.Count(data, []byte("\n"))) == n.sent.Load()
	}, 10*time.Second, 5*time.Millisecond, "the log phase runs behind the client's back")
	return data
}

// fleet is two nodes, and what their clients got wrong.
func fleet(t *testing.T) []*node {
	t.Helper()
	binary := diag405test.Build(t)
	a, b := startNode(t, binary), startNode(t, binary)
	for _, n := range []*node{a, b} {
		n.ask(t, "POST", "/api/send", 405)
		n.ask(t, "DELETE", "/shop/orders/7?soft=1", 405)
		n.ask(t, "GET", "/shop/orders/7", 200)
		n.ask(t, "GET", "/shop/nothing", 404)
	}
	a.ask(t, "PATCH", "/orders/x%20y?a=b&c", 405)
	b.ask(t, "PATCH", "/orders/x%20y", 405)
	b.ask(t, "POST", "/shop", 405)
	// Of diagnoses alike one is written a second, and the next line says for how many it
	// stands.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for again := time.NewTicker(20 * time.Millisecond); !strings.Contains(a.log.String(), " times="); <-again.C {
		require.NoError(t, ctx.Err(), a.log.String())
		a.ask(t, "PUT", "/api/send", 405)
	}
	return []*node{a, b}
}

// The records of a fleet, its error logs, and what Kong makes OTLP records of, give the
// table that report gives.
func TestTableOfReport(t *testing.T) {
	nodes := sync.OnceValue(func() []*node { return fleet(t) })
	t.Run("VictoriaLogs", func(t *testing.T) {
		v := startVictoriaLogs(t)
		want := tableOf(t, nodes())
		t.Run("records", func(t *testing.T) {
			v := v.tenant(1)
			for _, n := range nodes() {
				for record := range bytes.Lines(n.recorded(t)) {
					v.insertRecord(t, bytes.TrimSpace(record))
				}
			}
			rows := v.query(t, "logsql/records.logsql")
			assert.Equal(t, want, table(t, rows))
			for _, row := range rows {
				assert.Contains(t, row["fixes"], `"words":`)
				assert.NotEmpty(t, row["first"])
			}
		})
		t.Run("error logs", func(t *testing.T) {
			v := v.tenant(2)
			for i, n := range nodes() {
				v.insertLines(t, strconv.Itoa(i), n.log.String())
			}
			assert.Equal(t, want, table(t, v.query(t, "logsql/errorlog.logsql")))
		})
		t.Run("OTLP", func(t *testing.T) {
			v := v.tenant(3)
			for _, n := range nodes() {
				v.insert(t, "/insert/opentelemetry/v1/logs", map[string]string{"Content-Type": "application/x-protobuf"}, otlp(messages(n.log.String())))
			}
			assert.Equal(t, want, table(t, v.query(t, "logsql/errorlog.logsql")))
		})
	})
	t.Run("DuckDB", func(t *testing.T) {
		modules := duckDBModules(t)
		rows := duckDB(t, modules, nodes())
		assert.Equal(t, tableOf(t, nodes()), table(t, rows))
		for _, row := range rows {
			assert.NotEmpty(t, row["fix"])
			assert.Regexp(t, `^[A-Z]+ /`, row["client"])
		}
	})
}

// tableOf is what report makes of the error logs of all nodes.
func tableOf(t *testing.T, nodes []*node) map[failure]int {
	t.Helper()
	var logs []string
	for _, n := range nodes {
		n.recorded(t) // by then all is logged
		logs = append(logs, n.log.String())
	}
	out := reported(t, logs...)
	require.GreaterOrEqual(t, len(out), 5, "%v", out)
	return out
}

// failure is what report counts by.
type failure struct{ cause, route, upstream string }

// numbers are the ids in paths of these logs. Report writes {id} for them, and a query
// has them as they are.
var numbers = regexp.MustCompile(`/\d+(/|$)`)

// table are the rows of a query as report has them.
func table(t *testing.T, rows []map[string]string) map[failure]int {
	t.Helper()
	out, seen := map[failure]int{}, map[failure]bool{}
	for _, r := range rows {
		n, err := strconv.Atoi(r["count"])
		require.NoError(t, err, "%v", r)
		raw := failure{r["cause"], r["route"], r["method"] + " " + r["path"]}
		require.False(t, seen[raw], "%v comes twice", raw)
		seen[raw] = true
		out[failure{raw.cause, raw.route, numbers.ReplaceAllString(raw.upstream, "/{id}$1")}] += n
	}
	return out
}

// reported is what diag405 report makes of logs.
func reported(t *testing.T, logs ...string) map[failure]int {
	t.Helper()
	args := []string{"report", "-o", "json"}
	for _, log := range logs {
		file := filepath.Join(t.TempDir(), "error.log")
		require.NoError(t, os.WriteFile(file, []byte(log), 0o644))
		args = append(args, file)
	}
	res := diag405test.Run(t, diag405test.Build(t), args...)
	require.Zero(t, res.Code, res.Stderr)
	var summary struct {
		Diagnoses int
		Groups    []struct {
			Cause, Route, Upstream string
			Count                  int
		}
	}
	require.NoError(t, json.Unmarshal([]byte(res.Stdout), &summary))
	out, sum := map[failure]int{}, 0
	for _, g := range summary.Groups {
		out[failure{g.Cause, g.Route, g.Upstream}] += g.Count
		sum += g.Count
	}
	require.Equal(t, summary.Diagnoses, sum)
	return out
}
