package standin

import (
	"fmt"
	"strings"
	"time"

	"diag405/kong/config"
	"diag405/kong/gateway/standin/lua"
)

// serializeValue is what a plugin adds to the record of log plugins.
type serializeValue struct {
	key   string
	value any
}

// addToRecord is kong.log.set_serialize_value. In the log phase it comes too late
// for the record of an external plugin, which was made before.
func (r *pluginRun) addToRecord(key string, value any) {
	r.record = append(r.record, serializeValue{key, value})
}

// serialize is kong.log.serialize: the record that log plugins write
// (kong/pdk/log.lua).
func (x *exchange) serialize() (map[string]any, error) {
	_, port := x.conn.local()
	ip, _ := x.conn.remote()
	end := x.response.times.finished
	requestHeaders, responseHeaders := luaHeaders(x.request.header, 100), luaHeaders(x.answerHeader(), 100) // ngx.req.get_headers without an argument
	for _, secret := range []string{"authorization", "proxy-authorization"} {
		if _, ok := requestHeaders[secret]; ok {
			requestHeaders[secret] = "REDACTED"
		}
	}
	root := map[string]any{
		"request": map[string]any{
			"id": x.id, "uri": x.client.uri, "url": fmt.Sprintf("http://%s:%d%s", x.request.host, port, x.client.uri),
			"querystring": x.request.args(), "method": x.request.method, "headers": requestHeaders, "size": x.requestSize(),
		},
		"upstream_uri":    x.recordedURI(),
		"upstream_status": x.recordedStatus(),
		"response":        map[string]any{"status": x.response.status, "headers": responseHeaders, "size": x.response.sent},
		"latencies": map[string]any{
			"kong": x.kongLatency().Milliseconds(), "proxy": x.waiting(), "request": end.Sub(x.started).Milliseconds(),
			"receive": x.receiving(),
		},
		"client_ip": ip, "started_at": x.started.UnixMilli(), "source": recordedSources[x.response.source()],
		"workspace_name": "default",
	}
	if x.service() != nil {
		root["service"], root["tries"] = serviceRecord(x.service(), x.state.loaded), x.triesRecord()
	}
	if x.route() != nil {
		root["route"] = routeRecord(x.route(), x.state.loaded)
	}
	return root, x.addRecorded(root)
}

// recordedSources are the names of kong.response.get_source in the record.
var recordedSources = map[string]string{"service": "upstream", "exit": "kong", "error": "kong"}

func (x *exchange) requestSize() int {
	n := len(x.client.line) + 4 + len(x.request.body)
	for _, h := range x.request.header {
		n += len(h.Name) + len(h.Value) + 4
	}
	return n
}

// recordedURI is the upstream's URI; the query joins it also when the request
// did not get as far as the upstream.
func (x *exchange) recordedURI() string {
	uri := x.upstream.uri
	if uri == "" || strings.Contains(uri, "?") {
		return uri
	}
	if x.request.hasQuery || strings.HasSuffix(x.client.uri, "?") {
		uri += "?" + x.request.query
	}
	return uri
}

func (x *exchange) recordedStatus() any {
	switch {
	case x.response.received != nil && x.run.buffered:
		return x.response.received.status
	case x.response.received != nil:
		return fmt.Sprint(x.response.received.status)
	case len(x.balance.tries) > 0:
		return fmt.Sprint(x.balance.tries[len(x.balance.tries)-1].code)
	}
	return ""
}

func (x *exchange) kongLatency() time.Duration {
	if x.response.proxied {
		return x.response.times.accessEnd.Sub(x.started)
	}
	return x.response.times.finished.Sub(x.started)
}

func (x *exchange) waiting() int64 {
	if !x.response.proxied {
		return -1
	}
	return x.response.times.answered.Sub(x.response.times.accessEnd).Milliseconds()
}

func (x *exchange) receiving() int64 {
	if !x.response.proxied {
		return 0
	}
	return x.response.times.finished.Sub(x.response.times.answered).Milliseconds()
}

func (x *exchange) triesRecord() []any {
	out := []any{}
	for _, t := range x.balance.tries {
		r := map[string]any{
			"ip": t.ip, "port": t.port, "balancer_start": t.start.UnixMilli(), "balancer_start_ns": t.start.UnixNano(),
			"balancer_latency": 0, "balancer_latency_ns": 0,
		}
		if t.state != "" {
			r["state"], r["code"] = t.state, t.code
		}
		out = append(out, r)
	}
	return out
}

// routeRecord is a route as an entity of Kong; unset fields are left out.
func routeRecord(r *config.Route, loaded time.Time) map[string]any {
	m := map[string]any{
		"id": r.ID, "created_at": loaded.Unix(), "updated_at": loaded.Unix(), "protocols": r.Protocols,
		"strip_path": r.StripPath, "preserve_host": r.PreserveHost, "path_handling": r.PathHandling,
		"regex_priority": r.RegexPriority, "https_redirect_status_code": r.HTTPSRedirectStatusCode,
		"request_buffering": r.RequestBuffering, "response_buffering": r.ResponseBuffering,
	}
	if r.Service != nil {
		m["service"] = map[string]any{"id": r.Service.ID}
	}
	if r.Name != "" {
		m["name"] = r.Name
	}
	if len(r.Headers) > 0 {
		m["headers"] = r.Headers
	}
	for name, list := range map[string][]string{"methods": r.Methods, "hosts": r.Hosts, "paths": r.Paths, "snis": r.SNIs, "tags": r.Tags} {
		if len(list) > 0 {
			m[name] = list
		}
	}
	return m
}

func serviceRecord(s *config.Service, loaded time.Time) map[string]any {
	m := map[string]any{
		"id": s.ID, "created_at": loaded.Unix(), "updated_at": loaded.Unix(), "protocol": s.Protocol, "host": s.Host,
		"port": s.Port, "retries": s.Retries, "connect_timeout": s.ConnectTimeout, "write_timeout": s.WriteTimeout,
		"read_timeout": s.ReadTimeout, "enabled": s.Enabled,
	}
	if s.Name != "" {
		m["name"] = s.Name
	}
	if s.Path != "" {
		m["path"] = s.Path
	}
	if len(s.Tags) > 0 {
		m["tags"] = s.Tags
	}
	return m
}

// addRecorded puts plugins' values into the record; a dot in a key leads into a
// table.
func (x *exchange) addRecorded(root map[string]any) error {
	for _, v := range x.run.record {
		node := root
		keys := strings.Split(v.key, ".")
		for _, k := range keys[:len(keys)-1] {
			switch sub := node[k].(type) {
			case nil:
				made := map[string]any{}
				node[k], node = made, made
			case map[string]any:
				node = sub
			default:
				//lint:ignore ST1005 Kong's own words
				return fmt.Errorf("The key '%s' could not be used as a serialize value. Subkey '%s' is not a table. It's %v", v.key, k, sub)
			}
		}
		lua.Assign(node, keys[len(keys)-1], v.value)
	}
	return nil
}
