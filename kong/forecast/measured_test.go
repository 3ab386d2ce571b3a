package forecast_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/forecast"
	"diag405/kong/measured"
)

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

// What is forecast is what a real Kong was measured to do, on every request.
func TestAsMeasured(t *testing.T) {
	play(t, "forecast", measured.Routing, func(got *outcome, _ outcome) {})
}

// The same through plugins. There a measured request says neither its route nor
// what was forwarded, an answer of the upstream's may be any, none may come (502),
// and a Lua table that a template prints has its address.
func TestThroughPluginsAsMeasured(t *testing.T) {
	play(t, "forecast, plugins", measured.Plugins, func(got *outcome, want outcome) {
		got.Route = ""
		if got.Upstream != nil {
			got.Upstream.Prefix, got.Upstream.Path = "", ""
			got.Upstream.URI = address.ReplaceAllString(got.Upstream.URI, "ADDRESS")
			got.Status = want.Status
		}
		if want.Upstream != nil {
			want.Upstream.URI = address.ReplaceAllString(want.Upstream.URI, "ADDRESS")
		} else if want.Status == http.StatusBadGateway {
			got.Upstream = nil
		}
	})
}

var address = regexp.MustCompile(`0x[0-9a-f]+`)

func play(t *testing.T, title string, set measured.Set, adapt func(got *outcome, want outcome)) {
	scenarios, err := set.Scenarios()
	require.NoError(t, err)
	equal, total := 0, 0
	var differences []string
	for _, s := range scenarios {
		cfg, err := config.Parse(s.Kong)
		require.NoError(t, err, s.ID)
		for _, r := range s.Requests {
			asked := forecast.Request{Method: r.Method, Target: r.Target, Host: r.Host, Scheme: "http", Header: http.Header{}, Body: []byte(r.Body)}
			for name, value := range r.Headers {
				asked.Header.Set(name, value)
			}
			f, err := forecast.Of(cfg, asked)
			require.NoError(t, err, s.ID)
			got, want := outcomeOf(f), wanted(r.Expect)
			adapt(&got, want)
			total++
			if g, w := compact(t, got), compact(t, want); g != w {
				differences = append(differences, fmt.Sprintf("%s: %s %s\n got %s\nwant %s", s.ID, r.Method, r.Target, g, w))
				continue
			}
			equal++
		}
	}
	fmt.Printf("%s: %d of %d equal\n", title, equal, total)
	require.Empty(t, differences[:min(5, len(differences))], strings.Join(differences[:min(5, len(differences))], "\n"))
}

// wanted is what has to be forecast of what was measured.
func wanted(e measured.Outcome) outcome {
	o := outcome{Status: e.Status, Route: e.Route}
	if u := e.Upstream; u != nil {
		o.Upstream = &sent{u.Method, u.URI, u.Host, u.Prefix, u.Path}
	}
	return o
}

func outcomeOf(f *forecast.Forecast) outcome {
	if f.Answer != nil {
		return outcome{Status: f.Answer.Status}
	}
	u := f.Upstream
	return outcome{http.StatusOK, f.Match.Route.Name, &sent{u.Method, u.URI, u.Host, u.Prefix, u.ForwardedPath}}
}

func compact(t *testing.T, o outcome) string {
	data, err := json.Marshal(o)
	require.NoError(t, err)
	return string(data)
}
