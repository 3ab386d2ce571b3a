package router_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/router"
)

// named is the name of the route that takes a request, "" for none.
func named(r *router.Router, req router.Request) string {
	m, ok := r.Match(req)
	if !ok {
		return ""
	}
	return m.Route.Name
}

// TestExpressions has one row for each rule of the expressions flavour that is not
// the language's own: routes, a request, and the route that takes it.
func TestExpressions(t *testing.T) {
	get := func(target string) router.Request {
		return router.Request{Method: "GET", Target: target, Host: "h.example:81", Port: 8000}
	}
	with := func(change func(*router.Request)) router.Request { r := get("/a/b/c?x=1&y"); change(&r); return r }
	header := func(name string, values ...string) router.Request {
		return with(func(r *router.Request) { r.Header = http.Header{name: values} })
	}
	https := func(r *router.Request) { r.Scheme = "https" }

	for _, row := range []struct {
		rule, routes string
		req          router.Request
		want         string
	}{
		{"the path is normalised", `a expression: 'http.path == "/b"'`, get("/x/..//%62"), "a"},
		{"the host has no port", `a expression: 'http.host == "h.example"'`, get("/"), "a"},
		{"which is a field of its own", "a expression: 'net.dst.port == 81'", get("/"), "a"},
		{"under its old name too", "a expression: 'net.port==81'", get("/"), "a"},
		{"but only in front of an operator", `a expression: 'http.path == "/net.port" && net.port == 81'`, get("/net.port"), "a"},
		{"even in a string", `a expression: 'http.path == "/net.port = 1"'`, get("/net.dst.port%20=%201"), "a"},
		{"the listener's port without one", "a expression: 'net.dst.port == 8000'", with(func(r *router.Request) { r.Host = "h" }), "a"},
		{"the client's address", "a expression: 'net.src.ip in 10.0.0.0/8 && net.src.port == 7'",
			with(func(r *router.Request) { r.ClientIP, r.ClientPort = "10.9.9.9", 7 }), "a"},
		{"is no address when it is not known", "a expression: 'net.src.ip != 10.0.0.1'", get("/"), ""},
		{"the server's address", "a expression: 'net.dst.ip == ::1'", with(func(r *router.Request) { r.ServerIP = "::1" }), "a"},
		{"the scheme", `a expression: 'net.protocol == "https"'`, with(https), "a"},
		{"the server name", `a expression: 'tls.sni == "s"'`, with(func(r *router.Request) { https(r); r.SNI = "s" }), "a"},
		{"is not there without one", `a expression: 'tls.sni != "s"'`, with(https), ""},

		{"an argument", `a expression: 'http.queries.x == "1"'`, get("/?x=1"), "a"},
		{"decoded", `a expression: 'http.queries.x_y == "a b&"'`, get("/?x%5Fy=a+b%26"), "a"},
		{"its case counts", `a expression: 'http.queries.X == "1"'`, get("/?x=1"), ""},
		{"without a value it is empty", `a expression: 'http.queries.x == ""'`, get("/?x"), "a"},
		{"several want any()", `a expression: 'http.queries.x == "1"'`, get("/?x=1&x=2"), ""},
		{"or to be the same", `a expression: 'http.queries.x == "1"'`, get("/?x=1&x=1"), "a"},
		{"any() takes one of them", `a expression: 'any(http.queries.x) == "1"'`, get("/?x=2&x=1"), "a"},
		{"it ends before a #", `a expression: 'http.queries.x == "1"'`, get("/?x=1#2"), "a"},
		{"and there is none behind one", `a expression: 'http.queries.x == "1"'`, get("/#?x=1"), ""},

		{"a header with dashes", `a expression: 'http.headers.x_tier == "gold"'`, header("X-Tier", "gold"), "a"},
		{"or with underscores", `a expression: 'http.headers.x_tier == "gold"'`, header("X_tier", "gold"), "a"},
		{"whatever the case in the expression", `a expression: 'http.headers.X_Tier == "gold"'`, header("X-Tier", "gold"), "a"},
		{"values keep theirs", `a expression: 'http.headers.x_tier == "gold"'`, header("X-Tier", "Gold"), ""},
		{"the Host header is one, with its port", `a expression: 'http.headers.host == "h.example:81"'`, get("/"), "a"},

		{"a segment", `a expression: 'http.path.segments.1 == "b"'`, get("/a/b/c"), "a"},
		{"several", `a expression: 'http.path.segments.0_1 == "a/b"'`, get("/a/b/c"), "a"},
		{"that must be there", `a expression: 'http.path.segments.1_3 != "x"'`, get("/a/b/c"), ""},
		{"how many", "a expression: 'http.path.segments.len == 3'", get("/a/b/c"), "a"},
		{"a slash at the end is none", "a expression: 'http.path.segments.len == 2'", get("/a/b/"), "a"},
		{"nor is the root", "a expression: 'http.path.segments.len == 0'", get("/"), "a"},

		{"the higher priority first", `a expression: 'http.path ^= "/a/b"', priority: 1` + "\n" + `b expression: 'http.path ^= "/"', priority: 2`, get("/a/b"), "b"},
		{"beyond 32 bits", `a expression: 'http.path ^= "/"', priority: 4294967295` + "\n" + `b expression: 'http.path ^= "/"', priority: 4294967296`, get("/"), "b"},
		{"of equals the higher id",
			`a expression: 'http.path ^= "/"', id: 10000000-0000-0000-0000-000000000000` + "\n" +
				`b expression: 'http.path ^= "/"', id: 90000000-0000-0000-0000-000000000000`, get("/"), "b"},
		{"an expression before other routes", "a paths: ['~/a'], hosts: [h.example], methods: [GET]\n" + `b expression: 'http.path ^= "/"'`, get("/a"), "b"},

		{"save those whose priority is negative within 32 bits", "a paths: ['~/a'], regex_priority: -1\n" + `b expression: 'http.path ^= "/"'`, get("/a"), "a"},
		{"a route's protocols count", `a protocols: [https], hosts: [x]` + "\n" + `b protocols: [http], expression: 'http.path ^= "/"'`, with(https), ""},
		{"of other routes, too", `a protocols: [http], paths: [/]` + "\n" + `b expression: 'http.path == "x"'`, with(https), ""},
		{"save https alone, which Kong redirects", `a protocols: [https], expression: 'http.path ^= "/"'`, get("/"), "a"},
		{"grpc is http", `a protocols: [grpc], strip_path: false, expression: 'http.path ^= "/"'`, get("/"), "a"},
		{"and grpcs https", `a protocols: [grpcs], strip_path: false, expression: 'http.path ^= "/"'`, get("/"), ""},
		{"http routes may have sources", "a paths: [/], sources: [{ip: 10.0.0.1/8, port: 7}, {ip: '::1'}]",
			with(func(r *router.Request) { r.ClientIP, r.ClientPort = "10.9.9.9", 7 }), "a"},
		{"which have to fit", "a paths: [/], sources: [{ip: 10.0.0.1/8, port: 7}]",
			with(func(r *router.Request) { r.ClientIP, r.ClientPort = "10.9.9.9", 8 }), ""},
		{"and destinations", "a paths: [/], destinations: [{port: 81}]", get("/"), "a"},
	} {
		assert.Equal(t, row.want, named(newRouterFor(t, config.Expressions, row.routes), row.req), row.rule)
	}
}

