package server

import (
	"context"
	"flag"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	gopdk "github.com/Kong/go-pdk/server"
	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"google.golang.org/protobuf/proto"
)

// The peer makes two writes for each reply, as Kong does; it answers from a map,
// where Kong takes 10 to 15 µs for a call.

func BenchmarkAccess(b *testing.B)   { benchmark(b, "access") }
func BenchmarkResponse(b *testing.B) { benchmark(b, "response") }

// benchmarked is the plugin that both servers run: diag405.
var benchmarked func() any

func benchmark(b *testing.B, phase string) {
	log.SetOutput(io.Discard) // go-pdk's tells of each connection that ends
	b.Cleanup(func() { log.SetOutput(os.Stderr) })
	b.Run("ours", func(b *testing.B) { measure(b, serveOurs(b, benchmarked), phase) })
	b.Run("go-pdk", func(b *testing.B) { measure(b, serveGoPDK(b), phase) })
}

// maxAllocations is how many allocations an event may take outside of the 405 path.
const maxAllocations = 40

func TestAllocationsOfDiag405(t *testing.T) {
	for _, phase := range []string{"access", "response"} {
		p, call := benchPeer(t, serveOurs(t, benchmarked), phase)
		n := testing.AllocsPerRun(200, func() {
			if err := p.event(call); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("%s: %v allocations", phase, n)
		if n > maxAllocations {
			t.Errorf("%s: %v allocations an event, more than %d", phase, n, maxAllocations)
		}
	}
}

// benchPeer is a peer for one event after the other, and the call for one.
func benchPeer(t testing.TB, socket, phase string) (*peer, []byte) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	p := newPeer(conn)
	p.asIsKong, p.record = true, false
	typicalReplies(p)
	return p, eventCall(started(t, p, `{"__seq__":1}`), phase)
}

func measure(b *testing.B, socket, phase string) {
	p, call := benchPeer(b, socket, phase)
	b.ReportAllocs()
	for b.Loop() {
		if err := p.event(call); err != nil {
			b.Fatal(err)
		}
	}
}

// typicalReplies are a request that comes back with a 200.
func typicalReplies(p *peer) {
	for name, value := range map[string]string{
		"request": "POST /api/sendWeather?x=1 HTTP/1.1", "request_method": "POST", "http_host": "localhost:8000",
		"upstream_uri": "/", "http_accept": "*/*", "http_content_type": "application/json",
	} {
		p.reply(Var(name), text(value))
	}
	route := proto.Message(&kong_plugin_protocol.Route{
		Id: "6a1f2b1e-7c1d-4e7b-9a53-0c8a8f1d2e3f", Name: "internal-weather-route-POST", Protocols: []string{"http", "https"},
		Methods: []string{"POST"}, Paths: []string{"/api/sendWeather"}, StripPath: true, HttpsRedirectStatusCode: 426,
		Service: &kong_plugin_protocol.ServiceKey{Id: "0f8fad5b-d9cb-469f-a165-70867728950e"},
	})
	p.reply(Route(), route)
	p.reply(Service(), &kong_plugin_protocol.Service{
		Id: "0f8fad5b-d9cb-469f-a165-70867728950e", Name: "weather", Protocol: "http", Host: "weather.internal", Port: 8900,
		Retries: 5, ConnectTimeout: 60000, ReadTimeout: 60000, WriteTimeout: 60000,
	})
	p.reply(Status(), integer(200))
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

// removeGoPDK removes what goPDK left.
func removeGoPDK() {
	if prefix := flag.Lookup("kong-prefix").Value.String(); prefix != DefaultPrefix {
		os.RemoveAll(prefix)
	}
}

// goPDK is go-pdk's server, which nothing can stop: it ends with the process.
var goPDK = sync.OnceValues(func() (socket string, err error) {
	prefix, err := os.MkdirTemp("", "go-pdk-")
	if err != nil {
		return "", err
	}
	if err := flag.Set("kong-prefix", prefix); err != nil {
		return "", err
	}
	go gopdk.StartServer(benchmarked, "0.0.0", 1)
	executable, err := os.Executable()
	return filepath.Join(prefix, filepath.Base(executable)+".socket"), err
})

func serveGoPDK(b *testing.B) (socket string) {
	socket, err := goPDK()
	if err != nil {
		b.Fatal(err)
	}
	awaitSocket(b, socket)
	return socket
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
