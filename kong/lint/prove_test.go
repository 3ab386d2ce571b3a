package lint

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProve(t *testing.T) {
	ops := func(list ...Operation) []Operation { return list }
	tests := []struct {
		doc    string
		others []Operation // in the document besides op
		op     Operation
		want   Proof
	}{
		// Stripped, kept, behind a service's path, with a regular expression.
		{service("http://a", `{name: r, paths: [/shop]}`), nil, Operation{"GET", "/items/{id}"},
			Proof{Outcome: Reached, Route: "r", Client: &Client{"GET", "/shop/items/1", ""}}},
		{service("http://a", `{name: r, paths: [/], strip_path: false}`), nil, Operation{"GET", "/"},
			Proof{Outcome: Reached, Route: "r", Client: &Client{"GET", "/", ""}}},
		{service("http://a/v1", `{name: r, paths: [/items], strip_path: false}`), nil, Operation{"GET", "/v1/items"},
			Proof{Outcome: Reached, Route: "r", Client: &Client{"GET", "/items", ""}}},
		{service("http://a", `{name: r, paths: ['~/t/[a-z]+']}`), nil, Operation{"GET", "/items"},
			Proof{Outcome: Reached, Route: "r", Client: &Client{"GET", "/t/a/items", ""}}},
		{service("http://a", `{name: r, paths: ['~/items/[a-z]+$'], strip_path: false}`), nil, Operation{"GET", "/items/{name}"},
			Proof{Outcome: Reached, Route: "r", Client: &Client{"GET", "/items/a", ""}}},
		{service("http://a", `{name: r, hosts: ['*.example']}`), nil, Operation{"GET", "/items"},
			Proof{Outcome: Reached, Route: "r", Client: &Client{"GET", "/items", "zz9.example"}}},
		{service("http://a", `{name: r, paths: [/hook], methods: [POST]}`), nil, Operation{"POST", "/"},
			Proof{Outcome: Reached, Route: "r", Client: &Client{"POST", "/hook", ""}}},

		// The request for it arrives as another.
		{service("http://a", `{name: r, paths: [/api/send], methods: [POST]}`), nil, Operation{"POST", "/api/send"},
			Proof{Outcome: Misrouted, Route: "r", Asked: &Client{"POST", "/api/send", ""}, Sends: "POST /"}},
		{service("http://a", `{name: r, paths: [/api]}`), nil, Operation{"GET", "/api/items"},
			Proof{Outcome: Misrouted, Route: "r", Client: &Client{"GET", "/api/api/items", ""}, Asked: &Client{"GET", "/api/items", ""}, Sends: "GET /items"}},
		{service("http://a", `{name: r, paths: [/weather/api/send], methods: [POST]}`), nil, Operation{"POST", "/api/send"},
			Proof{Outcome: Misrouted, Route: "r", Asked: &Client{"POST", "/weather/api/send", ""}, Sends: "POST /"}},
		{service("http://a", `{name: r, paths: [/shop], strip_path: false}`), nil, Operation{"GET", "/items"},
			Proof{Outcome: Misrouted, Route: "r", Asked: &Client{"GET", "/shop/items", ""}, Sends: "GET /shop/items"}},
		// What arrives is in the document as well, so both are meant.
		{service("http://a", `{name: r, paths: [/shop]}`), ops(Operation{"GET", "/items"}), Operation{"GET", "/shop/items"},
			Proof{Outcome: Reached, Route: "r", Client: &Client{"GET", "/shop/shop/items", ""}}},

		// Nothing leads there.
		{service("http://a", `{name: r, paths: [/items], methods: [GET], strip_path: false}`), nil, Operation{"POST", "/items"},
			Proof{Outcome: Unreached, Note: "route r leads there for GET only"}},
		{service("http://a", `{name: r, paths: [/items], strip_path: false}`), ops(Operation{"GET", "/items"}), Operation{"GET", "/users"},
			Proof{Outcome: Unreached}},
		{service("http://a/v1", `{name: r, paths: [/items]}`), nil, Operation{"GET", "/items"}, Proof{Outcome: Misrouted, Route: "r", Asked: &Client{"GET", "/items", ""}, Sends: "GET /v1"}},
		{service("http://a", `{name: r, paths: [/items/*], methods: [GET]}`), nil, Operation{"GET", "/items/{id}"},
			Proof{Outcome: Unreached, Note: "the * in /items/* of route r is no wildcard"}},
		{service("http://a", ``), nil, Operation{"GET", "/items"}, Proof{Outcome: Unreached, Note: "the service has no route"}},

		// Another route takes what would lead there.
		{"services: [{name: s, url: 'http://a', routes: [{name: r, paths: [/x], strip_path: false}]}, {name: b, url: 'http://b', routes: [{name: q, paths: ['~/x/']}]}]",
			nil, Operation{"GET", "/x/y"}, Proof{Outcome: Unreached, Note: "GET /x/y goes to route q instead of route r"}},

		// Plugins.
		{service("http://a", `{name: r, paths: [/shop], methods: [GET], plugins: [{name: request-transformer, config: {http_method: POST}}]}`), nil, Operation{"GET", "/items"},
			Proof{Outcome: Unreached}},
		{service("http://a", `{name: r, paths: [/shop], plugins: [{name: request-transformer, config: {replace: {uri: /fixed}}}]}`), nil, Operation{"GET", "/fixed"},
			Proof{Outcome: Reached, Route: "r", Client: &Client{"GET", "/shop", ""}}},
		{service("http://a", `{name: r, paths: [/shop], strip_path: false, plugins: [{name: request-transformer, config: {replace: {uri: /fixed}}}]}`), nil, Operation{"GET", "/fixed"},
			Proof{Outcome: Reached, Route: "r", Client: &Client{"GET", "/shop", ""}}},
		{service("http://a", `{name: r, paths: [/shop], plugins: [{name: request-transformer, config: {replace: {uri: '/u/$(uri_captures.id)'}}}]}`), nil, Operation{"GET", "/u/{id}"},
			Proof{Outcome: Unproven, Route: "r", Note: "a plugin on it makes the upstream's path"}},
	}
	for _, tt := range tests {
		proofs, findings, err := Prove(parse(t, tt.doc), "s", append([]Operation{tt.op}, tt.others...), Options{})
		require.NoError(t, err)
		got := proofs[0]
		for _, p := range proofs {
			if p.Operation == tt.op {
				got = p
			}
		}
		got.route, got.Operation = nil, Operation{}
		assert.Equal(t, tt.want, got, "%s: %s", tt.doc, tt.op)
		if tt.others == nil {
			assert.Equal(t, tt.want.Outcome != Reached, len(findings) == 1, tt.doc)
		}
	}
}

