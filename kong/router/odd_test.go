package router_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"diag405/kong/config"
	"diag405/kong/router"
)

// TestDecide has a row for each odd request whose end was measured on a real Kong or
// follows from nginx's source: routes, the request, and what becomes of it: a
// refusal or the name of the route that takes it.
func TestDecide(t *testing.T) {
	const all = "a paths: [/]"
	method := func(m string) router.Request { r := get("/"); r.Method = m; return r }
	for _, row := range []struct {
		what, routes string
		req          router.Request
		want         string
	}{
		{"a usual request", all, get("/"), "a"},
		{"no route", "a paths: [/a]", get("/b"), "no route"},

		{"TRACE", all, method("TRACE"), "method refused"},
		{"CONNECT", all, method("CONNECT"), "method refused"},
		{"any other method", all, method("PURGE"), "a"},
		{"a bad target before a refused method", all, router.Request{Method: "TRACE", Target: "a", Host: "h"}, "bad request"},
		{"a raw 0x01 in the target", all, get("/a\x01"), "bad request"},
		{"a raw 0x7F", all, get("/a\x7f"), "bad request"},
		{"a raw byte that is not UTF-8", all, get("/\xff"), "not UTF-8"},
		{"an encoded one", all, get("/%FF"), "not UTF-8"},
		{"which no route looks at", "a methods: [GET]", get("/%FF"), "a"},
		{"an absolute form", all, get("http://other/"), "a"},
		{"an absolute form without a host", all, get("http:///a"), "bad request"},
		{"an absolute form without a path", all, get("http://a.example"), "a"},
		{"an absolute form with a query alone has no path that starts with a slash", all, get("http://a.example?x"), "no route"},
		{"which matters to paths only", "a methods: [GET]", get("http://a.example?x"), "a"},

		{"two dots in the Host", all, on("a..example"), "bad request"},
		{"a slash in the Host", all, on("a.exa/mple"), "bad request"},
		{"a blank in the Host", all, on("a b"), "bad request"},
		{"a Host that is a port", all, on(":80"), "bad request"},
		{"a Host that is a dot", all, on(".:80"), "bad request"},
		{"a Host with a dot at its end", "a hosts: [a.]", on("a."), "a"},
		{"an underscore in the Host", "a hosts: [a_b]", on("a_b"), "a"},
		{"a Host that is not UTF-8", "a hosts: [b]\nb paths: [/]", on("\xff"), "not UTF-8"},
		{"which no route looks at", all, on("\xff"), "a"},
		{"an address with its port is whole", "a hosts: ['[::31]:321']", on("[::31]:321"), "a"},
		{"so another port is another host", "a hosts: ['[::31]:321']", on("[::31]:322"), "no route"},

		{"a port in hexadecimal", "a hosts: ['h:81']", on("h:0x51"), "a"},
		{"a port with an exponent", "a hosts: ['h:8000']", on("h:8e3"), "a"},
		{"a port with a fraction", "a hosts: ['h:81']", on("h:81.0"), "a"},
		{"which is cut off", "a hosts: ['h:81']", on("h:81.9"), "a"},
		{"a port in binary", "a hosts: ['h:5']", on("h:0b101"), "a"},
		{"a port with a sign", "a hosts: ['h:81']", on("h:+81"), "a"},
		{"a port with a leading zero", "a hosts: ['h:81']", on("h:081"), "a"},
		{"a port that is not a number belongs to the host", "a hosts: [h]", on("h:x"), "no route"},
		{"nor is nothing one", "a hosts: [h]", on("h:"), "no route"},
		{"infinity is one", "a hosts: [h]", on("h:inf"), "a"},
		{"port 0 is not any port", "a hosts: ['h:0']", on("h:81"), "no route"},
		{"but itself", "a hosts: ['h:0']", on("h:0"), "a"},

		{"a header that is not UTF-8 and that some route matches", "a headers: {x-a: [u]}\nb paths: [/]", with("X-A", "\xff"), "not UTF-8"},
		{"in any of its occurrences", "a headers: {x-a: [u]}\nb paths: [/]", with("X-A", "u", "\xff"), "not UTF-8"},
		{"and that no route matches", all, with("X-A", "\xff"), "a"},
		{"İ in lower case is two characters", "a headers: {x-a: ['~*^..$']}", with("X-A", "İ"), "a"},
		{"Σ at the end of a word", "a headers: {x-a: [ας]}", with("X-A", "ΑΣ"), "a"},
		{"an underscore in the request", "a headers: {x-tier: [gold]}", with("X_tier", "gold"), "a"},
		{"before the dashes", "a headers: {x-tier: [gold]}",
			router.Request{Target: "/", Header: http.Header{"X_tier": {"u"}, "X-Tier": {"gold"}}}, "no route"},
	} {
		assert.Equal(t, row.want, decided(newRouter(t, row.routes), row.req), row.what)
	}

	for _, row := range []struct {
		what, expression, target, want string
	}{
		{"an argument that is not UTF-8", `http.queries.x == "a" || http.path ^= "/"`, "/?x=%FF", "not UTF-8"},
		{"that no route looks at", `http.queries.y == "a" || http.path ^= "/"`, "/?x=%FF", "a"},
		{"an argument twice, once without a value", `http.queries.x == "a" || http.path ^= "/"`, "/?x&x=a", "an error in Kong's router"},
		{"an argument twice without a value", `http.queries.x == "a" || http.path ^= "/"`, "/?x&x", "an error in Kong's router"},
		{"more arguments than are read", `http.queries.x == "a"`, "/?" + strings.Repeat("y=1&", 100) + "x=a", "no route"},
		{"just as many", `http.queries.x == "a"`, "/?" + strings.Repeat("y=1&", 99) + "x=a", "a"},
		{"arguments without a name do not count", `http.queries.x == "a"`, "/?" + strings.Repeat("=1&&", 100) + "x=a", "a"},
		{"what is no triplet", `http.queries.x == "%zz"`, "/?x=%zz", "a"},
	} {
		r := newRouterFor(t, config.Expressions, "a expression: '"+row.expression+"'")
		assert.Equal(t, row.want, decided(r, get(row.target)), row.what)
	}
}

func decided(r *router.Router, req router.Request) string {
	d := r.Decide(req)
	if d.Match != nil {
		return d.Match.Route.Name
	}
	return string(d.Refusal)
}

func TestRefusalStatus(t *testing.T) {
	for refusal, want := range map[router.Refusal]int{
		router.BadRequest: 400, router.NotAllowed: 405, router.NoRoute: 404, router.NotUTF8: 404, router.Crash: 500,
	} {
		assert.Equal(t, want, refusal.Status(), refusal)
	}
}

// TestOddUpstream has the URI that reaches the upstream, whose service has the path
// /base, for odd targets.
func TestOddUpstream(t *testing.T) {
	for _, row := range [][3]string{
		{"a paths: [/a]", "/a#b?c", "/base/#b"},
		{"a paths: [/a], strip_path: false", "/a#b?c", "/base/a#b"},
		{"a paths: [/a]", "/a?b#c", "/base?b"},
		{"a paths: [/a]", "/a#?", "/base/#?"},
		{"a methods: [GET]", "http://h?x", "/base/x?x"},
		{"a methods: [GET], strip_path: false", "http://h?x", "/base?x?x"},
	} {
		m, ok := newRouter(t, row[0]).Match(router.Request{Method: "GET", Target: row[1]})
		assert.True(t, ok, row[1])
		assert.Equal(t, row[2], m.UpstreamURI, "%s %s", row[0], row[1])
	}
}
