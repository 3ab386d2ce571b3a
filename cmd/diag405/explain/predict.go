package explain

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"diag405/kong/config"
	"diag405/kong/router"
	"diag405/plugin/diagnose"
)

// asked is the request to explain, as the client sends it.
type asked struct {
	method, target, host, scheme string
	header                       http.Header
	body                         []byte
}

// explanation is what Kong does with a request, as it is printed.
type explanation struct {
	Request   requestData   `json:"request"`
	Route     *entityData   `json:"route,omitempty"`
	Service   *entityData   `json:"service,omitempty"`
	MatchedBy []reasonData  `json:"matched_by,omitempty"`
	Nearest   []nearData    `json:"nearest,omitempty"`
	Path      []termData    `json:"path,omitempty"`
	Plugins   []pluginData  `json:"plugins,omitempty"`
	Upstream  *upstreamData `json:"upstream,omitempty"`
	Answer    *answerData   `json:"answer,omitempty"` // when Kong or a plugin answers
	Watch     []string      `json:"watch,omitempty"`
	Probe     *probeData    `json:"probe,omitempty"`
	If405     *verdictData  `json:"if_405,omitempty"`
	Possible  []otherData   `json:"if_405_possible,omitempty"` // where nothing is likely
	Diagnosis *verdictData  `json:"diagnosis,omitempty"`
}

type requestData struct {
	Method string `json:"method"`
	Target string `json:"target"`
	Host   string `json:"host"`
	Scheme string `json:"scheme"`
}

type entityData struct {
	Name string `json:"name,omitempty"`
	ID   string `json:"id,omitempty"`
}

func (e *entityData) String() string { return cmp.Or(e.Name, e.ID) }

type reasonData struct {
	Attribute string `json:"attribute"`
	Words     string `json:"words"`
}

// nearData is a route that the request did not take.
type nearData struct {
	Route  entityData   `json:"route"`
	Failed []reasonData `json:"failed,omitempty"`
	Behind string       `json:"behind,omitempty"` // it would have taken the request, too
}

// termData is one term of the path's arithmetic: client - stripped + service =
// upstream, and what a plugin put in its place.
type termData struct {
	Term  string `json:"term"` // client, normalised, stripped, service, upstream or plugin
	Path  string `json:"path"`
	Words string `json:"words"`
}

type upstreamData struct {
	Method        string `json:"method"`
	URI           string `json:"uri"` // path and query
	Scheme        string `json:"scheme"`
	Address       string `json:"address"` // host:port that Kong connects to
	Host          string `json:"host"`    // the Host header
	Prefix        string `json:"forwarded_prefix"`
	ForwardedPath string `json:"forwarded_path"`
	// Uncertain says why it may be another request.
	Uncertain []string `json:"uncertain,omitempty"`
}

func (u *upstreamData) path() string {
	path, _, _ := strings.Cut(u.URI, "?")
	return path
}

func (u *upstreamData) query() string {
	_, query, _ := strings.Cut(u.URI, "?")
	return query
}

func (u *upstreamData) line() diagnose.Line { return diagnose.Line{Method: u.Method, Path: u.path()} }

// answerData is an answer that does not come from the upstream.
type answerData struct {
	Status int    `json:"status"`
	By     string `json:"by"` // Kong, nginx or a plugin
	Words  string `json:"words"`
	source string // in Kong's words: exit or error
}

// maxNearest is how many routes are named that did not match.
const maxNearest = 3

// forecast is a request on its way through a configuration.
type forecast struct {
	cfg    *config.Config
	asked  asked
	router *router.Router
	match  *router.Match
	// buffered says that Kong's buffered hop changes the method.
	buffered bool
	out      explanation
}

// predict says what Kong does with a request. It sends nothing.
func predict(cfg *config.Config, a asked) (*forecast, error) {
	r, err := router.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("reading the routes: %w", err)
	}
	f := &forecast{cfg: cfg, asked: a, router: r}
	f.out.Request = requestData{a.method, a.target, a.host, a.scheme}
	for _, step := range []func() *answerData{
		f.refusedByNginx, f.findRoute, f.checkProtocol, f.runPlugins, f.findPeer,
	} {
		if made := step(); made != nil {
			f.out.Answer, f.out.Upstream = made, nil
			return f, nil
		}
	}
	return f, nil
}

// refusedByNginx: nginx answers some requests before Kong sees them
// (ngx_http_process_request_header, and what [router.Refused] says).
func (f *forecast) refusedByNginx() *answerData {
	switch {
	case f.asked.method == http.MethodTrace, f.asked.method == http.MethodConnect:
		return &answerData{405, "nginx", "nginx, which Kong is built on, refuses every " + f.asked.method, "error"}
	case router.Refused(f.asked.target):
		return &answerData{400, "nginx", "the target is not a path that nginx takes", "error"}
	}
	return nil
}

