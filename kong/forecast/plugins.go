package forecast

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"diag405/kong/bundled"
	"diag405/kong/config"
	"diag405/kong/wire"
)

// evaluated are the plugins whose part is worked out.
var evaluated = map[string]func(*course, *config.Plugin) *Answer{
	"cors":                (*course).runCORS,
	"request-transformer": (*course).runTransformer,
	"request-termination": (*course).runTermination,
}

// runPlugins does what the plugins do to the request, in Kong's order. The first
// answer ends it.
func (c *course) runPlugins() *Answer {
	c.noteSome()
	applying := c.running(c.Scope())
	for _, p := range applying {
		if run := evaluated[p.Name]; run != nil {
			if made := run(c, p); made != nil {
				return made
			}
			continue
		}
		if known, _ := Known(p.Name); known.Ends == Always {
			return byPlugin(p, 0, known.Does+"; nothing reaches an upstream")
		}
		c.noteUnevaluated(p)
	}
	c.foreseeBuffering(applying)
	return nil
}

// Scope is the request as plugins are chosen for it. There has to be a Match.
func (f *Forecast) Scope() config.Scope {
	s := config.Scope{Route: f.Match.Route, Service: f.Match.Service}
	if who := f.Request.Consumer; who != nil {
		s.Consumer, s.Groups = who.Name(), who.Groups
	}
	return s
}

// inOrder sorts plugins in the order in which Kong runs them: the higher priority
// first, of equals the name that comes later in the alphabet (kong/db/dao/plugins.lua).
// Those whose priority is not known go between.
func inOrder(list []*config.Plugin) {
	slices.SortStableFunc(list, func(a, b *config.Plugin) int {
		x, _ := Known(a.Name)
		y, _ := Known(b.Name)
		return cmp.Or(cmp.Compare(y.Priority, x.Priority), cmp.Compare(b.Name, a.Name))
	})
}

// noteEarly: a rewrite phase runs for global plugins only, as there is no route yet
// (Kong.rewrite in kong/init.lua).
func (c *course) noteEarly() *Answer {
	for _, p := range c.early {
		if known, _ := Known(p.Name); known.Early && hasCode(p, "rewrite") {
			c.watch("plugin %s runs Lua before a route is found, which may change what is asked for", p.Name)
		}
	}
	return nil
}

// hasCode reports whether a plugin holds Lua for a phase.
func hasCode(p *config.Plugin, phase string) bool {
	functions, _ := p.Config[phase].([]any)
	return len(functions) > 0
}

// noteSome: of plugins for some requests only, who asks decides, which is not known.
func (c *course) noteSome() {
	if c.Request.Consumer != nil {
		return
	}
	for _, p := range c.some {
		if !p.MayApply(c.Match.Route, c.Match.Service) {
			continue
		}
		whose := "consumer " + p.Consumer
		if p.Consumer == "" {
			whose = "consumer group " + p.ConsumerGroup
		}
		if known, _ := Known(p.Name); known.Does != "" || evaluated[p.Name] != nil {
			c.uncertain("plugin %s applies to requests of %s only, and who asks is not known here", p.Name, whose)
		}
	}
}

// noteUnevaluated names a plugin of which it is not known what it does to this
// request. Kong's own plugins for models change a body alone unless the table says
// more, new ones as well.
func (c *course) noteUnevaluated(p *config.Plugin) {
	known, ok := Known(p.Name)
	switch {
	case known.Does != "":
		c.uncertain("plugin %s on %s %s", p.Name, boundTo(p), known.Does)
	case !ok && !strings.HasPrefix(p.Name, "ai-"):
		c.uncertain("plugin %s on %s is not one of Kong's own: whether it changes the request is not known here", p.Name, boundTo(p))
	}
}

// boundTo is what a plugin applies to, as in a sentence.
func boundTo(p *config.Plugin) string {
	switch {
	case p.Route != nil:
		return "route " + cmp.Or(p.Route.Name, p.Route.ID)
	case p.Service != nil:
		return "service " + cmp.Or(p.Service.Name, p.Service.ID)
	}
	return "every request"
}

func (c *course) did(p *config.Plugin, format string, args ...any) {
	c.Effects = append(c.Effects, Effect{p.Name, boundTo(p), fmt.Sprintf(format, args...)})
}

// settings reads a plugin's configuration over its defaults. An empty object may be an
// empty list: Lua has one kind of table, and its encoders guess.
func settings[T any](p *config.Plugin, defaults T) (T, error) {
	data, err := json.Marshal(withoutEmpty(p.Config))
	if err == nil {
		err = json.Unmarshal(data, &defaults)
	}
	return defaults, err
}

