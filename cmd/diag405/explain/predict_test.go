package explain

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/cli"
	"diag405/kong/config"
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

// What explain says is what a real Kong was measured to do, on every request.
func TestPredictionsAsMeasured(t *testing.T) {
	play(t, "explain", measured.Routing, func(got *outcome, _ outcome) {})
}

// The same through plugins. There a measured request says neither its route nor
// what was forwarded, an answer of the upstream's may be any, none may come (502),
// and a Lua table that a template prints has its address.
func TestPredictionsThroughPluginsAsMeasured(t *testing.T) {
	play(t, "explain, plugins", measured.Plugins, func(got *outcome, want outcome) {
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
			a := asked{method: r.Method, target: r.Target, host: r.Host, scheme: "http", header: http.Header{}, body: []byte(r.Body)}
			for name, value := range r.Headers {
				a.header.Set(name, value)
			}
			fc, err := predict(cfg, a)
			require.NoError(t, err, s.ID)
			got, want := outcomeOf(t, fc.out), wanted(r.Expect)
			adapt(&got, want)
			total++
			if g, w := cli.Compact(got), cli.Compact(want); g != w {
				differences = append(differences, fmt.Sprintf("%s: %s %s\n got %s\nwant %s", s.ID, r.Method, r.Target, g, w))
				continue
			}
			equal++
		}
	}
	fmt.Printf("%s: %d of %d equal\n", title, equal, total)
	require.Empty(t, differences[:min(5, len(differences))], strings.Join(differences[:min(5, len(differences))], "\n"))
}

// wanted is what explain has to say of what was measured.
func wanted(e measured.Outcome) outcome {
	o := outcome{Status: e.Status, Route: e.Route}
	if u := e.Upstream; u != nil {
		o.Upstream = &sent{u.Method, u.URI, u.Host, u.Prefix, u.Path}
	}
	return o
}

// outcomeOf reads what -o json prints.
func outcomeOf(t *testing.T, e explanation) outcome {
	data, err := json.Marshal(e)
	require.NoError(t, err)
	var printed explanation
	require.NoError(t, json.Unmarshal(data, &printed))
	if printed.Answer != nil {
		return outcome{Status: printed.Answer.Status}
	}
	u := printed.Upstream
	return outcome{http.StatusOK, printed.Route.Name, &sent{u.Method, u.URI, u.Host, u.Prefix, u.ForwardedPath}}
}
