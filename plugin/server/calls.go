package server

import "strings"

// call is what the server knows of a function of Kong's PDK (service Kong in
// Kong's kong/pluginsocket.proto).
type call struct {
	void   bool   // returns nothing: Kong's reply is an empty frame
	reads  family // what its reply depends on
	writes family // what it changes
	clean  *shape // its arguments, where control characters do harm
	reply  *shape // its reply, where it holds text
}

// family is a set of places that calls read from and write to.
type family uint8

const (
	inVariables family = 1 << iota // nginx's
	inRequest                      // the client's, as plugins left it
	inAnswer                       // the answer to the client
	inEntities                     // route, service, consumer
	inContext                      // nginx's context, in which Kong keeps a lot
	inShared                       // kong.ctx.shared
	inOthers
	anywhere = ^family(0)
)

// getters are the calls that change nothing, by what their names begin with; the
// first that fits holds.
var getters = []struct {
	prefix string
	reads  family
}{
	{"kong.nginx.get_var", inVariables},
	{"kong.nginx.get_ctx", inContext},
	{"kong.nginx.get_", inOthers},
	{"kong.nginx.req_start_time", inOthers},
	{"kong.request.get_uri_captures", inEntities},
	{"kong.request.get_", inRequest},
	{"kong.response.get_", inAnswer},
	{"kong.service.response.get_", inAnswer},
	{"kong.router.get_", inEntities},
	{"kong.client.get_", inEntities},
	{"kong.ctx.shared.get", inShared},
	{"kong.ip.is_trusted", inOthers},
	{"kong.node.get_", inOthers},
	{"kong.log.serialize", anywhere},
}

// setters are the calls that return nothing, with what a reply that came before is
// not valid for any more. A call that is in neither list changes everything.
var setters = map[string]call{
	"kong.log.alert":               {clean: listShape},
	"kong.log.crit":                {clean: listShape},
	"kong.log.err":                 {clean: listShape},
	"kong.log.warn":                {clean: listShape},
	"kong.log.notice":              {clean: listShape},
	"kong.log.info":                {clean: listShape},
	"kong.log.debug":               {clean: listShape},
	"kong.log.set_serialize_value": {writes: inOthers},

	// Its result is declared a String, and is an empty one.
	"kong.nginx.set_ctx":      {writes: anywhere &^ (inVariables | inRequest)},
	"kong.ctx.shared.set":     {writes: inShared},
	"kong.service.set_target": {writes: anywhere},

	"kong.response.set_status":   {writes: inAnswer | inVariables},
	"kong.response.set_header":   {writes: inAnswer | inVariables, clean: keyValueShape},
	"kong.response.add_header":   {writes: inAnswer | inVariables, clean: keyValueShape},
	"kong.response.clear_header": {writes: inAnswer | inVariables, clean: stringShape},
	"kong.response.set_headers":  {writes: inAnswer | inVariables, clean: structShape},

	"kong.service.request.set_scheme":    {writes: anywhere},
	"kong.service.request.set_path":      {writes: anywhere},
	"kong.service.request.set_raw_query": {writes: anywhere},
	"kong.service.request.set_method":    {writes: anywhere},
	"kong.service.request.set_query":     {writes: anywhere},
	"kong.service.request.set_header":    {writes: anywhere, clean: keyValueShape},
	"kong.service.request.add_header":    {writes: anywhere, clean: keyValueShape},
	"kong.service.request.clear_header":  {writes: anywhere, clean: stringShape},
	"kong.service.request.set_headers":   {writes: anywhere, clean: structShape},
	"kong.service.request.set_raw_body":  {writes: anywhere},
}

// replies are the shapes of the replies; the rest of the getters return a String.
var replies = map[string]*shape{
	"kong.nginx.get_ctx":                valueShape,
	"kong.ctx.shared.get":               valueShape,
	"kong.request.get_query":            structShape,
	"kong.request.get_headers":          structShape,
	"kong.response.get_headers":         structShape,
	"kong.service.response.get_headers": structShape,
	"kong.router.get_route":             routeShape,
	"kong.router.get_service":           serviceShape,

	"kong.request.get_raw_body":          nil, // bytes, and long ones
	"kong.service.response.get_raw_body": nil,
	"kong.request.get_uri_captures":      capturesShape,
	"kong.request.get_http_version":      numberShape,
	"kong.request.get_port":              numberShape,
	"kong.request.get_forwarded_port":    numberShape,
	"kong.client.get_port":               numberShape,
	"kong.client.get_forwarded_port":     numberShape,
	"kong.client.get_credential":         messageOf(1, 2),
	"kong.client.get_consumer":           consumerShape,
	"kong.nginx.req_start_time":          numberShape,
	"kong.ip.is_trusted":                 numberShape,
	"kong.node.get_memory_stats":         memoryShape,
	"kong.response.get_status":           numberShape,
	"kong.service.response.get_status":   numberShape,
}

// known are all calls of which something is known, by name.
var known = func() map[string]call {
	out := map[string]call{}
	for name, c := range setters {
		c.void = true
		out[name] = c
	}
	return out
}()

// callOf says what is known of a function.
func callOf(method string) call {
	if c, ok := known[method]; ok {
		return c
	}
	for _, g := range getters {
		if strings.HasPrefix(method, g.prefix) {
			return call{reads: g.reads, reply: replyOf(method)}
		}
	}
	return call{reads: anywhere, writes: anywhere}
}

func replyOf(method string) *shape {
	if s, ok := replies[method]; ok {
		return s
	}
	return stringShape
}