func (f *forecast) request() router.Request {
	host, _, err := net.SplitHostPort(f.asked.host)
	if err != nil {
		host = f.asked.host
	}
	return router.Request{
		Method: f.asked.method, Target: f.asked.target, Host: f.asked.host, Scheme: f.asked.scheme,
		Port: kongPort(f.asked.scheme), Header: f.asked.header, SNI: host,
	}
}

// kongPort is the port that Kong's proxy listens on by default.
func kongPort(scheme string) int {
	if scheme == "https" {
		return 8443
	}
	return 8000
}

func (f *forecast) findRoute() *answerData {
	reasons := f.router.Why(f.request())
	m, ok := f.router.Match(f.request())
	if ok {
		f.match = m
		f.out.Route = &entityData{m.Route.Name, m.Route.ID}
		f.out.MatchedBy = reasonsOf(reasons[0].Held)
		reasons = reasons[1:]
	}
	if ok {
		reasons = slices.DeleteFunc(reasons, isFar)
	}
	for _, reason := range reasons[:min(len(reasons), maxNearest)] {
		f.out.Nearest = append(f.out.Nearest, nearData{
			Route: entityData{reason.Route.Name, reason.Route.ID}, Failed: reasonsOf(reason.Failed), Behind: reason.Behind,
		})
	}
	if !ok {
		return f.noRoute(reasons)
	}
	f.reckonPath()
	return nil
}

// isFar reports a route whose path has nothing in common with the request's.
func isFar(r router.Reason) bool {
	return r.Common <= len("/") && slices.ContainsFunc(r.Failed, func(a router.Attribute) bool { return a.Name == "path" })
}

// noRoute: Kong answers 404 where no route matches, for a method that no route has
// as well.
func (f *forecast) noRoute(reasons []router.Reason) *answerData {
	words := "no route matches"
	switch {
	case len(reasons) == 0:
		words = "there are no routes"
	case len(reasons[0].Failed) == 0:
		words = "the path is not UTF-8, and Kong's router gives up on such a one"
	case len(reasons[0].Failed) == 1 && reasons[0].Failed[0].Name == "method":
		words = "no route takes this method; Kong answers that with 404 and not with 405"
	case len(reasons[0].Failed) == 1 && reasons[0].Failed[0].Name == "host":
		words = "no route matches with Host " + f.asked.host + " (-host asks with another)"
	}
	if name := f.behindDisabled(); name != "" {
		words += "; a route of service " + name + " would, but the service is disabled"
	}
	return &answerData{404, "Kong", words, "exit"}
}

// behindDisabled is the disabled service that would get the request, were it not.
func (f *forecast) behindDisabled() string {
	var routes []*config.Route
	disabled := map[*config.Service]*config.Service{}
	for _, r := range f.cfg.Routes {
		if r.Service == nil || r.Service.Enabled {
			continue
		}
		copied, service := *r, *r.Service
		service.Enabled = true
		copied.Service = &service
		disabled[&service] = r.Service
		routes = append(routes, &copied)
	}
	all, err := router.New(&config.Config{Routes: routes})
	if err != nil {
		return ""
	}
	m, ok := all.Match(f.request())
	if !ok {
		return ""
	}
	return nameOf(disabled[m.Service].Name, disabled[m.Service].ID)
}

func nameOf(name, id string) string { return cmp.Or(name, id) }

func reasonsOf(attributes []router.Attribute) []reasonData {
	var out []reasonData
	for _, a := range attributes {
		out = append(out, reasonData{a.Name, a.Words})
	}
	return out
}

// reckonPath writes down how the upstream's path comes about, and the upstream
// request as it is before any plugin.
func (f *forecast) reckonPath() {
	m := f.match
	f.out.Path = append(f.out.Path, termData{"client", m.ForwardedPath, "the client's path"})
	if m.Path != m.ForwardedPath {
		f.out.Path = append(f.out.Path, termData{"normalised", m.Path, "as Kong normalises it"})
	}
	f.out.Path = append(f.out.Path, f.strippedTerm(), f.serviceTerm(), termData{"upstream", m.UpstreamPath, "what route and service make of it"})
	f.out.Upstream = &upstreamData{
		Method: f.asked.method, URI: m.UpstreamURI, Host: m.UpstreamHost,
		Prefix: m.Stripped, ForwardedPath: m.ForwardedPath,
	}
}

