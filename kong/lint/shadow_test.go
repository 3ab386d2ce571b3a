package lint

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Why another route takes a request is what the router says, and a higher
// regex_priority is offered only where it would help.
func TestShadowedBecause(t *testing.T) {
	for _, tt := range []struct{ r, q, want, set string }{
		{`paths: ['~/x$']`, `paths: ['~/x'], regex_priority: 1`, "because its regex_priority is 1 against 0", "2"},
		{`paths: ['~/x$']`, `paths: ['~/x'], regex_priority: -1`, "because its regex_priority is -1, which Kong takes for the highest", ""},
		{`paths: ['~/x$'], methods: [GET], hosts: ['*.a']`, `paths: ['~/x'], methods: [GET], headers: {h: [v]}`, "", ""},
		{`paths: ['~/x$'], methods: [GET]`, `paths: ['~/x'], hosts: ['*.example', 'zz9.*']`, "because they are equal", "1"},
	} {
		cfg := parse(t, service("http://a", "{name: r, id: 10000000-0000-0000-0000-000000000000, "+tt.r+"}, {name: q, id: 20000000-0000-0000-0000-000000000000, "+tt.q+"}"))
		var got *Finding
		for _, f := range Lint(cfg, Options{}) {
			if f.ID == "shadowed-route" {
				got = &f
			}
		}
		if tt.want == "" {
			assert.Nil(t, got, "%s behind %s", tt.r, tt.q)
			continue
		}
		require.NotNil(t, got, "%s behind %s", tt.r, tt.q)
		assert.Contains(t, got.Sentence, tt.want)
		set := ""
		if n, ok := got.Fix.Set["route.regex_priority"]; ok {
			set = fmt.Sprint(n)
		}
		assert.Equal(t, tt.set, set, "%s behind %s", tt.r, tt.q)
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
		got, ok := newPatterns().shapeOf(tt.path)
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
		assert.Subset(t, newPatterns().samplesOf(tt.path), tt.want[:1], tt.path)
		for _, sample := range newPatterns().samplesOf(tt.path) {
			assert.Contains(t, tt.want, sample, tt.path)
		}
	}
}
