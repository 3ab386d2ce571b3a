package standin

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"diag405/kong/bundled"
	"diag405/kong/router"
	"diag405/kong/wire"

	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
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
		"kong.client.get_ip":             {access | response, text(func(x *exchange) string { ip, _ := x.conn.remote(); return ip })},
		"kong.client.get_forwarded_ip":   {access | response, text(func(x *exchange) string { ip, _ := x.conn.remote(); return ip })},
		"kong.client.get_port":           {access | response, number(func(x *exchange) int { _, p := x.conn.remote(); return p })},
		"kong.client.get_forwarded_port": {access | response, number(func(x *exchange) int { _, p := x.conn.remote(); return p })},
		"kong.client.get_credential":     {anyPhase, nothing}, // no authentication plugin is modelled
		"kong.client.get_consumer":       {anyPhase, nothing},
		"kong.client.get_protocol":       {access | response, text(clientProtocol)},

		"kong.ctx.shared.get": {anyPhase, withString(func(x *exchange, k string) ([]byte, error) { return encodeValue(x.shared[k]), nil })},
		"kong.ctx.shared.set": {anyPhase, withKV(func(x *exchange, k string, v any) error { setOrDelete(x.shared, k, v); return nil })},

		"kong.ip.is_trusted": {anyPhase, withString(func(*exchange, string) ([]byte, error) { return encodeBool(false), nil })}, // trusted_ips is empty

		"kong.log.alert":               {anyPhase, logAt(levelAlert)},
		"kong.log.crit":                {anyPhase, logAt(levelCrit)},
		"kong.log.err":                 {anyPhase, logAt(levelError)},
		"kong.log.warn":                {anyPhase, logAt(levelWarn)},
		"kong.log.notice":              {anyPhase, logAt(levelNotice)},
		"kong.log.info":                {anyPhase, logAt(levelInfo)},
		"kong.log.debug":               {anyPhase, logAt(levelDebug)},
		"kong.log.set_serialize_value": {anyPhase, withKV((*exchange).setSerializeValue)},
		"kong.log.serialize":           {logging, serializeCall},

		"kong.nginx.get_var":              {access | response, withString(getVar)},
		"kong.nginx.get_tls1_version_str": {access | response, text(func(*exchange) string { return "" })}, // clients speak plain HTTP
		"kong.nginx.get_ctx":              {anyPhase, withString(func(x *exchange, k string) ([]byte, error) { return encodeValue(x.getCtx(k)), nil })},
		"kong.nginx.set_ctx":              {anyPhase, withKV(func(x *exchange, k string, v any) error { x.setCtx(k, v); return nil })},
		"kong.nginx.req_start_time": {anyPhase, func(x *exchange, _ []byte) ([]byte, error) {
			return encodeNumber(float64(x.started.UnixMilli()) / 1000), nil
		}},
		"kong.nginx.get_subsystem": {anyPhase, text(func(*exchange) string { return "http" })},

		"kong.node.get_id": {anyPhase, text(func(x *exchange) string { return x.gw.nodeID })},

		"kong.request.get_scheme":           {access | response, text(func(*exchange) string { return "http" })},
		"kong.request.get_host":             {access | response, text(func(x *exchange) string { return x.host })},
		"kong.request.get_port":             {access | response, number(func(x *exchange) int { _, p := x.conn.local(); return p })},
		"kong.request.get_forwarded_scheme": {access | response, text(func(*exchange) string { return "http" })},
		"kong.request.get_forwarded_host":   {access | response, text(func(x *exchange) string { return x.host })},
		"kong.request.get_forwarded_port":   {access | response, number(func(x *exchange) int { _, p := x.conn.local(); return p })},
		"kong.request.get_http_version": {access | response, func(x *exchange, _ []byte) ([]byte, error) {
			v, err := strconv.ParseFloat(strings.TrimPrefix(x.client.Proto, "HTTP/"), 64)
			return encodeNumber(v), err
		}},
		"kong.request.get_method": {access | response, text(func(x *exchange) string { return x.method })},
		"kong.request.get_path": {access | response, text(func(x *exchange) string {
			path, _ := router.SplitTarget(x.requestURI)
			return router.Normalize(path)
		})},
		"kong.request.get_path_with_query": {access | response, text(func(x *exchange) string { return x.requestURI })},
		"kong.request.get_raw_query":       {access | response, text(func(x *exchange) string { return x.query })},
		"kong.request.get_query_arg":       {access | response, withString(getQueryArg)},
		"kong.request.get_query":           {access | response, withMax("max_args", func(x *exchange) map[string]any { return x.args() })},
		"kong.request.get_header":          {anyPhase, withString(func(x *exchange, name string) ([]byte, error) { return first(x.header, name), nil })},
		"kong.request.get_headers":         {anyPhase, withMax("max_headers", func(x *exchange) map[string]any { return luaHeaders(x.header) })},
		"kong.request.get_raw_body": {access | response, func(x *exchange, _ []byte) ([]byte, error) {
			return encodeString(string(x.body)), nil // the field "content" of RawBodyResult
		}},
		"kong.request.get_uri_captures": {anyPhase, uriCaptures},

		"kong.response.get_status":   {response | logging, number(func(x *exchange) int { return x.status })},
		"kong.response.get_header":   {response | logging, withString(func(x *exchange, name string) ([]byte, error) { return first(x.answerHeader(), name), nil })},
		"kong.response.get_headers":  {response | logging, withMax("max_headers", func(x *exchange) map[string]any { return luaHeaders(x.answerHeader()) })},
		"kong.response.get_source":   {response | logging, text(func(x *exchange) string { return x.source() })},
		"kong.response.set_status":   {access | response, withInt(setStatus)},
		"kong.response.set_header":   {access | response, withHeader(func(x *exchange, name string, values []string) { x.out.Set(name, values...) })},
		"kong.response.add_header":   {access | response, withHeader(func(x *exchange, name string, values []string) { addAll(&x.out, name, values) })},
		"kong.response.clear_header": {access | response, withString(func(x *exchange, name string) ([]byte, error) { x.out.Del(name); return nil, nil })},
		"kong.response.set_headers":  {access | response, withHeaders(func(x *exchange, name string, values []string) { x.out.Set(name, values...) })},
		"kong.response.exit":         {access | response, exit},

		"kong.router.get_route":   {anyPhase, func(x *exchange, _ []byte) ([]byte, error) { return encodeRoute(x) }},
		"kong.router.get_service": {anyPhase, func(x *exchange, _ []byte) ([]byte, error) { return encodeService(x) }},

		"kong.service.set_upstream": {access, withString(setUpstream)},
		"kong.service.set_target":   {access, setTarget},

		"kong.service.request.set_scheme":    {access, withString(setScheme)},
		"kong.service.request.set_path":      {access, withString(setPath)},
		"kong.service.request.set_raw_query": {access, withString(func(x *exchange, q string) ([]byte, error) { x.setArgs(q); return nil, nil })},
		"kong.service.request.set_method":    {access, withString(setMethod)},
		"kong.service.request.set_query":     {access, withStruct(setQuery)},
		"kong.service.request.set_header":    {access, withHeader((*exchange).setRequestHeader)},
		"kong.service.request.add_header":    {access, withHeader((*exchange).addRequestHeader)},
		"kong.service.request.clear_header":  {access, withString(func(x *exchange, name string) ([]byte, error) { x.header.Del(name); return nil, nil })},
		"kong.service.request.set_headers":   {access, withHeaders((*exchange).setRequestHeader)},
		"kong.service.request.set_raw_body":  {access, withBytes(func(x *exchange, body []byte) { x.body, x.hasBody = body, true })},

		"kong.service.response.get_status": {response, number(func(x *exchange) int { return x.received.status })},
		"kong.service.response.get_header": {response, withString(func(x *exchange, name string) ([]byte, error) { return first(x.received.header, name), nil })},
		// Empty and no error: Kong hands a table out that only answers single names
		// (go-pdk#222).
		"kong.service.response.get_headers":  {response, withMax("max_headers", func(*exchange) map[string]any { return nil })},
		"kong.service.response.get_raw_body": {response, func(x *exchange, _ []byte) ([]byte, error) { return encodeString(string(x.outBody)), nil }},
	}
}

