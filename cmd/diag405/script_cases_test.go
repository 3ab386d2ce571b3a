package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"diag405/kong/gateway"
	"diag405/kong/gateway/standin"
)

// caseFile is what is read of a case of examples/cases.
type caseFile struct {
	Kong json.RawMessage     `json:"kong"`
	Apps map[string]*caseApp `json:"apps"` // by host:port
}

// caseApp answers by the routes of a case's application: 200 where one takes the request,
// 405 with the methods of those that have the path, else 404.
type caseApp struct {
	Server string `json:"server"`
	Routes []struct {
		Path    string   `json:"path"`
		Methods []string `json:"methods"`
	} `json:"routes"`
}

func (a *caseApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.Server != "" {
		w.Header().Set("Server", a.Server)
	}
	var methods []string
	for _, route := range a.Routes {
		if matches(route.Path, r.URL.EscapedPath()) {
			methods = append(methods, route.Methods...)
		}
	}
	switch {
	case len(methods) == 0:
		w.WriteHeader(http.StatusNotFound)
	case slices.Contains(methods, r.Method):
		fmt.Fprintln(w, "ok")
	default:
		w.Header().Set("Allow", strings.Join(methods, ", "))
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// matches holds a path against one with {placeholders} for segments.
func matches(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i, segment := range want {
		if segment != got[i] && !strings.HasPrefix(segment, "{") {
			return false
		}
	}
	return true
}

func startCase(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 1, "case NAME")
	data, err := os.ReadFile("../../examples/cases/" + args[0] + ".json")
	ts.Check(err)
	var c caseFile
	ts.Check(json.Unmarshal(data, &c))
	if len(c.Apps) != 1 {
		ts.Fatalf("case %s has %d applications", args[0], len(c.Apps))
	}
	ts.Check(os.WriteFile(ts.MkAbs("kong.json"), c.Kong, 0o644))
	doc, hosts := string(c.Kong), map[string]string{}
	for at, app := range c.Apps {
		start(ts, "APP", app)
		address := strings.TrimPrefix(ts.Getenv("APP"), "http://")
		ts.Setenv("APP", address)
		host, port, _ := strings.Cut(at, ":")
		hosts[host] = "127.0.0.1"
		_, free, _ := strings.Cut(address, ":")
		if port == "80" && !strings.Contains(doc, at) {
			doc = strings.ReplaceAll(doc, "http://"+host, "http://"+at)
		}
		doc = strings.ReplaceAll(doc, at, host+":"+free)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	gw, err := standin.Start(ctx, gateway.Options{Hosts: hosts})
	ts.Check(err)
	ts.Defer(func() { _ = gw.Close() })
	ts.Check(gw.Load(ctx, []byte(doc)))
	ts.Setenv("KONG", strings.TrimPrefix(gw.URL(), "http://"))
}
