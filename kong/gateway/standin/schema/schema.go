// Package schema checks plugins' configurations as Kong does, and fills them in.
package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Schema is a plugin's schema as Kong's schema machinery reads it
// (kong/db/schema/init.lua), as far as configurations are checked here.
// Attributes that are not in [field] are accepted and have no effect.
type Schema struct {
	Name   string
	Fields []map[string]*field
}

// MustParse reads a schema that is written in the code.
func MustParse(text string) Schema {
	var s Schema
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		panic("bug: a schema that is none: " + err.Error())
	}
	return s
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
	MatchNone     []refusal `json:"match_none"`
	StartsWith    string    `json:"starts_with"`
	Err           string    `json:"err"` // instead of a validator's message
	Referenceable bool
	Elements      *field
	Keys          *field
	Values        *field
	Fields        []map[string]*field // of a record: each has one entry
}

// refusal is a Lua pattern that a string may not match, and what is said then.
type refusal struct{ Pattern, Err string }

// required tells whether there has to be a value. Records are made up unless the
// schema says that they may be null (make_records_required in
// kong/db/schema/entity.lua).
func (f *field) required() bool {
	if f.Required == nil {
		return f.Type == "record"
	}
	return *f.Required
}

// Complete checks a plugin's configuration and returns it with defaults filled
// in and null for what is unset. All that is wrong is in the error.
func (s Schema) Complete(config map[string]any) (map[string]any, error) {
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
