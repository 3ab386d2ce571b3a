// Package gateway runs a gateway with plugin servers in it, for the demo, the
// examples and the tests: either the stand-in of this package, or a real Kong
// found on this machine. Both are driven through [Gateway].
//
// The stand-in is not Kong. It routes with kong/router, rewrites, proxies and
// talks to plugin servers as Kong 3.9.1 was measured to do, and refuses what it
// does not model.
package gateway

import (
	"context"
	"io"
)

// Gateway is a running gateway.
type Gateway interface {
	// URL is where clients send requests, such as http://127.0.0.1:41234.
	URL() string
	// Load replaces the whole configuration with a declarative one (YAML or
	// JSON) and returns when it is in force.
	Load(ctx context.Context, declarative []byte) error
	// Close stops the gateway and everything that it started.
	Close() error
}

// Options say what to start. The zero value is a stand-in without plugins.
type Options struct {
	// Kong is the path of a real kong command. Empty: the stand-in.
	Kong string
	// Plugins are the paths of plugin server executables. Each one's base name
	// is the name of its plugin, as in Kong's pluginserver_names.
	Plugins []string
	// Hosts gives symbolic host names of services and targets an address, as a
	// hosts file does. Names that are not in it are looked up as usual.
	Hosts map[string]string
	// AllowDebugHeader is Kong's allow_debug_header: a request with a Kong-Debug
	// header learns its route and service from the answer.
	AllowDebugHeader bool
	// TrustClients is trusted_ips=127.0.0.0/8: what clients say of themselves in
	// X-Forwarded-Proto and the like counts.
	TrustClients bool
	// ErrorLog receives the gateway's error log, whole lines at a time. Nil:
	// nobody reads it.
	ErrorLog io.Writer
	// Faults, for tests of plugin servers, says what goes wrong with the reply to a
	// call. Nil: nothing. It is called from many goroutines. A real Kong has none.
	Faults func(Call) Fault
}

// Start starts the gateway that o describes, with an empty configuration. The
// context bounds the start only.
func Start(ctx context.Context, o Options) (Gateway, error) {
	if o.Kong != "" {
		return startKong(ctx, o)
	}
	return startStandIn(ctx, o)
}
