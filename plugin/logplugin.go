package plugin

import (
	"fmt"
	"slices"

	"github.com/Kong/go-pdk"

	"diag405/plugin/diagnose"
	"diag405/plugin/record"
	"diag405/plugin/report"
)

// LogName is the name under which the binary serves the second plugin.
const LogName = "diag405-log"

// LogConfig is the configuration of the second plugin, diag405-log: the same
// diagnosis from Kong's log phase. It adds nothing to an answer, needs no
// buffering, and sees what the first cannot: the 405s that Kong itself makes, and
// which target answered.
type LogConfig struct {
	// Statuses are the statuses to explain, each from 400 to 599. Default 405.
	Statuses []int `json:"statuses"`

	// LogRequests, LogLevel, LogFormat and LogQuery are those of [Config].
	LogRequests string `json:"log_requests"`
	LogLevel    string `json:"log_level"`
	LogFormat   string `json:"log_format"`
	LogQuery    bool   `json:"log_query"`

	// OpenAPI is the path of the application's OpenAPI document. Default none.
	OpenAPI string `json:"openapi"`

	shared Config // the same settings, for what both plugins do
	memory *memory
}

var _ interface {
	Access(*pdk.PDK)
	Log(*pdk.PDK)
} = (*LogConfig)(nil)

// LogConstructor makes the constructor of diag405-log for a plugin server.
func LogConstructor() func() any {
	return func() any {
		c := &LogConfig{memory: &memory{}}
		c.take(*Constructor("")().(*Config))
		return c
	}
}

// take copies the settings that both plugins have.
func (c *LogConfig) take(s Config) {
	c.Statuses, c.OpenAPI = s.Statuses, s.OpenAPI
	c.LogRequests, c.LogLevel, c.LogFormat, c.LogQuery = s.LogRequests, s.LogLevel, s.LogFormat, s.LogQuery
	c.shared = s
}

// UnmarshalJSON lays an operator's settings over the defaults, as [Config] does.
func (c *LogConfig) UnmarshalJSON(data []byte) error {
	s := Constructor("")().(*Config)
	if err := s.UnmarshalJSON(data); err != nil {
		return err
	}
	c.take(*s)
	return nil
}

// Access keeps the request line for the log phase, where nginx variables cannot
// be read any more.
func (c *LogConfig) Access(kong *pdk.PDK) { c.access(pdkGateway{kong}) }

// Log runs when the client has its answer.
func (c *LogConfig) Log(kong *pdk.PDK) { c.log(pdkGateway{kong}) }

// sharedKey is where in kong.ctx.shared the request line is kept.
const sharedKey = "diag405_request"

func (c *LogConfig) access(gw gateway) {
	c.shared.problems.tell(func(err error) { note(gw, "err", "config: "+err.Error()) })
	request, err := gw.Var("request")
	line := c.shared.accessLine(gw)
	if err == nil {
		_ = gw.Share(sharedKey, request)
	}
	if line != "" {
		_ = gw.Log(c.LogLevel, line)
	}
}

func (c *LogConfig) log(gw gateway) {
	logged, x, err := readRecord(gw)
	if err != nil {
		note(gw, "warn", "request not looked at: "+err.Error())
		return
	}
	x.Elsewhere = c.memory.note(x)
	if !slices.Contains(c.Statuses, x.Response.Status) {
		return
	}
	seen, err := c.shared.sources.offers(x)
	if err != nil {
		note(gw, "warn", err.Error())
	}
	d := diagnose.Explain(x, seen)
	o := c.shared.options()
	// The log phase runs in a timer, about whose lines Kong does not say which request
	// they are about.
	o.Phase, o.RequestID = "log", logged.Request.ID
	_ = gw.Log("warn", report.DiagnosisLine(x, d, o))
}

// readRecord reads the log record, and what else the log phase knows of the request.
func readRecord(gw gateway) (*record.Record, diagnose.Exchange, error) {
	text, err := gw.Serialize()
	if err != nil {
		return nil, diagnose.Exchange{}, fmt.Errorf("reading the log record: %w", err)
	}
	r, err := record.Parse([]byte(text))
	if err != nil {
		return nil, diagnose.Exchange{}, err
	}
	line, err := gw.Shared(sharedKey)
	if err != nil {
		line = "" // the access phase did not run
	}
	x := r.Exchange(line)
	if source, err := gw.Source(); err == nil {
		x.Source = source
	}
	return r, x, nil
}
