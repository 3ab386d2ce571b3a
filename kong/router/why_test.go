package router_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/measured"
	"diag405/kong/router"
)

func TestWhy(t *testing.T) {
	cfg, err := config.Parse([]byte(`
_format_version: "3.0"
services:
  - {name: s, host: a.example, routes: [
      {name: get, paths: ["/api/getWeather/*"], methods: [GET]},
      {name: post, paths: [/api/sendWeather], methods: [POST]},
      {name: all, paths: [/api]},
      {name: gold, paths: [/api], headers: {x-tier: [gold]}},
      {name: shop, paths: [/api/send, "~/shop/\\d+"], hosts: [shop.example]},
      {name: regex, paths: ["~/v\\d+/items$"], methods: [PUT, PATCH]},
      {name: tls, paths: [/api], protocols: [https], snis: [b.example]},
    ]}
`))
	require.NoError(t, err)
	r, err := router.New(cfg)
	require.NoError(t, err)

	reasons := r.Why(router.Request{Method: "POST", Target: "/api/sendWeather?x=1", Host: "localhost", Scheme: "https", Header: http.Header{}})
	var got []string
	for _, reason := range reasons {
		line := reason.Route.Name + ":"
		for _, a := range reason.Held {
			line += " +" + a.Name + " (" + a.Words + ")"
		}
		for _, a := range reason.Failed {
			line += " -" + a.Name + " (" + a.Words + ")"
		}
		if reason.Behind != "" {
			line += " | " + reason.Behind
		}
		got = append(got, line)
	}
	assert.Equal(t, []string{
		"post: +path (path /api/sendWeather) +method (method POST)",
		"all: +path (path /api is a prefix of /api/sendWeather) | post comes first: it has 2 kinds of attribute against 1",
		"shop: +path (path /api/send is a prefix of /api/sendWeather) -host (its hosts are shop.example, and the Host is localhost)",
		"gold: +path (path /api is a prefix of /api/sendWeather) -header (its header x-tier has to be gold, and is not there)",
		"tls: +path (path /api is a prefix of /api/sendWeather) -sni (its snis are b.example, and the server name is not there)",
		"get: -path (its path /api/getWeather/* is no prefix of /api/sendWeather, and the * in it stands for itself) -method (its only method is GET)",
		`regex: -path (its path ~/v\d+/items$, an expression, does not match /api/sendWeather) -method (its methods are PUT, PATCH)`,
	}, got)
}

// On everything that was measured the first reason is the route that matches, and
// has no failed attribute exactly when there is one.
func TestWhyAgreesWithMatch(t *testing.T) {
	for _, set := range []measured.Set{measured.Routing, measured.Traditional, measured.Expressions} {
		for _, s := range scenarios(t, set) {
			checkWhy(t, s)
		}
	}
}

func checkWhy(t *testing.T, s measured.Scenario) {
	cfg, err := config.Parse(s.Kong, config.For(config.Flavor(s.Flavor)))
	require.NoError(t, err, s.ID)
	r, err := router.New(cfg)
	require.NoError(t, err, s.ID)
	for _, one := range s.Requests {
		req := request(one)
		m, ok := r.Match(req)
		reasons := r.Why(req)
		require.Len(t, reasons, len(cfg.Routes))
		assert.Equal(t, ok, len(reasons[0].Failed) == 0, "%s: %s %s: %+v", s.ID, one.Method, one.Target, reasons[0].Failed)
		if ok {
			assert.Same(t, m.Route, reasons[0].Route, "%s: %s %s", s.ID, one.Method, one.Target)
		}
		for _, reason := range reasons[1:] {
			assert.Equal(t, len(reason.Failed) == 0, reason.Behind != "", reason.Route.Name)
			if ok && len(reason.Failed) == 0 {
				assert.Greater(t, reason.Turn, reasons[0].Turn, "%s: %s comes before %s", s.ID, reason.Route.Name, m.Route.Name)
			}
			assert.NotContains(t, reason.Behind, "shares its bits", "%s: %s against %s", s.ID, reasons[0].Route.Name, reason.Route.Name)
		}
	}
}
