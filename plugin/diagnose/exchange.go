package diagnose

import (
	"net/http"

	"diag405/kong/config"
)

// Exchange is one request through the gateway, with its answer. What is not
// known is left at its zero value; nothing in here is required.
type Exchange struct {
	Client   Request // as it came in on the client's connection
	Upstream Request // as it left for the upstream

	// Buffered is true when Kong's buffered hop changed the method on the way.
	Buffered bool
	// BufferedBy is the plugin that it was done for, "" for diag405 itself.
	BufferedBy string

	// Stripped is what strip_path removed from the front of the client's path,
	// "" when nothing was removed.
	Stripped string

	Route   *config.Route   // the route that matched, nil when not known
	Service *config.Service // nil when not known or when there is none

	Response Response

	// Source is who made the answer, in Kong's words: service, exit (a plugin) or
	// error (Kong itself). "" is the service.
	Source string
	// Target is the address that answered, "" when not known.
	Target string
	// Elsewhere is what the upstream's other targets answered to the same method
	// and path.
	Elsewhere []TargetAnswer
	// Routes are the configuration's routes, the one that matched among them.
	// Empty when they are not known, as in a plugin.
	Routes []*config.Route
	// Plugins are the names of the configuration's plugins that run for the request. Empty
	// when they are not known, as in a plugin.
	Plugins []string
}

// TargetAnswer is the status that one target of an upstream gave.
type TargetAnswer struct {
	Target string
	Status int
}

// Request is one side's view of the request.
type Request struct {
	Method string
	Path   string      // not decoded, without the query
	Query  string      // not decoded, without the question mark
	Scheme string      // http or https
	Host   string      // the Host header
	Header http.Header // of the client's request only
}

// Line is the request's method and path, which is how people name a request.
func (r Request) Line() Line { return Line{r.Method, r.Path} }

// Response is what the upstream answered.
type Response struct {
	Status int
	Header http.Header
	Body   []byte // the start of it, as far as it was read
}

// Line is a method and a path.
type Line struct {
	Method string `json:"method"`
	Path   string `json:"path"`
}

// String is the line as people write it: POST /items.
func (l Line) String() string { return l.Method + " " + l.Path }
