package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// schema is a plugin's schema as Kong's schema machinery reads it
// (kong/db/schema/init.lua), as far as configurations are checked here.
// Attributes that are not in [field] are accepted and have no effect.
type schema struct {
	Name   string
	Fields []map[string]*field
}

// field is the schema of one value.
type field struct {
	Type     string
	Required bool
	Default  any
	OneOf    []any     `json:"one_of"`
	NotOneOf []any     `json:"not_one_of"`
	Between  []float64 `json:"between"`
	Gt       *float64  `json:"gt"`
	LenMin   *int      `json:"len_min"`
	LenMax   *int      `json:"len_max"`
	Elements *field
	Keys     *field
	Values   *field
	Fields   []map[string]*field // of a record: each has one entry
}

// complete checks a plugin's configuration and returns it with defaults filled
// in and null for what is unset. All that is wrong is in the error.
func (s schema) complete(config map[string]any) (map[string]any, error) {
	record := &field{Type: "record"}
	for _, f := range s.Fields {
		if c, ok := f["config"]; ok {
			record = c
		}
	}
	value, err := normalized(config)
	if err != nil {
		return nil, err
	}
	done, err := record.complete(value)
	if err != nil {
		return nil, prefixed("in 'config'", err)
	}
	return done.(map[string]any), nil
}

// normalized brings a configuration into the types of encoding/json.
func normalized(config map[string]any) (any, error) {
	data, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("in 'config': %w", err)
	}
	value := map[string]any{}
	err = json.Unmarshal(data, &value)
	if value == nil {
		value = map[string]any{}
	}
	return value, err
}

// prefixed puts where behind each line of a joined error.
func prefixed(where string, err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, prefixed(where, e))
		}
		return errors.Join(errs...)
	}
	return fmt.Errorf("%s: %w", where, err)
}

// complete checks a value and returns it with defaults filled in.
func (f *field) complete(value any) (any, error) {
	if value == nil {
		return f.missing()
	}
	t, ok := fieldTypes[f.Type]
	if !ok {
		return value, nil // a type of Kong that plugins' configurations rarely have
	}
	done, err := t(f, value)
	if err != nil {
		return nil, err
	}
	for _, check := range checks {
		if err := check(f, done); err != nil {
			return nil, err
		}
	}
	return done, nil
}

// missing is the value of a field that is unset. A record is made up when
// something in it has a default.
func (f *field) missing() (any, error) {
	if f.Default != nil {
		return f.complete(f.Default)
	}
	if f.Type == "record" && (f.hasDefaults() || f.Required) {
		return f.complete(map[string]any{})
	}
	if f.Required {
		return nil, errors.New("required field missing")
	}
	return nil, nil
}

func (f *field) hasDefaults() bool {
	for _, entry := range f.Fields {
		for _, sub := range entry {
			if sub.Default != nil || sub.Type == "record" && sub.hasDefaults() {
				return true
			}
		}
	}
	return false
}

// fieldTypes check a value's type and what is in it.
var fieldTypes map[string]func(f *field, value any) (any, error)

func init() { // since the types of containers refer to fieldTypes again
	fieldTypes = map[string]func(f *field, value any) (any, error){
		"string":  isA[string]("expected a string"),
		"boolean": isA[bool]("expected a boolean"),
		"number":  isA[float64]("expected a number"),
		"integer": integer,
		"array":   list("expected an array"),
		"set":     list("expected a set"),
		"map":     mapping,
		"record":  record,
	}
}

func isA[T any](message string) func(*field, any) (any, error) {
	return func(_ *field, value any) (any, error) {
		if _, ok := value.(T); !ok {
			return nil, errors.New(message)
		}
		return value, nil
	}
}

func integer(_ *field, value any) (any, error) {
	if n, ok := value.(float64); !ok || n != math.Trunc(n) {
		return nil, errors.New("expected an integer")
	}
	return value, nil
}

func list(message string) func(*field, any) (any, error) {
	return func(f *field, value any) (any, error) {
		in, ok := value.([]any)
		if !ok {
			return nil, errors.New(message)
		}
		if f.Elements == nil {
			return in, nil
		}
		out := make([]any, len(in))
		var errs []error
		for i, v := range in {
			done, err := f.Elements.complete(v)
			if err != nil {
				errs = append(errs, prefixed(fmt.Sprintf("in entry %d", i+1), err))
			}
			out[i] = done
		}
		return out, errors.Join(errs...)
	}
}

func mapping(f *field, value any) (any, error) {
	in, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("expected a map")
	}
	out := map[string]any{}
	var errs []error
	for _, k := range sortedKeys(in) {
		if f.Keys != nil {
			if _, err := f.Keys.complete(k); err != nil {
				errs = append(errs, prefixed(fmt.Sprintf("in key '%s'", k), err))
			}
		}
		out[k] = in[k]
		if f.Values != nil {
			done, err := f.Values.complete(in[k])
			if err != nil {
				errs = append(errs, prefixed(fmt.Sprintf("in '%s'", k), err))
			}
			out[k] = done
		}
	}
	return out, errors.Join(errs...)
}

func record(f *field, value any) (any, error) {
	in, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("expected a record")
	}
	out := map[string]any{}
	var errs []error
	for _, entry := range f.Fields {
		for name, sub := range entry {
			done, err := sub.complete(in[name])
			if err != nil {
				errs = append(errs, prefixed(fmt.Sprintf("in '%s'", name), err))
			}
			out[name] = done
		}
	}
	for _, name := range sortedKeys(in) {
		if _, known := out[name]; !known {
			errs = append(errs, fmt.Errorf("in '%s': unknown field", name))
		}
	}
	return out, errors.Join(errs...)
}

// checks are the validators of a value whose type is right.
var checks = []func(f *field, value any) error{
	func(f *field, value any) error {
		if f.OneOf != nil && !slices.Contains(f.OneOf, value) {
			return fmt.Errorf("expected one of: %s", listed(f.OneOf))
		}
		return nil
	},
	func(f *field, value any) error {
		if f.NotOneOf != nil && slices.Contains(f.NotOneOf, value) {
			return fmt.Errorf("must not be one of: %s", listed(f.NotOneOf))
		}
		return nil
	},
	func(f *field, value any) error {
		if n, ok := value.(float64); ok && len(f.Between) == 2 && (n < f.Between[0] || n > f.Between[1]) {
			return fmt.Errorf("value should be between %s and %s", decimal(f.Between[0]), decimal(f.Between[1]))
		}
		return nil
	},
	func(f *field, value any) error {
		if n, ok := value.(float64); ok && f.Gt != nil && n <= *f.Gt {
			return fmt.Errorf("value must be greater than %s", decimal(*f.Gt))
		}
		return nil
	},
	func(f *field, value any) error {
		n, ok := length(value)
		switch {
		case !ok:
			return nil
		case f.LenMin != nil && n < *f.LenMin:
			return fmt.Errorf("length must be at least %d", *f.LenMin)
		case f.LenMin == nil && f.Type == "string" && n == 0: // strings are not empty unless len_min is 0
			return errors.New("length must be at least 1")
		case f.LenMax != nil && n > *f.LenMax:
			return fmt.Errorf("length must be at most %d", *f.LenMax)
		}
		return nil
	},
}

func length(value any) (int, bool) {
	switch v := value.(type) {
	case string:
		return len(v), true
	case []any:
		return len(v), true
	case map[string]any:
		return len(v), true
	}
	return 0, false
}

func listed(values []any) string {
	var out []string
	for _, v := range values {
		out = append(out, luaString(v))
	}
	return strings.Join(out, ", ")
}

func decimal(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
