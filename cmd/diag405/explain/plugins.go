package explain

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"diag405/kong/bundled"
	"diag405/kong/config"
	"diag405/kong/wire"
	"diag405/plugin/diagnose"
)

// pluginData is what a plugin does to the request.
type pluginData struct {
	Name  string `json:"name"`
	On    string `json:"on"` // route r, service s or every request
	Words string `json:"words"`
}

// evaluatedPlugin is a plugin whose part is worked out.
type evaluatedPlugin struct {
	name string
	run  func(*forecast, *config.Plugin) *answerData
}

// evaluated, in the order in which Kong runs them.
var evaluated = []evaluatedPlugin{
	{"cors", (*forecast).runCORS},
	{"request-transformer", (*forecast).runTransformer},
	{"request-termination", (*forecast).runTermination},
}

// opaque are plugins that may change the request, or answer it, in ways that are
// not evaluated here.
var opaque = map[string]string{
	"pre-function":                 "runs Lua, which may change the request",
	"post-function":                "runs Lua, which may change the request",
	"request-transformer-advanced": "may change the method, the path and the headers",
	"route-transformer-advanced":   "may change the path and the service",
	"route-by-header":              "may choose another upstream",
	"canary":                       "may choose another upstream",
	"forward-proxy":                "sends the request through a proxy",
	"grpc-gateway":                 "turns the request into gRPC",
	"grpc-web":                     "turns the request into gRPC",
	"ai-proxy":                     "makes a request of its own to a model",
	"ai-proxy-advanced":            "makes a request of its own to a model",
	"aws-lambda":                   "answers with a function",
	"azure-functions":              "answers with a function",
	"kafka-upstream":               "answers by itself",
	"mocking":                      "answers by itself",
	"redirect":                     "answers with a redirect",
	"oauth2":                       "answers its own endpoints, with 405 for any method but POST",
}

// quiet are plugins that neither change what the upstream gets nor buffer. They may
// refuse a request, but not with 405.
var quiet = []string{
	"acl", "acme", "basic-auth", "bot-detection", "correlation-id", "cors", "datadog", "diag405-log", "file-log",
	"hmac-auth", "http-log", "ip-restriction", "jwt", "key-auth", "ldap-auth", "loggly", "opentelemetry", "prometheus",
	"proxy-cache", "rate-limiting", "request-size-limiting", "request-termination", "request-transformer",
	"response-ratelimiting", "response-transformer", "session", "standard-webhooks", "statsd", "syslog", "tcp-log",
	"udp-log", "zipkin",
}

// runPlugins does what the plugins do to the request. The first answer ends it.
func (f *forecast) runPlugins() *answerData {
	applied := f.applied()
	for _, e := range evaluated {
		if p := applied[e.name]; p != nil {
			if made := e.run(f, p); made != nil {
				return made
			}
		}
	}
	for _, p := range f.cfg.Plugins {
		if applied[p.Name] == p {
			f.noteOpaque(p)
		}
	}
	f.foreseeBuffering(applied)
	return nil
}

// applied are the plugins for the route and its service, by name. Of those for some
// requests only, who asks decides, which is not known.
func (f *forecast) applied() map[string]*config.Plugin {
	route, service := f.match.Route, f.match.Service
	for _, p := range f.cfg.Plugins {
		if p.Enabled && p.ForSome() && p.MayApply(route, service) {
			f.noteSome(p)
		}
	}
	best := map[string]*config.Plugin{}
	for _, p := range config.Applying(f.cfg.Plugins, config.Scope{Route: route, Service: service}) {
		best[p.Name] = p
	}
	return best
}

func (f *forecast) noteSome(p *config.Plugin) {
	whose := "consumer " + p.Consumer
	if p.Consumer == "" {
		whose = "consumer group " + p.ConsumerGroup
	}
	_, isOpaque := opaque[p.Name]
	if isOpaque || slices.ContainsFunc(evaluated, func(e evaluatedPlugin) bool { return e.name == p.Name }) {
		f.uncertain(fmt.Sprintf("plugin %s applies to requests of %s only, and who asks is not known here", p.Name, whose))
	}
}

func (f *forecast) uncertain(words string) {
	u := f.out.Upstream
	if !slices.Contains(u.Uncertain, words) {
		u.Uncertain = append(u.Uncertain, words)
	}
}

func scope(p *config.Plugin) string {
	switch {
	case p.Route != nil:
		return "route " + nameOf(p.Route.Name, p.Route.ID)
	case p.Service != nil:
		return "service " + nameOf(p.Service.Name, p.Service.ID)
	}
	return "every request"
}

func (f *forecast) did(p *config.Plugin, words string) {
	f.out.Plugins = append(f.out.Plugins, pluginData{p.Name, scope(p), words})
}

// pluginConfig reads a plugin's configuration over its defaults.
func pluginConfig[T any](p *config.Plugin, defaults T) (T, error) {
	data, err := json.Marshal(p.Config)
	if err == nil {
		err = json.Unmarshal(data, &defaults)
	}
	return defaults, err
}

// notEvaluated says that a plugin's part is not known.
func (f *forecast) notEvaluated(p *config.Plugin, err error) *answerData {
	text, _, _ := strings.Cut(err.Error(), "\n")
	f.uncertain(fmt.Sprintf("plugin %s on %s could not be evaluated: %s", p.Name, scope(p), text))
	return nil
}

// seen is the request as plugins see it.
func (f *forecast) seen() *bundled.Request {
	u := f.out.Upstream
	r := &bundled.Request{
		Method: u.Method, Query: u.query(), Body: f.asked.body, HasBody: len(f.asked.body) > 0,
		UpstreamURI: u.path(), UpstreamHost: u.Host, Captures: f.match.Captures, Shared: map[string]any{},
	}
	r.Header.Set("Host", f.asked.host)
	for _, name := range sortedNames(f.asked.header) {
		for _, value := range f.asked.header[name] {
			r.Header = append(r.Header, wire.Field{Name: name, Value: value})
		}
	}
	return r
}

