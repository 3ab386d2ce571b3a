package bundled

import (
	"slices"
	"strings"
)

// transformHeaders works on a table of lower-case names to values, as Kong
// does, and writes the whole table back.
func (c *Transformer) transformHeaders(r *Request, e *env) error {
	table := map[string][]string{}
	for _, name := range r.Header.Names() {
		if name != "host" {
			table[name] = r.Header.Values(name)
		}
	}
	headers := func(t targets) []string { return t.Headers }
	removed := []string{}
	lower := strings.ToLower
	steps := []step{
		{headers, c.Remove, func(p pair) {
			if _, ok := table[lower(p.name)]; ok {
				delete(table, lower(p.name))
				removed = append(removed, p.name)
			}
		}},
		{headers, c.Rename, func(p pair) {
			if v, ok := table[lower(p.name)]; ok && lower(p.name) != lower(p.value) {
				delete(table, lower(p.name))
				table[lower(p.value)] = v
				removed = append(removed, p.name)
			}
		}},
		{headers, c.Replace, func(p pair) {
			if _, ok := table[lower(p.name)]; ok || lower(p.name) == "host" {
				table[lower(p.name)] = []string{p.value}
			}
		}},
		{headers, c.Add, func(p pair) {
			if _, ok := table[lower(p.name)]; !ok && lower(p.name) != "host" {
				table[lower(p.name)] = []string{p.value}
			}
		}},
		{headers, c.Append, func(p pair) {
			table[lower(p.name)] = append(table[lower(p.name)], p.value)
		}},
	}
	if err := run(steps, e); err != nil {
		return err
	}
	for _, name := range removed {
		r.Header.Del(name)
	}
	for _, name := range sortedNames(table) {
		if name == "host" {
			r.UpstreamHost = table[name][0]
		}
		r.Header.Set(name, table[name]...)
	}
	return nil
}

func sortedNames[T any](m map[string]T) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
