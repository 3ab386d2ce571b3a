package diagnose

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
)

// kind is what sort of program answered.
type kind string

const (
	kindStatic  kind = "a file server"       // serves files, or one page for every path
	kindMount   kind = "a static mount"      // an application's own, which takes every path that no route has
	kindStore   kind = "an object store"     // S3 and what speaks like it
	kindCDN     kind = "a cache or firewall" // stands before an application and may answer by itself
	kindGateway kind = "another gateway"     // proxies on
	kindWebDAV  kind = "a WebDAV module"     // takes PUT and DELETE before the application sees them
	kindApp     kind = "an application"      // a web framework
	kindSomeone kind = ""                    // the answer does not tell
)

// responder is who answered, as far as the answer tells, and by what.
type responder struct {
	kind     kind
	name     string
	evidence string
	// partial: its Allow names the methods of the first route that has the path, and
	// others may be taken (Starlette, measured).
	partial bool
}

func (r responder) facts() []string {
	if r.kind == kindSomeone {
		return nil
	}
	return []string{r.kind.with(r.name) + " answered: " + r.evidence}
}

func (k kind) with(name string) string { return string(k) + " (" + name + ")" }

// sign is a mark by which a program is recognised.
type sign struct {
	kind kind
	name string
	// header and prefix: a header with a value that begins so, in any case. An empty
	// prefix asks only that the header is there.
	header, prefix string
	// body: text near the start of the body.
	body string
	// when says what else must hold.
	when func(*view) bool
	// partial is that of responder.
	partial bool
}

// signs are tried in order. Narrow ones come first: an application may stand
// behind nginx or a CDN, and its own marks are worth more than theirs.
var signs = []sign{
	{kind: kindMount, name: "Starlette", body: `{"detail":"Method Not Allowed"}`, when: noAllow},
	{kind: kindApp, name: "FastAPI or Starlette", body: `{"detail":"Method Not Allowed"}`, partial: true},
	{kind: kindApp, name: "Django REST framework", body: `{"detail":"Method \"`},
	{kind: kindApp, name: "Werkzeug", body: "The method is not allowed for the requested URL."},
	{kind: kindApp, name: "Spring", body: `"error":"Method Not Allowed"`},
	{kind: kindApp, name: "Tomcat", body: "HTTP Status 405"},
	{kind: kindStore, name: "S3", body: "<Code>MethodNotAllowed</Code>"},
	{kind: kindStore, name: "Amazon S3", header: "Server", prefix: "AmazonS3"},
	{kind: kindStore, name: "MinIO", header: "Server", prefix: "MinIO"},
	{kind: kindStore, name: "S3", header: "X-Amz-Request-Id", when: noFramework},
	{kind: kindStore, name: "Azure Storage", header: "X-Ms-Request-Id", when: noFramework},
	{kind: kindStore, name: "Google Cloud Storage", header: "X-Guploader-Uploadid"},
	{kind: kindWebDAV, name: "IIS", header: "Server", prefix: "Microsoft-IIS", when: takenByWebDAV},
	{kind: kindCDN, name: "CloudFront", header: "X-Amz-Cf-Id", when: noAllow},
	{kind: kindCDN, name: "CloudFront", header: "Server", prefix: "CloudFront"},
	{kind: kindCDN, name: "Cloudflare", header: "Server", prefix: "cloudflare", when: noAllow},
	{kind: kindCDN, name: "Akamai", header: "Server", prefix: "AkamaiGHost"},
	{kind: kindCDN, name: "Fastly", header: "X-Served-By", prefix: "cache-", when: noAllow},
	{kind: kindCDN, name: "Azure Front Door", header: "X-Azure-Ref", when: noAllow},
	{kind: kindStatic, name: "nginx", body: "<center>nginx"},
	{kind: kindStatic, name: "nginx", header: "Server", prefix: "nginx", when: noAllow},
	{kind: kindStatic, name: "nginx", header: "Server", prefix: "openresty", when: noAllow},
	{kind: kindStatic, name: "GitHub Pages", header: "Server", prefix: "GitHub.com"},
	{kind: kindStatic, name: "Netlify", header: "Server", prefix: "Netlify", when: noAllow},
	{kind: kindMount, name: "Starlette", header: "Server", prefix: "uvicorn", when: noAllow},
	{kind: kindMount, name: "Starlette", header: "Server", prefix: "hypercorn", when: noAllow},
	{kind: kindGateway, name: "Kong", header: "Server", prefix: "kong/"},
	{kind: kindGateway, name: "Envoy", header: "Server", prefix: "envoy", when: noAllow},
	{kind: kindApp, name: "an ASGI application", header: "Server", prefix: "uvicorn", partial: true},
	{kind: kindApp, name: "Tornado", header: "Server", prefix: "TornadoServer"},
	{kind: kindApp, name: "Waitress", header: "Server", prefix: "waitress"},
	{kind: kindApp, name: "Django's own server", header: "Server", prefix: "WSGIServer"},
	{kind: kindApp, name: "Werkzeug", header: "Server", prefix: "Werkzeug"},
	{kind: kindApp, name: "a WSGI application", header: "Server", prefix: "gunicorn"},
	{kind: kindApp, name: "aiohttp", header: "Server", prefix: "Python/"},
	{kind: kindApp, name: "ASP.NET Core", header: "Server", prefix: "Kestrel"},
	{kind: kindApp, name: "Express", header: "X-Powered-By", prefix: "Express"},
	{kind: kindApp, name: "PHP", header: "X-Powered-By", prefix: "PHP"},
	{kind: kindApp, name: "Jetty", header: "Server", prefix: "Jetty"},
}

// maxSignBody is how much of a body is searched for a sign, in bytes.
const maxSignBody = 2048

func (v *view) recognise() responder {
	body := v.Response.Body
	body = body[:min(len(body), maxSignBody)]
	for _, s := range signs {
		if evidence := s.seenIn(v, body); evidence != "" && (s.when == nil || s.when(v)) {
			return responder{s.kind, s.name, evidence, s.partial}
		}
	}
	return responder{}
}

// seenIn returns where the sign was seen, in words, or "".
func (s sign) seenIn(v *view, body []byte) string {
	if s.body != "" {
		if bytes.Contains(body, []byte(s.body)) {
			return "its body says so"
		}
		return ""
	}
	value := v.Response.Header.Get(s.header)
	if value == "" || len(value) < len(s.prefix) || !strings.EqualFold(value[:len(s.prefix)], s.prefix) {
		return ""
	}
	evidence := s.header + ": " + value
	if s.prefix == "" {
		evidence = "a header " + s.header
	}
	if noAllow(v) {
		evidence += ", and no Allow"
	}
	return evidence
}

// noAllow reports a 405 without the Allow that RFC 9110 section 15.5.6 asks for. A 404
// never has one.
func noAllow(v *view) bool { return !v.allow.Sent && !v.missing() }

// noFramework keeps marks that an application's own libraries may leave from
// being taken for the store itself.
func noFramework(v *view) bool { return v.Response.Header.Get("X-Powered-By") == "" }

// takenByWebDAV: IIS hands PUT, DELETE and the WebDAV methods to its WebDAV module
// when that is installed, whose Allow names only what reads.
func takenByWebDAV(v *view) bool {
	return v.allow.ReadOnly() && slices.Contains([]string{http.MethodPut, http.MethodDelete, http.MethodPatch}, v.Upstream.Method)
}
