package openapi

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// object is a mapping of the document.
type object map[string]any

// asObject reads a value as a mapping. YAML has keys that are not text, such as
// the 200 of a response: by them nothing can be found, so they are as good as not
// there.
func asObject(value any) (object, bool) {
	switch v := value.(type) {
	case map[string]any:
		return v, true
	case map[any]any:
		o := object{}
		for key, value := range v {
			if name, ok := key.(string); ok {
				o[name] = value
			}
		}
		return o, true
	}
	return nil, false
}

// object is the mapping in a field; nil when the field is absent or empty.
func (o object) object(field string) (object, error) {
	value := o[field]
	if value == nil {
		return nil, nil
	}
	child, ok := asObject(value)
	if !ok {
		return nil, wrong(field, "should be a mapping, not %s", describe(value))
	}
	return child, nil
}

// list is the sequence in a field; nil when the field is absent or empty.
func (o object) list(field string) ([]any, error) {
	value := o[field]
	if value == nil {
		return nil, nil
	}
	items, ok := value.([]any)
	if !ok {
		return nil, wrong(field, "should be a list, not %s", describe(value))
	}
	return items, nil
}

// text is the string in a field; "" when the field is absent or empty. A number
// counts, as version: 1 is a string to those who write it.
func (o object) text(field string) (string, error) {
	switch value := o[field].(type) {
	case nil:
		return "", nil
	case string:
		return value, nil
	case int, float64, bool:
		return fmt.Sprint(value), nil
	default:
		return "", wrong(field, "should be text, not %s", describe(value))
	}
}

// fields are the names of what is in the mapping, sorted, without the extensions
// (OpenAPI 3.1.1 section 4.9).
func (o object) fields() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(o)), func(name string) bool { return strings.HasPrefix(name, "x-") })
}

// resolve returns what an object stands for: itself, or what its $ref leads to,
// and what that leads to. All of them are returned, as fields beside a $ref add to
// it (OpenAPI 3.1.1 section 4.8.9.1).
func (o object) resolve(root object) ([]object, error) {
	chain := []object{o}
	for {
		ref, err := chain[len(chain)-1].text("$ref")
		if err != nil || ref == "" {
			return chain, err
		}
		if len(chain) > maxRefs {
			return nil, wrong("$ref", "leads from one $ref to the next, and to no end")
		}
		next, err := root.find(ref)
		if err != nil {
			return nil, err
		}
		chain = append(chain, next)
	}
}

// find is the mapping that a reference within the document points to: a JSON
// pointer (RFC 6901) in a fragment.
func (o object) find(ref string) (object, error) {
	pointer, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil, wrong("$ref", "points out of the document")
	}
	pointer, err := url.PathUnescape(pointer)
	if err != nil {
		return nil, wrong("$ref", "is not a reference")
	}
	for step := range strings.SplitSeq(pointer, "/") {
		child, ok := asObject(o[unescapePointer.Replace(step)])
		if !ok {
			return nil, wrong("$ref", "leads nowhere")
		}
		o = child
	}
	return o, nil
}

var unescapePointer = strings.NewReplacer("~1", "/", "~0", "~")
