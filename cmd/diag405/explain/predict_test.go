package explain

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/cli"
	"diag405/kong/config"
)

// scenario is a configuration with requests, and what a real Kong did with each.
type scenario struct {
	ID       string
	Kong     json.RawMessage
	Requests []struct {
		Method, Target, Host, Body string
		Headers                    map[string]string
		Expect                     outcome
	}
}

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
	play(t, "explain", measurements(t, "DIAG405_ROUTING", "routing-3.9.1.jsonl"), func(got *outcome, _ outcome) {})
}

// The same through plugins. There a measured request says neither its route nor
// what was forwarded, an answer of the upstream's may be any, none may come (502),
// and a Lua table that a template prints has its address.
func TestPredictionsThroughPlugins(t *testing.T) {
	play(t, "explain, plugins", measurements(t, "DIAG405_PLUGINS", "plugins-3.9.1.jsonl"), func(got *outcome, want outcome) {
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

func measurements(t *testing.T, variable, name string) string {
	file := os.Getenv(variable)
	if file == "" {
		file = filepath.Join("..", "..", "..", "..", "shared", "kong", name)
	}
	if _, err := os.Stat(file); err != nil {
		t.Skipf("explain: no measurements here (%s names none that exists)", variable)
	}
	return file
}

func play(t *testing.T, title, file string, adapt func(got *outcome, want outcome)) {
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	equal, total := 0, 0
	var differences []string
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var s scenario
		require.NoError(t, json.Unmarshal(lines.Bytes(), &s))
		cfg, err := config.Parse(s.Kong)
		require.NoError(t, err, s.ID)
		for _, r := range s.Requests {
			a := asked{method: r.Method, target: r.Target, host: r.Host, scheme: "http", header: http.Header{}, body: []byte(r.Body)}
			for name, value := range r.Headers {
				a.header.Set(name, value)
			}
			fc, err := predict(cfg, a)
			require.NoError(t, err, s.ID)
			got := outcomeOf(t, fc.out)
			adapt(&got, r.Expect)
			total++
			if g, w := cli.Compact(got), cli.Compact(r.Expect); g != w {
				differences = append(differences, fmt.Sprintf("%s: %s %s\n got %s\nwant %s", s.ID, r.Method, r.Target, g, w))
				continue
			}
			equal++
		}
	}
	require.NoError(t, lines.Err())
	fmt.Printf("%s: %d of %d equal\n", title, equal, total)
	require.Empty(t, differences[:min(5, len(differences))], strings.Join(differences[:min(5, len(differences))], "\n"))
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
