package server

import (
	"context"
	"flag"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gopdk "github.com/Kong/go-pdk/server"
	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/proto"
)

// The plugins that are measured: diag405 and diag405-log.
var annotating, logging func() any

// TestEventsOfDiag405 counts what each phase costs with each setting, on a route: the
// calls of Kong's, the writes of the plugin server (Kong waits once for each), and
// allocations. A redirect is looked at a few times a second, and the line about a
// diagnosis comes once a second: neither counts.
func TestEventsOfDiag405(t *testing.T) {
	tests := []struct {
		name, config, phase string
		plugin              func() any
		change              func(*peer)
		asks                int
		writes              int64
		allocations         float64
	}{
		{"defaults", `{}`, "access", annotating, nil, 6, 2, 22},
		{"changed, and it is", `{"log_requests":"changed"}`, "access", annotating, nil, 7, 2, 22},
		{"changed, and it is not", `{"log_requests":"changed"}`, "access", annotating, unchanged, 5, 2, 10},
		{"errors", `{"log_requests":"errors"}`, "access", annotating, nil, 1, 2, 6},
		{"none", `{"log_requests":"none"}`, "access", annotating, nil, 1, 2, 6},
		{"none, always", `{"log_requests":"none","buffering":"always"}`, "access", annotating, nil, 0, 1, 6},
		{"left alone", `{}`, "response", annotating, nil, 1, 2, 5},
		// After many in a row, the status comes with all else. The race detector makes pools
		// lose what they hold, which are some 15 allocations of these two.
		{"explained", `{}`, "response", annotating, refused, 15, 2, 330},
		{"errors, explained", `{"log_requests":"errors"}`, "response", annotating, refused, 16, 2, 340},
		{"diag405-log, none", `{"log_requests":"none"}`, "access", logging, nil, 2, 1, 8},
		{"diag405-log, left alone", `{"log_requests":"none"}`, "log", logging, nil, 1, 2, 5},
		{"diag405-log, explained", `{"log_requests":"none"}`, "log", logging, logged405, 3, 3, 250},
	}
	for _, tt := range tests {
		t.Run(tt.name+" in "+tt.phase, func(t *testing.T) {
			p, n := connect(t, Plugin{New: tt.plugin})
			typicalReplies(p)
			logReplies(p)
			p.reply(Status(), integer(302))
			p.reply(responseStatus(), integer(302))
			if tt.change != nil {
				tt.change(p)
			}
			p.asIsKong = true
			call := eventCall(started(t, p, onRoute(tt.config)), tt.phase)
			event := func() {
				if err := p.event(call); err != nil {
					t.Fatal(err)
				}
			}
			for range 30 { // what is asked once in a while is asked
				event()
			}
			asks, writes, allocations := math.MaxInt, int64(math.MaxInt64), math.MaxFloat64
			for range 3 { // in one of which a second may begin
				p.asks, p.record = nil, true
				before := n.writes.Load()
				event()
				writes = min(writes, n.writes.Load()-before)
				p.record = false
				asks = min(asks, len(slices.DeleteFunc(p.asks, func(function string) bool { return function == "kong.log.warn" })))
				allocations = min(allocations, testing.AllocsPerRun(50, event))
			}
			assert.Equal(t, tt.asks, asks, "asks")
			assert.Equal(t, tt.writes, writes, "writes")
			t.Logf("%v allocations", allocations)
			assert.LessOrEqual(t, allocations, tt.allocations, "allocations")
		})
	}
}

// onRoute is a configuration as Kong sends it for a route.
func onRoute(config string) string {
	config = strings.TrimSuffix(`{"__seq__":1,"route_id":"6a1f2b1e-7c1d-4e7b-9a53-0c8a8f1d2e3f",`+config[1:], ",}")
	return strings.TrimSuffix(config, "}") + "}"
}

// benchPeer is a peer for one event after the other, which makes two writes for each
// reply, as Kong does.
func benchPeer(t testing.TB, socket string) *peer {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	p := newPeer(conn)
	p.asIsKong, p.record = true, false
	return p
}

// typicalReplies are a request that comes back with a 200.
func typicalReplies(p *peer) {
	for name, value := range map[string]string{
		"request": "POST /api/sendWeather?x=1 HTTP/1.1", "request_method": "POST", "http_host": "localhost:8000",
		"upstream_uri": "/", "http_accept": "*/*", "http_content_type": "application/json",
	} {
		p.reply(Var(name), text(value))
	}
	p.reply(Route(), typicalRoute(true))
	p.reply(Service(), &kong_plugin_protocol.Service{
		Id: "0f8fad5b-d9cb-469f-a165-70867728950e", Name: "weather", Protocol: "http", Host: "weather.internal", Port: 8900,
		Retries: 5, ConnectTimeout: 60000, ReadTimeout: 60000, WriteTimeout: 60000,
	})
	p.reply(Status(), integer(200))
}

func typicalRoute(strips bool) proto.Message {
	return &kong_plugin_protocol.Route{
		Id: "6a1f2b1e-7c1d-4e7b-9a53-0c8a8f1d2e3f", Name: "internal-weather-route-POST", Protocols: []string{"http", "https"},
		Methods: []string{"POST"}, Paths: []string{"/api/sendWeather"}, StripPath: strips, HttpsRedirectStatusCode: 426,
		Service: &kong_plugin_protocol.ServiceKey{Id: "0f8fad5b-d9cb-469f-a165-70867728950e"},
	}
}

// serveOurs runs the server of this package until the benchmark ends.
func serveOurs(b testing.TB, config func() any) (socket string) {
	prefix := b.TempDir()
	p := Plugin{New: config, Name: "bench"}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, prefix) }()
	b.Cleanup(func() { stop(); <-done })
	socket = p.socket(prefix)
	awaitSocket(b, socket)
	return socket
}

// goPDK are servers of go-pdk's, which nothing can stop: they end with the process.
var goPDK struct {
	mu       sync.Mutex
	sockets  map[string]string // by what they serve
	prefixes []string
}

// serveGoPDK runs go-pdk's server for a plugin, or finds the one that runs.
func serveGoPDK(b testing.TB, name string, config func() any) (socket string) {
	goPDK.mu.Lock()
	defer goPDK.mu.Unlock()
	if socket, ok := goPDK.sockets[name]; ok {
		return socket
	}
	prefix, err := os.MkdirTemp("", "go-pdk-")
	if err != nil {
		b.Fatal(err)
	}
	goPDK.prefixes = append(goPDK.prefixes, prefix)
	if err := flag.Set("kong-prefix", prefix); err != nil {
		b.Fatal(err)
	}
	executable, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	go gopdk.StartServer(config, "0.0.0", 1)
	socket = filepath.Join(prefix, filepath.Base(executable)+".socket")
	awaitSocket(b, socket)
	if goPDK.sockets == nil {
		goPDK.sockets = map[string]string{}
	}
	goPDK.sockets[name] = socket
	return socket
}

// removeGoPDK removes what serveGoPDK left.
func removeGoPDK() {
	for _, prefix := range goPDK.prefixes {
		os.RemoveAll(prefix)
	}
}

// awaitSocket polls until somebody listens.
func awaitSocket(b testing.TB, socket string) {
	b.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			b.Fatal(err)
		}
	}
}