func (f *forecast) strippedTerm() termData {
	m := f.match
	switch {
	case m.Stripped != "":
		return termData{"stripped", m.Stripped, "strip_path"}
	case !m.Route.StripPath:
		return termData{"stripped", "", "strip_path is off"}
	case len(m.Route.Paths) == 0:
		return termData{"stripped", "", "the route has no paths"}
	}
	return termData{"stripped", "", "the route's path is /"}
}

func (f *forecast) serviceTerm() termData {
	s := f.match.Service
	switch {
	case s == nil:
		return termData{"service", "", "the route has no service"}
	case s.Path == "":
		return termData{"service", "", "service " + nameOf(s.Name, s.ID) + " has no path"}
	}
	return termData{"service", s.Path, "service " + nameOf(s.Name, s.ID)}
}

// checkProtocol refuses what the route's protocols do not allow (access.before in
// kong/runloop/handler.lua).
func (f *forecast) checkProtocol() *answerData {
	has := func(p string) bool { return slices.Contains(f.match.Route.Protocols, p) }
	name := router.Name(f.match.Route)
	if has("https") && !has("http") && f.asked.scheme != "https" {
		status := f.match.Route.HTTPSRedirectStatusCode
		words := "route " + name + " is for https only (-scheme https asks that way)"
		if status == http.StatusMovedPermanently || status == http.StatusFound {
			words += "; after a redirect with " + strconv.Itoa(status) + " clients send GET instead of POST"
		}
		return &answerData{status, "Kong", words, "exit"}
	}
	if (has("grpc") || has("grpcs")) && !has("http") && !isGRPC(f.asked) {
		return &answerData{415, "Kong", "route " + name + " is for gRPC, and the request has no Content-Type application/grpc", "exit"}
	}
	return nil
}

func isGRPC(a asked) bool {
	return strings.HasPrefix(a.header.Get("Content-Type"), "application/grpc")
}

// findPeer says where Kong connects to, and the Host that it sends there
// (kong/runloop/balancer/init.lua).
func (f *forecast) findPeer() *answerData {
	s, u := f.match.Service, f.out.Upstream
	if s == nil {
		return &answerData{503, "Kong", "route " + router.Name(f.match.Route) + " has no service", "exit"}
	}
	f.out.Service = &entityData{s.Name, s.ID}
	host, port, name := s.Host, s.Port, s.Host
	if i := slices.IndexFunc(f.cfg.Upstreams, func(u *config.Upstream) bool { return u.Name == s.Host }); i >= 0 {
		targets := slices.DeleteFunc(slices.Clone(f.cfg.Upstreams[i].Targets), func(t config.Target) bool { return t.Weight == 0 })
		if len(targets) == 0 {
			return &answerData{503, "Kong", "upstream " + s.Host + " has no target", "exit"}
		}
		host, port = targets[0].Host, targets[0].Port
		name = cmp.Or(f.cfg.Upstreams[i].HostHeader, host)
		f.severalTargets(s.Host, targets)
	}
	u.Scheme, u.Address = s.Protocol, net.JoinHostPort(host, strconv.Itoa(port))
	if u.Host == "" {
		u.Host = diagnose.HostOf(&config.Service{Protocol: s.Protocol, Host: name, Port: port})
	}
	return nil
}

func (f *forecast) severalTargets(upstream string, targets []config.Target) {
	if len(targets) < 2 {
		return
	}
	var names []string
	for _, t := range targets {
		names = append(names, net.JoinHostPort(t.Host, strconv.Itoa(t.Port)))
	}
	f.watch(fmt.Sprintf("upstream %s has %d targets, any of which may get the request: %s", upstream, len(targets), strings.Join(names, ", ")))
}

func (f *forecast) watch(words string) { f.out.Watch = append(f.out.Watch, words) }

// exchange is the request as the engine looks at it, with nothing of an answer.
func (f *forecast) exchange() diagnose.Exchange {
	x := diagnose.Exchange{Client: diagnose.Request{
		Method: f.asked.method, Scheme: f.asked.scheme, Host: f.asked.host, Header: f.asked.header,
	}}
	x.Client.Path, x.Client.Query = router.SplitTarget(f.asked.target)
	if f.match != nil {
		x.Route, x.Service, x.Stripped, x.Routes = f.match.Route, f.match.Service, f.match.Stripped, f.cfg.Routes
	}
	x.Buffered = f.buffered
	if u := f.out.Upstream; u != nil {
		x.Upstream = diagnose.Request{Method: u.Method, Path: u.path(), Query: u.query(), Scheme: u.Scheme, Host: u.Host}
	}
	if f.out.Answer != nil {
		x.Source = f.out.Answer.source
	}
	return x
}
