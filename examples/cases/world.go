package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"

	"diag405/kong/gateway"
	"diag405/kong/gateway/realkong"
	"diag405/kong/gateway/standin"
)

// options are the command's flags.
type options struct {
	kong    string // path of a real kong command; empty: the stand-in
	plugin  string // path of a diag405 binary; empty: built
	probe   bool
	openAPI bool
	json    bool
	dir     string
}

// world is where cases run: a gateway with the plugin in it.
type world struct {
	options
	dir     string // for files of the run
	gateway gateway.Gateway
	hosts   map[string]string
	errors  *gateway.Lines
}

// logPlugin is the name of the second plugin, which explains from the log phase.
const logPlugin = "diag405-log"

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
	binary, err := pluginBinary(ctx, dir, o.plugin)
	if err != nil {
		r.close()
		return nil, err
	}
	// Under another name the same binary is the second plugin.
	second := filepath.Join(dir, logPlugin)
	if err := os.Symlink(binary, second); err != nil {
		r.close()
		return nil, fmt.Errorf("naming the second plugin: %w", err)
	}
	r.binaries = []string{binary, second}
	return r, nil
}

func (r *runner) close() { _ = os.RemoveAll(r.dir) }

// pluginBinary is a diag405 binary under that name, by which a gateway knows the
// plugin.
func pluginBinary(ctx context.Context, dir, path string) (string, error) {
	binary := filepath.Join(dir, "diag405")
	if path == "" {
		out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "diag405/cmd/diag405").CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("building diag405 (-plugin names one that is built): %w\n%s", err, out)
		}
		return binary, nil
	}
	path, err := filepath.Abs(path)
	if err == nil {
		err = os.Symlink(path, binary)
	}
	if err != nil {
		return "", fmt.Errorf("taking the plugin %q: %w", path, err)
	}
	return binary, nil
}

// start starts a gateway.
func (r *runner) start(ctx context.Context, hosts map[string]string) (*world, error) {
	w := &world{options: r.options, dir: r.dir, hosts: hosts, errors: &gateway.Lines{}}
	start := standin.Start
	if r.kong != "" {
		start = realkong.Command(r.kong).Start
	}
	var err error
	w.gateway, err = start(ctx, gateway.Options{
		Plugins: r.binaries, Hosts: hosts, ErrorLog: w.errors,
		// The gateways listen without TLS, as one does behind a load balancer that ends
		// it; what that says in X-Forwarded-Proto counts.
		TrustClients: true,
	})
	if err != nil {
		return nil, fmt.Errorf("starting the gateway: %w", err)
	}
	return w, nil
}

// run runs the cases and yields what became of each, in their order.
func (r *runner) run(ctx context.Context, files []file) iter.Seq[outcome] {
	if r.kong != "" {
		return r.oneAfterTheOther(ctx, files)
	}
	return r.sideBySide(ctx, files)
}

// sideBySide gives each case a gateway and addresses of its own. When it returns,
// all of them are closed.
func (r *runner) sideBySide(ctx context.Context, files []file) iter.Seq[outcome] {
	return func(yield func(outcome) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var cases sync.WaitGroup
		defer cases.Wait()
		defer cancel()
		plan := newAddressPlan()
		slots := make(chan struct{}, 2*runtime.GOMAXPROCS(0))
		done := make([]chan outcome, len(files))
		for i, f := range files {
			done[i] = make(chan outcome, 1)
			if f.fail != nil {
				done[i] <- outcome{id: f.id, fail: f.fail}
				continue
			}
			hosts := plan.forHosts(f.c.hosts())
			cases.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				done[i] <- r.alone(ctx, f.c, hosts)
			})
		}
		for _, d := range done {
			if !yield(<-d) {
				return
			}
		}
	}
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
