package bundled

import (
	"net/url"
	"slices"
	"strings"
)

// DecodeArgs is ngx.decode_args: values are strings, true for an argument
// without "=", or lists of these. An argument without a name is dropped.
func DecodeArgs(query string) map[string]any {
	args := map[string]any{}
	for part := range strings.SplitSeq(query, "&") {
		name, raw, hasValue := strings.Cut(part, "=")
		if name = unescape(name); name == "" {
			continue
		}
		var value any = true
		if hasValue {
			value = unescape(raw)
		}
		args[name] = appendValue(args[name], value)
	}
	return args
}

// appendValue makes a list where there is a value already.
func appendValue(old, value any) any {
	switch old := old.(type) {
	case nil:
		return value
	case []any:
		return append(old, value)
	}
	return []any{old, value}
}

// unescape is ngx.unescape_uri: a broken triplet stays.
func unescape(s string) string {
	s = strings.ReplaceAll(s, "+", " ")
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if i+3 <= len(s) && s[i] == '%' {
			if u, err := url.PathUnescape(s[i : i+3]); err == nil {
				out.WriteString(u)
				i += 2
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// EncodeArgs writes arguments as Kong's set_query does: each name with all its
// values is encoded, then these parts are sorted.
func EncodeArgs(args map[string]any) string {
	var parts []string
	for name, value := range args {
		parts = append(parts, encodeArg(name, value))
	}
	slices.Sort(parts)
	return strings.Join(parts, "&")
}

func encodeArg(name string, value any) string {
	switch v := value.(type) {
	case string:
		return escapeArg(name) + "=" + escapeArg(v)
	case bool:
		if v {
			return escapeArg(name)
		}
	case []any:
		var parts []string
		for _, e := range v {
			parts = append(parts, encodeArg(name, e))
		}
		return strings.Join(parts, "&")
	}
	return ""
}

// escapeArg escapes all but RFC 3986's unreserved characters.
func escapeArg(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func (c *Transformer) transformQuery(r *Request, e *env) error {
	list := func(t targets) []string { return t.Querystring }
	if !c.touches(list) {
		return nil
	}
	args := map[string]any{}
	for k, v := range e.variables["query_params"]().(map[string]any) {
		args[k] = v
	}
	if err := run(c.tableSteps(list, args, true, new(bool)), e); err != nil {
		return err
	}
	r.Query = EncodeArgs(args)
	return nil
}

// touches tells whether any of the lists has an entry.
func (c *Transformer) touches(list func(targets) []string) bool {
	return slices.ContainsFunc([]targets{c.Remove, c.Rename, c.Replace, c.Add, c.Append}, func(t targets) bool { return len(list(t)) > 0 })
}

// tableSteps are the changes of a table of arguments or of a JSON object. A
// body that is empty is only added to. changed is set when something was done
// that makes Kong write the table back.
func (c *Transformer) tableSteps(list func(targets) []string, table map[string]any, filled bool, changed *bool) []step {
	add := []step{
		{list, c.Add, func(p pair) {
			if !truthy(table[p.name]) {
				table[p.name], *changed = p.value, true
			}
		}},
		{list, c.Append, func(p pair) {
			*changed = true
			switch old := table[p.name].(type) {
			case string:
				table[p.name] = []any{old, p.value}
			case []any:
				table[p.name] = append(slices.Clone(old), p.value)
			default:
				table[p.name] = []any{p.value}
			}
		}},
	}
	if !filled {
		return add
	}
	return append([]step{
		{list, c.Remove, func(p pair) {
			delete(table, p.name)
			*changed = true
		}},
		{list, c.Rename, func(p pair) {
			if v := table[p.name]; truthy(v) && p.name != p.value {
				delete(table, p.name)
				table[p.value], *changed = v, true
			}
		}},
		{list, c.Replace, func(p pair) {
			if truthy(table[p.name]) {
				table[p.name], *changed = p.value, true
			}
		}},
	}, add...)
}