// callPDK answers a plugin's call in phase p.
func callPDK(x *exchange, p phase, method string, args []byte) ([]byte, error) {
	c, ok := calls[method]
	if !ok {
		return nil, raise("method %q not found, or not modelled by the stand-in", method)
	}
	if c.phases&p == 0 {
		return nil, raise("%s: function cannot be called in %s phase (only in: %s)", method, p, c.phases)
	}
	reply, err := c.do(x, args)
	if err != nil && err != errExit {
		return nil, raise("%s: %s", method, err)
	}
	return reply, err
}

// The functions below make a call of a function that knows nothing of the
// encoding of its argument or result.

func nothing(*exchange, []byte) ([]byte, error) { return nil, nil }

func text(f func(*exchange) string) func(*exchange, []byte) ([]byte, error) {
	return func(x *exchange, _ []byte) ([]byte, error) { return encodeString(f(x)), nil }
}

func number(f func(*exchange) int) func(*exchange, []byte) ([]byte, error) {
	return func(x *exchange, _ []byte) ([]byte, error) { return encodeInt(f(x)), nil }
}

func decoded(args []byte, m proto.Message) error {
	if err := proto.Unmarshal(args, m); err != nil {
		return fmt.Errorf("decoding arguments: %w", err)
	}
	return nil
}

