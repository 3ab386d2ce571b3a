package measured

import (
	"fmt"
	"strings"
)

// Mixed is a declarative configuration with n routes that match by all kinds of
// things, ten to a service, with a plugin here and there: what a company has behind
// one gateway. It is for measuring time; no Kong was asked about it.
func Mixed(n int) []byte {
	return large(n, func(i int) string {
		return fmt.Sprintf(mixed[i%len(mixed)], i)
	})
}

// mixed are routes, with a number for each that has to differ.
var mixed = []string{
	`paths: [/team-%[1]d/api], methods: [GET, POST]`,
	`paths: [/shop, /cart], hosts: [h%[1]d.example.com]`,
	`hosts: [site-%[1]d.example.com]`,
	`paths: ['~/api/v\d+/things-%[1]d/\d+$'], methods: [GET, PUT, DELETE]`,
	`paths: [/reports/%[1]d], headers: {x-tier: [gold, silver]}`,
	`paths: [/files/%[1]d, /archive/%[1]d/], strip_path: false, plugins: [{name: cors}]`,
	`paths: [/], hosts: ['*.tenant-%[1]d.example.com'], preserve_host: true`,
	`paths: [/admin/%[1]d], methods: [POST], hosts: [admin.example.com], headers: {x-role: [admin]}`,
	`paths: ['~/shops/(?<shop>[^/]+)/items-%[1]d'], plugins: [{name: request-transformer, config: {replace: {uri: /items}}}]`,
	`paths: [/v1/orders], headers: {x-tenant: [t%[1]d]}`,
}

// Dumped is a configuration with n routes as deck gateway dump writes it: a line for
// each field, defaults included.
func Dumped(n int) []byte {
	var out strings.Builder
	out.WriteString("_format_version: \"3.0\"\nservices:\n")
	for i := range n {
		if i%10 == 0 {
			fmt.Fprintf(&out, dumpedService, i/10)
		}
		fmt.Fprintf(&out, dumpedRoute, i)
	}
	return []byte(out.String())
}

const dumpedService = `- connect_timeout: 60000
  enabled: true
  host: app-%[1]d.internal
  name: service-%[1]d
  path: /base
  port: 8080
  protocol: http
  read_timeout: 60000
  retries: 5
  write_timeout: 60000
  routes:
`

const dumpedRoute = `  - hosts:
    - h%[1]d.example.com
    https_redirect_status_code: 426
    methods:
    - GET
    - POST
    name: route-%[1]d
    path_handling: v0
    paths:
    - /team-%[1]d/api
    preserve_host: false
    protocols:
    - http
    - https
    regex_priority: 0
    request_buffering: true
    response_buffering: true
    strip_path: true
`

// Regexes is a declarative configuration with n routes whose paths are regular
// expressions that begin alike.
func Regexes(n int) []byte {
	return large(n, func(i int) string {
		return fmt.Sprintf(regexes[i%len(regexes)], i)
	})
}

var regexes = []string{
	`paths: ['~/api/v\d+/users-%[1]d/\d+$'], methods: [GET, DELETE]`,
	`paths: ['~/api/v[12]/orders-%[1]d/[^/]+/items'], strip_path: false`,
	`paths: ['~/(?<lang>en|de|fr)/docs-%[1]d']`,
	`paths: ['~/files-%[1]d/.*\.pdf$'], hosts: [files.example.com], regex_priority: %[1]d`,
}

// large writes n routes, ten to a service.
func large(n int, route func(i int) string) []byte {
	var out strings.Builder
	out.WriteString("_format_version: \"3.0\"\nservices:\n")
	for i := range n {
		if i%10 == 0 {
			fmt.Fprintf(&out, "- name: service-%d\n  url: http://app-%d.internal:8080/base\n  routes:\n", i/10, i/10)
		}
		fmt.Fprintf(&out, "  - {name: route-%d, %s}\n", i, route(i))
	}
	return []byte(out.String())
}
