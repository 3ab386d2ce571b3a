package report

import "diag405/plugin/diagnose"

// Record is the diagnosis as data, for kong.log.set_serialize_value: log plugins
// carry it as the field "diag405". It holds maps, slices, strings and booleans
// only, all text clean (the forms of a fix keep their lines), and no query values
// unless the options allow them.
func Record(x diagnose.Exchange, d diagnose.Diagnosis, o Options) map[string]any {
	r := map[string]any{
		"cause":      string(d.Cause),
		"certainty":  string(d.Certainty),
		"reason":     d.Reason,
		"facts":      anyList(d.Facts),
		"considered": considered(d),
		"client":     requestRecord(x.Client, o),
		"upstream":   requestRecord(x.Upstream, o),
		"stripped":   x.Stripped,
		"route":      routeName(x),
		"service":    serviceName(x),
		"allow":      allow(x),
		"server":     x.Response.Header.Get("Server"),
	}
	for _, k := range sortedKeys(r) {
		if isEmpty(r[k]) {
			delete(r, k)
		}
	}
	r = cleanAll(r).(map[string]any)
	if len(d.Fixes) > 0 {
		r["fixes"] = fixes(x, d.Fixes)
	}
	return r
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	}
	return false
}

func requestRecord(r diagnose.Request, o Options) map[string]any {
	return map[string]any{"method": r.Method, "path": r.Path + query(r.Query, o.Query), "host": hostOnly(r.Host)}
}

func fixes(x diagnose.Exchange, all []diagnose.Fix) []any {
	out := make([]any, len(all))
	for i, f := range all {
		// As text: Kong turns false and null inside a value into nothing on the way
		// (pb_unwrap in kong/runloop/plugin_servers/rpc/pb_rpc.lua), and those are what
		// many a fix sets.
		m := map[string]any{"words": f.Words, "change": compactJSON(change(f))}
		if f.Entity.Kind != "" {
			m["entity"] = map[string]any{"kind": f.Entity.Kind, "name": f.Entity.Name, "id": f.Entity.ID}
		}
		if len(f.FromClient) > 0 {
			m["from_client"] = anyList(f.FromClient)
		}
		if f.Upstream != nil {
			m["upstream"] = f.Upstream.String()
		}
		m = cleanAll(m).(map[string]any)
		if forms := formsRecord(x, f); len(forms) > 0 {
			m["forms"] = forms
		}
		out[i] = m
	}
	return out
}

func anyList(in []string) []any {
	out := make([]any, len(in))
	for i := range in {
		out[i] = in[i]
	}
	return out
}
