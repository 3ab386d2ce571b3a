// Package openapi reads from an application's own description which methods its
// paths take.
//
// [Parse] reads a document, Swagger 2.0 or OpenAPI 3.0, 3.1 and 3.2, in YAML or
// JSON. [File] keeps up with a document on disk.
//
// Only paths, methods and servers are read: no schema, no parameter, no security.
// What is read is read strictly, as a document that names only part of what the
// application offers would prove the rest missing: a reference to another file,
// for one, is an error and not a gap.
//
// # The base path
//
// The path of a server (OpenAPI 3.1.1 section 4.8.5, in Swagger 2.0 basePath) is
// taken as the beginning of the path that the upstream sees. Where the gateway
// removes that part, the document describes the gateway and not the upstream, and
// servers should be left out of the copy that is read here. FastAPI's root_path
// writes such a server.
package openapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v3"

	"diag405/plugin/diagnose"
)

// How many bytes of a document are read. While it is decoded, YAML takes up to 100
// times as much, and JSON 34 times (measured).
const (
	MaxSize     = 16 << 20
	MaxYAMLSize = 2 << 20
)

// Bounds on what a document can stand for, far above any that people write.
const (
	maxEndpoints = 20_000
	maxServers   = 100  // of one list, and again with their variables filled in
	maxPath      = 8192 // bytes, as long as a request line that Kong takes
	maxRefs      = 10   // from one path item to the next
)

// Parse returns what a document says that the application offers: sorted by path,
// each path once, its methods sorted. Paths are as they go on the wire, percent-
// encoded where the document is not, with {name} for what varies, also inside a
// segment as in /files/{name}.json. The error names the first problem and where
// it is, and quotes nothing of the document:
//
//	line 12: paths: a path: $ref points out of the document
func Parse(data []byte) ([]diagnose.Endpoint, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if err := checkSize(data); err != nil {
		return nil, err
	}
	root, err := decode(data)
	if err != nil {
		return nil, err
	}
	r := reader{root: root, offers: map[string]map[string]bool{}}
	if err := r.read(); err != nil {
		return nil, located(data, err)
	}
	return r.endpoints(), nil
}

func checkSize(data []byte) error {
	switch {
	case len(data) > MaxSize:
		return fmt.Errorf("the document is larger than %d bytes", MaxSize)
	case len(data) > MaxYAMLSize && !isJSON(data):
		return fmt.Errorf("the document is YAML and larger than %d bytes: in JSON it may have %d", MaxYAMLSize, MaxSize)
	}
	return nil
}

// isJSON reports a document that begins as one in JSON.
func isJSON(data []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) }

// decode reads JSON with a JSON decoder, as YAML readers trip over tabs and
// surrogate pairs, and anything else as YAML. Both bound the depth, and the YAML
// decoder what aliases expand to.
func decode(data []byte) (object, error) {
	value, err := decodeValue(data)
	if err != nil {
		return nil, err
	}
	root, ok := asObject(value)
	if !ok {
		return nil, fmt.Errorf("the document should be a mapping, not %s", describe(value))
	}
	return root, nil
}

func decodeValue(data []byte) (value any, err error) {
	if isJSON(data) {
		err = json.Unmarshal(data, &value)
		if err == nil {
			return value, nil
		}
		err = brokenJSON(err, data)
		if len(data) > MaxYAMLSize {
			return nil, err
		}
	}
	// YAML can begin with a brace too, and one that does not parse was meant as JSON.
	if yamlErr := yaml.Unmarshal(data, &value); yamlErr != nil {
		return nil, cmp.Or(err, brokenYAML(yamlErr))
	}
	return value, nil
}

// versions are those whose paths, methods and servers this package knows. YAML
// reads an unquoted 2.0 or 3.0 as a number.
var (
	swagger2 = regexp.MustCompile(`^2(\.0)?$`)
	openAPI3 = regexp.MustCompile(`^3(\.[012](\.\d+.*)?)?$`)
)

// checkVersion reports whether it is Swagger 2, as against OpenAPI 3.
func checkVersion(root object) (swagger bool, err error) {
	for _, field := range []struct {
		name  string
		known *regexp.Regexp
	}{{"swagger", swagger2}, {"openapi", openAPI3}} {
		value, ok := root[field.name]
		if !ok {
			continue
		}
		if !field.known.MatchString(fmt.Sprint(value)) {
			return false, wrong(field.name, "names no version that can be read: those are swagger 2.0 and openapi 3.0, 3.1, 3.2")
		}
		return field.name == "swagger", nil
	}
	return false, errors.New("the document has neither swagger nor openapi, which name its version")
}
