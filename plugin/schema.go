package plugin

import "diag405/plugin/server"

// Both configurations tell Kong what each of their fields may be, so that Kong
// refuses a mistake when it is made. Defaults are those of the constructor.
var (
	_ server.Describer  = (*Config)(nil)
	_ server.Prefetcher = (*Config)(nil)
	_ server.Describer  = (*LogConfig)(nil)
	_ server.Prefetcher = (*LogConfig)(nil)
)

// The values of each field with a closed set of them.
var (
	exposeValues    = []string{"full", "code", "none"}
	requestsValues  = []string{"all", "changed", "none"}
	levelValues     = []string{"debug", "info", "notice", "warn", "err"}
	formatValues    = []string{"text", "json"}
	bufferingValues = []string{"auto", "always"}
	probeValues     = []string{"off", "options"}
)

// Describe says what the fields of diag405 may be.
func (c *Config) Describe() server.Fields {
	return server.Fields{
		{Name: "expose", Field: server.Field{Required: true, OneOf: server.List(exposeValues...), Description: "Which headers a client gets on an explained answer."}},
		{Name: "token", Field: server.Field{Encrypted: true, Referenceable: true, Description: "When set, all headers only for requests that carry it in X-Diag-Token."}},
		{Name: "show_upstream_address", Field: server.Field{Required: true, Description: "Whether X-Diag-Upstream has the upstream's scheme, host and port."}},
		{Name: "statuses", Field: server.Field{Required: true, LenMin: 1, Elements: &server.Field{Between: []float64{400, 599}}, Description: "The statuses of the upstream to explain."}},
		{Name: "log_requests", Field: server.Field{Required: true, OneOf: server.List(requestsValues...), Description: "For which requests to log the original against the upstream-bound one."}},
		{Name: "log_level", Field: server.Field{Required: true, OneOf: server.List(levelValues...), Description: "The level of that line; a diagnosis is logged at warn."}},
		{Name: "log_format", Field: server.Field{Required: true, OneOf: server.List(formatValues...), Description: "The form of both lines: logfmt or JSON."}},
		{Name: "log_query", Field: server.Field{Required: true, Description: "Whether the values of query parameters are logged, too."}},
		{Name: "buffering", Field: server.Field{Required: true, OneOf: server.List(bufferingValues...), Description: "Whether requests that buffering would break are left unbuffered."}},
		{Name: "header_prefix", Field: server.Field{Required: true, LenMax: maxPrefix, Match: "^[%w-]+$", Description: "What the names of the headers begin with: letters, digits and dashes."}},
		{Name: "proxy_status", Field: server.Field{Required: true, Description: "Whether to add a member to the answer's Proxy-Status header."}},
		{Name: "probe", Field: server.Field{Required: true, OneOf: server.List(probeValues...), Description: "Whether to ask the upstream with OPTIONS about the paths in question."}},
		{Name: "probe_timeout", Field: server.Field{Required: true, Between: []float64{minTimeout, maxTimeout}, Description: "How long an answer may be held back for the probe, in milliseconds."}},
		{Name: "openapi", Field: server.Field{Description: "The path of the application's OpenAPI document, a file on this machine."}},
	}
}

// Describe says what the fields of diag405-log may be.
func (c *LogConfig) Describe() server.Fields {
	return server.Fields{
		{Name: "statuses", Field: server.Field{Required: true, LenMin: 1, Elements: &server.Field{Between: []float64{400, 599}}, Description: "The statuses of the upstream to explain."}},
		{Name: "log_requests", Field: server.Field{Required: true, OneOf: server.List(requestsValues...), Description: "For which requests to log the original against the upstream-bound one."}},
		{Name: "log_level", Field: server.Field{Required: true, OneOf: server.List(levelValues...), Description: "The level of that line; a diagnosis is logged at warn."}},
		{Name: "log_format", Field: server.Field{Required: true, OneOf: server.List(formatValues...), Description: "The form of both lines: logfmt or JSON."}},
		{Name: "log_query", Field: server.Field{Required: true, Description: "Whether the values of query parameters are logged, too."}},
		{Name: "openapi", Field: server.Field{Description: "The path of the application's OpenAPI document, a file on this machine."}},
	}
}

// Prefetch names what each phase surely asks, so that it is asked at once. All of
// it is allowed in its phase.
func (c *Config) Prefetch(phase string) []server.Ask {
	switch phase {
	case "access":
		return c.accessAsks()
	case "response":
		return []server.Ask{server.Status()}
	}
	return nil
}

func (c *Config) accessAsks() []server.Ask {
	var asks []server.Ask
	if c.Token != "" {
		asks = append(asks, server.Var(tokenVariable))
	}
	if c.Buffering == "auto" {
		asks = append(asks, server.Var("http_accept"), server.Var("http_content_type"))
	}
	if c.LogRequests == "none" {
		if c.Buffering == "auto" {
			asks = append(asks, server.Var("request_method"))
		}
		return asks
	}
	return append(asks, lineAsks()...)
}

// lineAsks are what the access line needs.
func lineAsks() []server.Ask {
	asks := []server.Ask{server.Route(), server.Service()}
	for _, name := range accessVariables {
		asks = append(asks, server.Var(name))
	}
	return asks
}

// Prefetch names what each phase of diag405-log surely asks.
func (c *LogConfig) Prefetch(phase string) []server.Ask {
	switch {
	case phase == "log":
		return []server.Ask{server.Serialize()}
	case phase != "access":
		return nil
	case c.LogRequests == "none":
		return []server.Ask{server.Var("request")}
	}
	return lineAsks()
}
