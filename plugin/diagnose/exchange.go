package diagnose

import (
	"net/http"
	"slices"
	"strings"

	"diag405/kong/config"
)

// Exchange is one request through the gateway, with its answer. What is not
// known is left at its zero value; nothing in here is required.
type Exchange struct {
	Client   Request // as it came in on the client's connection
	Upstream Request // as it left for the upstream

	// Buffered is true when Kong's buffered hop changed the method on the way.
	Buffered bool
	// BufferedBy is the plugin that it was done for, "" for diag405 itself.
	BufferedBy string

	// Stripped is what strip_path removed from the front of the client's path,
	// "" when nothing was removed.
	Stripped string

	Route   *config.Route   // the route that matched, nil when not known
	Service *config.Service // nil when not known or when there is none

	Response Response

	// Source is who made the answer, in Kong's words: service, exit (a plugin) or
	// error (Kong itself). "" is the service.
	Source string
	// Target is the address that answered, "" when not known.
	Target string
	// Elsewhere is what the upstream's other targets answered to the same method
	// and path.
	Elsewhere []TargetAnswer
	// Routes are the configuration's routes, the one that matched among them.
	// Empty when they are not known, as in a plugin.
	Routes []*config.Route
}

// TargetAnswer is the status that one target of an upstream gave.
type TargetAnswer struct {
	Target string
	Status int
}

// Request is one side's view of the request.
type Request struct {
	Method string
	Path   string      // not decoded, without the query
	Query  string      // not decoded, without the question mark
	Scheme string      // http or https
	Host   string      // the Host header
	Header http.Header // of the client's request only
}

// Line is the request's method and path, which is how people name a request.
func (r Request) Line() Line { return Line{r.Method, r.Path} }

// Response is what the upstream answered.
type Response struct {
	Status int
	Header http.Header
	Body   []byte // the start of it, as far as it was read
}

// Line is a method and a path.
type Line struct {
	Method string `json:"method"`
	Path   string `json:"path"`
}

// String is the line as people write it: POST /items.
func (l Line) String() string { return l.Method + " " + l.Path }

// Offers is what is known of the upstream, from a probe, an OpenAPI document or
// traffic. Its zero value knows nothing.
type Offers struct {
	// Paths are single paths that were asked for.
	Paths map[string]Offer
	// API is everything that the application says it offers. When it is not empty,
	// a path that nothing in it matches is known not to exist.
	API []Endpoint
}

// Offer is what is known of one path.
type Offer struct {
	Methods []string // what it takes; none for a path that does not exist
	// Complete says that nothing but the methods listed is taken. Some frameworks
	// name only a part of what a path takes.
	Complete bool
	// Doubtful methods were named where paths that do not exist have them too: not
	// known to be taken, nor to be refused.
	Doubtful []string
}

// Endpoint is one path of an application with its methods.
type Endpoint struct {
	Path    string   // a template: {name} stands for a part of a segment
	Methods []string // upper case
}

// At is what is known of a path, and whether anything is.
func (o Offers) At(path string) (offer Offer, known bool) {
	if offer, ok := o.Paths[path]; ok {
		return offer, true
	}
	return o.documented(path)
}

// documented is what the API says of a path, and whether there is an API.
func (o Offers) documented(path string) (offer Offer, known bool) {
	if len(o.API) == 0 {
		return Offer{}, false
	}
	// Documents seldom name the methods that frameworks add by themselves.
	offer = Offer{Complete: true, Doubtful: []string{http.MethodHead, http.MethodOptions}}
	for _, e := range o.API {
		switch {
		case matchTemplate(e.Path, path) && isVague(e.Path):
			offer.Doubtful = append(offer.Doubtful, e.Methods...)
		case matchTemplate(e.Path, path):
			offer.Methods = append(offer.Methods, e.Methods...)
		case belowTemplate(e.Path, path):
			// A placeholder at the end may stand for several segments: FastAPI writes its
			// {name:path} as {name}.
			offer.Complete = false
		}
	}
	return offer, true
}

// has reports whether the API has an endpoint for this very path, and not just one
// that any path leads to.
func (o Offers) has(path string) bool {
	return slices.ContainsFunc(o.API, func(e Endpoint) bool {
		return matchTemplate(e.Path, path) && !isVague(e.Path)
	})
}

