// Package record reads what Kong's log plugins write about a request
// (kong.log.serialize) as an exchange to explain. It is pure.
package record

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/router"
	"diag405/plugin/diagnose"
)

// Record is what is read of kong.log.serialize (kong/pdk/log.lua).
type Record struct {
	Request struct {
		ID      string  `json:"id"`
		Method  string  `json:"method"` // as plugins left it
		URI     string  `json:"uri"`
		Headers headers `json:"headers"`
	} `json:"request"`
	UpstreamURI string `json:"upstream_uri"`
	ClientIP    string `json:"client_ip"`
	Source      string `json:"source"`
	Response    struct {
		Status  int     `json:"status"`
		Headers headers `json:"headers"`
	} `json:"response"`
	Route   *route   `json:"route"`
	Service *service `json:"service"`
	Tries   []struct {
		IP   string `json:"ip"`
		Port int    `json:"port"`
	} `json:"tries"`
	// Ours is what diag405 put into the record in the response phase: it saw the
	// request before plugins changed it.
	Ours *Ours `json:"diag405"`
	// StartedAt is when Kong began with the request, in milliseconds since 1970.
	StartedAt float64 `json:"started_at"`
}

// Ours is what diag405 put into a record: what it saw, and its diagnosis.
type Ours struct {
	Client    request `json:"client"`
	Upstream  request `json:"upstream"`
	Stripped  string  `json:"stripped"`
	Cause     string  `json:"cause"`
	Certainty string  `json:"certainty"`
	Reason    string  `json:"reason"`
	Fixes     []struct {
		Words  string `json:"words"`
		Change string `json:"change"` // as JSON
	} `json:"fixes"`
}

type request struct {
	Method string `json:"method"`
	Path   string `json:"path"` // with the query's names
	Host   string `json:"host"`
}

type route struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Paths     []string `json:"paths"`
	Hosts     []string `json:"hosts"`
	Methods   []string `json:"methods"`
	Protocols []string `json:"protocols"`
	StripPath bool     `json:"strip_path"`
	Preserve  bool     `json:"preserve_host"`
	Redirect  int      `json:"https_redirect_status_code"`
}

type service struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Protocol string `json:"protocol"`
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Path     string `json:"path"`
}

// headers are a record's: a value is a string or a list of them.
type headers map[string]any

func (h headers) canonical() http.Header {
	out := http.Header{}
	for name, value := range h {
		list, isList := value.([]any)
		if !isList {
			list = []any{value}
		}
		for _, v := range list {
			if s, ok := v.(string); ok {
				out.Add(name, s)
			}
		}
	}
	return out
}

// MaxSize bounds a record, in bytes. Kong's are of a few thousand, and decoded a list of
// the shortest values takes a hundred times as much.
const MaxSize = 1 << 20

// Parse reads one record; what follows it is left alone. A list that is empty comes
// from Kong as an empty object, since Lua has one kind of table: such a field is
// left out, and the rest is read. How deep a record goes is bounded by the decoder
// (10,000, encoding/json).
func Parse(data []byte) (*Record, error) {
	var r Record
	var wrongType *json.UnmarshalTypeError
	err := json.NewDecoder(bytes.NewReader(data[:min(len(data), MaxSize)])).Decode(&r)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) && len(data) > MaxSize:
		return nil, fmt.Errorf("the log record is longer than %d bytes", MaxSize)
	case err != nil && !errors.As(err, &wrongType):
		return nil, fmt.Errorf("decoding the log record: %w", err)
	}
	return &r, nil
}

// ErrForeign is JSON that is no record of Kong's.
var ErrForeign = errors.New("not a record of Kong: it has no request.method and request.uri")

// Check says why a record is none of a request that can be explained, nil where it is.
func (r *Record) Check() error {
	switch {
	case r.Request.Method == "" || r.Request.URI == "":
		return ErrForeign
	case !diagnose.Explains(r.Response.Status):
		return fmt.Errorf("the record's status is %d: diag405 explains 405 and 404", r.Response.Status)
	}
	return nil
}

// Diagnosis is the one that diag405 put into the record, ok false where there is none.
func (r *Record) Diagnosis() (d diagnose.Diagnosis, ok bool) {
	if r.Ours == nil || r.Ours.Cause == "" || len(r.Ours.Fixes) == 0 {
		return diagnose.Diagnosis{}, false
	}
	d = diagnose.Diagnosis{
		Cause: diagnose.Code(r.Ours.Cause), Certainty: diagnose.Certainty(r.Ours.Certainty), Reason: r.Ours.Reason,
	}
	for _, f := range r.Ours.Fixes {
		fix, err := ParseFix(f.Words, f.Change)
		if err != nil {
			return diagnose.Diagnosis{}, false
		}
		d.Fixes = append(d.Fixes, fix)
	}
	return d, true
}