// withBytes decodes a ByteString; a String looks the same, without Go's check
// for UTF-8.
func withBytes(f func(*exchange, []byte)) func(*exchange, []byte) ([]byte, error) {
	return func(x *exchange, args []byte) ([]byte, error) {
		var m kong_plugin_protocol.ByteString
		if err := decoded(args, &m); err != nil {
			return nil, err
		}
		f(x, m.V)
		return nil, nil
	}
}

func withString(f func(*exchange, string) ([]byte, error)) func(*exchange, []byte) ([]byte, error) {
	return func(x *exchange, args []byte) ([]byte, error) {
		var m kong_plugin_protocol.ByteString
		if err := decoded(args, &m); err != nil {
			return nil, err
		}
		return f(x, string(m.V))
	}
}

func withInt(f func(*exchange, int) error) func(*exchange, []byte) ([]byte, error) {
	return func(x *exchange, args []byte) ([]byte, error) {
		var m kong_plugin_protocol.Int
		if err := decoded(args, &m); err != nil {
			return nil, err
		}
		return nil, f(x, int(m.V))
	}
}

// withMax checks the bound that lists of fields and query arguments take. The
// log phase has saved lists and takes any.
func withMax(name string, f func(*exchange) map[string]any) func(*exchange, []byte) ([]byte, error) {
	return func(x *exchange, args []byte) ([]byte, error) {
		var m kong_plugin_protocol.Int
		if err := decoded(args, &m); err != nil {
			return nil, err
		}
		if x.phase != logging && m.V < 1 {
			return nil, fmt.Errorf("%s must be >= 1", name)
		}
		if x.phase != logging && m.V > 1000 {
			return nil, fmt.Errorf("%s must be <= 1000", name)
		}
		return encodeStruct(f(x)), nil
	}
}

func withKV(f func(*exchange, string, any) error) func(*exchange, []byte) ([]byte, error) {
	return func(x *exchange, args []byte) ([]byte, error) {
		var m kong_plugin_protocol.KV
		if err := decoded(args, &m); err != nil {
			return nil, err
		}
		return nil, f(x, m.K, fromValue(m.V))
	}
}

func withStruct(f func(*exchange, map[string]any) error) func(*exchange, []byte) ([]byte, error) {
	return func(x *exchange, args []byte) ([]byte, error) {
		var m structpb.Struct
		if err := decoded(args, &m); err != nil {
			return nil, err
		}
		return nil, f(x, fromStruct(&m))
	}
}

// withHeader passes a header name and its values on, checked as
// kong/pdk/private/checks.lua does.
func withHeader(f func(*exchange, string, []string)) func(*exchange, []byte) ([]byte, error) {
	return withKV(func(x *exchange, name string, value any) error {
		values, err := headerValues(name, value)
		if err == nil && !strings.EqualFold(name, "Transfer-Encoding") {
			f(x, name, values)
		}
		return err
	})
}

func withHeaders(f func(*exchange, string, []string)) func(*exchange, []byte) ([]byte, error) {
	return withStruct(func(x *exchange, headers map[string]any) error {
		fields, err := headerFields(headers)
		if err != nil {
			return err
		}
		for _, name := range fields.Names() {
			f(x, spelling(fields, name), fields.Values(name))
		}
		return nil
	})
}

// headerFields takes a table of headers apart, names in order.
func headerFields(headers map[string]any) (wire.Fields, error) {
	var f wire.Fields
	for _, name := range sortedKeys(headers) {
		values, err := headerValues(name, headers[name])
		if err != nil {
			return nil, err
		}
		if !strings.EqualFold(name, "Transfer-Encoding") {
			addAll(&f, name, values)
		}
	}
	return f, nil
}

