package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Admin is a configuration as Kong's Admin API gives it: the objects that its
// collections list, each as JSON.
type Admin struct {
	Services  []json.RawMessage // GET /services
	Routes    []json.RawMessage // GET /routes
	Plugins   []json.RawMessage // GET /plugins
	Upstreams []json.RawMessage // GET /upstreams
	Targets   []json.RawMessage // GET /upstreams/{id}/targets of each
}

// FromAdmin reads a configuration from what the Admin API gave, for a router
// flavour as in [Parse]. Ids are the real ones. Fields that neither routing nor the way of a request needs are passed
// over, known to this package or not.
func FromAdmin(a Admin, options ...Option) (*Config, error) {
	doc := map[string]any{"_format_version": "3.0"}
	for _, c := range []struct {
		kind    string
		objects []json.RawMessage
		fields  []string
	}{
		{"services", a.Services, serviceFields},
		{"routes", a.Routes, routeFields},
		{"plugins", a.Plugins, pluginFields},
		{"upstreams", a.Upstreams, upstreamFields},
		{"targets", a.Targets, targetFields},
	} {
		list, err := chosen(c.objects, c.fields)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.kind, err)
		}
		doc[c.kind] = list
	}
	doc["consumers"] = consumersOf(doc["plugins"].([]map[string]json.RawMessage))
	data, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("collecting the configuration: %w", err)
	}
	return Parse(data, options...)
}

// The fields that [Parse] reads.
var (
	serviceFields = []string{
		"id", "name", "protocol", "host", "port", "path", "retries", "connect_timeout",
		"write_timeout", "read_timeout", "enabled", "tags",
	}
	routeFields = []string{
		"id", "name", "service", "protocols", "methods", "hosts", "paths", "headers", "snis", "sources",
		"destinations", "strip_path", "preserve_host", "path_handling", "regex_priority",
		"https_redirect_status_code", "request_buffering", "response_buffering", "expression", "priority", "created_at", "tags",
	}
	pluginFields = []string{
		"id", "name", "instance_name", "service", "route", "consumer", "consumer_group", "enabled",
		"protocols", "config",
	}
	upstreamFields = []string{"id", "name", "algorithm", "host_header"}
	targetFields   = []string{"target", "weight", "upstream"}
)

// chosen keeps some fields of each object.
func chosen(objects []json.RawMessage, fields []string) ([]map[string]json.RawMessage, error) {
	out := make([]map[string]json.RawMessage, 0, len(objects))
	for i, raw := range objects {
		var all map[string]json.RawMessage
		if err := json.Unmarshal(raw, &all); err != nil || all == nil {
			return nil, fmt.Errorf("[%d]: %w", i, errors.New("should be an object"))
		}
		some := map[string]json.RawMessage{}
		for _, field := range fields {
			if value, ok := all[field]; ok && !isEmptyTable(field, value) {
				some[field] = value
			}
		}
		out = append(out, some)
	}
	return out, nil
}

// isEmptyTable reports a list that came as an empty object: Lua has one kind of
// table, and an encoder cannot always tell.
func isEmptyTable(field string, value json.RawMessage) bool {
	return field != "config" && field != "headers" && bytes.Equal(bytes.TrimSpace(value), []byte("{}"))
}

// consumersOf are those that plugins refer to.
func consumersOf(plugins []map[string]json.RawMessage) []map[string]string {
	consumers := []map[string]string{}
	for _, p := range plugins {
		if id := idOf(p["consumer"]); id != "" {
			consumers = append(consumers, map[string]string{"id": id})
		}
	}
	return consumers
}

// idOf is the id of a reference, "" when it refers to nothing.
func idOf(reference json.RawMessage) string {
	var r struct{ ID string }
	if json.Unmarshal(reference, &r) != nil {
		return ""
	}
	return r.ID
}
