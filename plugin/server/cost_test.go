package server

import (
	"io"
	"log"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Kong/go-pdk"
	"github.com/Kong/go-pdk/server/kong_plugin_protocol"

	"diag405/kong/gateway/cost"
)

// empty is a plugin that does nothing, which is the floor: no plugin in Go costs
// less.
type empty struct{}

func newEmpty() any { return &empty{} }

func (*empty) Access(*pdk.PDK)   {}
func (*empty) Response(*pdk.PDK) {}
func (*empty) Log(*pdk.PDK)      {}

// costly is a setting whose cost is measured: of a request, with the two phases that
// the plugin has.
type costly struct {
	name   string
	plugin func() any
	config string
	second string // phase
	change func(p *peer)
}

// settings are on a route, as the plugins mostly are.
func settings() []costly {
	return []costly{
		{"empty", newEmpty, `{}`, "response", nil},
		{"defaults", annotating, `{}`, "response", nil},
		{"changed", annotating, `{"log_requests":"changed"}`, "response", unchanged},
		{"errors", annotating, `{"log_requests":"errors"}`, "response", nil},
		{"none", annotating, `{"log_requests":"none"}`, "response", nil},
		{"always", annotating, `{"log_requests":"none","buffering":"always"}`, "response", nil},
		{"explained", annotating, `{"log_requests":"none"}`, "response", refused},
		{"log-only", logging, `{"log_requests":"none"}`, "log", nil},
		// What a real Kong was measured with, so that the costs can be compared.
		{"typical", newTypical, `{}`, "response", nil},
	}
}

// BenchmarkCost measures what a request costs beside a Kong that takes its time, and
// how often that is what it costs with empty handlers on go-pdk's server (x-empty) and
// with the same plugin on go-pdk's server (x-go-pdk). The three take turns, so that
// what else the machine does slows them all; ns/op and the ratios are of the medians.
func BenchmarkCost(b *testing.B) {
	log.SetOutput(io.Discard) // go-pdk's tells of each connection that ends
	b.Cleanup(func() { log.SetOutput(os.Stderr) })
	asServed(b)
	for _, c := range settings() {
		b.Run(c.name, c.measure)
	}
}

// asServed has the plugin server collect garbage as it does in a process of its own.
func asServed(b *testing.B) {
	before := debug.SetGCPercent(gcPercent)
	b.Cleanup(func() { debug.SetGCPercent(before) })
}

func (c costly) measure(b *testing.B) {
	ours := c.client(b, serveOurs(b, c.plugin))
	floor := costly{plugin: newEmpty, config: `{}`, second: c.second}.client(b, serveGoPDK(b, "empty", newEmpty))
	same := c.client(b, serveGoPDK(b, c.name, c.plugin))
	for range 200 { // what is asked once in a while is asked
		ours.request(b)
	}
	ours.seen = seen{}
	ours.took, floor.took, same.took = nil, nil, nil
	for b.Loop() {
		ours.request(b)
		floor.request(b)
		same.request(b)
	}
	of := float64(median(ours.took))
	n := float64(b.N)
	b.ReportMetric(of, "ns/op")
	b.ReportMetric(of/float64(median(floor.took)), "x-empty")
	b.ReportMetric(of/float64(median(same.took)), "x-go-pdk")
	b.ReportMetric(float64(ours.seen.asks)/n, "asks/op")
	b.ReportMetric(float64(ours.seen.waits)/n, "waits/op")
	b.ReportMetric(float64(ours.seen.bytes)/n, "bytes/op")
}

// costClient is a Kong that sends one request after the other.
type costClient struct {
	*peer
	first, second []byte // the events of a request
	took          []time.Duration
}

func (c costly) client(b *testing.B, socket string) *costClient {
	p := benchPeer(b, socket)
	typicalReplies(p)
	if c.change != nil {
		c.change(p)
	}
	logReplies(p)
	id := started(b, p, onRoute(c.config))
	p.costly = true
	return &costClient{peer: p, first: eventCall(id, "access"), second: eventCall(id, c.second)}
}

