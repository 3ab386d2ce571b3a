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
	Consumers []json.RawMessage // those that are of interest; plugins may name others
	Groups    []AdminGroup
}

// AdminGroup is a group that a consumer is in.
type AdminGroup struct{ ID, Name, Consumer string }

// FromAdmin reads a configuration from what the Admin API gave, for a router
// flavour as in [Load]. Ids are the real ones. Fields that neither routing nor the
// way of a request needs are passed over, known to this package or not. An object
// with ws_id counts in that workspace.
func FromAdmin(a Admin, options ...Option) (*Config, error) {
	data, err := a.Document()
	if err != nil {
		return nil, err
	}
	return Load([]File{{Data: data}}, options...)
}

// Document is the part of it that is read, as a declarative configuration in JSON:
// what [PatchFiles] can change.
func (a Admin) Document() ([]byte, error) {
	lists := map[string][]map[string]json.RawMessage{}
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
		{"consumers", a.Consumers, []string{"id", "username", "custom_id"}},
	} {
		list, err := chosen(c.objects, c.fields)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.kind, err)
		}
		lists[c.kind] = list
	}
	lists["consumers"] = append(lists["consumers"], othersOf(lists["plugins"], lists["consumers"])...)
	doc := map[string]any{"_format_version": "3.0", "consumer_groups": groupsOf(a.Groups)}
	for kind, list := range lists {
		doc[kind] = list
	}
	data, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("collecting the configuration: %w", err)
	}
	return append(data, '\n'), nil
}

// The fields that [Parse] reads.
var (
	serviceFields = []string{
		"id", "name", "protocol", "host", "port", "path", "retries", "connect_timeout",
		"write_timeout", "read_timeout", "enabled", "tags", "ws_id",
	}
	routeFields = []string{
		"id", "name", "service", "protocols", "methods", "hosts", "paths", "headers", "snis", "sources",
		"destinations", "strip_path", "preserve_host", "path_handling", "regex_priority",
		"https_redirect_status_code", "request_buffering", "response_buffering", "expression", "priority", "created_at", "tags", "ws_id",
	}
	pluginFields = []string{
		"id", "name", "instance_name", "service", "route", "consumer", "consumer_group", "enabled",
		"protocols", "config", "ws_id",
	}
	upstreamFields = []string{"id", "name", "algorithm", "host_header", "ws_id"}
	targetFields   = []string{"target", "weight", "upstream", "failover"}
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

// othersOf are the consumers that plugins refer to, and that are not in the list.
func othersOf(plugins, list []map[string]json.RawMessage) []map[string]json.RawMessage {
	seen := map[string]bool{"": true}
	for _, c := range list {
		seen[string(c["id"])] = true
	}
	var others []map[string]json.RawMessage
	for _, p := range plugins {
		id := idOf(p["consumer"])
		if raw, err := json.Marshal(id); err == nil && id != "" && !seen[string(raw)] {
			seen[string(raw)] = true
			others = append(others, map[string]json.RawMessage{"id": raw})
		}
	}
	return others
}

func groupsOf(groups []AdminGroup) []map[string]any {
	list := []map[string]any{}
	for _, g := range groups {
		list = append(list, map[string]any{"id": g.ID, "name": g.Name, "consumers": []string{g.Consumer}})
	}
	return list
}

// idOf is the id of a reference, "" when it refers to nothing.
func idOf(reference json.RawMessage) string {
	var r struct{ ID string }
	if json.Unmarshal(reference, &r) != nil {
		return ""
	}
	return r.ID
}
