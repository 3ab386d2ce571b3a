package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"diag405/examples/trial"
	"diag405/kong/config"
)

// Case is a 405 that somebody met, as something that can be run. README.md
// explains the format.
type Case struct {
	ID      string             `json:"id"`
	Source  []string           `json:"source"`
	Summary string             `json:"summary"` // gives the cause away: for people only
	Kong    json.RawMessage    `json:"kong"`
	Apps    map[string]AppSpec `json:"apps"` // by host:port
	Request trial.Request      `json:"request"`
	Before  []Before           `json:"before"`
	Expect  Expect             `json:"expect"`
	Derived bool               `json:"derived"`
}

// AppSpec is what listens at an address.
type AppSpec struct {
	Framework       string                `json:"framework"`
	Routes          []AppRoute            `json:"routes"`
	Server          string                `json:"server"`
	RedirectSlashes bool                  `json:"redirect_slashes"`
	Hosts           map[string][]AppRoute `json:"hosts"` // routes of named virtual hosts
}

// AppRoute is a path of an application with the methods that it takes.
type AppRoute struct {
	Path    string   `json:"path"`
	Methods []string `json:"methods"`
}

// Before is an earlier request of the same client, with the answer that it got.
type Before struct {
	trial.Request
	Answer struct {
		Status   int    `json:"status"`
		Location string `json:"location"`
	} `json:"answer"`
}

// Expect is what is known about the case.
type Expect struct {
	Status    int          `json:"status"`
	Allow     *string      `json:"allow"`    // nil: no Allow header comes
	Upstream  *string      `json:"upstream"` // METHOD PATH; nil: nothing reaches an application
	Cause     string       `json:"cause"`
	Accept    []string     `json:"accept"`
	Fix       trial.Change `json:"fix"`
	Derivable string       `json:"derivable"`
}

// derivables are the values of expect.derivable; none is set where only the
// application can be changed.
var derivables = []string{"", "exchange", "probe", "openapi", "config", "no"}

// parseCase reads a case and refuses what is not in the format.
func parseCase(data []byte) (*Case, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	c := new(Case)
	if err := d.Decode(c); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more behind the case")
	}
	return c, c.check()
}

func (c *Case) check() error {
	if c.ID == "" || c.Request.Method == "" || c.Request.Path == "" || len(c.Apps) == 0 {
		return errors.New("id, apps, request.method and request.path are required")
	}
	if c.Expect.Status == 0 {
		c.Expect.Status = 405
	}
	if !slices.Contains(derivables, c.Expect.Derivable) {
		return fmt.Errorf("expect.derivable: unknown value %q", c.Expect.Derivable)
	}
	for at := range c.Apps {
		if _, _, err := splitAddress(at); err != nil {
			return fmt.Errorf("apps: %w", err)
		}
	}
	if _, err := config.Parse(c.Kong); err != nil {
		return fmt.Errorf("kong: %w", err)
	}
	return nil
}

// splitAddress takes host:port apart.
func splitAddress(at string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(at)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	if err != nil || host == "" || port < 1 || port > 65535 {
		return "", 0, fmt.Errorf("%q is not host:port", at)
	}
	return host, port, nil
}

func joinHostPort(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// A file is a case on disk, or why it is none.
type file struct {
	id   string // the case's, or what the file's name says
	c    *Case
	fail error
}

// readCases reads every case of a folder, in the order of their ids.
func readCases(dir string) ([]file, error) {
	if _, err := os.ReadDir(dir); err != nil {
		return nil, fmt.Errorf("reading the cases: %w", err)
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*.json")) // fails on a bad pattern only
	if len(names) == 0 {
		return nil, fmt.Errorf("no *.json in %q", dir)
	}
	var files []file
	for _, name := range names {
		files = append(files, readCase(name))
	}
	slices.SortStableFunc(files, func(a, b file) int { return strings.Compare(a.id, b.id) })
	return files, nil
}

func readCase(name string) file {
	f := file{id: strings.TrimSuffix(filepath.Base(name), ".json")}
	data, err := os.ReadFile(name)
	if err != nil {
		f.fail = err
		return f
	}
	if f.c, err = parseCase(data); err != nil {
		f.c, f.fail = nil, fmt.Errorf("parsing %s: %w", filepath.Base(name), err)
		return f
	}
	f.id = f.c.ID
	return f
}
