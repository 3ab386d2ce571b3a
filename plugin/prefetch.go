package plugin

import "diag405/plugin/server"

// Prefetch names what each phase surely asks, so that it is asked at once. All of
// it is allowed in its phase.
func (c *Config) Prefetch(phase string) *server.Batch { return c.ahead[phase] }

// batches are what each phase surely asks.
func (c *Config) batches() map[string]*server.Batch {
	return map[string]*server.Batch{
		"access":   server.Together(c.accessAsks()...),
		"response": server.Together(server.Status()),
	}
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
func (c *LogConfig) Prefetch(phase string) *server.Batch { return c.ahead[phase] }

func (c *LogConfig) batches() map[string]*server.Batch {
	access := lineAsks()
	if c.LogRequests == "none" {
		access = []server.Ask{server.Var("request")}
	}
	return map[string]*server.Batch{"access": server.Together(access...), "log": server.Together(server.Serialize())}
}
