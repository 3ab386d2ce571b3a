package main

import (
	"context"
	"fmt"
	"iter"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"

	"diag405/examples/trial"
	kong "diag405/kong/gateway"
)

// runner tries pairs on gateways.
type runner struct {
	options
	dir    string // for files of the run
	binary string // the plugin server
}

// newRunner builds what the gateways need. close removes it.
func newRunner(ctx context.Context, o options) (*runner, error) {
	dir, err := os.MkdirTemp("", "frameworks-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the run: %w", err)
	}
	r := &runner{options: o, dir: dir}
	if r.binary, err = trial.Plugin(ctx, dir, o.Plugin); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *runner) close() { _ = os.RemoveAll(r.dir) }

// run tries the pairs and yields what became of each, in their order: on several
// stand-ins side by side, or all on one real Kong.
func (r *runner) run(ctx context.Context, list []pair) iter.Seq[outcome] {
	workers := 2 * runtime.GOMAXPROCS(0)
	if r.Kong != "" {
		workers = 1
	}
	return func(yield func(outcome) bool) {
		sites := make([]site, workers)
		defer func() {
			for _, s := range sites {
				s.close()
			}
		}()
		for o := range trial.SideBySide(ctx, len(list), workers, func(ctx context.Context, worker, i int) outcome {
			if err := sites[worker].start(ctx, r); err != nil {
				return outcome{pair: list[i], fail: err}
			}
			return r.try(ctx, sites[worker].gateway, list[i], filepath.Join(r.dir, fmt.Sprintf("record-%d", i)))
		}) {
			if !yield(o) {
				return
			}
		}
	}
}

// site is a worker's gateway, or why it has none.
type site struct {
	gateway *trial.Gateway
	fail    error
}

// start starts the gateway the first time that it is needed.
func (s *site) start(ctx context.Context, r *runner) error {
	if s.gateway == nil && s.fail == nil {
		s.gateway, s.fail = trial.Start(ctx, r.Kong, kong.Options{Plugins: []string{r.binary}})
	}
	return s.fail
}

func (s *site) close() {
	if s.gateway != nil {
		_ = s.gateway.Close() // what it was needed for is over
	}
}

// try tries a pair on a gateway, with the application on a port of its own: what the
// plugin learned of another set-up is nothing to this one.
func (r *runner) try(ctx context.Context, g *trial.Gateway, p pair, record string) outcome {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return outcome{pair: p, fail: fmt.Errorf("listening for the application: %w", err)}
	}
	server := p.app.serve(l)
	defer server.Close()
	at := l.Addr().(*net.TCPAddr)
	doc, err := p.world.configuration(p.app, at.IP.String(), at.Port, r.plugins(record)...)
	if err != nil {
		return outcome{pair: p, fail: err}
	}
	return p.try(ctx, recorded{g, record}, doc, http.StatusMethodNotAllowed)
}

// serve answers requests that come to a listener until the server is closed.
func (a *application) serve(l net.Listener) *http.Server {
	server := &http.Server{Handler: a, DisableGeneralOptionsHandler: true}
	go func() { _ = server.Serve(l) }() // ends with Close
	return server
}

// plugins are diag405, and what writes down all that it said.
func (r *runner) plugins(record string) []map[string]any {
	settings := map[string]any{"log_requests": "none"}
	if r.Probe {
		// How much is found must not depend on how busy the machine is.
		settings["probe"], settings["probe_timeout"] = "options", 5000
	}
	return []map[string]any{
		{"name": "diag405", "config": settings},
		{"name": "file-log", "config": map[string]any{"path": record, "reopen": true}},
	}
}

// recorded is a gateway with the file of its file-log.
type recorded struct {
	*trial.Gateway
	record string
}

// Diagnosis implements [gateway].
func (g recorded) Diagnosis(ctx context.Context, a trial.Answer) (*trial.Diagnosis, error) {
	return trial.FindDiagnosis(ctx, a, g.record, nil)
}
