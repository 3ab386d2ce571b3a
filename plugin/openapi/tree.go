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
		return nil, fmt.Errorf("%s should be a mapping, not %s", show(field), describe(value))
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
		return nil, fmt.Errorf("%s should be a list, not %s", show(field), describe(value))
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
		return "", fmt.Errorf("%s should be text, not %s", show(field), describe(value))
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
			return nil, fmt.Errorf("$ref: %s leads from one $ref to the next, and to no end", quote(ref))
		}
		next, err := root.find(ref)
		if err != nil {
			return nil, fmt.Errorf("$ref: %w", err)
		}
		chain = append(chain, next)
	}
}

// find is the mapping that a reference within the document points to: a JSON
// pointer (RFC 6901) in a fragment.
func (o object) find(ref string) (object, error) {
	pointer, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil, fmt.Errorf("%s points out of the document", quote(ref))
	}
	pointer, err := url.PathUnescape(pointer)
	if err != nil {
		return nil, fmt.Errorf("%s is not a reference", quote(ref))
	}
	for step := range strings.SplitSeq(pointer, "/") {
		child, ok := asObject(o[unescapePointer.Replace(step)])
		if !ok {
			return nil, fmt.Errorf("%s leads nowhere", quote(ref))
		}
		o = child
	}
	return o, nil
}

var unescapePointer = strings.NewReplacer("~1", "/", "~0", "~")

// show is a field's name as it stands in an error: bare where it is the
// specification's, quoted where it is the document's.
func show(field string) string {
	isLetter := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '$' }
	if len(field) < 30 && strings.IndexFunc(field, func(r rune) bool { return !isLetter(r) }) < 0 {
		return field
	}
	return quote(field)
}

// quote is a piece of the document as it stands in an error, which becomes one
// line of a log: long ones are cut.
func quote(text string) string {
	const most = 80
	if len(text) > most {
		return fmt.Sprintf("%q...", text[:most])
	}
	return fmt.Sprintf("%q", text)
}

// describe says what a value is, shortly.
func describe(value any) string {
	switch v := value.(type) {
	case nil:
		return "empty"
	case string:
		return quote(v)
	case []any:
		return "a list"
	case map[string]any, map[any]any:
		return "a mapping"
	default:
		return fmt.Sprint(v)
	}
}
