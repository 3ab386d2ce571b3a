package plugin

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// askNames are the calls of everyAsk, as the fake names them.
var askNames = []string{
	"status",
	"var " + tokenVariable, "var http_accept", "var http_content_type", "var request", "var request_method", "var upstream_uri",
	"var upstream_host", "var http_host", "route", "service", "var " + requestID,
	"var scheme", "var upstream_scheme", "var upstream_x_forwarded_prefix", "var sent_http_location", "var " + clientAddress,
	"request headers", "response headers", "shared", "body",
	"answer status", "serialize", "source",
}

// names are the calls of a set, without what they have in common.
func (a asks) names() string {
	var out []string
	for i, name := range askNames {
		if a&(1<<i) != 0 {
			name = strings.TrimPrefix(name, "var ")
			out = append(out, strings.TrimPrefix(name, "upstream_x_"))
		}
	}
	return strings.Join(out, " ")
}

// Scopes as Kong writes them into a configuration.
const (
	onRoute   = `{"route_id": "5a7d2c3e-0000-4000-8000-000000000002", "service_id": "5a7d2c3e-0000-4000-8000-000000000001", `
	onService = `{"service_id": "5a7d2c3e-0000-4000-8000-000000000001", "route_id": null, `
	global    = `{`
)

// TestAsksOfSettings counts what a request costs Kong with each setting: the calls of
// the access phase, when nothing is remembered and then. When route and service come,
// they may rule something out that was asked with them. The response phase asks for the
// status.
func TestAsksOfSettings(t *testing.T) {
	const line = "request request_method upstream_uri "
	tests := []struct{ scope, settings, first, then string }{
		{onRoute, ``, "http_accept http_content_type " + line + "http_host route service", "http_accept " + line + "http_host"},
		{onRoute, `"log_requests": "changed"`, "http_accept http_content_type " + line + "upstream_host http_host route service",
			"http_accept " + line + "upstream_host http_host"},
		{onRoute, `"log_requests": "errors"`, "http_accept http_content_type request_method route service", "http_accept"},
		{onRoute, `"log_requests": "none"`, "http_accept http_content_type request_method route service", "http_accept"},
		{onRoute, `"log_requests": "none", "buffering": "always"`, "", ""},
		{onRoute, `"buffering": "always"`, line + "http_host route service", line + "http_host"},
		{onRoute, `"log_requests": "none", "token": "t"`, tokenVariable + " http_accept http_content_type request_method route service",
			tokenVariable + " http_accept"},
		{onService, ``, "http_accept http_content_type " + line + "http_host route service", "http_accept " + line + "http_host route"},
		{onService, `"log_requests": "none"`, "http_accept http_content_type request_method service", "http_accept request_method"},
		{global, ``, "http_accept http_content_type " + line + "http_host route service", "http_accept http_content_type " + line + "http_host route service"},
		{global, `"log_requests": "none"`, "http_accept http_content_type request_method", "http_accept http_content_type request_method"},
	}
	for _, tt := range tests {
		t.Run(tt.scope+tt.settings, func(t *testing.T) {
			c := configured(t, strings.TrimSuffix(tt.scope+tt.settings, ", ")+"}")
			now := time.Unix(1, 0)
			c.scope.now = func() time.Time { return now }
			check := func(want string) (made []string) {
				t.Helper()
				before, _ := c.scope.remembers()
				assert.Equal(t, want, c.accessAsks(before).names())
				assert.Same(t, c.accessAsks(before).batch(), c.Prefetch("access"))
				f := founding().inAccess()
				c.access(f)
				assert.Subset(t, append(strings.Fields(want), ""), asked(f), "nothing is waited for")
				return asked(f)
			}
			check(tt.first)
			assert.ElementsMatch(t, strings.Fields(tt.then), check(tt.then), "nothing is asked in vain")
			now = now.Add(scopeFor)
			check(tt.first)
		})
	}
	assert.Same(t, askStatus.batch(), configured(t, `{}`).Prefetch("response"))
}

// remembers is what is known now, and whether anything is.
func (s *scope) remembers() (known, bool) {
	if r := s.fresh(); r != nil {
		return r.known, true
	}
	return known{}, false
}

