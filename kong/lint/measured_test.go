package lint

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/config"
	"diag405/kong/router"
)

// measured is one line of the router's measurements: a configuration and which
// route a real Kong chose for requests.
type measured struct {
	ID       string          `json:"id"`
	Kong     json.RawMessage `json:"kong"`
	Requests []struct {
		Method string `json:"method"`
		Target string `json:"target"`
		Expect struct {
			Route string `json:"route"`
		} `json:"expect"`
	} `json:"requests"`
}

// What lint calls unreachable, no request reached on a real Kong. The files are
// those of the router's test: DIAG405_ROUTING lists them, separated by colons.
func TestShadowedOnRealKong(t *testing.T) {
	checked, claims := 0, 0
	for _, m := range measurements(t) {
		cfg, err := config.Parse(m.Kong)
		require.NoError(t, err, m.ID)
		s := newSubject(cfg, Options{})
		for _, r := range s.routes {
			sh := s.shadowOf(r)
			claims += len(sh.paths) + len(sh.methods)
			if !sh.reached {
				claims++
			}
			for _, req := range m.Requests {
				if req.Expect.Route != router.Name(r) {
					continue
				}
				checked++
				what := fmt.Sprintf("%s: %s %s reached route %s", m.ID, req.Method, req.Target, router.Name(r))
				assert.True(t, sh.reached, what)
				for _, l := range sh.methods {
					assert.NotEqual(t, l.what, req.Method, what)
				}
			}
		}
	}
	if checked == 0 {
		t.Skip("lint: no measurements here (DIAG405_ROUTING names none that exists)")
	}
	assert.NotZero(t, claims, "the measurements have no shadowed route to be wrong about")
}

func measurements(t *testing.T) []measured {
	t.Helper()
	var list []measured
	for _, file := range measuredFiles() {
		f, err := os.Open(file)
		if err != nil {
			continue
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var m measured
			require.NoError(t, json.Unmarshal(lines.Bytes(), &m), file)
			list = append(list, m)
		}
		require.NoError(t, lines.Err(), file)
	}
	return list
}

func measuredFiles() []string {
	if list := os.Getenv("DIAG405_ROUTING"); list != "" {
		return strings.Split(list, ":")
	}
	return []string{filepath.Join("..", "..", "..", "shared", "kong", "routing-3.9.1.jsonl")}
}
