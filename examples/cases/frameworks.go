package main

import (
	"net/http"
	"slices"
	"strings"
)

// family is how the applications of one framework answer, where frameworks
// differ. The zero value takes the methods that a route names and no other, and
// lists those of all routes with the path in Allow.
type family struct {
	firstRoute bool // Allow names the methods of the first route with the path
	mount      bool // a last route /{path:path} with GET and HEAD is a static mount
	static     bool // GET and HEAD on every path, whatever the routes say
	noAllow    bool // its 405s have no Allow header
	hides      bool // another method than a route's is a 404
	socket     bool // a route without methods is a WebSocket endpoint

	takesHead    bool // HEAD is taken where GET is
	namesHead    bool // Allow has HEAD where GET is
	takesOptions bool // OPTIONS is answered with 200 and Allow where the path exists
	namesOptions bool // Allow always has OPTIONS

	onlyAddsSlash bool // redirects to the path with a slash, not to the one without
	redirect      int  // status of such a redirect; 0 is 301

	page func(failure) page // nil: the status in plain text
}

// families by the names that cases use. Those that a case needs and that could be
// run are as measured: FastAPI 0.92, Starlette 0.26, Flask 2.2, Django 3.2 with
// class-based views, Express 4.22, Koa 3 with allowedMethods, Fastify 5,
// Spring MVC 4.3, Tomcat 10.1, Laravel 8, Rails 6.1, net/http of Go 1.26, chi 5.5,
// gin 1.12 with HandleMethodNotAllowed, gorilla/mux 1.8, nginx 1.22.
var families = map[string]family{
	"fastapi":   {firstRoute: true, mount: true, redirect: 307, page: detailPage},
	"starlette": {firstRoute: true, mount: true, takesHead: true, namesHead: true, redirect: 307},
	"flask":     {takesHead: true, namesHead: true, takesOptions: true, namesOptions: true, onlyAddsSlash: true, redirect: 308, page: flaskPage},
	"django":    {takesHead: true, namesHead: true, takesOptions: true, namesOptions: true, onlyAddsSlash: true, page: emptyHTML},
	"aiohttp":   {page: aiohttpPage},

	"express": {hides: true, takesHead: true, takesOptions: true, page: expressPage},
	"koa":     {takesHead: true, namesHead: true, takesOptions: true},
	"fastify": {hides: true, takesHead: true, page: fastifyPage},
	// Its GraphQL handler takes every method of its path and refuses GET itself.
	"apollo-express": {page: expressPage},
	"sveltekit":      {takesHead: true, namesHead: true},
	"meteor":         {},

	"spring":    {takesHead: true, takesOptions: true, page: springPage},
	"tomcat":    {noAllow: true, takesHead: true, takesOptions: true, namesOptions: true, page: tomcatPage},
	"jetty":     {noAllow: true, socket: true, takesHead: true, takesOptions: true, namesOptions: true, page: jettyPage},
	"akka-http": {},
	"aspnet":    {page: emptyPage},
	"iis":       {page: iisPage},
	"laravel":   {takesHead: true, namesHead: true, takesOptions: true, page: laravelPage},
	"rails":     {hides: true, takesHead: true, page: emptyHTML},

	"go-servemux": {takesHead: true, namesHead: true, redirect: 307, page: goPage},
	// Handlers that look at the method themselves.
	"go-net-http": {noAllow: true, page: goPage},
	"net/http":    {noAllow: true, page: goPage},
	"fasthttp":    {noAllow: true},
	"gorilla/mux": {noAllow: true, page: emptyPage},
	"gorilla":     {noAllow: true, page: emptyPage},
	"mux":         {noAllow: true, page: emptyPage},
	"gin":         {redirect: 307, page: ginPage},
	"chi":         {page: emptyPage},
	"chi-4":       {noAllow: true, page: emptyPage}, // Allow came with 5.0.9
	"echo":        {page: echoPage},
	"fiber":       {},
	"axum":        {takesHead: true, namesHead: true, page: emptyPage},

	"nginx-static": {static: true, noAllow: true, page: nginxPage},
	"nginx":        {noAllow: true, page: nginxPage},
	"apache":       {page: apachePage},
	"s3":           {page: s3Page},
	"minio":        {noAllow: true, page: s3Page},
	"cloudfront":   {noAllow: true, page: cloudfrontPage},
	"kong-admin":   {noAllow: true, page: messagePage},
	// What the people who met them were answered.
	"azure-static-web-apps": {static: true, noAllow: true},
	"cef-pdf":               {noAllow: true},
}

// familyOf finds the family of a framework.
func familyOf(framework string) family {
	f, _ := knownFamily(framework)
	return f
}

// knownFamily finds a family by the framework's name, and else by a part of it:
// apache-php is an apache.
func knownFamily(framework string) (f family, known bool) {
	name := strings.ToLower(framework)
	if f, ok := families[name]; ok {
		return f, true
	}
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("-_ ./", r) }) {
		if f, ok := families[part]; ok {
			return f, true
		}
	}
	return family{}, false
}

// takes reports whether routes with these methods take a method.
func (f family) takes(methods []string, method string) bool {
	if slices.Contains(methods, method) {
		return true
	}
	return method == http.MethodHead && f.takesHead && slices.Contains(methods, http.MethodGet)
}

// allow is what Allow lists in a 405 for the methods of routes.
func (f family) allow(methods []string) []string {
	list := slices.Clone(methods)
	if f.namesHead && slices.Contains(list, http.MethodGet) {
		list = with(list, http.MethodHead)
	}
	if f.namesOptions && len(list) > 0 {
		list = with(list, http.MethodOptions)
	}
	return list
}

// options is what Allow lists in the answer to OPTIONS: there all frameworks that
// answer it name the HEAD that they take.
func (f family) options(methods []string) []string {
	f.namesHead = f.takesHead
	return f.allow(methods)
}

// with is a list with a method in it.
func with(list []string, method string) []string {
	if slices.Contains(list, method) {
		return list
	}
	return append(list, method)
}