func (c *costClient) request(b *testing.B) {
	start := time.Now()
	err := c.event(c.first)
	if err == nil {
		cost.Spend(cost.Request)
		err = c.event(c.second)
	}
	if err != nil {
		b.Fatal(err)
	}
	c.took = append(c.took, time.Since(start))
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// unchanged makes a request that goes upstream as it came.
func unchanged(p *peer) {
	p.reply(Var("upstream_uri"), text("/api/sendWeather"))
	p.reply(Route(), typicalRoute(false))
}

// refused makes the request a 405 of the founding case.
func refused(p *peer) {
	for name, value := range map[string]string{
		"scheme": "http", "upstream_scheme": "http", "upstream_host": "weather.internal:8900", "upstream_x_forwarded_prefix": "/api/sendWeather",
		"upstream_uri": "/?x=1", "remote_addr": "10.1.2.3",
	} {
		p.reply(Var(name), text(value))
	}
	p.reply(Status(), integer(405))
	p.reply(requestHeaders(-1), headersOf(map[string]any{
		"host": "localhost:8000", "user-agent": "curl/8.5.0", "accept": "*/*", "content-type": "application/json", "content-length": "36",
	}))
	p.reply(responseHeaders(-1), headersOf(map[string]any{
		"date": "Mon, 23 Nov 2026 08:06:03 GMT", "server": "uvicorn", "allow": "GET", "content-type": "application/json", "content-length": "31",
		"x-kong-upstream-latency": "2", "x-kong-proxy-latency": "1", "via": "1.1 kong/3.9.1",
	}))
	p.reply(Call("kong.service.response.get_raw_body", nil), &kong_plugin_protocol.ByteString{V: []byte(`{"detail":"Method Not Allowed"}`)})
}

// logged405 makes it one in the log phase.
func logged405(p *peer) {
	p.reply(responseStatus(), integer(405))
	p.reply(Serialize(), text(strings.ReplaceAll(typicalRecord, `"status":200`, `"status":405`)))
}

// logReplies are what the log phase of the request has.
func logReplies(p *peer) {
	p.reply(responseStatus(), integer(200))
	p.reply(Call("kong.response.get_source", nil), text("service"))
	p.reply(Var("kong_request_id"), text("61a1218143781a4cacf09098ca4959d6"))
	p.reply(Serialize(), text(typicalRecord))
}

// typicalRecord is a record of kong.log.serialize, as a real Kong writes it.
const typicalRecord = `{"request":{"id":"61a1218143781a4cacf09098ca4959d6","method":"POST","uri":"/api/sendWeather?x=1","url":"http://localhost:8000/api/sendWeather?x=1","size":180,"querystring":{"x":"1"},"headers":{"host":"localhost:8000","user-agent":"curl/8.5.0","accept":"*/*","content-type":"application/json","content-length":"36"}},` +
	`"upstream_uri":"/?x=1","upstream_status":"200","response":{"status":200,"size":320,"headers":{"date":"Mon, 23 Nov 2026 08:06:03 GMT","server":"uvicorn","content-type":"application/json","content-length":"31","x-kong-upstream-latency":"2","x-kong-proxy-latency":"1","via":"1.1 kong/3.9.1","connection":"close"}},` +
	`"latencies":{"request":3,"kong":1,"proxy":2,"receive":0},"client_ip":"10.1.2.3","started_at":1795421163000,"workspace":"9c9b4a3c-36ab-44a0-ba05-a5ff0f42d4ab","workspace_name":"default","source":"upstream",` +
	`"route":{"id":"6a1f2b1e-7c1d-4e7b-9a53-0c8a8f1d2e3f","name":"internal-weather-route-POST","protocols":["http","https"],"methods":["POST"],"paths":["/api/sendWeather"],"strip_path":true,"preserve_host":false,"request_buffering":true,"response_buffering":true,"path_handling":"v0","regex_priority":0,"https_redirect_status_code":426,"created_at":1795420000,"updated_at":1795420000,"ws_id":"9c9b4a3c-36ab-44a0-ba05-a5ff0f42d4ab","service":{"id":"0f8fad5b-d9cb-469f-a165-70867728950e"}},` +
	`"service":{"id":"0f8fad5b-d9cb-469f-a165-70867728950e","name":"weather","protocol":"http","host":"weather.internal","port":8900,"retries":5,"connect_timeout":60000,"read_timeout":60000,"write_timeout":60000,"enabled":true,"created_at":1795420000,"updated_at":1795420000,"ws_id":"9c9b4a3c-36ab-44a0-ba05-a5ff0f42d4ab"},` +
	`"tries":[{"ip":"10.2.3.4","port":8900,"balancer_start":1795421163001,"balancer_start_ns":1.795421163001e+18,"balancer_latency":0,"balancer_latency_ns":12345,"keepalive":true}]}`
