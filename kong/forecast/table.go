package forecast

// Plugin is what is known of a plugin by its name: what an instance of it may do to
// a request on its way to the upstream.
type Plugin struct {
	Name     string
	Priority int    // the higher runs first; 0 is not known
	Path     Degree // whether it decides the path that the upstream gets
	Method   Degree // whether it decides the method
	Ends     Degree // whether it answers in the upstream's place; refusing with an error other than 405 does not count
	Buffers  Buffering
	Early    bool // runs before a route is found, too, where it is for all requests
	Code     bool // its configuration holds an operator's Lua
	// Transforms says that its configuration is that of request-transformer.
	Transforms bool
	// Does is what it does to the request where [Of] does not work that out, as a
	// clause; "" where there is nothing to say.
	Does   string
	Source Source
}

// Degree is how far something is so.
type Degree string

// Degrees.
const (
	Never  Degree = ""
	Maybe  Degree = "maybe"  // as the configuration or the request has it
	Always Degree = "always" // it is there to do just that
)

// Buffering is what a plugin makes of the upstream's answer before the client gets
// any of it.
type Buffering string

// Bufferings.
const (
	// Streams: the answer goes on as it comes.
	Streams Buffering = ""
	// Buffers: Kong reads the whole answer, through its buffered hop. The plugin has a
	// response phase, or asks for it with kong.service.request.enable_buffering.
	Buffers Buffering = "buffers"
	// BuffersUnasked: Kong does, unless a JSON body with "stream": true asks for a
	// stream.
	BuffersUnasked Buffering = "buffers unless asked"
	// Reads: the plugin asks the upstream by itself and reads the whole answer. Kong's
	// own hop has no part in it, so every method is kept.
	Reads Buffering = "reads"
)

// Source is where something is known from, and by that how sure it is.
type Source string

// Sources, the surest first.
const (
	Measured   Source = "measured"   // on a Kong 3.9.1
	Read       Source = "read"       // in Kong 3.9.1: kong/plugins/NAME/handler.lua, and what that calls
	Documented Source = "documented" // in the documentation of Kong Enterprise, whose source is not public
)

// Own is this project's plugin with a response phase, which can be told not to
// buffer what it would break: see [Unbuffers].
const Own = "diag405"

const lua = "runs Lua, which may change the request"

// plugins are those that are known, by priority and then by name.
//
// The plugins for models share filters (kong/llm/plugin/shared-filters):
// enable-buffering is what makes the answer buffered, and normalize-request has the
// model's own path and address take the service's place.
var plugins = []Plugin{
	{Name: "pre-function", Priority: 1000000, Path: Maybe, Method: Maybe, Ends: Maybe, Early: true, Code: true, Does: lua, Source: Read},
	{Name: "correlation-id", Priority: 100001, Source: Read},
	{Name: "zipkin", Priority: 100000, Source: Read},
	{Name: "bot-detection", Priority: 2500, Source: Read},
	{Name: "cors", Priority: 2000, Ends: Maybe, Source: Measured},
	{Name: "session", Priority: 1900, Ends: Maybe, Source: Read}, // at its logout
	{Name: "acme", Priority: 1705, Ends: Maybe, Source: Read},    // challenges
	{Name: "jwt", Priority: 1450, Source: Read},
	{Name: "oauth2", Priority: 1400, Ends: Maybe, Does: "answers its own endpoints, with 405 for any method but POST", Source: Read},
	{Name: "key-auth", Priority: 1250, Source: Read},
	{Name: "ldap-auth", Priority: 1200, Source: Read},
	{Name: "basic-auth", Priority: 1100, Source: Read},
	{Name: "hmac-auth", Priority: 1030, Source: Read},
	{Name: "grpc-gateway", Priority: 998, Path: Always, Method: Always, Does: "turns the request into gRPC", Source: Read},
	{Name: "ip-restriction", Priority: 990, Source: Read},
	{Name: "request-size-limiting", Priority: 951, Source: Read},
	{Name: "acl", Priority: 950, Source: Read},
	{Name: "rate-limiting", Priority: 910, Source: Read},
	{Name: "response-ratelimiting", Priority: 900, Source: Read},
	{Name: "request-transformer", Priority: 801, Path: Maybe, Method: Maybe, Transforms: true, Source: Measured},
	{Name: "response-transformer", Priority: 800, Source: Read},
	{Name: "redirect", Priority: 779, Ends: Always, Does: "answers with a redirect", Source: Read},
	{Name: "ai-request-transformer", Priority: 777, Buffers: Buffers, Source: Read},
	{Name: "ai-prompt-template", Priority: 773, Source: Read},
	{Name: "ai-prompt-decorator", Priority: 772, Source: Read},
	{Name: "ai-prompt-guard", Priority: 771, Source: Read},
	{Name: "ai-proxy", Priority: 770, Path: Always, Buffers: BuffersUnasked, Does: "makes a request of its own to a model", Source: Read},
	{Name: "ai-response-transformer", Priority: 768, Buffers: Reads, Source: Read},
	{Name: "standard-webhooks", Priority: 760, Source: Read},
	{Name: "aws-lambda", Priority: 750, Ends: Always, Does: "answers with a function", Source: Read},
	{Name: "azure-functions", Priority: 749, Ends: Always, Does: "answers with a function", Source: Read},
	{Name: "proxy-cache", Priority: 100, Ends: Maybe, Source: Read}, // with what it has stored
	{Name: "opentelemetry", Priority: 14, Source: Read},
	{Name: "prometheus", Priority: 13, Source: Read},
	{Name: "http-log", Priority: 12, Source: Read},
	{Name: "statsd", Priority: 11, Source: Read},
	{Name: "datadog", Priority: 10, Source: Read},
	{Name: "file-log", Priority: 9, Source: Measured},
	{Name: "udp-log", Priority: 8, Source: Read},
	{Name: "tcp-log", Priority: 7, Source: Read},
	{Name: "loggly", Priority: 6, Source: Read},
	{Name: "syslog", Priority: 4, Source: Read},
	{Name: "grpc-web", Priority: 3, Ends: Maybe, Does: "turns the request into gRPC", Source: Read},
	{Name: "request-termination", Priority: 2, Ends: Maybe, Source: Measured},
	{Name: "post-function", Priority: -1000, Path: Maybe, Method: Maybe, Ends: Maybe, Early: true, Code: true, Does: lua, Source: Read},

	// This project's own.
	{Name: Own, Priority: -1100, Buffers: Buffers, Source: Measured},
	{Name: "diag405-log", Priority: -1100, Source: Measured},
}

// Known is what is known of a plugin, if anything is.
func Known(name string) (p Plugin, ok bool) {
	p, ok = byName[name]
	return p, ok
}

var byName = func() map[string]Plugin {
	all := map[string]Plugin{}
	for _, list := range [][]Plugin{plugins, enterprise} {
		for _, p := range list {
			all[p.Name] = p
		}
	}
	return all
}()