// withoutEmpty is a configuration without its empty objects.
func withoutEmpty(in map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range in {
		if inner, ok := value.(map[string]any); ok {
			if inner = withoutEmpty(inner); len(inner) > 0 {
				out[key] = inner
			}
			continue
		}
		out[key] = value
	}
	return out
}

// notEvaluated says that a plugin's part could not be worked out.
func (c *course) notEvaluated(p *config.Plugin, err error) *Answer {
	text, _, _ := strings.Cut(err.Error(), "\n")
	c.uncertain("plugin %s on %s could not be evaluated: %s", p.Name, boundTo(p), text)
	return nil
}

// seen is the request as plugins see it.
func (c *course) seen() *bundled.Request {
	u, asked := c.Upstream, c.Request
	r := &bundled.Request{
		Method: u.Method, Query: u.Query(), Body: asked.Body, HasBody: len(asked.Body) > 0,
		UpstreamURI: u.Path(), UpstreamHost: u.Host, Captures: c.Match.Captures, Shared: map[string]any{},
	}
	r.Header.Set("Host", asked.Host)
	for _, name := range slices.Sorted(maps.Keys(asked.Header)) {
		for _, value := range asked.Header[name] {
			r.Header = append(r.Header, wire.Field{Name: name, Value: value})
		}
	}
	return r
}

// byPlugin is an answer that a plugin makes.
func byPlugin(p *config.Plugin, status int, words string) *Answer {
	return &Answer{Status: status, By: "plugin " + p.Name, Source: "exit", Words: p.Name + " on " + boundTo(p) + " " + words}
}

func (c *course) runCORS(p *config.Plugin) *Answer {
	cors, err := settings(p, bundled.CORS{})
	if err != nil {
		return c.notEvaluated(p, err)
	}
	switch {
	case !cors.IsPreflight(c.seen()):
		return nil
	case cors.PreflightContinue:
		c.did(p, "passes the preflight on, as preflight_continue is set: the upstream has to answer OPTIONS")
		return nil
	}
	return byPlugin(p, http.StatusOK, "answers the preflight; the upstream does not see it")
}

func (c *course) runTermination(p *config.Plugin) *Answer {
	termination, err := settings(p, bundled.Termination{StatusCode: http.StatusServiceUnavailable})
	if err != nil {
		return c.notEvaluated(p, err)
	}
	if a := termination.Access(c.seen()); a != nil {
		return byPlugin(p, a.Status, "answers this request")
	}
	return nil
}

func (c *course) runTransformer(p *config.Plugin) *Answer {
	transformer, err := settings(p, bundled.Transformer{})
	if err == nil {
		err = transformer.Check()
	}
	if err != nil {
		return c.notEvaluated(p, err)
	}
	before, after := c.seen(), c.seen()
	if err := transformer.Access(after); err != nil {
		a := byPlugin(p, http.StatusInternalServerError, "fails: "+err.Error())
		a.Source = "error"
		return a
	}
	c.adopt(p, before, after)
	if strings.Contains(transformer.Replace.URI, "shared.") {
		c.uncertain("request-transformer's replace.uri %s uses what other plugins leave, which is not known here", transformer.Replace.URI)
	}
	return nil
}

// adopt takes over what a plugin changed, and says it.
func (c *course) adopt(p *config.Plugin, before, after *bundled.Request) {
	u := c.Upstream
	hadQuery := strings.Contains(u.URI, "?")
	u.Method, u.Host, u.URI = after.Method, after.UpstreamHost, after.UpstreamURI
	if after.Query != "" || hadQuery && before.Query == "" {
		u.URI += "?" + after.Query
	}
	if before.Method != after.Method {
		c.did(p, "changes the method from %s to %s (http_method)", before.Method, after.Method)
	}
	if before.UpstreamURI != after.UpstreamURI {
		c.did(p, "replaces the path %s with %s (replace.uri)", before.UpstreamURI, after.UpstreamURI)
		c.Path = append(c.Path, Term{TermPlugin, after.UpstreamURI, p.Name + " on " + boundTo(p)})
	}
	if before.UpstreamHost != after.UpstreamHost {
		c.did(p, "sets the Host to %s", after.UpstreamHost)
	}
	if before.Query != after.Query {
		c.did(p, "changes the query to %q", after.Query)
	}
}