// TestExpressionUpstream has one row for each way in which an expression's match of
// the path makes the upstream's request: what it matched is cut off by its length.
func TestExpressionUpstream(t *testing.T) {
	for _, row := range [][4]string{ // expression, target, the upstream's URI, X-Forwarded-Prefix
		{`http.path ^= "/api"`, "/api/x", "/base/x", "/api"},
		{`http.path == "/api/x"`, "/api/x", "/base", "/api/x"},
		{`http.path ~ r#"^/v\d+"#`, "/v12/x", "/base/x", "/v12"},
		{`http.path ~ "x"`, "/api/x", "/base/api/x", "x"},
		{`http.path =^ "/xyz"`, "/api/xyz", "/base/xyz", "/xyz"},
		{`lower(http.path) ^= "/api"`, "/API/x", "/base/x", "/api"},
		{`http.path contains "api"`, "/api/x", "/base/api/x", ""},
		{`http.method == "GET"`, "/api/x", "/base/api/x", ""},
		{`http.path ^= "/"`, "/api/x", "/base/api/x", ""},
		{`!(http.path ^= "/api" && http.method == "PUT")`, "/api/x", "/base/x", "/api"},
		{`http.path ^= "/api/x" && http.path ^= "/api"`, "/api/x", "/base/x", "/api"},
	} {
		r := newRouterFor(t, config.Expressions, "a expression: '"+row[0]+"'")
		m, ok := r.Match(router.Request{Method: "GET", Target: row[1], Host: "h"})
		require.True(t, ok, row[0])
		assert.Equal(t, row[2], m.UpstreamURI, row[0])
		assert.Equal(t, row[3], m.Stripped, row[0])
	}
}

