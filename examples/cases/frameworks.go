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

	takesHead    bool // HEAD is taken where GET is
	namesHead    bool // Allow has HEAD where GET is
	takesOptions bool // OPTIONS is answered with 200 and Allow where the path exists
	namesOptions bool // Allow always has OPTIONS

	onlyAddsSlash bool // redirects to the path with a slash, not to the one without
	redirect      int  // status of such a redirect; 0 is 301

	page func(failure) page // nil: the status in plain text
}

// families by the names that cases use.
var families = map[string]family{
	"fastapi":   {firstRoute: true, mount: true, redirect: 307, page: detailPage},
	"starlette": {firstRoute: true, mount: true, takesHead: true, namesHead: true, redirect: 307},
	"flask":     {takesHead: true, namesHead: true, takesOptions: true, namesOptions: true, onlyAddsSlash: true, redirect: 308, page: flaskPage},
	"django":    {takesHead: true, namesHead: true, takesOptions: true, namesOptions: true, onlyAddsSlash: true, page: emptyHTML},
	"aiohttp":   {page: aiohttpPage},

	"express": {takesHead: true, takesOptions: true, page: expressPage},
	"koa":     {takesHead: true, takesOptions: true},
	"fastify": {takesHead: true, page: fastifyPage},

	"spring":  {takesHead: true, takesOptions: true, page: springPage},
	"tomcat":  {takesHead: true, takesOptions: true, page: tomcatPage},
	"jetty":   {takesHead: true, takesOptions: true, page: jettyPage},
	"aspnet":  {page: emptyPage},
	"iis":     {page: iisPage},
	"laravel": {takesHead: true, namesHead: true, takesOptions: true, page: laravelPage},
	"rails":   {takesHead: true, page: emptyHTML},

	"go-servemux": {takesHead: true, namesHead: true, redirect: 307, page: goPage},
	"go-net-http": {takesHead: true, namesHead: true, redirect: 307, page: goPage},
	"net/http":    {takesHead: true, namesHead: true, redirect: 307, page: goPage},
	"gorilla/mux": {noAllow: true, page: emptyPage},
	"gorilla":     {noAllow: true, page: emptyPage},
	"mux":         {noAllow: true, page: emptyPage},
	"gin":         {redirect: 307, page: ginPage},
	"chi":         {page: emptyPage},
	"echo":        {page: echoPage},
	"fiber":       {},
	"axum":        {takesHead: true, namesHead: true, page: emptyPage},

	"nginx-static": {static: true, noAllow: true, page: nginxPage},
	"nginx":        {noAllow: true, page: nginxPage},
	"apache":       {page: apachePage},
	"s3":           {noAllow: true, page: s3Page},
	"minio":        {noAllow: true, page: s3Page},
	"cloudfront":   {noAllow: true, page: cloudfrontPage},
	"kong-admin":   {page: messagePage},
}

// familyOf finds the family of a framework by its name, and else by a part of
// it: apollo-express is an express.
func familyOf(framework string) family {
	name := strings.ToLower(framework)
	if f, ok := families[name]; ok {
		return f
	}
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("-_ ./", r) }) {
		if f, ok := families[part]; ok {
			return f
		}
	}
	return family{}
}

// allow is what Allow lists for the methods of routes.
func (f family) allow(methods []string) []string {
	list := slices.Clone(methods)
	add := func(m string) {
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	if f.namesHead && slices.Contains(list, http.MethodGet) {
		add(http.MethodHead)
	}
	if f.namesOptions && len(list) > 0 {
		add(http.MethodOptions)
	}
	return list
}
