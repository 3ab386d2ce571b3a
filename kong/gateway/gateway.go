// Package gateway is what a gateway with plugin servers in it looks like to the
// demo, the examples and the tests. There are two: the stand-in of package
// standin, and a real Kong found on this machine, of package realkong. Either is
// started with [Options] and driven through [Gateway].
package gateway

import (
	"cmp"
	"context"
	"io"

	"diag405/kong/config"
)

// Gateway is a running gateway.
type Gateway interface {
	// URL is where clients send requests, such as http://127.0.0.1:41234.
	URL() string
	// AdminURL is where the Admin API is. That of the stand-in can only be read.
	AdminURL() string
	// Load replaces the whole configuration with a declarative one (YAML or
	// JSON) and returns when it is in force.
	Load(ctx context.Context, declarative []byte) error
	// Close stops the gateway and everything that it started.
	Close() error
}

// Options say what to start. The zero value is a gateway without plugins.
type Options struct {
	// Plugins are the paths of plugin server executables. Each one's base name
	// is the name of its plugin, as in Kong's pluginserver_names.
	Plugins []string
	// Servers are plugin servers that something else runs.
	Servers []Server
	// Hosts gives symbolic host names of services and targets an address, as a
	// hosts file does. Names that are not in it are looked up as usual.
	Hosts map[string]string
	// AllowDebugHeader is Kong's allow_debug_header: a request with a Kong-Debug
	// header learns its route and service from the answer.
	AllowDebugHeader bool
	// TrustClients is trusted_ips=127.0.0.0/8: what clients say of themselves in
	// X-Forwarded-Proto and the like counts.
	TrustClients bool
	// Flavor is Kong's router_flavor; "" is traditional_compatible. A configuration for
	// another flavour is refused where Kong refuses it.
	Flavor config.Flavor
	// Costly has the stand-in take the time that Kong takes, of package cost. A real Kong
	// always does.
	Costly bool
	// ErrorLog receives the gateway's error log, whole lines at a time. Nil:
	// nobody reads it.
	ErrorLog io.Writer
}

// RouterFlavor is the flavour that is meant.
func (o Options) RouterFlavor() config.Flavor { return cmp.Or(o.Flavor, config.TraditionalCompatible) }

// Server is a plugin server that the gateway does not start, as Kong has it with
// pluginserver_NAME_query_cmd and pluginserver_NAME_socket and no start command.
type Server struct {
	Name     string // in Kong's pluginserver_names
	QueryCmd string // for a shell; prints what Kong asks for at its start
	Socket   string // a path
}
