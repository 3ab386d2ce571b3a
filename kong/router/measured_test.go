package router_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/measured"
	"diag405/kong/router"
)

// TestMeasured replays requests that a real Kong was given, and wants the same
// route and the same upstream request for each.
func TestMeasured(t *testing.T) {
	scenarios, err := measured.Routing.Scenarios()
	require.NoError(t, err)
	var m measurement
	for _, s := range scenarios {
		m.play(t, s)
	}
	summary := fmt.Sprintf("routing: %d of %d equal", m.equal, m.total)
	fmt.Println(summary)
	for _, difference := range m.differences[:min(10, len(m.differences))] {
		t.Error(difference)
	}
	require.Equal(t, m.total, m.equal, summary)
}

// A measurement counts what came out as measured.
type measurement struct {
	total, equal int
	differences  []string
}

func (m *measurement) play(t *testing.T, s measured.Scenario) {
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
func route(r *router.Router, req router.Request) measured.Outcome {
	if router.Refused(req.Target) {
		return measured.Outcome{Status: http.StatusBadRequest}
	}
	m, ok := r.Match(req)
	if !ok {
		return measured.Outcome{Status: http.StatusNotFound}
	}
	upstream := &measured.Upstream{Method: req.Method, URI: m.UpstreamURI, Host: m.UpstreamHost, Prefix: m.Stripped, Path: m.ForwardedPath}
	if upstream.Host == "" {
		upstream.Host = serviceHost(m.Service)
	}
	return measured.Outcome{Status: http.StatusOK, Route: m.Route.Name, Upstream: upstream}
}

func serviceHost(s *config.Service) string {
	if s.Protocol == "http" && s.Port == 80 || s.Protocol == "https" && s.Port == 443 {
		return s.Host
	}
	return fmt.Sprintf("%s:%d", s.Host, s.Port)
}

func (m *measurement) compare(what string, got, want measured.Outcome) {
	m.total++
	g, w := marshal(got), marshal(want)
	if g == w {
		m.equal++
		return
	}
	m.differences = append(m.differences, fmt.Sprintf("%s\n got %s\nwant %s", what, g, w))
}

func marshal(o measured.Outcome) string {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return string(b)
}
