package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"runtime"

	"diag405/examples/trial"
	"diag405/kong/gateway"
)

// options are the command's flags.
type options struct {
	trial.Flags
	openAPI bool
	dir     string
}

// world is where cases run: a gateway with the plugin in it.
type world struct {
	options
	dir     string // for files of the run
	gateway *trial.Gateway
	hosts   map[string]string
}

// runner runs cases.
type runner struct {
	options
	dir      string   // for files of the run
	binaries []string // the plugin servers: diag405 and diag405-log
}

// newRunner builds what cases need. close removes it.
func newRunner(ctx context.Context, o options) (*runner, error) {
	dir, err := os.MkdirTemp("", "cases-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the run: %w", err)
	}
	r := &runner{options: o, dir: dir}
	if r.binaries, err = plugins(ctx, dir, o.Plugin); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// plugins are the binaries of both plugins.
func plugins(ctx context.Context, dir, path string) ([]string, error) {
	binary, err := trial.Plugin(ctx, dir, path)
	if err != nil {
		return nil, err
	}
	second, err := trial.LogPlugin(binary)
	return []string{binary, second}, err
}

func (r *runner) close() { _ = os.RemoveAll(r.dir) }

// start starts a gateway.
func (r *runner) start(ctx context.Context, hosts map[string]string) (*world, error) {
	gw, err := trial.Start(ctx, r.Kong, gateway.Options{
		Plugins: r.binaries, Hosts: hosts,
		// The gateways listen without TLS, as one does behind a load balancer that ends
		// it; what that says in X-Forwarded-Proto counts.
		TrustClients: true,
	})
	if err != nil {
		return nil, err
	}
	return &world{options: r.options, dir: r.dir, gateway: gw, hosts: hosts}, nil
}

// run runs the cases and yields what became of each, in their order.
func (r *runner) run(ctx context.Context, files []file) iter.Seq[outcome] {
	if r.Kong != "" {
		return r.oneAfterTheOther(ctx, files)
	}
	return r.sideBySide(ctx, files)
}

// sideBySide gives each case a gateway and addresses of its own. When it returns,
// all of them are closed.
func (r *runner) sideBySide(ctx context.Context, files []file) iter.Seq[outcome] {
	plan := newAddressPlan()
	hosts := make([]map[string]string, len(files))
	for i, f := range files {
		if f.c != nil {
			hosts[i] = plan.forHosts(f.c.hosts())
		}
	}
	return trial.SideBySide(ctx, len(files), 2*runtime.GOMAXPROCS(0), func(ctx context.Context, _, i int) outcome {
		if f := files[i]; f.fail != nil {
			return outcome{id: f.id, fail: f.fail}
		}
		return r.alone(ctx, files[i].c, hosts[i])
	})
}

func (r *runner) alone(ctx context.Context, c *Case, hosts map[string]string) outcome {
	if err := ctx.Err(); err != nil {
		return outcome{id: c.ID, c: c, fail: err}
	}
	w, err := r.start(ctx, hosts)
	if err != nil {
		return outcome{id: c.ID, c: c, fail: err}
	}
	o := w.run(ctx, c)
	o.fail = errors.Join(o.fail, w.gateway.Close())
	return o
}

// oneAfterTheOther runs all cases on one gateway, which gets one configuration
// after the other. It has to know all hosts when it starts.
func (r *runner) oneAfterTheOther(ctx context.Context, files []file) iter.Seq[outcome] {
	var names []string
	for _, f := range files {
		if f.c != nil {
			names = append(names, f.c.hosts()...)
		}
	}
	return func(yield func(outcome) bool) {
		w, err := r.start(ctx, newAddressPlan().forHosts(names))
		if err == nil {
			defer w.gateway.Close()
		}
		for _, f := range files {
			o := outcome{id: f.id, c: f.c, fail: errors.Join(f.fail, err, ctx.Err())}
			if o.fail == nil {
				o = w.run(ctx, f.c)
			}
			if !yield(o) {
				return
			}
		}
	}
}
