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
	"strings"

	"go.yaml.in/yaml/v3"

	"diag405/plugin/diagnose"
)

// MaxSize is how many bytes of a document are read, 16 MiB.
const MaxSize = 16 << 20

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
// it is:
//
//	paths: "/items": $ref: "items.yaml" points out of the document
func Parse(data []byte) ([]diagnose.Endpoint, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("the document is larger than %d bytes", MaxSize)
	}
	root, err := decode(data)
	if err != nil {
		return nil, err
	}
	r := reader{root: root, offers: map[string]map[string]bool{}}
	if err := r.read(); err != nil {
		return nil, err
	}
	return r.endpoints(), nil
}

// decode reads JSON with a JSON decoder, as YAML readers trip over tabs and
// surrogate pairs, and anything else as YAML. Both bound the depth, and the YAML
// decoder what aliases expand to.
func decode(data []byte) (object, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
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
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		err = json.Unmarshal(data, &value)
		if err == nil {
			return value, nil
		}
		err = fmt.Errorf("reading JSON: %w", atLine(err, data))
	}
	// YAML can begin with a brace too, and one that does not parse was meant as JSON.
	if yamlErr := yaml.Unmarshal(data, &value); yamlErr != nil {
		return nil, cmp.Or(err, fmt.Errorf("reading YAML: %w", oneLine(yamlErr)))
	}
	return value, nil
}

// atLine says where in the document a JSON error is.
func atLine(err error, data []byte) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	line := 1 + bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
	return fmt.Errorf("line %d: %w", line, err)
}

// oneLine takes the library's name and its line breaks from a YAML error, which
// becomes one line of a log, and its end where the document made it long.
func oneLine(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(text, "unmarshal errors:")
	text = strings.Join(strings.Fields(text), " ")
	return errors.New(strings.ToValidUTF8(text[:min(len(text), 300)], "?"))
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
		if version := fmt.Sprint(value); !field.known.MatchString(version) {
			return false, fmt.Errorf("%s: %s is not a version that can be read: those are swagger 2.0 and openapi 3.0, 3.1, 3.2", field.name, quote(version))
		}
		return field.name == "swagger", nil
	}
	return false, errors.New("the document has neither swagger nor openapi, which name its version")
}