func TestExpressionCaptures(t *testing.T) {
	r := newRouterFor(t, config.Expressions, `a expression: 'http.path ~ r#"/v(?<ver>\d+)/(x)?"# && http.method ~ "^G"'`)
	m, ok := r.Match(router.Request{Method: "GET", Target: "/v12/"})
	require.True(t, ok)
	assert.Equal(t, router.Captures{Numbered: []string{"G", "12"}, Named: map[string]string{"ver": "12"}}, m.Captures)
}

// TestTrace: of a route with an expression it can be asked which predicate failed.
func TestTrace(t *testing.T) {
	r := newRouterFor(t, config.Expressions, `a expression: 'http.path ^= "/a" && (http.method == "POST" || net.port == 80)'`+"\nb paths: [/b]")
	req := router.Request{Method: "GET", Target: "/a", Host: "h"}
	reasons := r.Why(req)
	require.Len(t, reasons, 2)
	assert.Equal(t, []router.Attribute{{Name: "expression", Words: `http.method == "POST" does not hold: it is GET, and net.dst.port == 80 does not hold: it is 0`}},
		reasons[0].Failed)
	trace := r.Trace(req, reasons[0].Route)
	assert.False(t, trace.Holds)
	assert.Len(t, trace.Blame(), 2)
	assert.Nil(t, r.Trace(req, reasons[1].Route))
}

// A route with an expression in front of the compatible router, which a database may
// bring about, is taken by it; protocols and net.port are then unknown.
func TestExpressionInCompatible(t *testing.T) {
	cfg := &config.Config{Flavor: config.TraditionalCompatible, Routes: []*config.Route{
		{Name: "a", Protocols: []string{"http"}, ID: "10000000-0000-0000-0000-00000000000a", Expression: `http.path ^= "/a"`},
		{Name: "b", Protocols: []string{"http"}, ID: "10000000-0000-0000-0000-00000000000b", Expression: `net.port == 80`},
	}}
	r, err := router.New(cfg)
	require.EqualError(t, err, `route "b": expression: 1:1: there is no field net.port`)
	assert.Equal(t, "a", named(r, router.Request{Target: "/a", Scheme: "https"}))
	cfg.Flavor = config.Expressions
	r, err = router.New(cfg)
	require.NoError(t, err)
	assert.Equal(t, "", named(r, router.Request{Target: "/a", Scheme: "https"}))
	cfg.Flavor = config.Traditional
	_, err = router.New(cfg)
	require.ErrorContains(t, err, `route "a": has nothing that the router could match by`)
}

