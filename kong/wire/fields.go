// Package wire reads and writes HTTP/1.1 messages as they are on the wire:
// the request-target byte for byte, header fields in their order and spelling,
// and nginx's own reason phrases. net/http hides all three, and they are what a
// gateway for debugging is looked at for.
package wire

import (
	"slices"
	"strings"
)

// Field is one header line.
type Field struct{ Name, Value string }

// Fields are header lines in order. Names compare without regard to case.
type Fields []Field

// Get returns the first value of a field, or "".
func (f Fields) Get(name string) string {
	for _, x := range f {
		if strings.EqualFold(x.Name, name) {
			return x.Value
		}
	}
	return ""
}

// Has tells whether the field is there, be it with an empty value.
func (f Fields) Has(name string) bool {
	return slices.ContainsFunc(f, named(name))
}

// Values returns all values of a field, in order.
func (f Fields) Values(name string) []string {
	var out []string
	for _, x := range f {
		if strings.EqualFold(x.Name, name) {
			out = append(out, x.Value)
		}
	}
	return out
}

// Add appends a line.
func (f *Fields) Add(name, value string) { *f = append(*f, Field{name, value}) }

// Del removes all lines of a field.
func (f *Fields) Del(name string) { *f = slices.DeleteFunc(*f, named(name)) }

// Set replaces all lines of a field, in the place of the first; without values
// it removes them. The new spelling of the name holds.
func (f *Fields) Set(name string, values ...string) {
	at := slices.IndexFunc(*f, named(name))
	if at < 0 {
		at = len(*f)
	}
	f.Del(name)
	lines := make([]Field, len(values))
	for i, v := range values {
		lines[i] = Field{name, v}
	}
	*f = slices.Insert(*f, at, lines...)
}

// Clone returns a copy.
func (f Fields) Clone() Fields { return slices.Clone(f) }

// Names returns each field name once, lower case, in order of appearance.
func (f Fields) Names() []string {
	var out []string
	for _, x := range f {
		if n := strings.ToLower(x.Name); !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// Tokens splits the comma-separated values of a field, lower case.
func (f Fields) Tokens(name string) []string {
	var out []string
	for _, v := range f.Values(name) {
		for t := range strings.SplitSeq(v, ",") {
			if t = strings.ToLower(strings.TrimSpace(t)); t != "" {
				out = append(out, t)
			}
		}
	}
	return out
}

func named(name string) func(Field) bool {
	return func(x Field) bool { return strings.EqualFold(x.Name, name) }
}
