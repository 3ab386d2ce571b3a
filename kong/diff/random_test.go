package diff_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/diff"
)

// maker makes configurations and requests from few hosts, paths and methods, so that
// routes get into each other's way.
type maker struct {
	*rand.Rand
	ports []int // of the upstreams
}

type object = map[string]any

func (m maker) pick(list ...any) any { return list[m.IntN(len(list))] }

// chance is true n times of 100.
func (m maker) chance(n int) bool { return m.IntN(100) < n }

// some are different ones of a list, or nil.
func (m maker) some(never int, list ...any) any {
	if m.chance(never) {
		return nil
	}
	m.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:1+m.IntN(min(2, len(list)))]
}

func (m maker) flavor() config.Flavor { return config.Flavors[m.IntN(len(config.Flavors))] }

func (m maker) document(f config.Flavor) object {
	services := []any{m.service(0), m.service(1)}
	var routes, plugins []any
	for i := range 1 + m.IntN(5) {
		routes = append(routes, m.route(fmt.Sprintf("r%d", i), f))
	}
	for range m.IntN(2) {
		plugins = append(plugins, m.plugin(routes))
	}
	return object{"_format_version": "3.0", "services": services, "routes": routes, "plugins": plugins}
}

func (m maker) service(i int) object {
	n := m.IntN(len(m.ports))
	s := object{"name": fmt.Sprintf("s%d", i), "protocol": "http", "host": fmt.Sprintf("up%d.test", n), "port": m.ports[n]}
	if path := m.pick("", "/", "/s", "/s/"); path != "" {
		s["path"] = path
	}
	return s
}

func (m maker) route(name string, f config.Flavor) object {
	r := object{"name": name, "service": object{"name": m.pick("s0", "s1")}, "strip_path": m.chance(50), "preserve_host": m.chance(30)}
	if m.chance(5) {
		delete(r, "service")
	}
	if f == config.Expressions && m.chance(40) {
		r["expression"], r["priority"] = m.expression(), m.IntN(3)
		return r
	}
	for field, value := range m.match(f) {
		if value != nil {
			r[field] = value
		}
	}
	if r["paths"] == nil && r["hosts"] == nil && r["methods"] == nil && r["headers"] == nil {
		r["paths"] = []any{"/"}
	}
	return r
}

func (m maker) match(f config.Flavor) object {
	o := object{
		"paths":   m.some(15, "/", "/a", "/a/", "/a/b", "/ab", "/b", `~/a/\d+$`, `~/a/[^/]+`, `~/(?<x>a|b)/1`, `~/b$`, "~/a|/b"),
		"hosts":   m.some(60, "a.test", "b.test", "*.test", "a.*"),
		"methods": m.some(60, "GET", "POST", "PUT"),
	}
	if m.chance(15) {
		o["headers"] = object{"x-v": m.pick([]any{"1"}, []any{"1", "2"}, []any{"~*^[23]$"})}
	}
	if m.chance(10) {
		o["protocols"] = []any{"https"}
		o["https_redirect_status_code"] = m.pick(426, 301)
	}
	if m.chance(10) {
		o["regex_priority"] = m.IntN(3)
	}
	if m.chance(10) && f == config.Traditional {
		o["path_handling"] = "v1"
	}
	return o
}

func (m maker) expression() string {
	predicate := func() string {
		return m.pick(`http.path ^= "/a"`, `http.path == "/a/b"`, `http.path ~ "^/a/[0-9]+$"`, `http.method == "GET"`,
			`http.host == "a.test"`, `http.headers.x_v == "1"`, `!(http.method == "POST")`, `http.host =^ ".test"`).(string)
	}
	parts := []string{predicate()}
	for range m.IntN(3) {
		parts = append(parts, predicate())
	}
	return strings.Join(parts, m.pick(" && ", " && ", " || ").(string))
}