func (f *forecast) runCORS(p *config.Plugin) *answerData {
	c, err := pluginConfig(p, bundled.CORS{})
	if err != nil {
		return f.notEvaluated(p, err)
	}
	switch {
	case !c.IsPreflight(f.seen()):
		return nil
	case c.PreflightContinue:
		f.did(p, "passes the preflight on, as preflight_continue is set: the upstream has to answer OPTIONS")
		return nil
	}
	return &answerData{200, "plugin cors", "cors on " + scope(p) + " answers the preflight; the upstream does not see it", "exit"}
}

func (f *forecast) runTermination(p *config.Plugin) *answerData {
	c, err := pluginConfig(p, bundled.Termination{StatusCode: http.StatusServiceUnavailable})
	if err != nil {
		return f.notEvaluated(p, err)
	}
	if a := c.Access(f.seen()); a != nil {
		return &answerData{a.Status, "plugin request-termination", "request-termination on " + scope(p) + " answers this request", "exit"}
	}
	return nil
}

func (f *forecast) runTransformer(p *config.Plugin) *answerData {
	c, err := pluginConfig(p, bundled.Transformer{})
	if err == nil {
		err = c.Check()
	}
	if err != nil {
		return f.notEvaluated(p, err)
	}
	before, after := f.seen(), f.seen()
	if err := c.Access(after); err != nil {
		return &answerData{500, "plugin request-transformer", "request-transformer on " + scope(p) + " fails: " + err.Error(), "error"}
	}
	f.adopt(p, before, after)
	if strings.Contains(c.Replace.URI, "shared.") {
		f.uncertain("request-transformer's replace.uri " + c.Replace.URI + " uses what other plugins leave, which is not known here")
	}
	return nil
}

// adopt takes over what a plugin changed, and says it.
func (f *forecast) adopt(p *config.Plugin, before, after *bundled.Request) {
	u := f.out.Upstream
	hadQuery := strings.Contains(u.URI, "?")
	u.Method, u.Host, u.URI = after.Method, after.UpstreamHost, after.UpstreamURI
	if after.Query != "" || hadQuery && before.Query == "" {
		u.URI += "?" + after.Query
	}
	if before.Method != after.Method {
		f.did(p, fmt.Sprintf("changes the method from %s to %s (http_method)", before.Method, after.Method))
	}
	if before.UpstreamURI != after.UpstreamURI {
		f.did(p, fmt.Sprintf("replaces the path %s with %s (replace.uri)", before.UpstreamURI, after.UpstreamURI))
		f.out.Path = append(f.out.Path, termData{"plugin", after.UpstreamURI, p.Name + " on " + scope(p)})
	}
	if before.UpstreamHost != after.UpstreamHost {
		f.did(p, "sets the Host to "+after.UpstreamHost)
	}
	if before.Query != after.Query {
		f.did(p, fmt.Sprintf("changes the query to %q", after.Query))
	}
}

// noteOpaque names a plugin of which it is not known what it does to the request.
func (f *forecast) noteOpaque(p *config.Plugin) {
	words, known := opaque[p.Name]
	switch {
	case words != "":
		f.uncertain(fmt.Sprintf("plugin %s on %s %s", p.Name, scope(p), words))
	case !known && p.Name != "diag405" && !strings.HasPrefix(p.Name, "ai-") && !slices.Contains(quiet, p.Name):
		f.uncertain(fmt.Sprintf("plugin %s on %s is not one of Kong's own: whether it changes the request is not known here", p.Name, scope(p)))
	}
}

// foreseeBuffering: a plugin with a response phase makes Kong read the whole answer
// first, and the hop that does it turns methods that it does not know into GET
// (measured).
func (f *forecast) foreseeBuffering(applied map[string]*config.Plugin) {
	unknown := !slices.Contains(diagnose.BufferedMethods, f.out.Upstream.Method)
	stream := strings.Contains(strings.ToLower(f.asked.header.Get("Accept")), "text/event-stream")
	upgrade := f.asked.header.Get("Upgrade") != ""
	if !unknown && !stream && !upgrade && !isGRPC(f.asked) {
		return
	}
	own := applied["diag405"]
	if own != nil && own.Config["buffering"] != "always" {
		f.watch("plugin diag405 leaves this request unbuffered, so it does not explain the answer in headers")
		return
	}
	name, sure := buffers(applied)
	if name == "" {
		return
	}
	verb := "makes"
	if !sure {
		verb = "makes, if it has a response phase,"
	}
	if stream {
		f.watch(fmt.Sprintf("plugin %s %s Kong read the whole answer first: an event stream does not reach the client", name, verb))
	}
	if unknown {
		method := f.out.Upstream.Method
		f.watch(fmt.Sprintf("plugin %s %s Kong buffer the answer, and its buffered hop sends %s as GET", name, verb, method))
		if sure {
			f.out.Upstream.Method, f.buffered = http.MethodGet, true
		}
	}
}

// buffers is a plugin that has a response phase, and whether that is certain; of
// one that is not Kong's own it is not.
func buffers(applied map[string]*config.Plugin) (name string, sure bool) {
	names := sortedNames(applied)
	for _, n := range names {
		if n == "diag405" || n == "ai-proxy" || n == "ai-response-transformer" || n == "ai-request-transformer" {
			return n, true
		}
	}
	for _, n := range names {
		if _, known := opaque[n]; !known && !slices.Contains(quiet, n) {
			return n, false
		}
	}
	return "", false
}

// sortedNames are a map's keys in order.
func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