// TestTraditional has one row for each rule in which the traditional router differs.
func TestTraditional(t *testing.T) {
	for _, row := range []struct {
		rule, routes string
		req          router.Request
		want         string
	}{
		{"a plain path is a prefix", "a paths: [/api]", get("/apix"), "a"},
		{"an expression is anchored, all of it", "a paths: ['~/b|/c']", get("/a/c"), ""},
		{"look-around works", "a paths: ['~/(?!admin)\\w']", get("/admin"), ""},
		{"and matches", "a paths: ['~/(?!admin)\\w']", get("/adm"), "a"},
		{"classes are those of ASCII", `a paths: ['~/\w+$']`, get("/%C3%A9"), ""},
		{"a path that is not UTF-8 is fine", "a paths: [/]", get("/%FF"), "a"},
		{"an expression before a longer path", "a paths: ['~/a']\nb paths: [/a/b]", get("/a/b"), "a"},
		{"of expressions the higher regex_priority", "a paths: ['~/a']\nb paths: ['~/a.*'], regex_priority: 1", get("/ab"), "b"},
		{"a negative one is lower", "a paths: ['~/a']\nb paths: ['~/a.*'], regex_priority: -1", get("/ab"), "a"},
		{"a plain path with the text of an expression that hit is not looked at again",
			"a paths: ['~/a.'], methods: [PUT]\nb paths: [/a.], methods: [GET]", get("/ax"), "b"},

		{"more kinds of fields come first", "a paths: [/a/b]\nb paths: [/a], methods: [GET]", get("/a/b"), "b"},
		{"even against an expression", "a paths: ['~/a/b']\nb paths: [/a], methods: [GET]", get("/a/b"), "b"},
		{"of as many hosts before headers before paths", "a headers: {x-a: [u]}, methods: [GET]\nb hosts: [h], methods: [GET]",
			router.Request{Method: "GET", Target: "/", Host: "h", Header: http.Header{"X-A": {"u"}}}, "b"},
		{"plain hosts before more headers", "a hosts: [h], headers: {x-a: [u]}\nb hosts: ['*.h', h], headers: {x-a: [u], x-b: [u]}",
			router.Request{Target: "/", Host: "h", Header: http.Header{"X-A": {"u"}, "X-B": {"u"}}}, "a"},
		{"a wildcard with a port before plain hosts", "a hosts: [x.h]\nb hosts: ['*.h:80']", on("y.h"), "b"},
		{"the set with the header that hit comes first, be its parts behind",
			"a headers: {x-a: [u], x-b: [u]}\nb headers: {x-0: [u]}", router.Request{Target: "/", Header: http.Header{"X-A": {"u"}, "X-B": {"u"}, "X-0": {"u"}}}, "a"},
		{"the older route", "a paths: [/], created_at: 7\nb paths: [/], created_at: 6", get("/"), "b"},
		{"before one without a time", "a paths: [/]\nb paths: [/], created_at: 6", get("/"), "b"},

		{"a host with the scheme's port only when it is given", "a hosts: ['h:80']", on("h"), ""},
		{"as here", "a hosts: ['h:80']", on("h:80"), "a"},
		{"the listener's port does not count", "a hosts: ['h:8000']", on("h"), ""},
		{"a host matches whatever the port", "a hosts: [h]", on("h:81"), "a"},
		{"with digits only", "a hosts: [h]", on("h:0x51"), ""},
		{"a wildcard as well", "a hosts: ['*.h']", on("x.h:81"), "a"},
		{"with its port", "a hosts: ['*.h:81']", on("x.h:82"), ""},
		{"the scheme's port counts for it", "a hosts: ['*.h:80']", on("x.h"), "a"},
		{"brackets do not belong to an address", "a hosts: ['::1']", on("[::1]:81"), "a"},

		{"a header's value", "a headers: {x-a: [U]}", with("X-A", "u"), "a"},
		{"one of several", "a headers: {x-a: [u, v]}", with("X-A", "w", "V"), "a"},
		{"an expression only when it stands alone", "a headers: {x-a: ['~*^b', u]}", with("X-A", "bc"), ""},
		{"as it is written", "a headers: {x-a: ['~*^B']}", with("X-A", "bc"), ""},
		{"on the value in lower case", "a headers: {x-a: ['~*^b(?=c)']}", with("X-A", "BC"), "a"},
		{"a broken one never matches", "a headers: {x-a: ['~*(']}", with("X-A", "("), ""},
		{"underscores in the request are no dashes", "a headers: {x-a: [u]}", with("X_a", "u"), ""},
		{"in the route they are", "a headers: {x_a: [u]}", with("X-A", "u"), "a"},

		{"an sni counts for https", "a snis: [s], paths: [/]", tls("t"), ""},
		{"and matches whole", "a snis: [s.], paths: [/]", tls("s"), "a"},
		{"over http it does not count", "a snis: [s], paths: [/]", get("/"), "a"},
		{"but a route without comes first, as the request has none", "a snis: [s], paths: [/x]\nb paths: [/]", get("/x"), "b"},
		{"and with nothing else there is nothing to start from", "a snis: [s]", get("/"), ""},
		{"what has more fields than the request is passed over",
			"a snis: [s], paths: [/x], methods: [GET]\nb paths: [/], methods: [GET]", get("/x"), "b"},
		{"unless no route has just those", "a snis: [s], paths: [/x], methods: [GET]\nb paths: [/]", get("/x"), "a"},
	} {
		assert.Equal(t, row.want, named(newRouterFor(t, config.Traditional, row.routes), row.req), row.rule)
	}
}

