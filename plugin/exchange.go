package plugin

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/Kong/go-pdk/entities"

	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/router"
	"diag405/plugin/diagnose"
)

// accessVariables are the nginx variables that the access line needs. Each costs
// Kong 10 to 15 µs (measured), so what route and service tell is not asked for.
var accessVariables = []string{"request", "request_method", "http_host", "upstream_uri"}

// readRequest reads the two sides of a request in the access phase.
func readRequest(gw gateway) (diagnose.Exchange, error) {
	r := reader{gw: gw}
	x := r.request()
	// What goes out in this phase has no query yet; the client's goes with it.
	if x.Upstream.Query == "" {
		x.Upstream.Query = x.Client.Query
	}
	return diagnose.Derive(x), r.err
}

// readExchange reads a request and its answer in the response phase, where nothing
// has to be derived that Kong can tell.
func readExchange(gw gateway, status int) (diagnose.Exchange, error) {
	r := reader{gw: gw}
	x := r.request()
	x.Client.Scheme = r.variable("scheme")
	x.Upstream.Scheme = r.variable("upstream_scheme")
	x.Upstream.Host = r.variable("upstream_host")
	x.Stripped = r.variable("upstream_x_forwarded_prefix")
	// The buffered hop is the only way to a response phase.
	if method := forecast.BufferedMethod(x.Upstream.Method); method != x.Upstream.Method {
		x.Upstream.Method, x.Buffered = method, true
	}
	x.Client.Header = r.headers(gw.RequestHeaders)
	x.Response = diagnose.Response{Status: status, Header: r.headers(gw.ResponseHeaders)}
	x.Response.Body = r.body(x.Response.Header)
	return x, r.err
}

// clientAddress is the variable with the client's address; behind trusted proxies
// it is the one that they name (ngx_http_realip_module).
const clientAddress = "remote_addr"

// readAnswered reads what is remembered of an answer that is left alone. ok is false
// where there is nothing to remember, which is asked first.
func readAnswered(gw gateway, status int) (address string, x diagnose.Exchange, ok bool) {
	r := reader{gw: gw}
	if !forecast.Writes(r.variable("request_method")) {
		return "", x, false
	}
	x = r.request()
	x.Response = diagnose.Response{Status: status, Header: http.Header{}}
	if location := r.variable("sent_http_location"); location != "" {
		x.Response.Header.Set("Location", location)
	}
	address = r.variable(clientAddress)
	return address, x, r.err == nil
}

// reader reads from the gateway until something goes wrong, and remembers what.
type reader struct {
	gw  gateway
	err error
}

func (r *reader) variable(name string) string {
	if r.err != nil {
		return ""
	}
	value, err := r.gw.Var(name)
	if err != nil {
		r.err = fmt.Errorf("reading $%s: %w", name, err)
	}
	return value
}

func (r *reader) headers(get func() (map[string][]string, error)) http.Header {
	if r.err != nil {
		return nil
	}
	raw, err := get()
	if err != nil {
		r.err = fmt.Errorf("reading headers: %w", err)
		return nil
	}
	out := make(http.Header, len(raw))
	for name, values := range raw { // Kong gives names in lower case
		key := http.CanonicalHeaderKey(name)
		out[key] = append(out[key], values...)
	}
	return out
}

// maxBody is the longest body that is read, in bytes. An error page tells who made
// it; anything longer is no page, and would have to come through the socket.
const maxBody = 16 << 10

// body reads a body that is short and not compressed.
func (r *reader) body(h http.Header) []byte {
	n, err := strconv.Atoi(h.Get("Content-Length"))
	if r.err != nil || err != nil || n <= 0 || n > maxBody || h.Get("Content-Encoding") != "" {
		return nil
	}
	body, err := r.gw.Body()
	if err != nil {
		r.err = fmt.Errorf("reading the body: %w", err)
	}
	return body
}

// request reads what both phases know.
func (r *reader) request() diagnose.Exchange {
	var x diagnose.Exchange
	// $request is the raw request line: the one thing that no plugin can change.
	x.Client.Method, x.Client.Path, x.Client.Query = diagnose.RequestLine(r.variable("request"))
	x.Client.Host = r.variable("http_host")
	x.Upstream.Method = r.variable("request_method")
	x.Upstream.Path, x.Upstream.Query = router.SplitTarget(r.variable("upstream_uri"))
	r.entities(&x)
	return x
}

func (r *reader) entities(x *diagnose.Exchange) {
	if r.err != nil {
		return
	}
	route, err := r.gw.Route()
	if err != nil {
		r.err = fmt.Errorf("reading the route: %w", err)
		return
	}
	service, err := r.gw.Service()
	if err != nil {
		r.err = fmt.Errorf("reading the service: %w", err)
		return
	}
	x.Service = serviceOf(service)
	x.Route = routeOf(route, x.Service)
}

// routeOf takes what the PDK tells of a route. It has no path_handling, no
// expression and no headers; a zero id means that nothing matched.
func routeOf(r entities.Route, s *config.Service) *config.Route {
	if r.Id == "" {
		return nil
	}
	return &config.Route{
		ID:                      r.Id,
		Name:                    r.Name,
		Service:                 s,
		Protocols:               r.Protocols,
		Methods:                 r.Methods,
		Hosts:                   r.Hosts,
		Paths:                   r.Paths,
		StripPath:               r.StripPath,
		PreserveHost:            r.PreserveHost,
		RegexPriority:           r.RegexPriority,
		HTTPSRedirectStatusCode: r.HTTPSRedirectStatusCode,
		SNIs:                    r.SNIs,
		Tags:                    r.Tags,
	}
}

func serviceOf(s entities.Service) *config.Service {
	if s.Id == "" {
		return nil
	}
	return &config.Service{
		ID:       s.Id,
		Name:     s.Name,
		Protocol: s.Protocol,
		Host:     s.Host,
		Port:     s.Port,
		Path:     s.Path,
		Tags:     s.Tags,
	}
}