func headerValues(name string, value any) ([]string, error) {
	switch v := value.(type) {
	case string:
		return []string{v}, nil
	case float64, bool:
		return []string{luaString(v)}, nil
	case []any:
		var out []string
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, fmt.Errorf("invalid header value in array %q: got %s, expected string", name, luaType(e))
			}
			out = append(out, s)
		}
		return out, nil
	}
	return nil, fmt.Errorf("invalid header value for %q: got %s, expected array of string, string, number or boolean", name, luaType(value))
}

func addAll(f *wire.Fields, name string, values []string) {
	for _, v := range values {
		f.Add(name, v)
	}
}

func luaType(v any) string {
	switch v.(type) {
	case nil:
		return "nil"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		return "string"
	}
	return "table"
}

// luaString is Lua's tostring.
func luaString(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'g', 14, 64)
	}
	return fmt.Sprintf("table: %p", &v)
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// first is the first value of a header, nil encoded as "".
func first(f wire.Fields, name string) []byte {
	if v := f.Get(name); v != "" || f.Has(name) {
		return encodeString(v)
	}
	return encodeString(f.Get(strings.ReplaceAll(name, "_", "-")))
}

// luaHeaders is ngx.req.get_headers and ngx.resp.get_headers: lower-case names,
// a list only for several values.
func luaHeaders(f wire.Fields) map[string]any {
	m := map[string]any{}
	for _, name := range f.Names() {
		values := f.Values(name)
		if len(values) == 1 {
			m[name] = values[0]
			continue
		}
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = v
		}
		m[name] = list
	}
	return m
}

// answerHeader is what ngx.resp.get_headers sees: nginx's own Connection too.
func (x *exchange) answerHeader() wire.Fields {
	f := x.out.Clone()
	if !f.Has("Connection") {
		f.Add("Connection", map[bool]string{true: "keep-alive", false: "close"}[x.keepAlive])
	}
	return f
}

// source is kong.response.get_source.
func (x *exchange) source() string {
	switch {
	case x.unexpected:
		return "error"
	case x.exited:
		return "exit"
	case x.proxied:
		return "service"
	}
	return "error"
}

func clientProtocol(x *exchange) string {
	if x.route != nil && len(x.route.Protocols) == 1 {
		return x.route.Protocols[0]
	}
	return "http"
}

// logAt writes a line for a plugin. Lines of external plugins bear the place in
// Kong that calls the PDK; only in the log phase also the plugin's name
// (call_pdk in pb_rpc.lua).
func logAt(lv level) func(*exchange, []byte) ([]byte, error) {
	return func(x *exchange, args []byte) ([]byte, error) {
		var m structpb.ListValue
		if err := decoded(args, &m); err != nil {
			return nil, err
		}
		var b strings.Builder
		if x.logger != "" {
			fmt.Fprintf(&b, "[%s] ", x.logger)
		}
		for _, v := range fromList(&m) {
			b.WriteString(luaString(v))
		}
		x.log(lv, "pb_rpc.lua:233 "+b.String())
		return nil, nil
	}
}

func getVar(x *exchange, name string) ([]byte, error) {
	v, err := x.variable(name)
	return encodeString(v), err
}

func getQueryArg(x *exchange, name string) ([]byte, error) {
	switch v := x.args()[name].(type) {
	case nil:
		return encodeString(""), nil
	case string:
		return encodeString(v), nil
	case []any:
		if s, ok := v[0].(string); ok {
			return encodeString(s), nil
		}
	}
	return nil, fmt.Errorf("string expected for field 'v', got boolean") // an argument without "="
}

// args is ngx.req.get_uri_args.
func (x *exchange) args() map[string]any { return bundled.DecodeArgs(x.query) }

// setArgs is ngx.req.set_uri_args.
func (x *exchange) setArgs(query string) { x.query, x.hasQuery = query, query != "" }

func setQuery(x *exchange, args map[string]any) error {
	x.setArgs(bundled.EncodeArgs(args))
	return nil
}

func uriCaptures(x *exchange, _ []byte) ([]byte, error) {
	m := &kong_plugin_protocol.UriCapturesResult{Named: map[string][]byte{}}
	if x.match != nil {
		// Lua's encoder takes a list from its index 1: the whole match, at 0, is
		// left out.
		for _, c := range x.match.Captures.Numbered[min(1, len(x.match.Captures.Numbered)):] {
			m.Unnamed = append(m.Unnamed, []byte(c))
		}
		for k, v := range x.match.Captures.Named {
			m.Named[k] = []byte(v)
		}
	}
	return proto.Marshal(m)
}

func checkStatus(n int) error {
	if n < 100 || n > 599 {
		return fmt.Errorf("code must be a number between 100 and 599")
	}
	return nil
}

