package plugin

import "diag405/plugin/server"

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
	if c.needsToken() {
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
