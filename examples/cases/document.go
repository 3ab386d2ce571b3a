package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// document is a case's declarative configuration while it is made ready to run.
type document map[string]any

func newDocument(data []byte) (document, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var doc document
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return doc, nil
}

func (d document) bytes() []byte {
	data, err := json.Marshal(d)
	if err != nil {
		panic("bug: a document that JSON cannot have: " + err.Error())
	}
	return data
}

// objects are the objects in a list.
func objects(in map[string]any, key string) []map[string]any {
	list, _ := in[key].([]any)
	var out []map[string]any
	for _, v := range list {
		if o, ok := v.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}

func (d document) services() []map[string]any { return objects(d, "services") }

// routes are those at the top and those in services.
func (d document) routes() []map[string]any {
	list := objects(d, "routes")
	for _, s := range d.services() {
		list = append(list, objects(s, "routes")...)
	}
	return list
}

func (d document) targets() []map[string]any {
	list := objects(d, "targets")
	for _, u := range objects(d, "upstreams") {
		list = append(list, objects(u, "targets")...)
	}
	return list
}

// identify gives routes and services without a name an id: Kong draws a random
// one on each load, by which a fix could not be applied.
func (d document) identify() {
	for i, o := range append(d.services(), d.routes()...) {
		if o["name"] == nil && o["id"] == nil {
			o["id"] = fmt.Sprintf("00000000-0000-4000-8000-%012d", i+1)
		}
	}
}

// move writes the ports on which applications listen instead of the case's.
func (d document) move(moved map[string]int) {
	for _, s := range d.services() {
		moveService(s, moved)
	}
	for _, t := range d.targets() {
		text, _ := t["target"].(string)
		host, port, found := strings.Cut(text, ":")
		if !found {
			port = "8000" // Kong's default
		}
		if to, ok := moved[net.JoinHostPort(host, port)]; ok {
			t["target"] = joinHostPort(host, to)
		}
	}
}

func moveService(s map[string]any, moved map[string]int) {
	if raw, ok := s["url"].(string); ok {
		s["url"] = moveURL(raw, moved)
	}
	host, ok := s["host"].(string)
	if !ok {
		return
	}
	port := "80"
	if n, ok := s["port"].(json.Number); ok {
		port = n.String()
	}
	if to, ok := moved[net.JoinHostPort(host, port)]; ok {
		s["port"] = to
	}
}

func moveURL(raw string, moved map[string]int) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw // the gateway says what is wrong with it
	}
	port := u.Port()
	if port == "" {
		port = map[bool]string{true: "443", false: "80"}[u.Scheme == "https"]
	}
	to, ok := moved[net.JoinHostPort(u.Hostname(), port)]
	if !ok {
		return raw
	}
	u.Host = joinHostPort(u.Hostname(), to)
	return u.String()
}

// addPlugin adds a plugin for all requests.
func (d document) addPlugin(name string, config map[string]any) {
	list, _ := d["plugins"].([]any)
	d["plugins"] = append(list, map[string]any{"name": name, "config": config})
}
