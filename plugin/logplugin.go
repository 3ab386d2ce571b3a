package plugin

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/Kong/go-pdk"

	"diag405/kong/config"
	"diag405/kong/router"
	"diag405/plugin/diagnose"
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
	record, err := readRecord(gw)
	if err != nil {
		note(gw, "warn", "request not looked at: "+err.Error())
		return
	}
	x := record.exchange(gw)
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
	o.Phase, o.RequestID = "log", record.Request.ID
	_ = gw.Log("warn", report.DiagnosisLine(x, d, o))
}

// record is what is read of kong.log.serialize (kong/pdk/log.lua).
type record struct {
	Request struct {
		ID      string  `json:"id"`
		Method  string  `json:"method"`
		URI     string  `json:"uri"`
		URL     string  `json:"url"`
		Headers headers `json:"headers"`
	} `json:"request"`
	UpstreamURI string `json:"upstream_uri"`
	Response    struct {
		Status  int     `json:"status"`
		Headers headers `json:"headers"`
	} `json:"response"`
	Route *struct {
		ID        string   `json:"id"`
		Name      string   `json:"name"`
		Paths     []string `json:"paths"`
		Hosts     []string `json:"hosts"`
		Methods   []string `json:"methods"`
		Protocols []string `json:"protocols"`
		StripPath bool     `json:"strip_path"`
		Preserve  bool     `json:"preserve_host"`
		Redirect  int      `json:"https_redirect_status_code"`
	} `json:"route"`
	Service *struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Protocol string `json:"protocol"`
		Host     string `json:"host"`
		Port     int    `json:"port"`
		Path     string `json:"path"`
	} `json:"service"`
	Tries []struct {
		IP   string `json:"ip"`
		Port int    `json:"port"`
	} `json:"tries"`
}

// headers are a record's: a value is a string or a list of them.
type headers map[string]any

func (h headers) canonical() http.Header {
	out := http.Header{}
	for name, value := range h {
		switch value := value.(type) {
		case string:
			out.Add(name, value)
		case []any:
			for _, v := range value {
				if s, ok := v.(string); ok {
					out.Add(name, s)
				}
			}
		}
	}
	return out
}

func readRecord(gw gateway) (*record, error) {
	text, err := gw.Serialize()
	if err != nil {
		return nil, fmt.Errorf("reading the log record: %w", err)
	}
	var r record
	// A list that is empty comes as an empty object: Lua has one kind of table. Such
	// a field is left out, and the rest is read.
	var wrongType *json.UnmarshalTypeError
	if err := json.Unmarshal([]byte(text), &r); err != nil && !errors.As(err, &wrongType) {
		return nil, fmt.Errorf("decoding the log record: %w", err)
	}
	return &r, nil
}

// exchange is the record as an exchange, with what else the log phase knows.
func (r *record) exchange(gw gateway) diagnose.Exchange {
	x := diagnose.Exchange{Response: diagnose.Response{Status: r.Response.Status, Header: r.Response.Headers.canonical()}}
	if strings.HasPrefix(x.Response.Header.Get("Server"), "kong/") {
		x.Response.Header.Del("Server") // Kong's own, which it adds where the upstream sent none
	}
	x.Source, _ = gw.Source()
	x.Service, x.Route = r.service(), nil
	x.Route = r.route(x.Service)
	x.Client = r.client(gw)
	x.Upstream = r.upstream(x)
	x.Stripped = stripped(x)
	if n := len(r.Tries); n > 0 {
		x.Target = net.JoinHostPort(r.Tries[n-1].IP, strconv.Itoa(r.Tries[n-1].Port))
	}
	return x
}

// client is the request as the client sent it: from the line that the access
// phase kept, else as the record has it.
func (r *record) client(gw gateway) diagnose.Request {
	c := diagnose.Request{Scheme: "http", Header: r.Request.Headers.canonical()}
	c.Host = c.Header.Get("Host")
	if line, err := gw.Shared(sharedKey); err == nil && line != "" {
		c.Method, c.Path, c.Query = requestLine(line)
		return c
	}
	c.Method = r.Request.Method
	c.Path, c.Query = router.SplitTarget(r.Request.URI)
	return c
}

func (r *record) upstream(x diagnose.Exchange) diagnose.Request {
	u := diagnose.Request{Method: r.Request.Method, Scheme: "http", Host: upstreamHost(x)}
	u.Path, u.Query = router.SplitTarget(cmp.Or(r.UpstreamURI, r.Request.URI))
	if x.Service != nil {
		u.Scheme = x.Service.Protocol
	}
	return u
}

func (r *record) route(s *config.Service) *config.Route {
	if r.Route == nil || r.Route.ID == "" {
		return nil
	}
	return &config.Route{
		ID: r.Route.ID, Name: r.Route.Name, Service: s,
		Paths: r.Route.Paths, Hosts: r.Route.Hosts, Methods: r.Route.Methods, Protocols: r.Route.Protocols,
		StripPath: r.Route.StripPath, PreserveHost: r.Route.Preserve, HTTPSRedirectStatusCode: r.Route.Redirect,
	}
}

func (r *record) service() *config.Service {
	if r.Service == nil || r.Service.ID == "" {
		return nil
	}
	s := r.Service
	return &config.Service{ID: s.ID, Name: s.Name, Protocol: s.Protocol, Host: s.Host, Port: s.Port, Path: s.Path}
}
