package openapi

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"diag405/plugin/diagnose"
)

// reader is a document while it is being read.
type reader struct {
	root    object
	swagger bool
	offers  map[string]map[string]bool // path to methods
}

func (r *reader) read() error {
	var err error
	if r.swagger, err = checkVersion(r.root); err != nil {
		return err
	}
	bases, err := r.rootBases()
	if err != nil {
		return err
	}
	if _, ok := r.root["paths"]; !ok {
		return errors.New("paths is missing, so the document names nothing that is offered")
	}
	paths, err := r.root.object("paths")
	if err != nil {
		return err
	}
	for _, path := range paths.fields() {
		if err := r.readPath(paths, path, bases); err != nil {
			return within("paths", err)
		}
	}
	return nil
}

func (r *reader) readPath(paths object, path string, bases []string) error {
	if !strings.HasPrefix(path, "/") {
		return wrong(path, "should start with /")
	}
	item, err := paths.object(path)
	if err != nil {
		return err
	}
	items, err := item.resolve(r.root)
	if err != nil {
		return within(path, err)
	}
	for _, item := range items {
		if err := r.readItem(item, path, bases); err != nil {
			return within(path, err)
		}
	}
	return nil
}

// readItem reads a path item (OpenAPI 3.1.1 section 4.8.9).
func (r *reader) readItem(item object, path string, bases []string) error {
	bases, err := r.basesOf(item, bases)
	if err != nil {
		return err
	}
	for _, field := range item.fields() {
		if method := strings.ToUpper(field); slices.Contains(methods, method) {
			if err := r.readOperation(item, field, method, path, bases); err != nil {
				return err
			}
		}
	}
	return r.readAdditional(item, path, bases)
}

// methods are those that a path item has a field for; QUERY since OpenAPI 3.2.
var methods = []string{
	http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete, http.MethodOptions, http.MethodHead,
	http.MethodPatch, http.MethodTrace, "QUERY",
}

// readAdditional reads the methods without a field of their own (OpenAPI 3.2
// section 4.9), which are named as they are sent.
func (r *reader) readAdditional(item object, path string, bases []string) error {
	const field = "additionalOperations"
	additional, err := item.object(field)
	if err != nil {
		return err
	}
	for _, method := range additional.fields() {
		if !slices.Equal(diagnose.ParseAllow([]string{method}).Methods, []string{method}) {
			return within(field, wrong(method, "is not that of a method"))
		}
		if err := r.readOperation(additional, method, method, path, bases); err != nil {
			return within(field, err)
		}
	}
	return nil
}

// readOperation reads one method of a path. An operation without content is one
// that nobody has described yet.
func (r *reader) readOperation(item object, field, method, path string, bases []string) error {
	operation, err := item.object(field)
	if err != nil {
		return err
	}
	bases, err = r.basesOf(operation, bases)
	if err != nil {
		return within(field, err)
	}
	for _, base := range bases {
		if err := r.add(join(base, path), method); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) add(path, method string) error {
	if len(path) > maxPath {
		return fmt.Errorf("with its server the path is longer than %d bytes", maxPath)
	}
	if r.offers[path] == nil {
		if len(r.offers) == maxEndpoints {
			return fmt.Errorf("the document has more than %d paths", maxEndpoints)
		}
		r.offers[path] = map[string]bool{}
	}
	r.offers[path][method] = true
	return nil
}

func (r *reader) endpoints() []diagnose.Endpoint {
	var endpoints []diagnose.Endpoint
	for _, path := range slices.Sorted(maps.Keys(r.offers)) {
		endpoints = append(endpoints, diagnose.Endpoint{Path: path, Methods: slices.Sorted(maps.Keys(r.offers[path]))})
	}
	return endpoints
}

// join puts a base in front of a path. Some documents tell operations on one path
// apart by a query or a fragment, which are no part of a path.
func join(base, path string) string {
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	return base + encode(path)
}

// encode writes what cannot stand in a request line as it is percent-encoded (RFC
// 3986 section 2.1), which is how it comes from a client.
func encode(path string) string {
	var b strings.Builder
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c > '~' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
