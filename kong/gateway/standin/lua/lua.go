// Package lua has what of Lua shows in Kong's answers to a plugin server: its
// values and their text, how the protocol carries them, and its patterns.
package lua

import (
	"fmt"
	"strconv"
)

// Assign does what assigning does in Lua: nil removes.
func Assign(m map[string]any, key string, value any) {
	if value == nil {
		delete(m, key)
		return
	}
	m[key] = value
}

// Type is the name of a value's type in Lua.
func Type(v any) string {
	switch v.(type) {
	case nil:
		return "nil"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		return "string"
	}
	return "table"
}

// String is Lua's tostring.
func String(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'g', 14, 64)
	}
	return fmt.Sprintf("table: %p", &v)
}
