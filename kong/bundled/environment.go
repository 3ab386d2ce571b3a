package bundled

import (
	"strings"
	"sync"

	"diag405/kong/wire"
)

// newEnv makes what templates see: the request when the first template asks.
func newEnv(r *Request) *env {
	lazy := func(f func() any) func() any { return sync.OnceValue(f) }
	return &env{variables: map[string]func() any{
		"headers":      lazy(func() any { return headerTable(r.Header.Clone()) }),
		"query_params": lazy(func() any { return DecodeArgs(r.Query) }),
		"uri_captures": func() any { return captureTable(r) },
		"shared":       func() any { return r.Shared },
	}}
}

// headerTable is ngx.req.get_headers(): any case, underscores for dashes, a
// list for several values.
func headerTable(f wire.Fields) luaTable {
	return func(key any) any {
		name, _ := key.(string)
		values := f.Values(name)
		if values == nil {
			values = f.Values(strings.ReplaceAll(name, "_", "-"))
		}
		switch len(values) {
		case 0:
			return nil
		case 1:
			return values[0]
		}
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = v
		}
		return list
	}
}

// captureTable has groups by number, the whole match at 0, and by name.
func captureTable(r *Request) luaTable {
	return func(key any) any {
		switch k := key.(type) {
		case float64:
			if n := int(k); n >= 0 && n < len(r.Captures.Numbered) {
				return r.Captures.Numbered[n]
			}
		case string:
			if v, ok := r.Captures.Named[k]; ok {
				return v
			}
		}
		return nil
	}
}
