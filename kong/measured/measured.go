// Package measured holds what a real Kong 3.9.1 did with configurations and
// requests, for the tests of everything that claims to do the same.
//
// The files in testdata have an object a line: a declarative configuration, the
// requests that a freshly loaded, warmed-up Kong got with it, and what became of
// each ([Fresh] excepted). Test files name a [Set]; an environment variable names other files.
package measured

import (
	"compress/gzip"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// Scenario is one line of a file: a configuration and requests to it.
type Scenario struct {
	ID       string          `json:"id"`
	Flavor   string          `json:"router_flavor"` // "" is traditional_compatible
	Kong     json.RawMessage `json:"kong"`          // a declarative configuration
	Requests []Request       `json:"requests"`
}

// Request is a request as a client sent it, and what Kong did with it.
type Request struct {
	Method  string            `json:"method"`
	Target  string            `json:"target"` // byte for byte
	Host    string            `json:"host"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Expect  Outcome           `json:"expect"`
}

// Outcome is what became of a request. What a file does not record is zero:
// [Routing] has no answers' headers, [Plugins] no routes.
type Outcome struct {
	Status   int               `json:"status"`
	Route    string            `json:"route"`
	Upstream *Upstream         `json:"upstream"` // nil: nothing reached it
	Headers  map[string]string `json:"headers"`  // of the answer
	Body     *string           `json:"body"`     // of the answer; nil: not recorded
}

// Upstream is the request that reached the upstream.
type Upstream struct {
	Method  string              `json:"method"`
	URI     string              `json:"uri"`
	Host    string              `json:"host"`
	Prefix  string              `json:"prefix"` // X-Forwarded-Prefix
	Path    string              `json:"path"`   // X-Forwarded-Path
	Headers map[string][]string `json:"headers"`
	Body    *string             `json:"body"` // nil: not recorded
}

// Set is a file of testdata, and the environment variable that names others to
// read in its place, separated by colons.
type Set struct{ variable, file string }

var (
	// Routing is 60 configurations with 1,560 requests to the router alone.
	Routing = Set{"DIAG405_ROUTING", "routing-3.9.1.jsonl.gz"}
	// Traditional and Expressions are 119 configurations with 2,386 requests, and 59
	// with 1,534, to the routers of these flavours.
	Traditional = Set{"DIAG405_ROUTING_TRADITIONAL", "routing-traditional-3.9.1.jsonl.gz"}
	Expressions = Set{"DIAG405_ROUTING_EXPRESSIONS", "routing-expressions-3.9.1.jsonl.gz"}
	// Fresh is five requests to a Kong that had just been started, and that one which
	// has run for a while routes otherwise.
	Fresh = Set{"DIAG405_ROUTING_FRESH", "routing-fresh-3.9.1.jsonl.gz"}
	// Plugins is 111 requests through request-transformer, cors,
	// request-termination, and to Kong's own answers.
	Plugins = Set{"DIAG405_PLUGINS", "plugins-3.9.1.jsonl.gz"}
)

//go:embed testdata
var own embed.FS

// Scenarios reads the set. It is an error when there are none.
func (s Set) Scenarios() ([]Scenario, error) {
	var list []Scenario
	add := func(name string, open func(string) (io.ReadCloser, error)) error {
		more, err := read(name, open)
		list = append(list, more...)
		return err
	}
	var err error
	if named := os.Getenv(s.variable); named == "" {
		err = add(path.Join("testdata", s.file), func(name string) (io.ReadCloser, error) { return own.Open(name) })
	} else {
		for name := range strings.SplitSeq(named, ":") {
			err = errors.Join(err, add(name, func(name string) (io.ReadCloser, error) { return os.Open(name) }))
		}
	}
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%s: no measurements", s.file)
	}
	return list, err
}

// read reads a file, which may be compressed with gzip.
func read(name string, open func(string) (io.ReadCloser, error)) ([]Scenario, error) {
	f, err := open(name)
	if err != nil {
		return nil, fmt.Errorf("reading measurements: %w", err)
	}
	defer f.Close()
	text := io.Reader(f)
	if strings.HasSuffix(name, ".gz") {
		if text, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("reading measurements from %q: %w", name, err)
		}
	}
	list, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("reading measurements from %q: %w", name, err)
	}
	return list, nil
}

// decode reads scenarios, and refuses what has no place in one: it would not be
// compared.
func decode(text io.Reader) ([]Scenario, error) {
	d := json.NewDecoder(text)
	d.DisallowUnknownFields()
	var list []Scenario
	for {
		var s Scenario
		switch err := d.Decode(&s); {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return nil, fmt.Errorf("scenario %d: %w", len(list)+1, err)
		}
		list = append(list, s)
	}
}
