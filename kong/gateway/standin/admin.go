package standin

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"diag405/kong/config"
	"diag405/kong/forecast"
)

// version is that of the Kong that the stand-in behaves as.
const version = "3.9.1"

// serveAdmin starts the Admin API, as that of a Kong without a database: what there
// is can be read.
func (g *standIn) serveAdmin() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	g.adminAddress = l.Addr().String()
	g.admin = &http.Server{Handler: g.adminHandler(), ReadHeaderTimeout: 10 * time.Second}
	g.wg.Go(func() { _ = g.admin.Serve(l) }) // until it is closed
	return nil
}

// AdminURL implements [gateway.Gateway].
func (g *standIn) AdminURL() string { return "http://" + g.adminAddress }

type object = map[string]any

func (g *standIn) adminHandler() http.Handler {
	mux := http.NewServeMux()
	answers := map[string]func(r *http.Request, st *state) (int, object){
		"/{$}":    g.adminRoot,
		"/status": g.adminStatus,
		"/services": listing(func(st *state) []object {
			return mapped(st.config.Services, func(s *config.Service) object { return serviceRecord(s, st.loaded) })
		}),
		"/routes":                 listing(func(st *state) []object { return mapped(st.config.Routes, st.routeObject) }),
		"/plugins":                listing(func(st *state) []object { return mapped(st.all, pluginObject) }),
		"/upstreams":              listing(func(st *state) []object { return mapped(st.config.Upstreams, upstreamObject) }),
		"/upstreams/{id}/targets": adminTargets,
		"/schemas/plugins/{name}": g.adminSchema,
		"/":                       func(*http.Request, *state) (int, object) { return 404, object{"message": "Not found"} },
	}
	for path, answer := range answers {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			st := g.acquire()
			defer g.release(st)
			status, body := answer(r, st)
			if r.Method != http.MethodGet && r.Method != http.MethodHead && status == http.StatusOK {
				status, body = refuseChange(r)
			}
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			w.Header().Set("Server", "kong/"+version)
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(body)
		})
	}
	return mux
}

// refuseChange is what a change gets (kong/db/strategies/off/init.lua): 405.
func refuseChange(r *http.Request) (int, object) {
	kind, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	does := map[string]string{http.MethodPost: "create", http.MethodDelete: "delete"}[r.Method]
	if does == "" {
		does = "update"
	}
	return http.StatusMethodNotAllowed, object{
		"code": 12, "name": "operation unsupported",
		"message": "cannot " + does + " '" + kind + "' entities when not using a database",
	}
}

// adminRoot is GET /. Where Kong started a plugin server it fails, for its own
// settings then hold the process, which is no JSON (Kong issue 14260; measured, with
// one worker always).
func (g *standIn) adminRoot(_ *http.Request, st *state) (int, object) {
	available := object{}
	for _, s := range g.servers {
		if s.Started() {
			return http.StatusInternalServerError, object{"message": "An unexpected error occurred"}
		}
		available[s.Info.Name] = object{"version": s.Info.Version, "priority": s.Info.Priority}
	}
	for name := range bundledPlugins {
		known, _ := forecast.Known(name)
		available[name] = object{"version": version, "priority": known.Priority}
	}
	hostname, _ := os.Hostname() // "" is no harm
	return http.StatusOK, object{
		"version": version, "tagline": "Welcome to kong", "edition": "community", "node_id": g.nodeID, "hostname": hostname,
		"plugins":       object{"available_on_server": available, "enabled_in_cluster": st.names()},
		"configuration": object{"database": "off", "role": "traditional", "router_flavor": g.options.RouterFlavor(), "prefix": g.prefix},
	}
}

// adminSchema tells only whether there is a schema.
func (g *standIn) adminSchema(r *http.Request, _ *state) (int, object) {
	name := r.PathValue("name")
	if g.servers[name] == nil && bundledPlugins[name] == nil {
		return http.StatusNotFound, object{"message": "No plugin named '" + name + "'"}
	}
	return http.StatusOK, object{"fields": []object{}}
}

// names are those of the plugins in force.
func (s *state) names() []string {
	out := []string{}
	for _, p := range s.plugins {
		if !slices.Contains(out, p.name()) {
			out = append(out, p.name())
		}
	}
	return out
}

func (g *standIn) adminStatus(_ *http.Request, st *state) (int, object) {
	hash := md5.Sum([]byte(st.loaded.String()))
	return http.StatusOK, object{
		"configuration_hash": hex.EncodeToString(hash[:]),
		"server":             object{"total_requests": g.numbers.Load()},
	}
}

// listing is a collection, in one page.
func listing(of func(*state) []object) func(*http.Request, *state) (int, object) {
	return func(_ *http.Request, st *state) (int, object) {
		return http.StatusOK, object{"data": of(st), "next": nil}
	}
}

func mapped[T any](list []T, to func(T) object) []object {
	out := make([]object, len(list))
	for i, x := range list {
		out[i] = to(x)
	}
	return out
}

func adminTargets(r *http.Request, st *state) (int, object) {
	i := slices.IndexFunc(st.config.Upstreams, func(u *config.Upstream) bool {
		return u.ID == r.PathValue("id") || u.Name == r.PathValue("id")
	})
	if i < 0 {
		return http.StatusNotFound, object{"message": "Not found"}
	}
	u := st.config.Upstreams[i]
	return http.StatusOK, object{"next": nil, "data": mapped(u.Targets, func(t config.Target) object {
		return object{"target": net.JoinHostPort(t.Host, strconv.Itoa(t.Port)), "weight": t.Weight, "upstream": object{"id": u.ID}}
	})}
}

// routeObject is a route with its expression, which no log record has.
func (s *state) routeObject(r *config.Route) object {
	out := routeRecord(r, s.loaded)
	if r.Expression != "" {
		out["expression"], out["priority"] = r.Expression, r.Priority
		delete(out, "path_handling")
		delete(out, "regex_priority")
	}
	return out
}

// pluginObject is a plugin with its defaults filled in, as Kong gives it.
func pluginObject(p *boundPlugin) object {
	e := p.entity
	out := object{
		"id": e.ID, "name": e.Name, "enabled": e.Enabled, "protocols": e.Protocols, "config": p.config,
		"service": nil, "route": nil, "consumer": nil, "instance_name": orNull(e.InstanceName),
	}
	if e.Service != nil {
		out["service"] = object{"id": e.Service.ID}
	}
	if e.Route != nil {
		out["route"] = object{"id": e.Route.ID}
	}
	if e.Consumer != "" {
		out["consumer"] = object{"id": e.Consumer}
	}
	return out
}

func upstreamObject(u *config.Upstream) object {
	return object{"id": u.ID, "name": u.Name, "algorithm": u.Algorithm, "host_header": orNull(u.HostHeader)}
}

// orNull is what JSON has for a text that is not set.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