func setStatus(x *exchange, n int) error {
	if err := checkStatus(n); err != nil {
		return err
	}
	x.status = n
	return nil
}

// exit is kong.response.exit: it does not return to the plugin.
func exit(x *exchange, args []byte) ([]byte, error) {
	var m kong_plugin_protocol.ExitArgs
	if err := decoded(args, &m); err != nil {
		return nil, err
	}
	if err := checkStatus(int(m.Status)); err != nil {
		return nil, err
	}
	header, err := headerFields(fromStruct(m.Headers))
	if err != nil {
		return nil, err
	}
	body := m.Body
	if body == nil {
		body = []byte{} // proto3 has no unset bytes, so Kong sees an empty string
	}
	x.delayed = &answer{status: int(m.Status), header: header, body: body}
	return nil, errExit
}

func setUpstream(x *exchange, host string) ([]byte, error) {
	if _, ok := x.state.rings[host]; !ok {
		return encodeBool(false), nil
	}
	x.balance.host = host
	return encodeBool(true), nil
}

func setTarget(x *exchange, args []byte) ([]byte, error) {
	var m kong_plugin_protocol.Target
	if err := decoded(args, &m); err != nil {
		return nil, err
	}
	if m.Port < 0 || m.Port > 65535 {
		return nil, fmt.Errorf("port must be an integer between 0 and 65535: given %d", m.Port)
	}
	x.upstream.host = m.Host
	x.balance.host, x.balance.port = m.Host, int(m.Port)
	return nil, nil
}

func setScheme(x *exchange, scheme string) ([]byte, error) {
	if scheme != "http" && scheme != "https" {
		return nil, fmt.Errorf("invalid scheme: %s", scheme)
	}
	x.upstream.scheme = scheme
	return nil, nil
}

func setPath(x *exchange, path string) ([]byte, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("path must start with /")
	}
	x.upstream.uri = bundled.EscapePath(path)
	return nil, nil
}

func setMethod(x *exchange, method string) ([]byte, error) {
	if !slices.Contains(bufferedMethods, method) { // the same 15
		return nil, fmt.Errorf("invalid method: %s", method)
	}
	x.method = method
	return nil, nil
}

// setRequestHeader is kong.service.request.set_header. Host goes to the
// upstream, and is the request's from now on.
func (x *exchange) setRequestHeader(name string, values []string) {
	x.setHost(name, values)
	x.header.Set(name, values...)
}

func (x *exchange) addRequestHeader(name string, values []string) {
	x.setHost(name, values)
	addAll(&x.header, name, values)
}

func (x *exchange) setHost(name string, values []string) {
	if strings.EqualFold(name, "Host") && len(values) > 0 {
		x.upstream.host, x.host = values[0], hostName(values[0])
	}
}

func encodeRoute(x *exchange) ([]byte, error) {
	r := x.route
	if r == nil {
		return nil, nil
	}
	m := &kong_plugin_protocol.Route{
		Id: r.ID, Name: r.Name, Protocols: r.Protocols, Methods: r.Methods, Hosts: r.Hosts, Paths: r.Paths,
		HttpsRedirectStatusCode: int32(r.HTTPSRedirectStatusCode), RegexPriority: int32(r.RegexPriority),
		StripPath: r.StripPath, PreserveHost: r.PreserveHost, Snis: r.SNIs, Tags: r.Tags,
		CreatedAt: x.state.loaded.Unix(), UpdatedAt: x.state.loaded.Unix(),
	} // headers are a map in Kong and a list here: they stay empty
	if r.Service != nil {
		m.Service = &kong_plugin_protocol.ServiceKey{Id: r.Service.ID}
	}
	return proto.Marshal(m)
}

func encodeService(x *exchange) ([]byte, error) {
	s := x.service
	if s == nil {
		return nil, nil
	}
	return proto.Marshal(&kong_plugin_protocol.Service{
		Id: s.ID, Name: s.Name, Retries: int32(s.Retries), Protocol: s.Protocol, Host: s.Host, Port: int32(s.Port), Path: s.Path,
		ConnectTimeout: int32(s.ConnectTimeout), WriteTimeout: int32(s.WriteTimeout), ReadTimeout: int32(s.ReadTimeout), Tags: s.Tags,
		CreatedAt: x.state.loaded.Unix(), UpdatedAt: x.state.loaded.Unix(),
	})
}

func serializeCall(x *exchange, _ []byte) ([]byte, error) {
	record, err := x.serialize()
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(record)
	return encodeString(string(data)), err
}
