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

// readRequest reads the two sides of a request in the access phase, but for the
// client's Host.
func (r *reader) readRequest(k known) diagnose.Exchange {
	x := r.request()
	x.Route, x.Service = k.route, k.service
	if !k.hasService {
		x.Service = r.service()
	}
	if !k.hasRoute {
		x.Route = r.route(x.Service)
	}
	// What goes out in this phase has no query yet; the client's goes with it.
	if x.Upstream.Query == "" {
		x.Upstream.Query = x.Client.Query
	}
	return x
}

// readExchange reads a request and its answer in the response phase, where nothing
// has to be derived that Kong can tell, and nothing is remembered.
func readExchange(gw gateway, status int) (diagnose.Exchange, error) {
	r := reader{gw: gw}
	x := r.request()
	x.Service = r.service()
	x.Route = r.route(x.Service)
	x.Client.Scheme = r.variable("scheme")
	x.Upstream.Scheme = r.variable("upstream_scheme")
	x.Upstream.Host = r.variable("upstream_host")
	x.Stripped = r.variable("upstream_x_forwarded_prefix")
	// The buffered hop is the only way to a response phase.
	if method := forecast.BufferedMethod(x.Upstream.Method); method != x.Upstream.Method {
		x.Upstream.Method, x.Buffered = method, true
	}
	x.Client.Header = r.headers(gw.RequestHeaders)
	// $http_host is the header, and nothing else.
	if x.Client.Host = x.Client.Header.Get("Host"); x.Client.Host == "" {
		x.Client.Host = r.variable("http_host") // not among the first hundred
	}
	x.Response = diagnose.Response{Status: status, Header: r.headers(gw.ResponseHeaders)}
	x.Response.Body = r.body(x.Response.Header)
	return x, r.err
}

// Variables that are not told from the request line, the upstream or a header.
const (
	// clientAddress is the client's address; behind trusted proxies it is the one that
	// they name (ngx_http_realip_module).
	clientAddress = "remote_addr"
	// requestID is Kong's, which the log record has as request.id.
	requestID = "kong_request_id"
)

// readAnswered reads what is remembered of an answer that is left alone.
func readAnswered(gw gateway, status int) (address string, x diagnose.Exchange, err error) {
	r := reader{gw: gw}
	x = r.request()
	x.Client.Host = r.variable("http_host")
	x.Service = r.service()
	x.Route = r.route(x.Service)
	x.Response = diagnose.Response{Status: status, Header: http.Header{}}
	if location := r.variable("sent_http_location"); location != "" {
		x.Response.Header.Set("Location", location)
	}
	return r.variable(clientAddress), x, r.err
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

func (r *reader) headers(get func() (http.Header, error)) http.Header {
	if r.err != nil {
		return nil
	}
	h, err := get()
	if err != nil {
		r.err = fmt.Errorf("reading headers: %w", err)
		return nil
	}
	return h
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

// request reads what both phases know: the methods and the paths.
func (r *reader) request() diagnose.Exchange {
	var x diagnose.Exchange
	// $request is the raw request line: the one thing that no plugin can change.
	x.Client.Method, x.Client.Path, x.Client.Query = diagnose.RequestLine(r.variable("request"))
	x.Upstream.Method = r.variable("request_method")
	x.Upstream.Path, x.Upstream.Query = router.SplitTarget(r.variable("upstream_uri"))
	return x
}

func (r *reader) route(s *config.Service) *config.Route { return routeOf(r.entity(), s) }

// entity is the route as Kong has it.
func (r *reader) entity() entities.Route {
	if r.err != nil {
		return entities.Route{}
	}
	route, err := r.gw.Route()
	if err != nil {
		r.err = fmt.Errorf("reading the route: %w", err)
	}
	return route
}

func (r *reader) service() *config.Service {
	if r.err != nil {
		return nil
	}
	service, err := r.gw.Service()
	if err != nil {
		r.err = fmt.Errorf("reading the service: %w", err)
	}
	return serviceOf(service)
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
