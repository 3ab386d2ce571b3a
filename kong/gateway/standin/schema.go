package standin

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
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
	Type          string
	Required      *bool
	Default       any
	OneOf         []any     `json:"one_of"`
	NotOneOf      []any     `json:"not_one_of"`
	Between       []float64 `json:"between"`
	Gt            *float64  `json:"gt"`
	LenEq         *int      `json:"len_eq"`
	LenMin        *int      `json:"len_min"`
	LenMax        *int      `json:"len_max"`
	Match         string    `json:"match"` // a Lua pattern
	StartsWith    string    `json:"starts_with"`
	Err           string    `json:"err"` // instead of a validator's message
	Referenceable bool
	Elements      *field
	Keys          *field
	Values        *field
	Fields        []map[string]*field // of a record: each has one entry
}

// required tells whether there has to be a value. Records are made up unless the
// schema says that they may be null (make_records_required in
// kong/db/schema/entity.lua).
func (f *field) required() bool {
	if f.Required == nil {
		return f.Type == "record"
	}
	return *f.Required
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

// complete checks a value and returns it with defaults filled in. A null is not
// replaced by the default.
func (f *field) complete(value any) (any, error) {
	if value == nil {
		return nil, f.refuseNull()
	}
	if ref, ok := value.(string); ok && f.Referenceable && isReference(ref) {
		return value, nil
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
			if f.Err != "" {
				err = errors.New(f.Err)
			}
			return nil, err
		}
	}
	return done, nil
}

// isReference tells a reference into a vault (kong/pdk/vault.lua).
func isReference(value string) bool {
	return strings.HasPrefix(value, "{vault://") && strings.HasSuffix(value, "}")
}

func (f *field) refuseNull() error {
	if f.required() {
		return errors.New("required field missing")
	}
	return nil
}

// missing is the value of a field that is not there.
func (f *field) missing() (any, error) {
	if f.Default != nil {
		return f.complete(f.Default)
	}
	if f.Type == "record" && f.required() {
		return f.complete(map[string]any{})
	}
	return nil, f.refuseNull()
}

// inside completes a value of a list or a map, where there is no null.
func (f *field) inside(value any) (any, error) {
	if value == nil {
		return nil, errors.New("required field missing")
	}
	return f.complete(value)
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
		"set":     set,
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
			done, err := f.Elements.inside(v)
			if err != nil {
				errs = append(errs, prefixed(fmt.Sprintf("in entry %d", i+1), err))
			}
			out[i] = done
		}
		return out, errors.Join(errs...)
	}
}

// set is a list in which no value comes twice.
func set(f *field, value any) (any, error) {
	in, ok := value.([]any)
	if !ok {
		return nil, errors.New("expected a set")
	}
	unique := []any{}
	for _, v := range in {
		if !slices.ContainsFunc(unique, func(u any) bool { return reflect.DeepEqual(u, v) }) {
			unique = append(unique, v)
		}
	}
	return list("expected a set")(f, unique)
}

// mapping checks a map. Kong names neither the key nor the place, and the first
// mistake ends it; which one that is depends on Lua's order there, here on the
// alphabet.
func mapping(f *field, value any) (any, error) {
	in, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("expected a map")
	}
	out := map[string]any{}
	for _, k := range sortedKeys(in) {
		if f.Keys != nil {
			if _, err := f.Keys.inside(k); err != nil {
				return nil, err
			}
		}
		out[k] = in[k]
		if f.Values != nil {
			done, err := f.Values.inside(in[k])
			if err != nil {
				return nil, err
			}
			out[k] = done
		}
	}
	return out, nil
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
			done, err := sub.completeIn(in, name)
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

// completeIn completes a field of a record.
func (f *field) completeIn(record map[string]any, name string) (any, error) {
	if value, given := record[name]; given {
		return f.complete(value)
	}
	return f.missing()
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
			return fmt.Errorf("value should be between %d and %d", int64(f.Between[0]), int64(f.Between[1])) // %d in Kong, too
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
		case f.LenEq != nil && n != *f.LenEq:
			return fmt.Errorf("length must be %d", *f.LenEq)
		case f.LenMin != nil && n < *f.LenMin:
			return fmt.Errorf("length must be at least %d", *f.LenMin)
		case f.LenMin == nil && f.Type == "string" && n == 0: // strings are not empty unless len_min is 0
			return errors.New("length must be at least 1")
		case f.LenMax != nil && n > *f.LenMax:
			return fmt.Errorf("length must be at most %d", *f.LenMax)
		}
		return nil
	},
	func(f *field, value any) error {
		if text, ok := value.(string); ok && !strings.HasPrefix(text, f.StartsWith) {
			return fmt.Errorf("should start with: %s", f.StartsWith)
		}
		return nil
	},
	func(f *field, value any) error {
		text, ok := value.(string)
		if !ok || f.Match == "" {
			return nil
		}
		pattern, err := luaPattern(f.Match)
		if err != nil {
			return err
		}
		if !pattern.MatchString(text) {
			return fmt.Errorf("invalid value: %s", text)
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
