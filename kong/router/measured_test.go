package router_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/router"
)

// TestMeasured replays requests that a real Kong was given, and wants the same
// route and the same upstream request for each. DIAG405_ROUTING lists the files,
// separated by colons.
func TestMeasured(t *testing.T) {
	var m measurement
	files := measuredFiles(t)
	for _, file := range files {
		m.replay(t, file)
	}
	if len(files) == 0 {
		t.Skip("routing: no measurements here (DIAG405_ROUTING names none that exists)")
	}
	summary := fmt.Sprintf("routing: %d of %d equal", m.equal, m.total)
	fmt.Println(summary)
	for _, difference := range m.differences[:min(10, len(m.differences))] {
		t.Error(difference)
	}
	require.Equal(t, m.total, m.equal, summary)
}

// measuredFiles are those that exist; a file that was asked for must.
func measuredFiles(t *testing.T) []string {
	if list := os.Getenv("DIAG405_ROUTING"); list != "" {
		return strings.Split(list, ":")
	}
	file := filepath.Join(moduleRoot(t), "..", "shared", "kong", "routing-3.9.1.jsonl")
	if _, err := os.Stat(file); err != nil {
		return nil
	}
	return []string{file}
}

func moduleRoot(t *testing.T) string {
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		require.NotEqual(t, dir, parent, "no go.mod above the test")
		dir = parent
	}
}

// A measurement counts what came out as measured.
type measurement struct {
	total, equal int
	differences  []string
}

// scenario is one line of a file: a configuration and requests to it.
type scenario struct {
	ID       string          `json:"id"`
	Kong     json.RawMessage `json:"kong"`
	Requests []struct {
		Method  string            `json:"method"`
		Target  string            `json:"target"`
		Host    string            `json:"host"`
		Headers map[string]string `json:"headers"`
		Expect  outcome           `json:"expect"`
	} `json:"requests"`
}

// outcome is what became of a request. Upstream is nil when it had none.
type outcome struct {
	Status   int    `json:"status"`
	Route    string `json:"route,omitempty"`
	Upstream *sent  `json:"upstream,omitempty"`
}

type sent struct {
	Method string `json:"method"`
	URI    string `json:"uri"`
	Host   string `json:"host"`
	Prefix string `json:"prefix"`
	Path   string `json:"path"`
}

func (m *measurement) replay(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var s scenario
		require.NoError(t, json.Unmarshal(lines.Bytes(), &s), file)
		m.play(t, s)
	}
	require.NoError(t, lines.Err())
}

func (m *measurement) play(t *testing.T, s scenario) {
	cfg, err := config.Parse(s.Kong)
	require.NoError(t, err, s.ID)
	r, err := router.New(cfg)
	require.NoError(t, err, s.ID)
	for _, req := range s.Requests {
		header := http.Header{}
		for name, value := range req.Headers {
			header.Set(name, value)
		}
		got := route(r, router.Request{Method: req.Method, Target: req.Target, Host: req.Host, Port: 8000, Header: header})
		m.compare(fmt.Sprintf("%s: %s %s on %s %v", s.ID, req.Method, req.Target, req.Host, req.Headers), got, req.Expect)
	}
}

// route is what a gateway makes of the router's answer.
func route(r *router.Router, req router.Request) outcome {
	if router.Refused(req.Target) {
		return outcome{Status: http.StatusBadRequest}
	}
	m, ok := r.Match(req)
	if !ok {
		return outcome{Status: http.StatusNotFound}
	}
	upstream := &sent{Method: req.Method, URI: m.UpstreamURI, Host: m.UpstreamHost, Prefix: m.Stripped, Path: m.ForwardedPath}
	if upstream.Host == "" {
		upstream.Host = serviceHost(m.Service)
	}
	return outcome{Status: http.StatusOK, Route: m.Route.Name, Upstream: upstream}
}

func serviceHost(s *config.Service) string {
	if s.Protocol == "http" && s.Port == 80 || s.Protocol == "https" && s.Port == 443 {
		return s.Host
	}
	return fmt.Sprintf("%s:%d", s.Host, s.Port)
}

func (m *measurement) compare(what string, got, want outcome) {
	m.total++
	g, w := marshal(got), marshal(want)
	if g == w {
		m.equal++
		return
	}
	m.differences = append(m.differences, fmt.Sprintf("%s\n got %s\nwant %s", what, g, w))
}

func marshal(o outcome) string {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return string(b)
}
