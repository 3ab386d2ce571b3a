package standin

import (
	"strconv"
	"strings"

	"diag405/kong/gateway/standin/lua"
	"diag405/kong/gateway/standin/nginxlog"
	"diag405/kong/gateway/standin/pluginserver"
	"diag405/kong/router"
)

// pdkCall is one function of Kong's PDK as the protocol reaches it: the phases
// in which it does not raise, and what it does. An error raises.
type pdkCall struct {
	phases phase
	do     func(x *exchange, args []byte) ([]byte, error)
}

// calls are the functions of the protocol (service Kong in
// kong/pluginsocket.proto), with the phases in which a real Kong was measured to
// answer, or does by its source. In the log phase only those that work on saved
// data do: a variable or a request is not there in a timer.
//
// What is missing here is not modelled, and raises.
var calls map[string]pdkCall

func init() { // not a literal above, since serialize refers to it through exchange
	calls = map[string]pdkCall{
		"kong.client.get_ip":             {accessPhase | responsePhase, text(func(x *exchange) string { ip, _ := x.conn.remote(); return ip })},
		"kong.client.get_forwarded_ip":   {accessPhase | responsePhase, text(func(x *exchange) string { ip, _ := x.conn.remote(); return ip })},
		"kong.client.get_port":           {accessPhase | responsePhase, number(func(x *exchange) int { _, p := x.conn.remote(); return p })},
		"kong.client.get_forwarded_port": {accessPhase | responsePhase, number(func(x *exchange) int { _, p := x.conn.remote(); return p })},
		"kong.client.get_credential":     {anyPhase, nothing}, // no authentication plugin is modelled
		"kong.client.get_consumer":       {anyPhase, nothing},
		"kong.client.get_protocol":       {accessPhase | responsePhase, text(clientProtocol)},

		"kong.ctx.shared.get": {anyPhase, withString(func(x *exchange, k string) ([]byte, error) { return lua.EncodeValue(x.run.shared[k]), nil })},
		"kong.ctx.shared.set": {anyPhase, withKV(func(x *exchange, k string, v any) error { lua.Assign(x.run.shared, k, v); return nil })},

		"kong.ip.is_trusted": {anyPhase, withString(func(*exchange, string) ([]byte, error) { return lua.EncodeBool(false), nil })}, // trusted_ips is empty

		"kong.log.alert":               {anyPhase, logAt(nginxlog.Alert)},
		"kong.log.crit":                {anyPhase, logAt(nginxlog.Crit)},
		"kong.log.err":                 {anyPhase, logAt(nginxlog.Error)},
		"kong.log.warn":                {anyPhase, logAt(nginxlog.Warn)},
		"kong.log.notice":              {anyPhase, logAt(nginxlog.Notice)},
		"kong.log.info":                {anyPhase, logAt(nginxlog.Info)},
		"kong.log.debug":               {anyPhase, logAt(nginxlog.Debug)},
		"kong.log.set_serialize_value": {anyPhase, withKV(func(x *exchange, k string, v any) error { x.run.addToRecord(k, v); return nil })},
		"kong.log.serialize":           {logPhase, serializeCall},

		"kong.nginx.get_var":              {accessPhase | responsePhase, withString(getVar)},
		"kong.nginx.get_tls1_version_str": {accessPhase | responsePhase, text(func(*exchange) string { return "" })}, // clients speak plain HTTP
		"kong.nginx.get_ctx":              {anyPhase, withString(func(x *exchange, k string) ([]byte, error) { return lua.EncodeValue(x.run.getCtx(k)), nil })},
		"kong.nginx.set_ctx":              {anyPhase, withKV(func(x *exchange, k string, v any) error { x.run.setCtx(k, v); return nil })},
		"kong.nginx.req_start_time": {anyPhase, func(x *exchange, _ []byte) ([]byte, error) {
			return lua.EncodeNumber(float64(x.started.UnixMilli()) / 1000), nil
		}},
		"kong.nginx.get_subsystem": {anyPhase, text(func(*exchange) string { return "http" })},

		"kong.node.get_id": {anyPhase, text(func(x *exchange) string { return x.gw.nodeID })},

		"kong.request.get_scheme":           {accessPhase | responsePhase, text(func(*exchange) string { return "http" })},
		"kong.request.get_host":             {accessPhase | responsePhase, text(func(x *exchange) string { return x.request.host })},
		"kong.request.get_port":             {accessPhase | responsePhase, number(func(x *exchange) int { _, p := x.conn.local(); return p })},
		"kong.request.get_forwarded_scheme": {accessPhase | responsePhase, text(func(*exchange) string { return "http" })},
		"kong.request.get_forwarded_host":   {accessPhase | responsePhase, text(func(x *exchange) string { return x.request.host })},
		"kong.request.get_forwarded_port":   {accessPhase | responsePhase, number(func(x *exchange) int { _, p := x.conn.local(); return p })},
		"kong.request.get_http_version": {accessPhase | responsePhase, func(x *exchange, _ []byte) ([]byte, error) {
			v, err := strconv.ParseFloat(strings.TrimPrefix(x.client.Proto, "HTTP/"), 64)
			return lua.EncodeNumber(v), err
		}},
		"kong.request.get_method": {accessPhase | responsePhase, text(func(x *exchange) string { return x.request.method })},
		"kong.request.get_path": {accessPhase | responsePhase, text(func(x *exchange) string {
			path, _ := router.SplitTarget(x.client.uri)
			return router.Normalize(path)
		})},
		"kong.request.get_path_with_query": {accessPhase | responsePhase, text(func(x *exchange) string { return x.client.uri })},
		"kong.request.get_raw_query":       {accessPhase | responsePhase, text(func(x *exchange) string { return x.request.query })},
		"kong.request.get_query_arg":       {accessPhase | responsePhase, withString(getQueryArg)},
		"kong.request.get_query":           {accessPhase | responsePhase, withMax("max_args", func(x *exchange, _ int) map[string]any { return x.request.args() })},
		"kong.request.get_header":          {anyPhase, withString(func(x *exchange, name string) ([]byte, error) { return first(x.request.header, name), nil })},
		"kong.request.get_headers":         {anyPhase, withMax("max_headers", func(x *exchange, most int) map[string]any { return luaHeaders(x.request.header, most) })},
		"kong.request.get_raw_body": {accessPhase | responsePhase, func(x *exchange, _ []byte) ([]byte, error) {
			return lua.EncodeString(string(x.request.body)), nil // the field "content" of RawBodyResult
		}},
		"kong.request.get_uri_captures": {anyPhase, uriCaptures},

		"kong.response.get_status":   {responsePhase | logPhase, number(func(x *exchange) int { return x.response.status })},
		"kong.response.get_header":   {responsePhase | logPhase, withString(func(x *exchange, name string) ([]byte, error) { return first(x.answerHeader(), name), nil })},
		"kong.response.get_headers":  {responsePhase | logPhase, withMax("max_headers", func(x *exchange, most int) map[string]any { return luaHeaders(x.answerHeader(), most) })},
		"kong.response.get_source":   {responsePhase | logPhase, text(func(x *exchange) string { return x.response.source() })},
		"kong.response.set_status":   {accessPhase | responsePhase, withInt(setStatus)},
		"kong.response.set_header":   {accessPhase | responsePhase, withHeader(func(x *exchange, name string, values []string) { x.response.header.Set(name, values...) })},
		"kong.response.add_header":   {accessPhase | responsePhase, withHeader(func(x *exchange, name string, values []string) { addAll(&x.response.header, name, values) })},
		"kong.response.clear_header": {accessPhase | responsePhase, withString(func(x *exchange, name string) ([]byte, error) { x.response.header.Del(name); return nil, nil })},
		"kong.response.set_headers":  {accessPhase | responsePhase, withHeaders(func(x *exchange, name string, values []string) { x.response.header.Set(name, values...) })},
		"kong.response.exit":         {accessPhase | responsePhase, exit},

		"kong.router.get_route":   {anyPhase, func(x *exchange, _ []byte) ([]byte, error) { return encodeRoute(x) }},
		"kong.router.get_service": {anyPhase, func(x *exchange, _ []byte) ([]byte, error) { return encodeService(x) }},

		"kong.service.set_upstream": {accessPhase, withString(setUpstream)},
		"kong.service.set_target":   {accessPhase, setTarget},

		"kong.service.request.set_scheme":    {accessPhase, withString(setScheme)},
		"kong.service.request.set_path":      {accessPhase, withString(setPath)},
		"kong.service.request.set_raw_query": {accessPhase, withString(func(x *exchange, q string) ([]byte, error) { x.request.setArgs(q); return nil, nil })},
		"kong.service.request.set_method":    {accessPhase, withString(setMethod)},
		"kong.service.request.set_query":     {accessPhase, withStruct(setQuery)},
		"kong.service.request.set_header":    {accessPhase, withHeader((*exchange).setRequestHeader)},
		"kong.service.request.add_header":    {accessPhase, withHeader((*exchange).addRequestHeader)},
		"kong.service.request.clear_header":  {accessPhase, withString(func(x *exchange, name string) ([]byte, error) { x.request.header.Del(name); return nil, nil })},
		"kong.service.request.set_headers":   {accessPhase, withHeaders((*exchange).setRequestHeader)},
		"kong.service.request.set_raw_body":  {accessPhase, withBytes(func(x *exchange, body []byte) { x.request.body, x.request.hasBody = body, true })},

		"kong.service.response.get_status": {responsePhase, number(func(x *exchange) int { return x.response.received.status })},
		"kong.service.response.get_header": {responsePhase, withString(func(x *exchange, name string) ([]byte, error) { return first(x.response.received.header, name), nil })},
		// Empty and no error: Kong hands a table out that only answers single names
		// (go-pdk#222).
		"kong.service.response.get_headers":  {responsePhase, withMax("max_headers", func(*exchange, int) map[string]any { return nil })},
		"kong.service.response.get_raw_body": {responsePhase, func(x *exchange, _ []byte) ([]byte, error) { return lua.EncodeString(string(x.response.body)), nil }},
	}
}

// callPDK answers a plugin's call in the exchange's phase.
func callPDK(x *exchange, method string, args []byte) ([]byte, error) {
	c, ok := calls[method]
	if !ok {
		return nil, pluginserver.Raise("method %q not found, or not modelled by the stand-in", method)
	}
	if c.phases&x.run.phase == 0 {
		return nil, pluginserver.Raise("%s: function cannot be called in %s phase (only in: %s)", method, x.run.phase, c.phases)
	}
	reply, err := c.do(x, args)
	if err != nil && err != pluginserver.ErrExit {
		return nil, pluginserver.Raise("%s: %s", method, err)
	}
	return reply, err
}
