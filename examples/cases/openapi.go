package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"diag405/kong/config"
	"diag405/kong/router"
)

// destination is the service that the case's request goes to, nil when Kong has
// none for it.
func (c *Case) destination() (*config.Config, *config.Service) {
	cfg, err := config.Parse(c.Kong)
	if err != nil {
		return nil, nil
	}
	r, err := router.New(cfg)
	if err != nil {
		return cfg, nil
	}
	header := http.Header{}
	for name, value := range c.Request.Headers {
		header.Set(name, value)
	}
	m, ok := r.Match(router.Request{
		Method: c.Request.Method, Target: c.Request.Path, Host: c.Request.Host, Scheme: c.Request.Scheme, Header: header,
	})
	if !ok {
		return cfg, nil
	}
	return cfg, m.Service
}

// openAPI is a document of everything that the case's applications offer, such as
// an operator gets from their developers. It is not only of those behind the
// service that the request reached: that this is the wrong one may be the case.
func (c *Case) openAPI() []byte {
	paths := map[string]map[string]any{}
	for _, at := range slices.Sorted(maps.Keys(c.Apps)) {
		for _, route := range c.Apps[at].Routes {
			addPath(paths, route)
		}
	}
	data, err := json.MarshalIndent(map[string]any{
		"openapi": "3.1.0",
		"info":    map[string]any{"title": "application", "version": "1"},
		"paths":   paths,
	}, "", "  ")
	if err != nil {
		panic("bug: a document that JSON cannot have: " + err.Error())
	}
	return data
}

// operations are the methods that OpenAPI 3.1 can describe.
var operations = map[string]bool{
	"GET": true, "PUT": true, "POST": true, "DELETE": true, "OPTIONS": true, "HEAD": true, "PATCH": true, "TRACE": true,
}

var parameter = regexp.MustCompile(`\{([^}:]*)(:[^}]*)?\}`)

// addPath adds a route. OpenAPI cannot say that a parameter spans segments.
func addPath(paths map[string]map[string]any, route AppRoute) {
	path := parameter.ReplaceAllString(route.Path, "{$1}")
	item := paths[path]
	if item == nil {
		item = map[string]any{}
		paths[path] = item
	}
	var parameters []any
	for _, m := range parameter.FindAllStringSubmatch(route.Path, -1) {
		parameters = append(parameters, map[string]any{
			"name": m[1], "in": "path", "required": true, "schema": map[string]any{"type": "string"},
		})
	}
	if parameters != nil {
		item["parameters"] = parameters
	}
	for _, method := range route.Methods {
		if operations[method] {
			item[strings.ToLower(method)] = map[string]any{
				"responses": map[string]any{"200": map[string]any{"description": "success"}},
			}
		}
	}
}
