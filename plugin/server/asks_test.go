package server

import (
	"github.com/Kong/go-pdk/bridge"
	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
)

// Calls that the tests ask ahead, with the arguments that go-pdk sends.

func responseStatus() Ask         { return Call("kong.response.get_status", nil) }
func responseHeaders(max int) Ask { return Call("kong.response.get_headers", headerCount(max)) }
func requestHeaders(max int) Ask  { return Call("kong.request.get_headers", headerCount(max)) }
func requestHeader(name string) Ask {
	return Call("kong.request.get_header", bridge.WrapString(name))
}
func requestMethod() Ask { return Call("kong.request.get_method", nil) }

// headerCount encodes a bound as go-pdk does, which sends 100 for -1.
func headerCount(n int) *kong_plugin_protocol.Int {
	if n == -1 {
		n = 100
	}
	return &kong_plugin_protocol.Int{V: int32(n)}
}
