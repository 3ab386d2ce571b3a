package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"diag405/examples/trial"
	"diag405/plugin/diagnose"
)

// world is a set-up of Kong in front of an application, with one known mistake or
// none: an object of worlds.jsonl.
type world struct {
	World     string           `json:"world"`
	Mistake   string           `json:"mistake"` // gateway, client or none
	Truth     []string         `json:"truth"`   // the causes that are right
	Derivable *bool            `json:"derivable"`
	Route     map[string]any   `json:"route"`
	Service   map[string]any   `json:"service"`
	Plugins   []map[string]any `json:"plugins"`
	Request   trial.Request    `json:"request"`
	Follow    string           `json:"follow"` // not empty: the client follows a redirect
}

// UnmarshalJSON reads a set-up and refuses one that could not be counted.
func (w *world) UnmarshalJSON(data []byte) error {
	type plain world
	if err := json.Unmarshal(data, (*plain)(w)); err != nil {
		return err
	}
	switch {
	case w.World == "" || w.Request.Method == "" || w.Request.Path == "":
		return errors.New("world, request.method and request.path are required")
	case !slices.Contains([]string{"gateway", "client", "none"}, w.Mistake):
		return fmt.Errorf("world %q: mistake %q is none of gateway, client, none", w.World, w.Mistake)
	case len(w.Truth) == 0:
		return fmt.Errorf("world %q: no cause is right (truth)", w.World)
	}
	for _, cause := range w.Truth {
		if !slices.Contains(diagnose.Codes(), diagnose.Code(cause)) {
			return fmt.Errorf("world %q: truth %q is no cause that diag405 knows", w.World, cause)
		}
	}
	return nil
}

// gatewayCauses are those that blame a setting of the gateway.
var gatewayCauses = []string{
	"strip-path", "prefix-kept", "service-path", "path-rewrite", "method-rewrite", "host-header", "route-shadowed",
}

// truth is what is right to say of an application in this world: the causes, and
// whether one of the gateway's settings is to blame. An application without the
// API that is written to is the wrong program, whatever the set-up.
func (w *world) truth(a *application) (causes []string, gateway bool) {
	if !a.hasAPI() && isWrite(w.Request.Method) {
		return []string{"wrong-upstream", "method-not-allowed"}, false
	}
	return w.Truth, w.Mistake == "gateway"
}

// derivable reports whether the exchange or an OPTIONS can tell the mistake.
func (w *world) derivable() bool { return w.Derivable == nil || *w.Derivable }

func isWrite(method string) bool {
	return slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, method)
}

// names of what a configuration has; a cause may be about any of them.
const (
	routeName   = "route"
	serviceName = "service"
)

// configuration is the declarative configuration of the world in front of an
// application that listens at host and port, with further plugins in it.
func (w *world) configuration(a *application, host string, port int, more ...map[string]any) ([]byte, error) {
	route := map[string]any{"name": routeName}
	maps.Copy(route, w.Route)
	service := map[string]any{"name": serviceName, "protocol": "http", "host": host, "port": port}
	maps.Copy(service, w.Service)
	service["routes"] = []any{route}
	doc := map[string]any{
		"_format_version": "3.0", "services": []any{service}, "plugins": append(slices.Clone(w.Plugins), more...),
	}
	data, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("writing the configuration of world %q: %w", w.World, err)
	}
	return []byte(a.fill(string(data))), nil
}

// requestTo is the world's request to an application.
func (w *world) requestTo(a *application) trial.Request {
	r := w.Request
	r.Path = a.fill(r.Path)
	return r
}

// fill puts the application's slash where a text of a world leaves it open.
func (a *application) fill(text string) string {
	flip := "/"
	if a.Slash == "/" {
		flip = ""
	}
	return strings.NewReplacer("{s}", a.Slash, "{flip}", flip).Replace(text)
}
