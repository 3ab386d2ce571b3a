package schema

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
)

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
	for _, k := range slices.Sorted(maps.Keys(in)) {
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
	for _, name := range slices.Sorted(maps.Keys(in)) {
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
