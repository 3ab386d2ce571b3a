package server

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Dump prints what Kong asks a plugin server for when it starts: where its socket
// is going to be, and what plugin it serves, with a schema
// (query_external_plugin_info in kong/runloop/plugin_servers/process.lua). It
// fails when the plugin describes a field in a way that Kong would refuse.
func (p Plugin) Dump(w io.Writer, prefix string) error {
	config := p.New()
	schema, err := p.schema(config)
	if err != nil {
		return fmt.Errorf("describing the configuration: %w", err)
	}
	type plugin struct {
		Name     string
		Phases   []string
		Version  string
		Priority int
		Schema   any
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(struct {
		Protocol   string
		SocketPath string
		Plugins    []plugin
	}{"ProtoBuf:1", filepath.Clean(p.socket(prefix)), []plugin{{p.name(), phaseNames(config), p.Version, p.Priority, schema}}})
}

// phaseNames are the phases that a configuration has handlers for.
func phaseNames(config any) []string {
	out := []string{}
	for _, h := range handlers {
		if h.of(config) != nil {
			out = append(out, h.name)
		}
	}
	return out
}

// httpProtocols are those of plugins that work on requests (protocols_http in
// kong/db/schema/typedefs.lua).
var httpProtocols = []string{"grpc", "grpcs", "http", "https"}

type object = map[string]any

// schema is a plugin's schema in Kong's form.
func (p Plugin) schema(config any) (object, error) {
	value := reflect.ValueOf(config)
	for value.Kind() == reflect.Pointer && !value.IsNil() {
		value = value.Elem()
	}
	if value.Kind() != reflect.Struct {
		return nil, fmt.Errorf("the constructor returns a %T, not a pointer to a struct", config)
	}
	record := Field{}
	if d, ok := config.(Describer); ok {
		record.Fields = d.Describe()
	}
	fields, err := recordSchema(value, record)
	if err != nil {
		return nil, err
	}
	protocols := p.Protocols
	if len(protocols) == 0 {
		protocols = httpProtocols
	}
	return object{"name": p.name(), "fields": []object{
		{"protocols": object{
			"type": "set", "required": true, "default": protocols,
			"elements": object{"type": "string", "one_of": protocols},
		}},
		{"config": fields},
	}}, nil
}

// schemaOf is the schema of a value of the configuration: v is its default, and f
// what the plugin says of it. It is nil when Kong has no type for it.
func schemaOf(v reflect.Value, f Field) (object, error) {
	schema, err := typeSchema(v, f)
	if schema == nil || err != nil {
		return nil, err
	}
	if err := f.check(schema["type"].(string)); err != nil {
		return nil, err
	}
	f.attributes(schema)
	if d, ok := defaultOf(v, f); ok {
		schema["default"] = d
		return schema, f.checkDefault(deref(v))
	}
	return schema, nil
}

// typeSchema is the schema that follows from a value's Go type.
func typeSchema(v reflect.Value, f Field) (object, error) {
	if reflect.PointerTo(v.Type()).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return object{"type": "string"}, nil
	}
	switch v.Kind() {
	case reflect.String:
		return object{"type": "string"}, nil
	case reflect.Bool:
		return object{"type": "boolean"}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return object{"type": "integer"}, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return object{"type": "integer", "between": []float64{0, highest(v.Type())}}, nil
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}, nil
	case reflect.Pointer:
		return pointerSchema(v, f)
	case reflect.Slice, reflect.Array:
		return listSchema(v, f)
	case reflect.Map:
		return mapSchema(v, f)
	case reflect.Struct:
		return recordSchema(v, f)
	}
	return nil, nil // interfaces, functions and channels
}

// highest is the highest value of an unsigned type; of the large ones, the highest
// whole number that Lua has.
func highest(t reflect.Type) float64 {
	if t.Bits() > 53 {
		return 1 << 53
	}
	return float64(uint64(1)<<t.Bits() - 1)
}

// pointerSchema is that of what it points to, except that a record may be null:
// Kong makes all others up.
func pointerSchema(v reflect.Value, f Field) (object, error) {
	to := v.Elem()
	if v.IsNil() {
		to = reflect.New(v.Type().Elem()).Elem()
	}
	schema, err := typeSchema(to, f)
	if schema != nil && schema["type"] == "record" && v.IsNil() {
		schema["required"] = false
	}
	return schema, err
}

