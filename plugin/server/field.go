package server

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
)

// Field is what a schema says of a value beside its type and its default, which
// come from the configuration's Go type and from what the constructor returns.
// Kong checks each of these before a configuration is accepted, and names the
// field in what it answers. The zero value says nothing.
type Field struct {
	// Description is a sentence for the operator, of 10 to 500 bytes.
	Description string
	// Required refuses null, and a field that is missing and has no default.
	Required bool
	// OneOf are the values allowed for a string or a number: see [List].
	OneOf []any
	// Between bounds a number: the lowest and the highest value.
	Between []float64
	// LenMin and LenMax bound the length of a string in bytes, or of a list, set or
	// map in entries. Zero: no bound, except that Kong takes no empty string.
	LenMin, LenMax int
	// Match is a Lua pattern that a string has to match.
	Match string
	// MatchNone are Lua patterns of which a string may match none.
	MatchNone []string
	// Err replaces Kong's message for a value that one of the rules above refuses.
	Err string
	// Encrypted keeps the value encrypted in Kong's database (Kong Enterprise).
	Encrypted bool
	// Referenceable lets the value be a reference into a vault:
	// {vault://env/token}.
	Referenceable bool
	// Set makes a slice a set: Kong drops values that come twice.
	Set bool
	// Elements describes the elements of a slice or array.
	Elements *Field
	// Keys and Values describe those of a map.
	Keys, Values *Field
	// Fields describes the fields of a struct.
	Fields Fields
}

// Fields describe the fields of a configuration, in the order in which Kong lists
// them. A field that is not described stays where the struct has it.
type Fields []NamedField

// NamedField is what a schema says of one field of a configuration.
type NamedField struct {
	Name string // in JSON
	Field
}

// at is where a field is described, -1 when it is not.
func (f Fields) at(name string) int {
	return slices.IndexFunc(f, func(n NamedField) bool { return n.Name == name })
}

// of is what is said of a field, nothing when it is not described.
func (f Fields) of(name string) Field {
	if i := f.at(name); i >= 0 {
		return f[i].Field
	}
	return Field{}
}

// order puts the members that are described into the order of the description.
func (f Fields) order(all []member) []member {
	var described []member
	for _, m := range all {
		if f.at(m.name) >= 0 {
			described = append(described, m)
		}
	}
	slices.SortFunc(described, func(a, b member) int { return f.at(a.name) - f.at(b.name) })
	out := slices.Clone(all)
	for i, m := range out {
		if f.at(m.name) >= 0 {
			out[i], described = described[0], described[1:]
		}
	}
	return out
}

// misnamed tells of descriptions that are of no field, or of one that has another.
func (f Fields) misnamed(all []member) []error {
	var errs []error
	for i, n := range f {
		if !slices.ContainsFunc(all, func(m member) bool { return m.name == n.Name }) {
			errs = append(errs, fmt.Errorf("%q is described, and there is no such field", n.Name))
		}
		if f.at(n.Name) != i {
			errs = append(errs, fmt.Errorf("%q is described twice", n.Name))
		}
	}
	return errs
}

// Describer is a configuration that says more of its fields than their types. It
// is asked once, of what the constructor returns.
type Describer interface {
	Describe() Fields
}

// List makes a list for [Field.OneOf].
func List[T any](values ...T) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

// attributes puts what f says into the schema of a value.
func (f Field) attributes(schema map[string]any) {
	set := func(name string, value any, given bool) {
		if given {
			schema[name] = value
		}
	}
	set("description", f.Description, f.Description != "")
	set("required", true, f.Required)
	set("one_of", f.OneOf, f.OneOf != nil)
	set("between", f.Between, f.Between != nil)
	set("len_min", f.LenMin, f.LenMin > 0)
	set("len_max", f.LenMax, f.LenMax > 0)
	set("match", f.Match, f.Match != "")
	set("match_none", f.refused(), f.MatchNone != nil)
	set("err", f.Err, f.Err != "")
	set("encrypted", true, f.Encrypted)
	set("referenceable", true, f.Referenceable)
}

// refused is MatchNone as Kong has it: a message goes with each pattern.
func (f Field) refused() []object {
	message := cmp.Or(f.Err, "invalid value")
	out := make([]object, len(f.MatchNone))
	for i, pattern := range f.MatchNone {
		out[i] = object{"pattern": pattern, "err": message}
	}
	return out
}

// check tells what Kong would refuse in what f says of a value of this type: it
// would then refuse to start (kong/db/schema/metaschema.lua).
func (f Field) check(kind string) error {
	is := func(kinds ...string) bool { return slices.Contains(kinds, kind) }
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	n := len(f.Description)
	refuse(n > 0 && (n < 10 || n > 500), "a description has 10 to 500 bytes, not %d", n)
	refuse(f.OneOf != nil && !is("string", "number", "integer"), "one_of is not for a value of type %s", kind)
	refuse(f.Between != nil && !is("number", "integer"), "between is not for a value of type %s", kind)
	refuse(f.Between != nil && len(f.Between) != 2, "between has 2 numbers, not %d", len(f.Between))
	refuse((f.Match != "" || f.MatchNone != nil) && !is("string"), "match is not for a value of type %s", kind)
	refuse((f.LenMin > 0 || f.LenMax > 0) && !is("string", "array", "set", "map"), "a value of type %s has no length", kind)
	refuse(f.Referenceable && !is("string"), "a value of type %s is no reference", kind)
	refuse(f.Set && !is("set"), "a value of type %s is no set", kind)
	refuse(f.Elements != nil && !is("array", "set"), "a value of type %s has no elements", kind)
	refuse((f.Keys != nil || f.Values != nil) && !is("map"), "a value of type %s has no keys and values", kind)
	refuse(f.Fields != nil && !is("record"), "a value of type %s has no fields", kind)
	return errors.Join(errs...)
}

// checkDefault tells what Kong would refuse in the default, as far as it is about a
// single value.
func (f Field) checkDefault(v reflect.Value) error {
	text := func(x any) string { return fmt.Sprint(x) }
	if f.OneOf != nil && !slices.ContainsFunc(f.OneOf, func(x any) bool { return text(x) == text(v) }) {
		return fmt.Errorf("the default %q is not one of its values", text(v))
	}
	if len(f.Between) == 2 {
		if n, err := strconv.ParseFloat(text(v), 64); err == nil && (n < f.Between[0] || n > f.Between[1]) {
			return fmt.Errorf("the default %v is outside %v to %v", v, f.Between[0], f.Between[1])
		}
	}
	return nil
}

// allows tells whether a zero number may be a default.
func (f Field) allows(zero float64) bool {
	if f.Required || len(f.Between) == 2 && (zero < f.Between[0] || zero > f.Between[1]) {
		return false
	}
	return f.OneOf == nil || slices.ContainsFunc(f.OneOf, func(v any) bool { return fmt.Sprint(v) == "0" })
}