// isVague reports a template of nothing but placeholders, which any path of its
// length matches, whatever it is for.
func isVague(template string) bool {
	s := segments(template)
	return len(s) > 0 && !slices.ContainsFunc(s, func(segment string) bool { return !isPlaceholder(segment) })
}

// describes reports whether the API has a path: if it does not have the one that
// the upstream just answered for, it is written from another point of view.
func (o Offers) describes(path string) bool {
	return slices.ContainsFunc(o.API, func(e Endpoint) bool {
		return matchTemplate(e.Path, path) || belowTemplate(e.Path, path)
	})
}

// Takes reports whether the method is known to be taken.
func (o Offer) Takes(method string) bool { return slices.Contains(o.Methods, method) }

// Refuses reports whether the method is known not to be taken.
func (o Offer) Refuses(method string) bool {
	return o.Complete && !o.Takes(method) && !slices.Contains(o.Doubtful, method)
}

// matchTemplate reports whether a path is one of those that the template stands
// for (OpenAPI 3.1, "Path Templating"): {name} stands for any text without a
// slash, at least one character of it.
func matchTemplate(template, path string) bool {
	if strings.Count(template, "/") != strings.Count(path, "/") {
		return false
	}
	return matchAll(strings.Split(template, "/"), strings.Split(path, "/"))
}

// belowTemplate reports whether a path goes on behind a template that ends in a
// placeholder.
func belowTemplate(template, path string) bool {
	n := strings.Count(template, "/") + 1
	s := strings.Split(path, "/")
	return len(s) > n && strings.HasSuffix(template, "}") && matchAll(strings.Split(template, "/"), s[:n])
}

func matchAll(template, got []string) bool {
	return slices.EqualFunc(template, got, matchSegment)
}

// matchSegment matches one segment, in which placeholders may have text around
// them: {name}.json, {from}-{to}.
func matchSegment(template, segment string) bool {
	for {
		before, rest, ok := strings.Cut(template, "{")
		if !ok {
			return template == segment
		}
		_, after, ok := strings.Cut(rest, "}")
		if !ok || !strings.HasPrefix(segment, before) || len(segment) == len(before) {
			return false
		}
		segment = segment[len(before)+1:] // one character at least is the placeholder's
		next, _, _ := strings.Cut(after, "{")
		if next == after {
			return strings.HasSuffix(segment, after)
		}
		i := strings.Index(segment, next)
		if i < 0 {
			return false
		}
		template, segment = after, segment[i:]
	}
}

func isPlaceholder(segment string) bool { return strings.Contains(segment, "{") }

// Allow is the Allow header of an answer (RFC 9110 section 10.2.1).
type Allow struct {
	Sent    bool     // false when the answer had no Allow at all
	Methods []string // in the order of the header, upper case as sent, no duplicates
}

// ParseAllow reads the values of an answer's Allow headers. A method that is
// not a token (RFC 9110 section 5.6.2) is left out: an Allow header comes from a
// stranger.
func ParseAllow(values []string) Allow {
	allow := Allow{Sent: len(values) > 0}
	for _, value := range values {
		for method := range strings.SplitSeq(value, ",") {
			method = strings.TrimSpace(method)
			if isToken(method) && !slices.Contains(allow.Methods, method) {
				allow.Methods = append(allow.Methods, method)
			}
		}
	}
	return allow
}

// Has reports whether the method is listed. Methods are case-sensitive (RFC
// 9110 section 9.1).
func (a Allow) Has(method string) bool { return slices.Contains(a.Methods, method) }

// Refuses reports whether an Allow header came and leaves the method out. An
// empty Allow refuses every method (RFC 9110 section 10.2.1).
func (a Allow) Refuses(method string) bool { return a.Sent && !a.Has(method) }

// ReadOnly reports whether methods are listed and all of them only read: what
// health checks, pages, static files and catch-alls offer.
func (a Allow) ReadOnly() bool {
	return len(a.Methods) > 0 && !slices.ContainsFunc(a.Methods, func(m string) bool { return !isSafe(m) })
}

// isSafe reports whether a method only reads (RFC 9110 section 9.2.1).
func isSafe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

func isToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return !isTokenRune(r) }) < 0
}

func isTokenRune(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return true
	}
	return strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}