func listSchema(v reflect.Value, f Field) (object, error) {
	if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
		return object{"type": "string"}, nil // encoding/json has bytes in base64
	}
	elements, err := schemaOf(reflect.New(v.Type().Elem()).Elem(), orZero(f.Elements))
	if elements == nil || err != nil {
		return nil, inside("elements", err)
	}
	delete(elements, "default")
	kind := "array"
	if f.Set {
		kind = "set"
	}
	return object{"type": kind, "elements": elements}, nil
}

func mapSchema(v reflect.Value, f Field) (object, error) {
	keys, err := schemaOf(reflect.New(v.Type().Key()).Elem(), orZero(f.Keys))
	if keys == nil || err != nil {
		return nil, inside("keys", err)
	}
	values, err := schemaOf(reflect.New(v.Type().Elem()).Elem(), orZero(f.Values))
	if values == nil || err != nil {
		return nil, inside("values", err)
	}
	keys["type"] = "string" // what keys are in JSON
	delete(keys, "between")
	delete(keys, "default")
	delete(values, "default")
	return object{"type": "map", "keys": keys, "values": values}, nil
}

func orZero(f *Field) Field {
	if f == nil {
		return Field{}
	}
	return *f
}

// recordSchema is the schema of a struct, its fields in the order of their
// description.
func recordSchema(v reflect.Value, f Field) (object, error) {
	out := []object{}
	all := members(v)
	errs := f.Fields.misnamed(all)
	for _, m := range f.Fields.order(all) {
		schema, err := schemaOf(m.value, f.Fields.of(m.name))
		if schema == nil && err == nil {
			log.Printf("schema: Kong has no type for field %q, a %s; it is left out", m.name, m.value.Type())
			continue
		}
		if err != nil {
			errs = append(errs, inside(m.name, err))
			continue
		}
		out = append(out, object{m.name: schema})
	}
	return object{"type": "record", "fields": out}, errors.Join(errs...)
}

func inside(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// member is a field of a struct as encoding/json sees it.
type member struct {
	name  string
	value reflect.Value
}

// members are the fields that encoding/json decodes into. Those of an embedded
// struct are its own, unless the struct has a name or hides them.
func members(v reflect.Value) []member {
	var out []member
	add := func(m member, embedded bool) {
		at := slices.IndexFunc(out, func(x member) bool { return x.name == m.name })
		switch {
		case at < 0:
			out = append(out, m)
		case !embedded:
			out[at] = m
		}
	}
	for _, f := range reflect.VisibleFields(v.Type()) {
		if len(f.Index) > 1 {
			continue // comes with the struct that it is in
		}
		name, given := jsonName(f)
		inner := deref(v.FieldByIndex(f.Index))
		switch {
		case name == "-" && !given:
		case f.Anonymous && !given && inner.Kind() == reflect.Struct:
			for _, m := range members(inner) {
				add(m, true)
			}
		case f.IsExported():
			add(member{name, v.FieldByIndex(f.Index)}, false)
		}
	}
	return out
}

// deref follows a pointer; of a nil one, to a zero value.
func deref(v reflect.Value) reflect.Value {
	if v.Kind() != reflect.Pointer {
		return v
	}
	if v.IsNil() {
		return reflect.New(v.Type().Elem()).Elem()
	}
	return v.Elem()
}

// jsonName is the name of a field, and whether a tag gives it. Without a tag it is
// the Go name in lower case, as with go-pdk: encoding/json takes it in any case.
// "-" without a tag's comma is a field that is left out.
func jsonName(f reflect.StructField) (name string, given bool) {
	tag := f.Tag.Get("json")
	if tag == "-" {
		return "-", false
	}
	if name, _, _ = strings.Cut(tag, ","); name != "" {
		return name, true
	}
	return strings.ToLower(f.Name), false
}

// defaultOf is the default that a schema states. Empty strings, lists and maps
// count as unset: Kong has null for them. Of a struct, each field has its own.
func defaultOf(v reflect.Value, f Field) (any, bool) {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, false
	}
	v = deref(v)
	switch v.Kind() {
	case reflect.Struct, reflect.Array, reflect.Interface, reflect.Func, reflect.Chan:
		return nil, false
	case reflect.String, reflect.Slice, reflect.Map:
		return v.Interface(), v.Len() > 0
	case reflect.Bool:
		return v.Interface(), true // false is an answer, also to a field that needs one
	}
	if v.IsZero() {
		return v.Interface(), f.allows(0)
	}
	return v.Interface(), true
}
