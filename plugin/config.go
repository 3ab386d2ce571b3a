package plugin

import (
	"encoding/json"
	"time"

	"diag405/plugin/probe"
	"diag405/plugin/server"
)

// Config is what an operator writes under the "config" key of diag405. What each
// setting means, which values it takes and what holds without it are in README,
// which has them from the table of settings. A mistake here costs the operator a
// setting, never the route's traffic: what cannot be used is reported once in the
// error log, and its default holds.
type Config struct {
	Common
	Expose              string `json:"expose"`
	Token               string `json:"token"`
	TokenKey            string `json:"token_key"`
	ShowUpstreamAddress bool   `json:"show_upstream_address"`
	Buffering           string `json:"buffering"`
	HeaderPrefix        string `json:"header_prefix"`
	ProxyStatus         bool   `json:"proxy_status"`
	Probe               string `json:"probe"`
	ProbeTimeout        int    `json:"probe_timeout"` // ms

	streak *streak
	closed bool             // a token was set that cannot be used: nobody has it
	now    func() time.Time // nil is time.Now
}

// LogConfig is what an operator writes under the "config" key of diag405-log.
type LogConfig struct {
	Common
	memory *memory
}

// Common is what both plugins have.
type Common struct {
	Statuses    []int  `json:"statuses"`
	LogRequests string `json:"log_requests"`
	LogLevel    string `json:"log_level"`
	LogFormat   string `json:"log_format"`
	LogQuery    bool   `json:"log_query"`
	OpenAPI     string `json:"openapi"`

	prober   *probe.Prober // that of all instances
	problems *problems     // what decoding found; told once
	sources  *sources      // where more is learned about an upstream
	recent   *recent       // what happened a moment ago
	lines    *sparing      // what is written to the log
	scope    *scope        // which route and service the instance is on
	watcher  Watcher       // who is told; nil is nobody
}

// Both tell Kong what each of their settings may be, so that Kong refuses a mistake
// when it is made, and what each phase surely asks.
var (
	_ server.Describer  = (*Config)(nil)
	_ server.Prefetcher = (*Config)(nil)
	_ server.Describer  = (*LogConfig)(nil)
	_ server.Prefetcher = (*LogConfig)(nil)
)

// Constructor makes the constructor of diag405 for a plugin server in the given Kong
// prefix, "" when there is none. It returns a *[Config] with every default, into which
// the plugin server decodes what Kong sends, and is called for each instance. All its
// instances share one probe: a process has one constructor.
func Constructor(prefix string) func() any {
	prober := newProber(prefix)
	return func() any {
		c := &Config{Common: Common{prober: prober}}
		annotates.reset(c)
		c.set(nil, newScope("", ""))
		return c
	}
}

// LogConstructor makes the constructor of diag405-log, which returns a *[LogConfig].
func LogConstructor() func() any {
	return func() any {
		c := &LogConfig{}
		logs.reset(c)
		c.set(nil, newScope("", ""))
		return c
	}
}

// UnmarshalJSON lays an operator's settings over the defaults. A setting that is
// absent or null keeps its default. It fails only on what is not a JSON object.
func (c *Config) UnmarshalJSON(data []byte) error {
	wrong, err := annotates.decode(data, c)
	if err != nil {
		return err
	}
	var given struct {
		Token    any `json:"token"`
		TokenKey any `json:"token_key"`
	}
	_ = json.Unmarshal(data, &given) // it is an object, and anything fits
	c.closed = given.Token != nil && c.Token == "" || given.TokenKey != nil && c.TokenKey == ""
	c.set(wrong, scopeIn(data))
	return nil
}

// UnmarshalJSON lays an operator's settings over the defaults, as [Config] does.
func (c *LogConfig) UnmarshalJSON(data []byte) error {
	wrong, err := logs.decode(data, c)
	if err == nil {
		c.set(wrong, scopeIn(data))
	}
	return err
}

// set makes what the settings ask for. What was learned under others ends with them.
func (c *Config) set(wrong error, at *scope) {
	c.scope, c.streak = at, &streak{}
	c.scope.ask(c.accessAsks)
	c.problems, c.sources, c.recent, c.lines = &problems{err: wrong}, newSources(c.prober, c), &recent{all: &lookedByAll}, &sparing{}
}

func (c *LogConfig) set(wrong error, at *scope) {
	c.scope = at
	c.scope.ask(c.accessAsks)
	c.problems, c.memory, c.recent, c.lines = &problems{err: wrong}, &memory{}, &recent{all: &lookedByAll}, &sparing{}
	alike := &Config{}
	annotates.reset(alike) // which does not probe
	alike.OpenAPI = c.OpenAPI
	c.sources = newSources(nil, alike)
}

// Describe says what the settings of diag405 may be.
func (c *Config) Describe() server.Fields { return annotates.describe() }

// Describe says what the settings of diag405-log may be.
func (c *LogConfig) Describe() server.Fields { return logs.describe() }