// asked are the calls that the handler made which can be asked ahead, each once.
func asked(f *fake) []string {
	var out []string
	for _, call := range f.calls {
		if name := strings.TrimPrefix(call, "var "); slices.Contains(askNames, call) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// TestAsksOfRoutes: what a route and its service rule out is not asked.
func TestAsksOfRoutes(t *testing.T) {
	const line = "request request_method upstream_uri upstream_host"
	tests := []struct {
		name, settings string
		change         func(*fake)
		then           string
	}{
		{"any method", `"log_requests": "none"`, func(f *fake) { f.route.Methods = nil }, "http_accept request_method"},
		{"a method that Kong would change", `"log_requests": "none"`, func(f *fake) { f.route.Methods = []string{"POST", "PURGE"} }, "http_accept request_method"},
		{"none that is answered with a stream", `"log_requests": "none"`, func(f *fake) { f.route.Methods = []string{"DELETE", "OPTIONS"} }, ""},
		{"gRPC", `"log_requests": "none"`, func(f *fake) { f.service.Protocol = "grpcs" }, "http_accept http_content_type"},
		{"no service", `"log_requests": "none"`, func(f *fake) { f.service.Id = "" }, "http_accept"},
		{"the path is kept", `"log_requests": "changed"`, func(f *fake) { f.route.StripPath = false; f.vars["upstream_uri"] = "/api/sendWeather" }, "http_accept " + line},
		{"the Host is kept, too", `"log_requests": "changed"`, func(f *fake) {
			f.route.StripPath, f.route.PreserveHost = false, true
			f.vars["upstream_uri"], f.vars["upstream_host"] = "/api/sendWeather", "localhost:8000"
		}, "http_accept " + line + " http_host"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := configured(t, onRoute+tt.settings+"}")
			for n := range 2 {
				f := founding().inAccess()
				tt.change(f)
				c.access(f)
				if n == 1 {
					assert.ElementsMatch(t, strings.Fields(tt.then), asked(f))
				}
			}
			k, ok := c.scope.remembers()
			require.True(t, ok)
			assert.Equal(t, tt.then, c.accessAsks(k).names())
		})
	}
}

// What Kong did not say right is not remembered.
func TestScopeIsNotRememberedWrong(t *testing.T) {
	for name, change := range map[string]func(*fake){
		"no route":             func(f *fake) { f.route.Id = "" },
		"the route fails":      func(f *fake) { f.failing = "route" },
		"the service fails":    func(f *fake) { f.failing = "service" },
		"a service is missing": func(f *fake) { f.route.Service.Id, f.service.Id = "a", "" },
	} {
		c := configured(t, onRoute+`"log_requests": "none"}`)
		f := founding().inAccess()
		change(f)
		c.access(f)
		_, ok := c.scope.remembers()
		assert.False(t, ok, name)
	}
}

// An answer that is explained is read in one write after its status, but for the body.
func TestAsksOfAnExplanation(t *testing.T) {
	const all = "request request_method upstream_uri upstream_host route service scheme upstream_scheme forwarded_prefix "
	c := configured(t, `{}`)
	assert.Equal(t, all+"request headers response headers", c.explainAsks().names())
	f := founding()
	c.response(f)
	var want []string
	for i, name := range askNames {
		if (askStatus|c.explainAsks())&(1<<i) != 0 {
			want = append(want, strings.TrimPrefix(name, "var "))
		}
	}
	assert.ElementsMatch(t, want, asked(f))

	assert.Equal(t, all+"remote_addr request headers response headers", func() string {
		f := founding()
		f.status = 201
		c.response(f)
		return c.explainAsks().names()
	}(), "there is something to recall")
	assert.Contains(t, configured(t, `{"token": "t"}`).explainAsks().names(), "shared")
}

// Where every answer is one to explain, the next is taken for one, and what it needs is
// asked with its status, its body as well where the last one's was short; another answer
// ends that, and one that cannot be read.
func TestAsksOfManyInARow(t *testing.T) {
	c := configured(t, `{}`)
	many := askStatus | c.explainAsks() | askBody
	short := func() *fake {
		f := founding()
		f.body, f.response["content-length"] = "no", []string{"2"}
		return f
	}
	for range manyInARow {
		assert.Same(t, askStatus.batch(), c.Prefetch("response"))
		c.response(short())
	}
	assert.Same(t, many.batch(), c.Prefetch("response"))
	long := short()
	long.response["content-length"] = []string{"20000"}
	c.response(long)
	assert.Same(t, (many &^ askBody).batch(), c.Prefetch("response"))
	c.response(short())
	assert.Same(t, many.batch(), c.Prefetch("response"))
	for _, end := range []func(f *fake){func(f *fake) { f.status = 404 }, func(f *fake) { f.failing = "body" }} {
		f := short()
		end(f)
		c.response(f)
		assert.Same(t, askStatus.batch(), c.Prefetch("response"))
		for range manyInARow {
			c.response(short())
		}
		assert.Same(t, many.batch(), c.Prefetch("response"))
	}
}

// diag405-log asks its access phase for what the log phase cannot have.
func TestAsksOfTheLogPlugin(t *testing.T) {
	for settings, want := range map[string]asks{
		`"log_requests": "none"`:    askRequest | askID,
		`"log_requests": "errors"`:  askRequest | askID,
		`"log_requests": "changed"`: lineAsks | askUpstreamHost | askHost | askRoute | askService | askID,
		`"log_requests": "all"`:     lineAsks | askHost | askRoute | askService | askID,
	} {
		c := logConfigured(t, onRoute+settings+"}")
		batch := want.batch()
		if !c.logsInAccess() {
			batch = want.last()
		}
		assert.Same(t, batch, c.Prefetch("access"), settings)
		assert.Same(t, askAnswerStatus.batch(), c.Prefetch("log"))
		f := founding().inAccess()
		c.access(f)
		var names []string
		for i, name := range askNames {
			if want&(1<<i) != 0 {
				names = append(names, strings.TrimPrefix(name, "var "))
			}
		}
		assert.ElementsMatch(t, names, asked(f), settings)
	}
}
