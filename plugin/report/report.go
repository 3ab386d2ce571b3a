// Package report turns a diagnosis into what people and machines read: response
// headers, lines of Kong's error log, and the record that log plugins carry. It
// is pure, and it is the one place that makes text safe: whatever a client or an
// upstream sent, a header value comes out as visible ASCII within its limit and
// a log line stays one line.
package report

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"diag405/plugin/diagnose"
)

// Options say how much is told, and in which form.
type Options struct {
	HeaderPrefix string // of the headers' names, such as X-Diag
	CodeOnly     bool   // headers: the cause and its certainty alone
	ShowAddress  bool   // headers: scheme, host and port of the upstream
	JSON         bool   // log lines in JSON instead of logfmt
	Query        bool   // log: query values; otherwise names alone
	Phase        string // log: the phase of a diagnosis, "" for the response phase
	Times        int    // log: for how many diagnoses alike a line stands; 0 is 1
	RequestID    string // log: Kong's, where Kong does not put it behind the line itself
}

// changes names what differs between the two sides of the exchange, in a fixed
// order.
func changes(x diagnose.Exchange) []string {
	var out []string
	if x.Client.Method != x.Upstream.Method {
		out = append(out, "method")
	}
	if x.Client.Path != x.Upstream.Path {
		out = append(out, "path")
	}
	if x.Client.Host != x.Upstream.Host {
		out = append(out, "host")
	}
	return out
}

// routeName and serviceName name the entities by name, else by id, else "".
func routeName(x diagnose.Exchange) string {
	if x.Route == nil {
		return ""
	}
	return firstOf(x.Route.Name, x.Route.ID)
}

func serviceName(x diagnose.Exchange) string {
	if x.Service == nil {
		return ""
	}
	return firstOf(x.Service.Name, x.Service.ID)
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// change is the fix's data as one object: {"set": {...}}, {"client": {...}} or
// {"app": "..."}. With set there may be from_client: the keys in it whose values came
// with the request.
func change(f diagnose.Fix) map[string]any {
	switch {
	case f.Set != nil:
		out := map[string]any{"set": maps.Clone(f.Set)}
		if len(f.FromClient) > 0 {
			out["from_client"] = anyList(f.FromClient)
		}
		return out
	case f.Client != nil:
		return map[string]any{"client": maps.Clone(f.Client)}
	}
	return map[string]any{"app": f.App}
}

// pairs are the fields of a log line, in order; empty values are left out.
type pairs []pair

type pair struct{ key, value string }

func (p *pairs) add(key, value string) {
	if value != "" {
		*p = append(*p, pair{key, value})
	}
}

func accessPairs(x diagnose.Exchange, o Options) pairs {
	p := make(pairs, 0, 9)
	p.add("event", "access")
	p.add("phase", o.Phase)
	p.add("request_id", o.RequestID)
	p.add("client", target(x.Client, o))
	p.add("upstream", target(x.Upstream, o))
	p.add("stripped", x.Stripped)
	p.add("route", routeName(x))
	p.add("service", serviceName(x))
	p.add("changed", strings.Join(changes(x), ","))
	return p
}

func diagnosisPairs(x diagnose.Exchange, d diagnose.Diagnosis, o Options) pairs {
	p := make(pairs, 0, 16)
	p.add("event", "diagnosis")
	p.add("phase", o.Phase)
	p.add("request_id", o.RequestID)
	p.add("status", status(x))
	p.add("cause", string(d.Cause))
	p.add("certainty", string(d.Certainty))
	if o.Times > 1 {
		p.add("times", strconv.Itoa(o.Times))
	}
	p.add("reason", d.Reason)
	p.add("fix", d.Fixes[0].Words)
	p.add("allow", allow(x))
	p.add("server", x.Response.Header.Get("Server"))
	p.add("client", target(x.Client, o))
	p.add("upstream", target(x.Upstream, o))
	p.add("stripped", x.Stripped)
	p.add("route", routeName(x))
	p.add("service", serviceName(x))
	p.add("change", compactJSON(change(d.Fixes[0])))
	return p
}

// status is the answer's, "" where it is not known.
func status(x diagnose.Exchange) string {
	if x.Response.Status == 0 {
		return ""
	}
	return strconv.Itoa(x.Response.Status)
}

// allow is the Allow header in one line.
func allow(x diagnose.Exchange) string {
	return strings.Join(diagnose.ParseAllow(x.Response.Header.Values("Allow")).Methods, ", ")
}

// considered are the other causes that fit, as codes.
func considered(d diagnose.Diagnosis) []any {
	out := []any{}
	for _, c := range d.Considered {
		out = append(out, map[string]any{"cause": string(c.Cause), "certainty": string(c.Certainty)})
	}
	return out
}

// sortedKeys gives a map's keys in order: nothing that comes from a map reaches
// a line in another order twice.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
