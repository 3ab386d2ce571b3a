package report

import (
	"fmt"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"

	"diag405/kong/config"
	"diag405/plugin/diagnose"
)

// Form is a fix in a form that can be pasted.
type Form struct {
	Name string // admin_api, declarative or kubernetes
	Text string
}

// DefaultAdmin is where Kong's Admin API listens by default.
const DefaultAdmin = "http://localhost:8001"

// Forms are [FormsAt] the default address of the Admin API.
func Forms(x diagnose.Exchange, f diagnose.Fix) []Form { return FormsAt(DefaultAdmin, x, f) }

// FormsAt gives a fix of the gateway's configuration in the forms in which people
// keep it: a curl for the Admin API (a Kong with a database), a piece of
// declarative YAML (decK, or kong.yml without a database), and the annotation or
// resource of Kong's ingress controller where there is one. A fix that is not of
// the configuration has none. Admin is the address of the Admin API.
func FormsAt(admin string, x diagnose.Exchange, f diagnose.Fix) []Form {
	if len(f.Set) == 0 {
		return nil
	}
	p := paste{x: x, admin: admin}
	for _, key := range sortedKeys(f.Set) {
		kind, field, _ := strings.Cut(key, ".")
		p.add(kind, field, f.Set[key])
	}
	var forms []Form
	for _, form := range []Form{
		{"admin_api", strings.Join(p.curls, "\n")},
		{"declarative", p.declarative()},
		{"kubernetes", strings.Join(p.kubernetes, "\n")},
	} {
		if form.Text != "" {
			forms = append(forms, form)
		}
	}
	return forms
}

// paste collects the forms of a fix, key by key.
type paste struct {
	x          diagnose.Exchange
	admin      string
	curls      []string
	routes     map[string]any // fields of the route
	services   map[string]any // fields of the service
	plugins    []any          // plugins to add to the route
	kubernetes []string
}

func (p *paste) add(kind, field string, value any) {
	switch kind {
	case "route":
		p.curls = append(p.curls, p.curl("PATCH", p.routePath(), map[string]any{field: value}))
		p.routes = with(p.routes, field, value)
	case "service":
		p.curls = append(p.curls, p.curl("PATCH", p.servicePath(), map[string]any{field: value}))
		p.services = with(p.services, field, value)
	case "plugin":
		p.addPlugin(field, value)
	}
	if text := kubernetes(kind, field, value); text != "" {
		p.kubernetes = append(p.kubernetes, text)
	}
}

func (p *paste) addPlugin(name string, config any) {
	plugins := p.routePath() + "/plugins"
	if config == nil {
		// A plugin goes by its id, which a plugin cannot ask for.
		p.curls = append(p.curls, "curl "+quoteShell(p.admin+plugins)+"   # find the id of "+Clean(name)+", then",
			"curl -X DELETE "+quoteShell(p.admin+workspacePath(p.x.Route)+"/plugins/ID"))
		return
	}
	plugin := map[string]any{"name": name, "config": config}
	p.curls = append(p.curls, p.curl("POST", plugins, plugin))
	p.plugins = append(p.plugins, plugin)
}

func (p *paste) routePath() string {
	return workspacePath(p.x.Route) + "/routes/" + url.PathEscape(routeName(p.x))
}

func (p *paste) servicePath() string {
	prefix := ""
	if s := p.x.Service; s != nil && s.Workspace != "" {
		prefix = "/" + url.PathEscape(s.Workspace)
	}
	return prefix + "/services/" + url.PathEscape(serviceName(p.x))
}

// workspacePath is what stands before a route's path in the Admin API.
func workspacePath(r *config.Route) string {
	if r == nil || r.Workspace == "" {
		return ""
	}
	return "/" + url.PathEscape(r.Workspace)
}

func with(m map[string]any, key string, value any) map[string]any {
	if m == nil {
		m = map[string]any{}
	}
	m[key] = value
	return m
}

func (p *paste) curl(method, path string, body map[string]any) string {
	return fmt.Sprintf("curl -X %s %s -H 'Content-Type: application/json' -d %s",
		method, quoteShell(p.admin+path), quoteShell(compactJSON(cleanAll(body))))
}

// quoteShell makes one word of any text for a POSIX shell.
func quoteShell(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:%,=+@", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// declarative is the changed entities as they stand in a declarative file.
func (p *paste) declarative() string {
	doc := map[string]any{}
	if p.services != nil {
		p.services = identified(p.services, serviceName(p.x), p.x.Service != nil && p.x.Service.Name == "")
		doc["services"] = []any{p.services}
	}
	if p.plugins != nil {
		p.routes = with(p.routes, "plugins", p.plugins)
	}
	if p.routes != nil {
		p.routes = identified(p.routes, routeName(p.x), p.x.Route != nil && p.x.Route.Name == "")
		doc["routes"] = []any{p.routes}
	}
	if len(doc) == 0 {
		return ""
	}
	text, err := yaml.Marshal(cleanAll(doc))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(text), "\n")
}

// identified adds what a file knows an entity by: its name, else its id.
func identified(fields map[string]any, name string, isID bool) map[string]any {
	if isID {
		return with(fields, "id", name)
	}
	return with(fields, "name", name)
}

// annotations of Kong's ingress controller, by what they set.
var annotations = map[string]struct{ name, on string }{
	"route.strip_path":                 {"konghq.com/strip-path", "Ingress or HTTPRoute"},
	"route.preserve_host":              {"konghq.com/preserve-host", "Ingress or HTTPRoute"},
	"route.methods":                    {"konghq.com/methods", "Ingress or HTTPRoute"},
	"route.protocols":                  {"konghq.com/protocols", "Ingress or HTTPRoute"},
	"route.https_redirect_status_code": {"konghq.com/https-redirect-status-code", "Ingress or HTTPRoute"},
	"service.path":                     {"konghq.com/path", "Service"},
	"service.protocol":                 {"konghq.com/protocol", "Service"},
}

func kubernetes(kind, field string, value any) string {
	if kind == "plugin" {
		return kubernetesPlugin(field, value)
	}
	a, ok := annotations[kind+"."+field]
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s: %s   # on the %s", a.name, compactJSON(annotationValue(value)), a.on)
}

// annotationValue is always a string; lists are joined with commas.
func annotationValue(value any) string {
	list, ok := value.([]any)
	if !ok {
		return Clean(fmt.Sprint(value))
	}
	words := make([]string, len(list))
	for i := range list {
		words[i] = Clean(fmt.Sprint(list[i]))
	}
	return strings.Join(words, ",")
}

func kubernetesPlugin(name string, config any) string {
	if config == nil {
		return "konghq.com/plugins: \"...\"   # on the Ingress or HTTPRoute and the Service: without the KongPlugin of " + Clean(name)
	}
	text, err := yaml.Marshal(map[string]any{
		"apiVersion": "configuration.konghq.com/v1",
		"kind":       "KongPlugin",
		"metadata":   map[string]any{"name": name},
		"plugin":     name,
		"config":     cleanAll(config),
	})
	if err != nil {
		return ""
	}
	return string(text) + "# and on the Ingress or HTTPRoute\n" + "konghq.com/plugins: " + Clean(name)
}