// ParseFix reads a fix that diag405 wrote: its words, and its change as JSON.
func ParseFix(words, change string) (diagnose.Fix, error) {
	f := diagnose.Fix{Words: words}
	if change == "" {
		return f, nil
	}
	var data struct {
		Set        map[string]any `json:"set"`
		Client     map[string]any `json:"client"`
		App        string         `json:"app"`
		FromClient []string       `json:"from_client"`
	}
	if err := json.Unmarshal([]byte(change), &data); err != nil {
		return f, fmt.Errorf("reading the change %q: %w", change, err)
	}
	f.Set, f.Client, f.App, f.FromClient = data.Set, data.Client, data.App, data.FromClient
	return f, nil
}

// Match is how the exchange's own route and service make the upstream's path. The route
// has to be known. Which path handling holds is not in a record: v1 is taken where it
// alone leads to what the upstream got.
func Match(x diagnose.Exchange) *router.Match {
	path := router.Normalize(x.Client.Path)
	prefix, _ := router.MatchPath(x.Route, path)
	servicePath := ""
	if x.Service != nil {
		servicePath = x.Service.Path
	}
	computed := router.UpstreamPath(servicePath, path, prefix, x.Route.StripPath)
	if v1 := router.UpstreamPathV1(servicePath, path, prefix, x.Route.StripPath); v1 == x.Upstream.Path {
		computed = v1
	}
	return &router.Match{
		Route: x.Route, Service: x.Service, Path: path, ForwardedPath: x.Client.Path, Prefix: prefix, Stripped: x.Stripped,
		UpstreamPath: computed,
	}
}

// Exchange is the record as an exchange. Line is the request line as the client
// sent it, "" when it is not known: the record has the method as plugins left it.
func (r *Record) Exchange(line string) diagnose.Exchange {
	x := diagnose.Exchange{
		Response: diagnose.Response{Status: r.Response.Status, Header: r.Response.Headers.canonical()},
		Source:   r.source(),
		Client:   diagnose.Request{Method: r.Request.Method, Scheme: "http", Header: r.Request.Headers.canonical()},
		Upstream: diagnose.Request{Method: r.Request.Method},
		Service:  r.service(),
	}
	if strings.HasPrefix(x.Response.Header.Get("Server"), "kong/") {
		x.Response.Header.Del("Server") // Kong's own, which it adds where the upstream sent none
	}
	x.Route = r.route(x.Service)
	x.Client.Host = x.Client.Header.Get("Host")
	x.Client.Path, x.Client.Query = router.SplitTarget(r.Request.URI)
	if line != "" {
		x.Client.Method, x.Client.Path, x.Client.Query = diagnose.RequestLine(line)
	}
	x.Upstream.Path, x.Upstream.Query = router.SplitTarget(cmp.Or(r.UpstreamURI, r.Request.URI))
	x = diagnose.Derive(x)
	if n := len(r.Tries); n > 0 {
		x.Target = net.JoinHostPort(r.Tries[n-1].IP, strconv.Itoa(r.Tries[n-1].Port))
	}
	return r.corrected(x)
}

// source is who answered, in the words of kong.response.get_source. A record says
// "kong" for a plugin's answer and for Kong's own (RESPONSE_SOURCE in
// kong/constants.lua); Kong's own 405s come before any route is found. Older
// versions do not say.
func (r *Record) source() string {
	switch {
	case r.Source == "upstream":
		return "service"
	case r.Source == "kong" && r.Route != nil && r.Route.ID != "":
		return "exit"
	case r.Source == "kong":
		return "error"
	}
	return r.Source
}

// corrected takes over what diag405 itself saw.
func (r *Record) corrected(x diagnose.Exchange) diagnose.Exchange {
	if r.Ours == nil || r.Ours.Client.Method == "" {
		return x
	}
	x.Client.Method, x.Upstream.Method = r.Ours.Client.Method, r.Ours.Upstream.Method
	x.Upstream.Path, _ = router.SplitTarget(r.Ours.Upstream.Path)
	x.Upstream.Host = cmp.Or(r.Ours.Upstream.Host, x.Upstream.Host)
	x.Stripped = r.Ours.Stripped
	x.Buffered = Buffered(x)
	return x
}

// Buffered reports whether Kong's buffered hop is what changed the method, as far
// as the two methods tell.
func Buffered(x diagnose.Exchange) bool {
	return x.Upstream.Method != x.Client.Method && x.Upstream.Method == forecast.BufferedMethod(x.Client.Method)
}

func (r *Record) route(s *config.Service) *config.Route {
	if r.Route == nil || r.Route.ID == "" {
		return nil
	}
	return &config.Route{
		ID: r.Route.ID, Name: r.Route.Name, Service: s,
		Paths: r.Route.Paths, Hosts: r.Route.Hosts, Methods: r.Route.Methods, Protocols: r.Route.Protocols,
		StripPath: r.Route.StripPath, PreserveHost: r.Route.Preserve, HTTPSRedirectStatusCode: r.Route.Redirect,
	}
}

func (r *Record) service() *config.Service {
	if r.Service == nil || r.Service.ID == "" {
		return nil
	}
	s := r.Service
	return &config.Service{ID: s.ID, Name: s.Name, Protocol: s.Protocol, Host: s.Host, Port: s.Port, Path: s.Path}
}
