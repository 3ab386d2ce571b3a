package standin

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"diag405/kong/wire"
)

// answer is an answer that Kong or a plugin makes: kong.response.exit.
type answer struct {
	status int
	header wire.Fields
	body   []byte // nil: none, and nginx may put one of its pages
}

// mediaTypes are the types that Kong has an error template for, by what an
// Accept header may call them (kong/tools/http.lua).
var mediaTypes = map[string]string{
	"text/html":        "text/html; charset=utf-8",
	"application/json": "application/json; charset=utf-8",
	"text/plain":       "text/plain; charset=utf-8",
	"application/xml":  "application/xml; charset=utf-8",
	"application/*":    "application/json; charset=utf-8",
	"text/*":           "text/plain; charset=utf-8",
	"*/*":              "application/json; charset=utf-8",
	"application/grpc": "",
}

const jsonType = "application/json; charset=utf-8"

// templates of error bodies: message, then request id.
var templates = map[string]string{
	mediaTypes["application/json"]: "{\n  \"message\":\"%s\",\n  \"request_id\":\"%s\"\n}",
	mediaTypes["text/plain"]:       "%s\nrequest_id: %s\n",
	mediaTypes["text/html"]: "<!doctype html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">\n    <title>Error</title>\n  </head>\n" +
		"  <body>\n    <h1>Error</h1>\n    <p>%s.</p>\n    <p>request_id: %s</p>\n  </body>\n</html>\n",
	mediaTypes["application/xml"]: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error>\n  <message>%s</message>\n" +
		"  <requestid>%s</requestid>\n</error>\n",
}

// acceptValue is one element of an Accept header, as get_response_type in
// kong/tools/http.lua reads it.
var acceptValue = regexp.MustCompile(`(?i)^([a-z0-9][-a-z0-9!#$&^_+.]+|\*)/([a-z0-9][-a-z0-9!#$&^_+.]+|\*)` +
	`(?:\s*;\s*q=(1(?:\.0{0,3})?|0(?:\.\d{0,3})?)|\s*;\s*[a-z0-9][-a-z0-9!#$&^_+.]+(?:=[^;]*)?)*`)

// errorType is the media type of Kong's answer to a request that accepts accept.
func errorType(accept string) string {
	best, chosen := 0.0, jsonType
	for value := range strings.SplitSeq(accept, ",") {
		m := acceptValue.FindStringSubmatch(strings.TrimSpace(value))
		if m == nil {
			continue
		}
		q := 1.0
		if m[3] != "" {
			q, _ = strconv.ParseFloat(m[3], 64)
		}
		if q <= best {
			continue
		}
		best = q
		if t, ok := mediaTypes[m[1]+"/"+m[2]]; ok {
			chosen = t
		} else {
			chosen = jsonType
		}
	}
	return chosen
}

// errorAnswer is kong.response.error.
func (x *exchange) errorAnswer(status int, message string, header ...wire.Field) *answer {
	t := errorType(strings.Join(x.request.header.Values("Accept"), ","))
	a := &answer{status: status, header: header, body: fmt.Appendf(nil, templates[t], message, x.id)}
	a.header.Set("Content-Type", t)
	return a
}

// errorMessages are what Kong's error handler says (kong/error_handlers.lua).
var errorMessages = map[int]string{
	400: "Bad request", 404: "Not found", 405: "Method not allowed", 408: "Request timeout",
	411: "Length required", 412: "Precondition failed", 413: "Payload too large", 414: "URI too long",
	417: "Expectation failed", 500: "An unexpected error occurred",
	502: "An invalid response was received from the upstream server",
	503: "The upstream server is currently unavailable", 504: "The upstream server is timing out",
}

// errorPage is the answer of Kong's error handler (error_page in
// kong/templates/nginx_kong.lua). Unlike errorAnswer it is plain text by default.
func (x *exchange) errorPage(status int) *answer {
	x.response.unexpected = true
	accept := "text/plain"
	for _, name := range []string{"Content-Type", "Accept"} {
		if x.request.header.Has(name) {
			accept = x.request.header.Get(name)
		}
	}
	t := errorType(accept)
	return &answer{
		status: status,
		header: wire.Fields{{Name: "Content-Type", Value: t}},
		body:   fmt.Appendf(nil, templates[t], errorMessages[status], x.id),
	}
}

// handledPages are the statuses that error_page sends to Kong's error handler,
// and nginxPages those that nginx has a page for.
var (
	handledPages = []int{400, 404, 405, 408, 411, 412, 413, 414, 417, 500, 502, 503, 504}
	nginxPages   = []int{301, 302, 303, 307, 308, 401, 402, 403, 406, 409, 410, 415, 416, 421, 429, 501, 505, 507}
	pageTitles   = map[int]string{302: "302 Found", 416: "416 Requested Range Not Satisfiable", 503: "503 Service Temporarily Unavailable"}
)

// page is what nginx does with an answer that has no body: Kong's error
// handler, a page of its own, or nothing
// (src/http/ngx_http_special_response.c).
func (x *exchange) page(a *answer) *answer {
	switch {
	case slices.Contains(handledPages, a.status):
		p := x.errorPage(a.status)
		p.header = append(p.header, a.header...)
		return p
	case slices.Contains(nginxPages, a.status):
		title := pageTitles[a.status]
		if title == "" {
			title = strings.TrimPrefix(wire.StatusLine(a.status), "HTTP/1.1 ")
		}
		p := &answer{status: a.status, header: a.header.Clone(), body: fmt.Appendf(nil, "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n"+
			"<center><h1>%[1]s</h1></center>\r\n</body>\r\n</html>\r\n", title)}
		p.header.Set("Content-Type", "text/html")
		return p
	}
	return a
}

// apply makes a the answer of x, over header fields that plugins have set
// (send in kong/pdk/response.lua).
func (x *exchange) apply(a *answer) {
	if a.body == nil {
		a = x.page(a)
	}
	x.response.status = a.status
	for _, name := range a.header.Names() {
		if name == "transfer-encoding" {
			continue
		}
		x.response.header.Set(spelling(a.header, name), a.header.Values(name)...)
	}
	if !a.header.Has("Content-Length") {
		x.response.header.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	x.response.body = a.body
}

// spelling is how a field's name is written.
func spelling(f wire.Fields, name string) string {
	for _, h := range f {
		if strings.EqualFold(h.Name, name) {
			return h.Name
		}
	}
	return name
}

// charsetTypes are the types to which nginx's "charset UTF-8" adds one
// (charset_types' default).
var charsetTypes = []string{
	"text/html", "text/xml", "text/plain", "text/vnd.wap.wml", "application/javascript", "application/rss+xml",
}

// addCharset does what nginx's charset filter does; it leaves 301 and 302 alone.
func addCharset(status int, f wire.Fields) {
	if status == 301 || status == 302 {
		return
	}
	for i, h := range f {
		if strings.EqualFold(h.Name, "Content-Type") && slices.Contains(charsetTypes, strings.ToLower(strings.TrimSpace(h.Value))) {
			f[i].Value += "; charset=UTF-8"
		}
	}
}