func (m maker) plugin(routes []any) object {
	p := m.pick(
		object{"name": "request-termination", "config": object{"status_code": 410}},
		object{"name": "request-termination", "config": object{"status_code": 410, "trigger": "x-stop"}},
		object{"name": "request-transformer", "config": object{"replace": object{"uri": "/fixed"}}},
		object{"name": "request-transformer", "config": object{"http_method": "PUT"}},
		object{"name": "request-transformer", "config": object{"replace": object{"headers": []any{"Host:c.test"}}}},
		object{"name": "request-transformer", "config": object{"remove": object{"querystring": []any{"q"}}}},
		object{"name": "cors", "config": object{"origins": []any{"*"}}},
	).(object)
	switch m.IntN(3) {
	case 0:
		p["route"] = object{"name": routes[m.IntN(len(routes))].(object)["name"]}
	case 1:
		p["service"] = object{"name": m.pick("s0", "s1")}
	}
	return p
}

// mutate changes a configuration a little.
func (m maker) mutate(before object, f config.Flavor) object {
	var doc object
	data, _ := json.Marshal(before)
	_ = json.Unmarshal(data, &doc)
	for range 1 + m.IntN(2) {
		m.mutateOnce(doc, f)
	}
	return doc
}

func (m maker) mutateOnce(doc object, f config.Flavor) {
	routes := doc["routes"].([]any)
	at := m.IntN(len(routes))
	r := routes[at].(object)
	switch m.IntN(10) {
	case 0:
		if doc["plugins"] == nil && len(routes) > 1 {
			doc["routes"] = slices.Delete(routes, at, at+1)
		}
	case 1:
		doc["routes"] = append(routes, m.route(fmt.Sprintf("n%d", m.IntN(1000)), f))
	case 2:
		r["strip_path"] = r["strip_path"] != true
	case 3:
		r["preserve_host"] = r["preserve_host"] != true
	case 4:
		m.mutateService(doc)
	case 5:
		plugins, _ := doc["plugins"].([]any)
		if len(plugins) == 0 {
			doc["plugins"] = []any{m.plugin(routes)}
		} else {
			doc["plugins"] = nil
		}
	case 6:
		if doc["plugins"] == nil {
			r["name"] = fmt.Sprintf("n%d", m.IntN(1000))
		}
	default:
		m.mutateMatch(r, f)
	}
}

func (m maker) mutateService(doc object) {
	services := doc["services"].([]any)
	at := m.IntN(len(services))
	name := services[at].(object)["name"]
	services[at] = m.service(0)
	services[at].(object)["name"] = name
}

func (m maker) mutateMatch(r object, f config.Flavor) {
	if r["expression"] != nil {
		r["expression"], r["priority"] = m.expression(), m.IntN(3)
		return
	}
	now := m.match(f)
	field := m.pick("paths", "hosts", "methods", "headers", "regex_priority").(string)
	old := r[field]
	if delete(r, field); now[field] != nil {
		r[field] = now[field]
	}
	if r["paths"] == nil && r["hosts"] == nil && r["methods"] == nil && r["headers"] == nil {
		r[field] = old
	}
}

func (m maker) request() diff.Witness {
	var path strings.Builder
	for range 1 + m.IntN(3) {
		path.WriteString("/" + m.pick("a", "b", "ab", "1", "12", "s", "x", "").(string))
	}
	w := diff.Witness{
		Method: m.pick("GET", "POST", "PUT", "OPTIONS", "PATCH").(string), Target: strings.ReplaceAll(path.String(), "//", "/"),
		Host: m.pick("a.test", "b.test", "c.test", "a.example", "x.y.test", "other").(string), Scheme: "http", Header: map[string][]string{},
	}
	if m.chance(20) {
		w.Target += "?q=1"
	}
	if m.chance(20) {
		w.Scheme = "https"
	}
	if m.chance(30) {
		w.Header["X-V"] = []string{m.pick("1", "2", "3", "4").(string)}
	}
	if m.chance(10) {
		w.Header["X-Stop"] = []string{"1"}
	}
	if w.Method == "OPTIONS" && m.chance(50) {
		maps.Copy(w.Header, map[string][]string{"Origin": {"https://a.test"}, "Access-Control-Request-Method": {"PUT"}})
	}
	return w
}
