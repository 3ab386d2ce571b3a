package schema

import (
	"fmt"
	"slices"
	"strings"
)

// What Kong asks of a schema, after its documentation of schema.lua and what 3.4 to
// 3.9 refuse (kong/db/schema/metaschema.lua, read): which types there are, what a type
// needs, which attributes it may have, and what those may be.

// table is a Lua table with names, list one without.
type (
	table = map[string]any
	list  = []any
)

// needed are the attributes without which a type says nothing.
var needed = map[string][]string{
	"string": nil, "number": nil, "integer": nil, "boolean": nil,
	"array": {"elements"}, "set": {"elements"}, "map": {"keys", "values"}, "record": {"fields"},
}

// attributes are those that the schemas may use, with the types that they are for; nil
// is every type. Kong has more: one that is added here has to be looked up first.
var attributes = map[string]struct {
	types []string
	check func(value any) bool
}{
	"type":          {nil, isText},
	"description":   {nil, func(v any) bool { s, ok := v.(string); return ok && len(s) >= 10 && len(s) <= 500 }},
	"required":      {nil, isBoolean},
	"default":       {nil, func(any) bool { return true }}, // checked with its field
	"encrypted":     {[]string{"string"}, isBoolean},
	"referenceable": {[]string{"string"}, isBoolean},
	"match":         {[]string{"string"}, isText},
	"match_none":    {[]string{"string"}, isPatterns},
	"err":           {nil, isText}, // what Kong says instead of its own words
	"one_of":        {[]string{"string", "number", "integer"}, isList},
	"between":       {[]string{"number", "integer"}, isRange},
	"len_min":       {[]string{"string", "array", "set", "map"}, isWhole},
	"len_max":       {[]string{"string", "array", "set", "map"}, isWhole},
	"elements":      {[]string{"array", "set"}, isTable},
	"keys":          {[]string{"map"}, isTable},
	"values":        {[]string{"map"}, isTable},
	"fields":        {[]string{"record"}, isList},
}

func isText(v any) bool    { _, ok := v.(string); return ok }
func isBoolean(v any) bool { _, ok := v.(bool); return ok }
func isTable(v any) bool   { _, ok := v.(table); return ok }
func isList(v any) bool    { l, ok := v.(list); return ok && len(l) > 0 }

// isPatterns: each with what to say where it matches.
func isPatterns(v any) bool {
	l, ok := v.(list)
	return ok && len(l) > 0 && !slices.ContainsFunc(l, func(item any) bool {
		entry, ok := item.(table)
		return !ok || len(entry) != 2 || !isText(entry["pattern"]) || !isText(entry["err"])
	})
}

func isWhole(v any) bool { n, ok := v.(float64); return ok && n == float64(int(n)) }
func isRange(v any) bool {
	l, ok := v.(list)
	return ok && len(l) == 2 && isWhole(l[0]) && isWhole(l[1]) && l[0].(float64) <= l[1].(float64)
}

// refusals are what Kong would refuse in the schema of a plugin.
func refusals(name string, schema any) (out []string) {
	s, ok := schema.(table)
	if !ok {
		return []string{"the module returns no table"}
	}
	if s["name"] != name {
		out = append(out, fmt.Sprintf("name is %v", s["name"]))
	}
	for key := range s {
		if key != "name" && key != "fields" {
			out = append(out, "a plugin's schema has no "+key)
		}
	}
	out = append(out, fieldsRefused("", s["fields"])...)
	config := fieldNamed(s["fields"], "config")
	if config["type"] != "record" {
		out = append(out, "there is no record called config")
	}
	return out
}

// fieldsRefused checks a list of fields, each a table with its name for the only key.
func fieldsRefused(at string, fields any) (out []string) {
	entries, ok := fields.(list)
	if !ok {
		return []string{at + ": fields is no list"}
	}
	seen := map[string]bool{}
	for _, entry := range entries {
		field, ok := entry.(table)
		if !ok || len(field) != 1 {
			out = append(out, at+": an entry of fields is not one field")
			continue
		}
		for name, attributes := range field {
			if seen[name] {
				out = append(out, at+"."+name+": is there twice")
			}
			seen[name] = true
			out = append(out, fieldRefused(at+"."+name, attributes)...)
		}
	}
	return out
}

func fieldRefused(at string, field any) (out []string) {
	f, ok := field.(table)
	if !ok {
		return []string{at + ": is no table"}
	}
	kind, _ := f["type"].(string)
	needs, ok := needed[kind]
	if !ok {
		return []string{fmt.Sprintf("%s: type %v", at, f["type"])}
	}
	for _, attribute := range needs {
		if f[attribute] == nil {
			out = append(out, fmt.Sprintf("%s: %s without %s", at, kind, attribute))
		}
	}
	for name, value := range f {
		a, ok := attributes[name]
		switch {
		case !ok:
			out = append(out, fmt.Sprintf("%s: attribute %s", at, name))
		case a.types != nil && !slices.Contains(a.types, kind):
			out = append(out, fmt.Sprintf("%s: %s is not for %s", at, name, kind))
		case !a.check(value):
			out = append(out, fmt.Sprintf("%s: %s is %v", at, name, value))
		}
	}
	for _, inner := range []string{"elements", "keys", "values"} {
		if f[inner] != nil {
			out = append(out, fieldRefused(at+"."+inner, f[inner])...)
		}
	}
	if f["fields"] != nil {
		out = append(out, fieldsRefused(at, f["fields"])...)
	}
	if f["default"] != nil && out == nil && !fits(f, f["default"]) {
		out = append(out, fmt.Sprintf("%s: default %v", at, f["default"]))
	}
	return out
}

// fits tells whether a value is one that a field takes.
func fits(f table, value any) bool {
	n, isNumber := value.(float64)
	s, isString := value.(string)
	l, isList := value.(list)
	_, isBool := value.(bool)
	isType := map[string]bool{
		"string": isString, "number": isNumber, "integer": isNumber && n == float64(int(n)), "boolean": isBool, "array": isList, "set": isList,
	}[f["type"].(string)]
	if !isType {
		return false
	}
	if allowed, ok := f["one_of"].(list); ok && !slices.Contains(allowed, value) {
		return false
	}
	if limits, ok := f["between"].(list); ok && (n < limits[0].(float64) || n > limits[1].(float64)) {
		return false
	}
	length := float64(len(s) + len(l))
	if least, ok := f["len_min"].(float64); ok && length < least {
		return false
	}
	if most, ok := f["len_max"].(float64); ok && length > most {
		return false
	}
	elements, _ := f["elements"].(table)
	return !slices.ContainsFunc(l, func(item any) bool { return !fits(elements, item) })
}

// fieldNamed finds a field by its path; nil when there is none.
func fieldNamed(fields any, path string) table {
	name, rest, deeper := strings.Cut(path, ".")
	entries, _ := fields.(list)
	for _, entry := range entries {
		e, _ := entry.(table)
		if f, ok := e[name].(table); ok {
			if deeper {
				return fieldNamed(f["fields"], rest)
			}
			return f
		}
	}
	return nil
}
