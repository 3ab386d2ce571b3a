package lint

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Reasons in the order in which they decide: r takes the request before q.
func TestBecause(t *testing.T) {
	tests := []struct{ r, q, want string }{
		{`paths: ['~/x'], regex_priority: -1`, `paths: ['~/x'], hosts: [a]`, "a negative regex_priority puts an expression on top"},
		{`paths: [/x], hosts: ['*.a'], methods: [GET], headers: {h: [v]}`, `hosts: [a]`, "it matches by four kinds of things or more"},
		{`hosts: [a]`, `paths: ['~/x'], methods: [GET]`, "routes with hosts come before those without, or with wildcards, whatever else they match by"},
		{`paths: ['~/x']`, `paths: [/x], methods: [GET]`, "a regular expression comes before every plain path"},
		{`paths: [/x], methods: [GET]`, `paths: [/x]`, "it matches by more: methods, paths"},
		{`headers: {g: [v], h: [v]}`, `headers: {h: [v]}`, "it matches by more headers"},
		{`paths: ['~/x'], regex_priority: 5`, `paths: ['~/x']`, "its regex_priority is 5"},
		{`paths: [/]`, `methods: [GET]`, "it has a path"},
		{`paths: [/x]`, `paths: [/]`, "its path is longer"},
		{`paths: [/x]`, `paths: [/x]`, "nothing but their ids decides between them"},
	}
	for _, tt := range tests {
		cfg := parse(t, service("http://a", "{name: r, "+tt.r+"}, {name: q, "+tt.q+"}"))
		assert.Equal(t, tt.want, because(cfg.Routes[0], cfg.Routes[1], "/x"), "%s before %s", tt.r, tt.q)
		if tt.r == tt.q {
			continue
		}
		s := newSubject(cfg, Options{})
		x := s.sampling(cfg.Routes[0])
		x.paths = []samplePath{{"", "/x"}}
		x.hosts = []string{"a", "b.a"}
		taken := false
		s.each(x, func(t trial) bool {
			taken = taken || t.got != nil && t.got.Route == cfg.Routes[0] && x.valid(t)
			return true
		})
		assert.True(t, taken, "%s before %s: the router says otherwise", tt.r, tt.q)
	}
}

// What an expression looks like from outside.
func TestShape(t *testing.T) {
	tests := []struct {
		path string
		want shape
	}{
		{`~/api/v\d+/users`, shape{literal: "/api/v", varies: true, endless: true}},
		{`~/users/\d+$`, shape{literal: "/users/", varies: true, endless: true, closed: true}},
		{`~/app(/|$)`, shape{literal: "/app", whole: true}},
		{`~/app/?$`, shape{literal: "/app", whole: true, closed: true}},
		{`~/app/.*`, shape{literal: "/app/", whole: true, swallows: true}},
		{`~/health$`, shape{literal: "/health", whole: true, closed: true}},
		{`~/healthz?$`, shape{literal: "/health", closed: true}},
		{`~/v[12]/(?<rest>a|bc)`, shape{literal: "/v", varies: true}},
	}
	for _, tt := range tests {
		got, ok := shapeOf(tt.path)
		assert.True(t, ok, tt.path)
		assert.Equal(t, tt.want, got, tt.path)
	}
}

func TestSamplesOf(t *testing.T) {
	tests := []struct {
		path string
		want []string
	}{
		{`~/x$`, []string{"/x"}},
		{`~/x/\d$`, []string{"/x/1", "/x/2", "/x/7", "/x/0"}},
		{`~/(a|b)c?`, []string{"/a", "/bc", "/b", "/ac"}},
		{`~/x//*$`, []string{"/x/"}}, // nothing that Kong would normalise
	}
	for _, tt := range tests {
		assert.Subset(t, samplesOf(tt.path), tt.want[:1], tt.path)
		for _, sample := range samplesOf(tt.path) {
			assert.Contains(t, tt.want, sample, tt.path)
		}
	}
}