func TestProveUnknownService(t *testing.T) {
	_, _, err := Prove(parse(t, service("http://a", "")), "x", nil, Options{})
	assert.EqualError(t, err, `no service "x" in the configuration`)
}

func TestMisroutedFix(t *testing.T) {
	cfg := parse(t, service("http://a", "{name: r, paths: [/]}"))
	on := &Object{Kind: "route", Name: "r", ID: cfg.Routes[0].ID}
	tests := []struct {
		route string
		op    Operation
		want  Fix
	}{
		{`{name: r, paths: [/api/send], methods: [POST]}`, Operation{"POST", "/api/send"},
			Fix{Words: "set strip_path=false on route r", Set: map[string]any{"route.strip_path": false}, Certain: true, On: on}},
		{`{name: r, paths: [/shop], strip_path: false}`, Operation{"GET", "/items"},
			Fix{Words: "set strip_path=true on route r", Set: map[string]any{"route.strip_path": true}, Certain: true, On: on}},
		{`{name: r, paths: [/weather/api/send], methods: [POST]}`, Operation{"POST", "/api/send"},
			Fix{Words: "change strip_path of route r or the path of service s"}},
	}
	for _, tt := range tests {
		_, findings, err := Prove(parse(t, service("http://a", tt.route)), "s", []Operation{tt.op}, Options{})
		require.NoError(t, err)
		assert.Equal(t, tt.want, findings[0].Fix, tt.route)
	}
}
