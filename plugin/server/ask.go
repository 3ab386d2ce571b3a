package server

import (
	"fmt"

	"github.com/Kong/go-pdk/bridge"
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

// Var is kong.Nginx.GetVar (access, response).
func Var(name string) Ask { return Call("kong.nginx.get_var", bridge.WrapString(name)) }

// Route is kong.Router.GetRoute (any phase).
func Route() Ask { return Call("kong.router.get_route", nil) }

// Service is kong.Router.GetService (any phase).
func Service() Ask { return Call("kong.router.get_service", nil) }

// Status is kong.ServiceResponse.GetStatus (response).
func Status() Ask { return Call("kong.service.response.get_status", nil) }

// Serialize is kong.Log.Serialize (log).
func Serialize() Ask { return Call("kong.log.serialize", nil) }