func TestTraditionalUpstream(t *testing.T) {
	for _, row := range []struct {
		route, target string
		want          router.Match
	}{
		{"a paths: [/api]", "/apix", router.Match{UpstreamURI: "/base/x", Prefix: "/api", Stripped: "/api"}},
		{"a paths: [/api], path_handling: v1", "/apix", router.Match{UpstreamURI: "/basex", Prefix: "/api", Stripped: "/api"}},
		{"a paths: [/api], path_handling: v1, strip_path: false", "/api?q", router.Match{UpstreamURI: "/baseapi?q", Prefix: "/api"}},
		{"a paths: ['~/v\\d'], path_handling: v1", "/v1/x", router.Match{UpstreamURI: "/base/x", Prefix: "/v1", Stripped: "/v1"}},
		{"a paths: ['~/v|/w']", "/v/x", router.Match{UpstreamURI: "/base/v/x"}}, // the first half has no rest
		{"a paths: ['~/v|/w']", "/w/x", router.Match{UpstreamURI: "/base/x", Prefix: "/w", Stripped: "/w"}},
		{"a methods: [GET], path_handling: v1", "/x", router.Match{UpstreamURI: "/basex"}},
	} {
		m, ok := newRouterFor(t, config.Traditional, row.route).Match(router.Request{Method: "GET", Target: row.target})
		require.True(t, ok, row.route)
		got := router.Match{UpstreamURI: m.UpstreamURI, Prefix: m.Prefix, Stripped: m.Stripped}
		assert.Equal(t, row.want, got, "%s %s", row.route, row.target)
	}
}

// The whole match is all of the path: the expression that is matched has a group
// for the rest behind it.
func TestTraditionalCaptures(t *testing.T) {
	r := newRouterFor(t, config.Traditional, `a paths: ['~/v(?<ver>\d+)/(x|y)', '~/plain']`)
	m, ok := r.Match(router.Request{Target: "/v12/y/z"})
	require.True(t, ok)
	assert.Equal(t, router.Captures{Numbered: []string{"/v12/y/z", "12", "y"}, Named: map[string]string{"ver": "12"}}, m.Captures)
	m, ok = r.Match(router.Request{Target: "/plain"})
	require.True(t, ok)
	assert.Equal(t, router.Captures{}, m.Captures)
}

// TestTraditionalWhy: the reasons of the traditional router, the route that takes
// the request first.
func TestTraditionalWhy(t *testing.T) {
	r := newRouterFor(t, config.Traditional, `
		more paths: [/a], methods: [GET]
		longer paths: [/a/b]
		tls paths: [/a], methods: [GET], snis: [s]
		post paths: [/a], methods: [POST]
		gold paths: [/], headers: {x-tier: [gold]}`)
	var got []string
	for _, reason := range r.Why(router.Request{Method: "GET", Target: "/a/b", Host: "h"}) {
		line := reason.Route.Name + ": " + reason.Behind
		for _, a := range reason.Failed {
			line += fmt.Sprintf("-%s (%s)", a.Name, a.Words)
		}
		got = append(got, line)
	}
	assert.Equal(t, []string{
		"more: ",
		"longer: more comes first: it has 2 kinds of attribute against 1",
		"post: -method (its only method is POST)",
		"tls: -category (the request has paths and methods, so the traditional router starts with the routes that ask for just that, and passes over this one, which asks for paths and methods and snis)",
		"gold: -header (its header x-tier has to be gold, and is not there)",
	}, got)
}

