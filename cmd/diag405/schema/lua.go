package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"diag405/plugin"
)

// lua writes a schema as a Lua module.
func lua(name string, schema any) []byte {
	var out strings.Builder
	fmt.Fprintf(&out, "-- The settings of %s %s, by diag405 schema -lua.\nreturn ", name, plugin.Version)
	writeValue(&out, schema, 0)
	out.WriteByte('\n')
	return []byte(out.String())
}

func writeValue(out *strings.Builder, value any, depth int) {
	switch v := value.(type) {
	case map[string]any:
		writeTable(out, keysOf(v), depth, isFlat(v), func(key string) {
			out.WriteString(keyOf(key) + " = ")
			writeValue(out, v[key], depth+1)
		})
	case []any:
		writeTable(out, v, depth, isFlat(v), func(item any) { writeValue(out, item, depth+1) })
	case string:
		out.WriteString(quote(v))
	case json.Number:
		out.WriteString(v.String())
	default: // true, false; Lua's nil is what is left out
		fmt.Fprint(out, v)
	}
}

// writeTable writes a table, in one line or with one line for each entry.
func writeTable[T any](out *strings.Builder, entries []T, depth int, flat bool, write func(T)) {
	open, between, end := "{ ", ", ", " }"
	if !flat {
		indent := "\n" + strings.Repeat("  ", depth)
		open, between, end = "{"+indent+"  ", ","+indent+"  ", ","+indent+"}"
	}
	if len(entries) == 0 {
		open, end = "{", "}"
	}
	out.WriteString(open)
	for i, entry := range entries {
		if i > 0 {
			out.WriteString(between)
		}
		write(entry)
	}
	out.WriteString(end)
}

// isFlat tells what is read better in one line: lists of plain values.
func isFlat(value any) bool {
	list, ok := value.([]any)
	return ok && !slices.ContainsFunc(list, func(item any) bool {
		switch item.(type) {
		case map[string]any, []any:
			return true
		}
		return false
	})
}

// first are the attributes that say what a field is, as people write them first.
var first = []string{"name", "description", "type", "required", "default"}

func keysOf(v map[string]any) []string {
	keys := slices.Sorted(maps.Keys(v))
	slices.SortStableFunc(keys, func(a, b string) int { return place(a) - place(b) })
	return keys
}

func place(key string) int {
	if i := slices.Index(first, key); i >= 0 {
		return i
	}
	return len(first)
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// reserved are Lua's words (Lua 5.1 manual, 2.1).
var reserved = strings.Fields(`and break do else elseif end false for function if in local nil not or repeat return then true until while`)

func keyOf(key string) string {
	if plainName.MatchString(key) && !slices.Contains(reserved, key) {
		return key
	}
	return "[" + quote(key) + "]"
}

// quote is a string in Lua 5.1, whose only numeric escapes are decimal.
func quote(s string) string {
	var out strings.Builder
	out.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			out.WriteString(`\` + string(c))
		case c < 0x20 || c == 0x7f:
			fmt.Fprintf(&out, `\%03d`, c)
		default:
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
	return out.String()
}
