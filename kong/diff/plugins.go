package diff

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/sample"
)

// boundPlugins are plugins by what they are bound to: a route, a service, or nil.
type boundPlugins map[any][]*config.Plugin

// pluginsByTarget are those that may have a part in what an upstream gets.
func pluginsByTarget(cfg *config.Config) boundPlugins {
	b := boundPlugins{}
	for _, p := range cfg.Plugins {
		if !matters(p) {
			continue
		}
		to := p.On()
		b[to] = append(b[to], p)
	}
	return b
}

// matters: Kong's own plugins of which nothing is to be said leave the request alone.
func matters(p *config.Plugin) bool {
	known, ok := forecast.Known(p.Name)
	return p.Enabled && (!ok || known.Does != "" || known.Transforms || known.Ends != forecast.Never ||
		known.Path != forecast.Never || known.Method != forecast.Never || known.Buffers != forecast.Streams)
}

// of are those that run for requests of a route: for anybody, and for somebody.
func (b boundPlugins) of(r *config.Route) []*config.Plugin {
	all := slices.Concat(b[nil], b[r])
	if r.Service != nil {
		all = append(all, b[r.Service]...)
	}
	list := config.Applying(all, config.Scope{Route: r, Service: r.Service})
	for _, p := range all {
		if p.ForSome() && p.MayApply(r, r.Service) {
			list = append(list, p)
		}
	}
	slices.SortStableFunc(list, func(a, b *config.Plugin) int {
		return strings.Compare(a.Name+a.Consumer+a.ConsumerGroup, b.Name+b.Consumer+b.ConsumerGroup)
	})
	return list
}

// workedOut are plugins whose part forecast works out.
var workedOut = []string{"cors", "request-termination", "request-transformer"}

// opaque is what plugins do to a request that is not worked out. Of a transformer that
// is what it does to headers and body.
func opaque(plugins []*config.Plugin) string {
	var list []any
	for _, p := range plugins {
		known, ok := forecast.Known(p.Name)
		switch {
		case p.Name == "request-transformer":
			if rest := beyondLine(p.Config); len(rest) > 0 {
				list = append(list, p.Name, rest, p.Consumer, p.ConsumerGroup)
			}
		case slices.Contains(workedOut, p.Name):
		case !ok || known.Does != "":
			list = append(list, p.Name, p.Config, p.Consumer, p.ConsumerGroup)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return text(list)
}

// beyondLine is what a transformer does to headers and body, but for the Host.
func beyondLine(conf map[string]any) map[string]any {
	rest := map[string]any{}
	for _, action := range []string{"remove", "rename", "replace", "add", "append", "allow"} {
		targets, _ := conf[action].(map[string]any)
		for _, what := range []string{"headers", "body"} {
			list, _ := targets[what].([]any)
			list = slices.DeleteFunc(slices.Clone(list), isHost)
			if len(list) > 0 {
				rest[action+"."+what] = list
			}
		}
	}
	return rest
}

// isHost: what becomes of the Host is worked out.
func isHost(pair any) bool {
	name, _, _ := strings.Cut(fmt.Sprint(pair), ":")
	return strings.EqualFold(name, "host")
}

// A variant is what to add to a request so that a plugin has something to do.
type variant struct {
	method   string // "" for the request's own
	header   map[string]string
	query    string
	consumer string
	group    string
}

// variants are those of plugins.
func variants(plugins []*config.Plugin) []variant {
	var list []variant
	for _, p := range plugins {
		v := variant{consumer: p.Consumer, group: p.ConsumerGroup}
		if p.ForSome() {
			list = append(list, v)
		}
		switch p.Name {
		case "cors":
			v.method = "OPTIONS"
			v.header = map[string]string{"Origin": "https://" + sample.Unnamed + ".example", "Access-Control-Request-Method": "POST"}
			list = append(list, v)
		case "request-transformer", "request-termination":
			if method, _ := p.Config["http_method"].(string); method != "" {
				list = append(list, variant{method: strings.ToUpper(method), consumer: p.Consumer, group: p.ConsumerGroup})
			}
			if named := v.naming(p); named.query != "" || len(named.header) > 0 {
				list = append(list, named)
			}
		}
	}
	return list
}

// inTemplate are the headers and arguments that a template looks at.
var inTemplate = regexp.MustCompile(`(headers|query_params)(?:\.|\[["'])([\w-]+)`)

// naming is a variant that has the headers and arguments which a plugin names.
func (v variant) naming(p *config.Plugin) variant {
	v.header = map[string]string{}
	var query []string
	add := func(kind, name string) {
		name, _, _ = strings.Cut(name, ":")
		switch {
		case name == "" || strings.EqualFold(name, "host"):
		case kind == "headers":
			v.header[strings.ReplaceAll(name, "_", "-")] = sample.Unnamed
		case !slices.Contains(query, name+"="+sample.Unnamed):
			query = append(query, name+"="+sample.Unnamed)
		}
	}
	for _, m := range inTemplate.FindAllStringSubmatch(text(p.Config), -1) {
		add(m[1], m[2])
	}
	for _, action := range []string{"remove", "rename", "replace", "add", "append"} {
		targets, _ := p.Config[action].(map[string]any)
		for _, kind := range []string{"headers", "querystring"} {
			list, _ := targets[kind].([]any)
			for _, pair := range list {
				name, _ := pair.(string)
				add(kind, name)
			}
		}
	}
	if trigger, _ := p.Config["trigger"].(string); trigger != "" {
		add("headers", trigger)
	}
	if len(query) > 0 {
		v.query = "?" + strings.Join(query, "&")
	}
	return v
}

// of is a request with what the variant adds.
func (v variant) of(w Witness) Witness {
	if v.method != "" {
		w.Method = v.method
	}
	w.Header = w.Header.Clone()
	for name, value := range v.header {
		w.Header.Set(name, value)
	}
	if v.query != "" && !strings.Contains(w.Target, "?") {
		w.Target += v.query
	}
	w.Consumer, w.Group = v.consumer, v.group
	return w
}
