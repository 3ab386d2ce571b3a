// Package bundled does what some of Kong's bundled plugins do, as functions on
// plain values: request-transformer, cors and request-termination. They are
// those that change what an upstream sees or who answers.
package bundled

import (
	"bytes"
	"encoding/json"

	"diag405/kong/router"
	"diag405/kong/wire"
)

// Request is what a plugin sees of a request, and may change.
type Request struct {
	Method       string
	Query        string // raw
	Header       wire.Fields
	Body         []byte
	HasBody      bool
	UpstreamURI  string // the path for the upstream, escaped
	UpstreamHost string // the Host for the upstream; "" when it is the service's
	Captures     router.Captures
	Shared       map[string]any
}

// Answer is an answer that a plugin makes. A nil body is none.
type Answer struct {
	Status int
	Header wire.Fields
	Body   []byte
}

// EscapePath is what kong.service.request.set_path does to a path, which starts
// with a slash.
func EscapePath(path string) string {
	return router.UpstreamPath("", path, "", false) // kept as it is, but for the escaping
}

// JSON encodes as Kong's cjson does, but for the order of keys: slashes are
// escaped, HTML is not.
func JSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(bytes.TrimRight(b.Bytes(), "\n"), []byte("/"), []byte(`\/`)), nil
}