// TestOrderByFlavor: what decides between two routes that both take a request, in
// the flavours that are not built on priorities alone.
func TestOrderByFlavor(t *testing.T) {
	for _, row := range []struct {
		flavor        config.Flavor
		routes        string
		first, second int // places in the document
		want          router.By
	}{
		{config.Traditional, "a paths: [/a]\nb paths: [/], methods: [GET]", 1, 0, router.ByKinds},
		{config.Traditional, "a paths: ['~/a']\nb paths: [/a/b]", 0, 1, router.ByHit},
		{config.Traditional, "a methods: [GET], created_at: 2\nb methods: [GET], created_at: 1", 1, 0, router.ByAge},
		{config.Traditional, "a hosts: ['*.h']\nb hosts: ['*.h', '*.z:80']", 1, 0, router.ByPort},
		{config.Expressions, `a expression: 'http.path ^= "/"'` + "\nb paths: [/]", 0, 1, router.ByExpressionField},
		{config.Expressions, "a paths: ['~/a'], regex_priority: -1\n" + `b expression: 'http.path ^= "/"'`, 0, 1, router.ByTop},
		{config.Expressions, `a expression: 'http.path ^= "/"'` + "\n" + `b expression: 'http.path ^= "/"', priority: 1`, 1, 0, router.ByPriority},
	} {
		r := newRouterFor(t, row.flavor, row.routes)
		req := router.Request{Method: "GET", Target: "/a/b", Host: "x.h", Port: 8000}
		reasons := r.Why(req)
		require.Len(t, reasons, 2, row.routes)
		names := []string{"a", "b"}
		require.Equal(t, names[row.first], reasons[0].Route.Name, row.routes)
		assert.Equal(t, row.want, r.Order(reasons[0].Route, reasons[1].Route, req).By, row.routes)
		assert.NotEmpty(t, reasons[1].Behind, row.routes)
	}
}

// TestAge: the causes that a route has, and both answers. What was measured is in
// TestMeasured and TestByAge.
func TestAge(t *testing.T) {
	many := "paths: [/a], hosts: ['*.h'], methods: [GET], headers: {x-a: [u]}"
	for fields, want := range map[string][]router.AgeCause{
		many:                                    {router.ManyFields},
		"paths: [/a], hosts: [h], methods: [G]": nil,
		"paths: ['~/a'], regex_priority: -1":    {router.ExtremePriority},
		"paths: ['~/a'], regex_priority: 4095":  nil,
		"paths: ['~/a'], regex_priority: 4096":  {router.ExtremePriority},
		"paths: [/a], regex_priority: -1":       nil, // of a plain path it plays no part
	} {
		cfg, err := config.Parse([]byte("{_format_version: '3.0', routes: [{" + fields + "}]}"))
		require.NoError(t, err)
		assert.Equal(t, want, router.AgeCauses(cfg.Routes[0]), fields)
	}
	// Of two such routes the longer path is first in a warm Kong, and the higher id in
	// a fresh one.
	r := newRouter(t, "a id: f0000000-0000-4000-8000-000000000001, paths: [/a], hosts: ['*.h'], methods: [GET], headers: {x-a: [u]}\n"+
		"b id: 10000000-0000-4000-8000-000000000001, paths: [/a/b], hosts: ['*.h'], methods: [GET], headers: {x-a: [u]}\n"+
		"c paths: [/c]")
	req := router.Request{Method: "GET", Target: "/a/b", Host: "x.h", Header: http.Header{"X-A": {"u"}}}
	warm, fresh, differ := r.ByAge(req)
	require.True(t, differ)
	assert.Equal(t, "b", warm.Route.Name)
	assert.Equal(t, "a", fresh.Route.Name)
	req.Target = "/c"
	_, _, differ = r.ByAge(req)
	assert.False(t, differ)
}
