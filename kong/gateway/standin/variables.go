package standin

import (
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"diag405/kong/wire"
)

// variables are the nginx variables that a plugin may ask for, by name.
// http_<name> and its kind are in prefixes.
var variables = map[string]func(x *exchange) string{
	"request":         func(x *exchange) string { return x.client.line },
	"request_uri":     func(x *exchange) string { return x.client.uri },
	"request_method":  func(x *exchange) string { return x.request.method },
	"args":            func(x *exchange) string { return x.request.query },
	"query_string":    func(x *exchange) string { return x.request.query },
	"is_args":         func(x *exchange) string { return onlyIf(x.request.hasQuery, "?") },
	"uri":             decodedURI,
	"document_uri":    decodedURI,
	"host":            func(x *exchange) string { return x.request.host },
	"content_type":    func(x *exchange) string { return x.request.header.Get("Content-Type") },
	"content_length":  func(x *exchange) string { return x.request.header.Get("Content-Length") },
	"scheme":          func(*exchange) string { return "http" },
	"https":           func(*exchange) string { return "" },
	"server_protocol": func(x *exchange) string { return x.client.Proto },
	"server_name":     func(*exchange) string { return "kong" },
	"server_addr":     func(x *exchange) string { ip, _ := x.conn.local(); return ip },
	"server_port":     func(x *exchange) string { _, p := x.conn.local(); return strconv.Itoa(p) },
	"remote_addr":     func(x *exchange) string { ip, _ := x.conn.remote(); return ip },
	"remote_port":     func(x *exchange) string { _, p := x.conn.remote(); return strconv.Itoa(p) },
	"remote_user":     func(*exchange) string { return "" },

	"realip_remote_addr": func(x *exchange) string { ip, _ := x.conn.remote(); return ip },
	"realip_remote_port": func(x *exchange) string { _, p := x.conn.remote(); return strconv.Itoa(p) },
	"proxy_add_x_forwarded_for": func(x *exchange) string {
		ip, _ := x.conn.remote()
		return appended(x.request.header.Get("X-Forwarded-For"), ip)
	},
	"connection":          func(x *exchange) string { return strconv.FormatInt(x.conn.number, 10) },
	"connection_requests": func(x *exchange) string { return strconv.Itoa(x.conn.requests) },
	"pid":                 func(*exchange) string { return strconv.Itoa(os.Getpid()) },
	"msec":                func(*exchange) string { return seconds(time.Since(time.Unix(0, 0))) },
	"request_time":        func(x *exchange) string { return seconds(time.Since(x.started)) },
	"time_iso8601":        func(*exchange) string { return time.Now().Format("2006-01-02T15:04:05-07:00") },
	"time_local":          func(*exchange) string { return time.Now().Format("02/Jan/2006:15:04:05 -0700") },
	"status":              func(x *exchange) string { return fmt.Sprintf("%03d", x.response.status) },
	"bytes_sent":          func(*exchange) string { return "0" },
	"body_bytes_sent":     func(*exchange) string { return "0" },

	"kong_request_id": func(x *exchange) string { return x.id },
	"kong_proxy_mode": func(*exchange) string { return "http" },

	"upstream_scheme":             func(x *exchange) string { return x.upstream.scheme },
	"upstream_uri":                func(x *exchange) string { return x.upstream.uri },
	"upstream_host":               func(x *exchange) string { return x.upstream.host },
	"upstream_connection":         func(x *exchange) string { return x.upstream.connection },
	"upstream_upgrade":            func(x *exchange) string { return x.upstream.upgrade },
	"upstream_te":                 func(x *exchange) string { return x.upstream.te },
	"upstream_via":                func(x *exchange) string { return x.upstream.via },
	"upstream_x_forwarded_for":    func(x *exchange) string { return x.upstream.forwardedFor },
	"upstream_x_forwarded_proto":  func(x *exchange) string { return x.upstream.forwardedProto },
	"upstream_x_forwarded_host":   func(x *exchange) string { return x.upstream.forwardedHost },
	"upstream_x_forwarded_port":   func(x *exchange) string { return x.upstream.forwardedPort },
	"upstream_x_forwarded_path":   func(x *exchange) string { return x.upstream.forwardedPath },
	"upstream_x_forwarded_prefix": func(x *exchange) string { return x.upstream.prefix },
}

// prefixes are variables of which the rest of the name is an argument.
var prefixes = []struct {
	prefix string
	value  func(x *exchange, rest string) string
}{
	{"http_", func(x *exchange, rest string) string { return headerVariable(x.request.header, rest) }},
	{"sent_http_", func(x *exchange, rest string) string { return headerVariable(x.response.header, rest) }},
	{"arg_", rawArg},
	{"cookie_", cookie},
}

// notModelled are variables that nginx has a value for in a phase that plugins
// see, and the stand-in has not. "" would be a wrong answer.
var notModelled = map[string]bool{
	"binary_remote_addr": true, "ctx_ref": true, "document_root": true, "hostname": true, "limit_rate": true,
	"nginx_version": true, "proxy_host": true, "proxy_port": true, "proxy_internal_body_length": true,
	"realpath_root": true, "request_body": true, "request_completion": true, "request_filename": true, "request_id": true,
	"request_length": true, "server_pid": true,
}

// variable is ngx.var[name]; a name that nginx does not know is "". All of
// upstream_addr, upstream_status and upstream_http_* is "" in every phase that
// plugins can ask in: a buffered answer was fetched by a subrequest.
func (x *exchange) variable(name string) (string, error) {
	name = strings.ToLower(name)
	if f, ok := variables[name]; ok {
		return f(x), nil
	}
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(name, p.prefix); ok {
			return p.value(x, rest), nil
		}
	}
	if notModelled[name] {
		return "", fmt.Errorf("the stand-in has no variable $%s", name)
	}
	return "", nil
}

func onlyIf(cond bool, s string) string {
	if cond {
		return s
	}
	return ""
}

// headerVariable is $http_<name>: dashes are underscores, several values are
// joined.
func headerVariable(f wire.Fields, name string) string {
	var values []string
	for _, h := range f {
		if strings.ReplaceAll(strings.ToLower(h.Name), "-", "_") == name {
			values = append(values, h.Value)
		}
	}
	return strings.Join(values, ", ")
}

// rawArg is $arg_<name>: as it stands in the query.
func rawArg(x *exchange, name string) string {
	for pair := range strings.SplitSeq(x.request.query, "&") {
		if k, v, ok := strings.Cut(pair, "="); ok && strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

func cookie(x *exchange, name string) string {
	for _, line := range x.request.header.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			if k, v, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && strings.EqualFold(k, name) {
				return v
			}
		}
	}
	return ""
}

// decodedURI is $uri: nginx's normalised path, decoded.
func decodedURI(x *exchange) string {
	if x.match == nil {
		return ""
	}
	if path, err := url.PathUnescape(x.match.Path); err == nil {
		return path
	}
	return x.match.Path
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
