package server

import (
	"fmt"

	"github.com/Kong/go-pdk/bridge"
	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"google.golang.org/protobuf/proto"
)

// An Ask is a call of the PDK that a plugin wants answered before its handler
// asks. It is served to the handler's own call of the same function with the same
// arguments.
//
// Kong answers a request with 500 when a call raises, so an Ask belongs only to
// phases in which its function is allowed.
type Ask struct {
	frames []byte // as go-pdk writes them: the method, the arguments
	call   call
}

// Call asks for any function of Kong's protocol, such as "kong.request.get_query_arg"
// with its encoded arguments; nil when it takes none. It is for functions without
// a helper below. It panics when args cannot be encoded, as bad UTF-8 cannot.
func Call(method string, args proto.Message) Ask {
	var data []byte
	if args != nil {
		var err error
		if data, err = proto.Marshal(args); err != nil {
			panic(fmt.Sprintf("server: arguments of %s: %v", method, err))
		}
	}
	return Ask{frames: appendFrame(appendFrame(nil, []byte(method)), data), call: callOf(method)}
}

// A Batch is calls that are sent in one write. It serves any number of events.
type Batch struct {
	asks   []Ask
	frames []byte // of all of them
	last   bool
}

// Together makes a batch of calls. An event without any has nil.
func Together(asks ...Ask) *Batch {
	b := &Batch{asks: asks}
	for _, a := range asks {
		b.frames = append(b.frames, a.frames...)
	}
	return b
}

// Last makes a batch of calls after which a phase asks and tells nothing more. The
// end of the event goes out with them: Kong does not wait for the handler, which hears
// the replies when the request is on its way already. Any other call of its fails.
func Last(asks ...Ask) *Batch {
	b := Together(asks...)
	b.last = true
	return b
}

// of is the calls of a batch, of none where there is no batch.
func (b *Batch) of() []Ask {
	if b == nil {
		return nil
	}
	return b.asks
}

// Var is kong.Nginx.GetVar (access, response).
func Var(name string) Ask { return Call("kong.nginx.get_var", bridge.WrapString(name)) }

// Route is kong.Router.GetRoute (any phase).
func Route() Ask { return Call("kong.router.get_route", nil) }

// Service is kong.Router.GetService (any phase).
func Service() Ask { return Call("kong.router.get_service", nil) }

// Status is kong.ServiceResponse.GetStatus (response).
func Status() Ask { return Call("kong.service.response.get_status", nil) }

// AnswerStatus is kong.Response.GetStatus (response, log).
func AnswerStatus() Ask { return Call("kong.response.get_status", nil) }

// Source is kong.Response.GetSource (response, log).
func Source() Ask { return Call("kong.response.get_source", nil) }

// RequestHeaders is kong.Request.GetHeaders, and of [Direct] (any phase): the first 100.
func RequestHeaders() Ask { return requestHeadersAsk }

// ResponseHeaders is kong.Response.GetHeaders, and of [Direct] (response, log): the first
// 100.
func ResponseHeaders() Ask { return responseHeadersAsk }

// go-pdk sends 100 for -1, Kong's default.
var (
	requestHeadersAsk  = Call("kong.request.get_headers", &kong_plugin_protocol.Int{V: 100})
	responseHeadersAsk = Call("kong.response.get_headers", &kong_plugin_protocol.Int{V: 100})
)

// Body is kong.ServiceResponse.GetRawBody (response).
func Body() Ask { return Call("kong.service.response.get_raw_body", nil) }

// Shared is kong.Ctx.GetShared (any phase).
func Shared(key string) Ask { return Call("kong.ctx.shared.get", bridge.WrapString(key)) }

// Serialize is kong.Log.Serialize (log).
func Serialize() Ask { return Call("kong.log.serialize", nil) }
