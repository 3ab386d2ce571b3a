package router_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/measured"
	"diag405/kong/router"
)

// TestMeasured replays requests that a real Kong was given, and wants the same
// route and the same upstream request for each: of each router flavour after it has
// run for a while, and of the default one right after its start.
func TestMeasured(t *testing.T) {
	warm, fresh := (*router.Router).Match, (*router.Router).MatchFresh
	for _, set := range []struct {
		name string
		set  measured.Set
		find func(*router.Router, router.Request) (*router.Match, bool)
	}{
		{"routing", measured.Routing, warm},
		{"routing traditional", measured.Traditional, warm},
		{"routing expressions", measured.Expressions, warm},
		{"routing fresh", measured.Fresh, fresh},
	} {
		m := measurement{find: set.find}
		for _, s := range scenarios(t, set.set) {
			m.play(t, s)
		}
		summary := fmt.Sprintf("%s: %d of %d equal", set.name, m.equal, m.total)
		fmt.Println(summary)
		for _, difference := range m.differences[:min(10, len(m.differences))] {
			t.Error(difference)
		}
		assert.Equal(t, m.total, m.equal, summary)
	}
}

// TestByAge: the requests that were measured on a fresh Kong are those that it
// routes otherwise than a warm one, and no measured request of a warm Kong is.
func TestByAge(t *testing.T) {
	for set, want := range map[measured.Set]bool{measured.Fresh: true, measured.Routing: false} {
		for _, s := range scenarios(t, set) {
			r := newMeasured(t, s)
			for _, one := range s.Requests {
				warm, fresh, differ := r.ByAge(request(one))
				assert.Equal(t, want, differ, "%s: %s", s.ID, one.Target)
				if differ {
					assert.False(t, warm.Route == fresh.Route && warm.Prefix == fresh.Prefix)
				}
			}
		}
	}
}

func scenarios(t testing.TB, set measured.Set) []measured.Scenario {
	list, err := set.Scenarios()
	require.NoError(t, err)
	return list
}

func newMeasured(t testing.TB, s measured.Scenario) *router.Router {
	cfg, err := config.Parse(s.Kong, config.For(config.Flavor(s.Flavor)))
	require.NoError(t, err, s.ID)
	r, err := router.New(cfg)
	require.NoError(t, err, s.ID)
	return r
}

func request(one measured.Request) router.Request {
	header := http.Header{}
	for name, value := range one.Headers {
		header.Set(name, value)
	}
	return router.Request{
		Method: one.Method, Target: one.Target, Host: one.Host, Port: 8000, Header: header,
		ClientIP: "127.0.0.1", ClientPort: 40000, ServerIP: "127.0.0.1",
	}
}

// A measurement counts what came out as measured.
type measurement struct {
	find         func(*router.Router, router.Request) (*router.Match, bool)
	total, equal int
	differences  []string
}

func (m *measurement) play(t *testing.T, s measured.Scenario) {
	r := newMeasured(t, s)
	for _, one := range s.Requests {
		got := m.outcome(r, request(one))
		m.compare(fmt.Sprintf("%s: %s %s on %s %v", s.ID, one.Method, one.Target, one.Host, one.Headers), got, one.Expect)
	}
}

// outcome is what a gateway makes of the router's answer.
func (m *measurement) outcome(r *router.Router, req router.Request) measured.Outcome {
	if refusal := r.Decide(req).Refusal; refusal == router.BadRequest {
		return measured.Outcome{Status: refusal.Status()}
	}
	got, ok := m.find(r, req)
	if !ok {
		return measured.Outcome{Status: http.StatusNotFound}
	}
	upstream := &measured.Upstream{Method: req.Method, URI: got.UpstreamURI, Host: got.UpstreamHost, Prefix: got.Stripped, Path: got.ForwardedPath}
	if upstream.Host == "" {
		upstream.Host = serviceHost(got.Service)
	}
	return measured.Outcome{Status: http.StatusOK, Route: got.Route.Name, Upstream: upstream}
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
