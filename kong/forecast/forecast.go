// Package forecast says what Kong does with a request, and sends nothing: which
// route takes it, how the upstream's path comes about, what plugins do to it, what
// the upstream gets, or who answers in its place.
//
//	nginx → global plugins' rewrite phase → route → protocols
//	      → plugins' access phase, by priority → service and its peer
//
// [Of] takes a request that way. It holds what is known of Kong beside routing,
// each fact once: [Known] plugins, the [HostHeader] that Kong sends, what a route's
// protocols refuse, what buffering does to a method. All of it computes only.
package forecast

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/router"
)

// Request is a request as its client sends it.
type Request struct {
	Method string
	Target string // the request target: raw path and query
	Host   string // the Host header
	Scheme string // http or https
	SNI    string // the server name of the TLS handshake, "" for the Host's
	Header http.Header
	Body   []byte // where it is known
	// Consumer is who asks, as authentication finds out; nil where it is not known.
	Consumer *config.Consumer
}

// Forecast is what Kong does with a request.
type Forecast struct {
	Request Request

	// Reasons hold routes against the request: the one that takes it, and then the
	// nearest, as [router.Router.Nearest] chooses them.
	Reasons []router.Reason
	Match   *router.Match // nil when no route takes the request

	Service *config.Service // that the request goes to; nil when it comes to none
	Path    []Term          // how the upstream's path comes about; none without a route
	Effects []Effect        // what plugins do to the request

	// Upstream is the request that leaves Kong, nil when there is an Answer.
	Upstream *Upstream
	// Answer is the one that does not come from the upstream.
	Answer *Answer

	// Buffered is the plugin for which Kong's buffered hop changes the method, nil when
	// it does not.
	Buffered *config.Plugin
	// Watch is what to know besides, a clause each.
	Watch []string
}

// Term is one term of the path's arithmetic: client - stripped + service =
// upstream, and what a plugin put in its place.
type Term struct {
	Term  string `json:"term"` // one of those below
	Path  string `json:"path"`
	Words string `json:"words"` // why, as a clause
}

// The terms, in the order in which they stand.
const (
	TermClient     = "client"     // the path as it was sent
	TermNormalised = "normalised" // as routes see it; left out where it is the same
	TermStripped   = "stripped"   // what strip_path took away
	TermService    = "service"    // what the service put in front
	TermUpstream   = "upstream"   // what comes of it
	TermPlugin     = "plugin"     // what a plugin put in its place
)

// Effect is what a plugin does to the request.
type Effect struct {
	Name  string `json:"name"`
	On    string `json:"on"` // route r, service s or every request
	Words string `json:"words"`
}

// Upstream is a request as it leaves Kong.
type Upstream struct {
	Method  string `json:"method"`
	URI     string `json:"uri"` // path and query
	Scheme  string `json:"scheme"`
	Address string `json:"address"` // host:port that Kong connects to
	Host    string `json:"host"`    // the Host header
	// Peers are all to which Kong may connect for such a request, the Address first.
	Peers         []string `json:"-"`
	Prefix        string   `json:"forwarded_prefix"`
	ForwardedPath string   `json:"forwarded_path"`
	// Uncertain says why it may be another request.
	Uncertain []string `json:"uncertain,omitempty"`
}

// Path is the path of the URI.
func (u *Upstream) Path() string {
	path, _, _ := strings.Cut(u.URI, "?")
	return path
}

// Query is the query of the URI, without the question mark.
func (u *Upstream) Query() string {
	_, query, _ := strings.Cut(u.URI, "?")
	return query
}

// Answer is an answer that does not come from the upstream.
type Answer struct {
	Status int    // 0 where only the plugin knows it
	By     string // Kong, nginx or a plugin
	Source string // in Kong's words: exit or error
	Why    Why
	Words  string   // why, as a clause
	More   []string // what comes of it, a clause each
}

// Why is why the upstream does not get a request.
type Why string

// Why the upstream does not get a request. What needs a hint of its own has one.
const (
	Otherwise   Why = ""
	OtherHost   Why = "host"   // a route would take it with another Host
	OtherScheme Why = "scheme" // the route is for https
)

// course is a request on its way.
type course struct {
	*Forecaster
	*Forecast
	brief bool // leaves out what only people read
}

// Of says what Kong does with a request. A route that cannot be compiled is left out,
// and named in Watch where it may take the request. An error is one of the
// configuration beyond its routes.
func Of(cfg *config.Config, r Request) (*Forecast, error) {
	k, err := New(cfg)
	if err != nil {
		return nil, err
	}
	return k.Of(r), nil
}

// follow takes a request the way through Kong.
func (k *Forecaster) follow(r Request, brief bool) *Forecast {
	c := &course{k, &Forecast{Request: r}, brief}
	c.watchBroken(k.broken)
	decision := k.routes.Decide(r.routed())
	for _, step := range []func() *Answer{
		func() *Answer { return c.refusedByNginx(decision.Refusal) },
		c.noteEarly,
		func() *Answer { return c.findRoute(decision) },
		c.checkProtocol,
		c.runPlugins,
		c.findPeer,
	} {
		if made := step(); made != nil {
			c.Answer, c.Upstream = made, nil
			break
		}
	}
	return c.Forecast
}

// refusedByNginx: nginx answers some requests before Kong sees them
// ([router.Router.Decide]).
func (c *course) refusedByNginx(refusal router.Refusal) *Answer {
	a := &Answer{Status: refusal.Status(), By: "nginx", Source: "error"}
	switch {
	case refusal == router.NotAllowed:
		a.Words = "nginx, which Kong is built on, refuses every " + c.Request.Method
	case refusal == router.BadRequest && router.Refused(c.Request.Target):
		a.Words = "the target is not a path that nginx takes"
	case refusal == router.BadRequest:
		a.Words = "the Host is not one that nginx takes"
	default:
		return nil
	}
	return a
}

// byKong is an answer that Kong makes on purpose.
func byKong(status int, words string) *Answer {
	return &Answer{Status: status, By: "Kong", Source: "exit", Words: words}
}

func (c *course) watch(format string, args ...any) {
	c.Watch = append(c.Watch, fmt.Sprintf(format, args...))
}

// uncertain notes once why the upstream may get another request.
func (c *course) uncertain(format string, args ...any) {
	words := fmt.Sprintf(format, args...)
	if !slices.Contains(c.Upstream.Uncertain, words) {
		c.Upstream.Uncertain = append(c.Upstream.Uncertain, words)
	}
}
