// Package demo is the command that shows the founding case on real sockets.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"diag405/cmd/diag405/cli"
	"diag405/kong"
	"diag405/kong/config"
	"diag405/kong/gateway"
	"diag405/kong/gateway/realkong"
	"diag405/kong/gateway/standin"
	"diag405/plugin/logread"
	"diag405/plugin/server"
)

const usage = `Usage: diag405 demo [-kong PATH | -cost kong] [-app URL]

Shows the founding case on real sockets: a POST that works directly, the 405 that
it gets through the gateway with the headers and log lines of diag405, and the
same POST after the suggested fix. Needs no network and no Docker.

  -kong PATH   run it on a real Kong: the path of its kong command
  -cost kong   have the stand-in for Kong take the time that Kong takes
  -app URL     run it against a real application, such as examples/fastapi

Examples:
  diag405 demo
  diag405 demo -kong /usr/local/bin/kong -app http://127.0.0.1:8900
`

// The founding request.
const (
	weatherPath = "/api/sendWeather"
	weatherBody = `{"location":"Oslo","temperature":25}`
)

// timeout bounds the whole demo; a real Kong takes some seconds to start.
const timeout = 2 * time.Minute

// options are the flags.
type options struct{ kong, cost, app string }

// Run shows the founding case, and returns the exit code.
func Run(args []string, std cli.Streams) int {
	o, err := parse(args)
	if err != nil {
		return std.BadArguments("demo", usage, err)
	}
	if err := server.Supported(); err != nil {
		return std.Cannot("demo: the plugin server in it cannot run here: %v", err)
	}
	ctx, stop := cli.Interruptible()
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err = tell(ctx, o, stage{cli.NewScreen(std.Out)})
	var unexpected *unexpectedError
	switch {
	case errors.As(err, &unexpected):
		fmt.Fprintf(std.Err, "diag405: demo: %v\n", err)
		return cli.Failed
	case err != nil:
		return std.Cannot("demo: %v", err)
	}
	return cli.OK
}

func parse(args []string) (options, error) {
	var o options
	flags := cli.NewFlags("demo")
	flags.StringVar(&o.kong, "kong", "", "")
	flags.StringVar(&o.cost, "cost", "", "")
	flags.StringVar(&o.app, "app", "", "")
	if err := cli.ParseFlags(flags, args); err != nil {
		return o, err
	}
	if o.cost != "" && o.cost != "kong" {
		return o, fmt.Errorf("-cost %q is not kong", o.cost)
	}
	if o.cost != "" && o.kong != "" {
		return o, errors.New("-cost is for the stand-in, and -kong for a real Kong")
	}
	if o.app == "" {
		return o, nil
	}
	u, err := url.Parse(o.app)
	if err != nil || u.Scheme != "http" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return o, fmt.Errorf("-app %q is not an address such as http://127.0.0.1:8900", o.app)
	}
	o.app = "http://" + u.Host
	return o, nil
}

// unexpectedError is an answer that the demo did not foresee.
type unexpectedError struct{ what string }

func (e *unexpectedError) Error() string { return e.what }

// tell tells the founding case in four steps.
func tell(ctx context.Context, o options, s stage) error {
	app, stopApp, err := application(o.app)
	if err != nil {
		return err
	}
	defer stopApp()

	s.title("A POST that works directly gets 405 through the gateway. Why?")
	s.step("1. Directly to the application")
	if err := s.post(ctx, app, 200); err != nil {
		return err
	}

	log := &gateway.Lines{}
	gw, cleanUp, err := startGateway(ctx, o, log)
	if err != nil {
		return err
	}
	defer cleanUp()
	doc, err := config.Patch(kong.Founding, config.Change{
		ServiceName: serviceName,
		Set:         map[string]any{"service.url": app},
	})
	if err != nil {
		return fmt.Errorf("putting the application's address into the founding configuration: %w", err)
	}
	if err := gw.Load(ctx, doc); err != nil {
		return fmt.Errorf("loading the founding configuration: %w", err)
	}

	s.step("2. The same through the gateway" + gatewayName(o.kong))
	s.note("route " + routeName + ": paths [" + weatherPath + "], strip_path at its default")
	if err := s.post(ctx, gw.URL(), 405); err != nil {
		return err
	}

	s.step("3. In the gateway's error log")
	diagnosis, fix, err := s.logLines(ctx, log)
	if err != nil {
		return err
	}

	s.step("4. The suggested fix, applied to the configuration")
	for _, key := range slices.Sorted(maps.Keys(fix)) {
		s.note(key + ": " + cli.Compact(fix[key]) + "   (route " + routeName + ")")
	}
	mended, err := config.Patch(doc, config.Change{RouteName: routeName, ServiceName: serviceName, Set: fix})
	if err != nil {
		return fmt.Errorf("applying the suggested fix: %w", err)
	}
	if err := gw.Load(ctx, mended); err != nil {
		return fmt.Errorf("loading the mended configuration: %w", err)
	}
	if err := s.post(ctx, gw.URL(), 200); err != nil {
		return err
	}
	s.step("Why: " + diagnosis.Fields["reason"] + ".")
	return nil
}

// Names in kong/kong.yml.
const (
	serviceName = "internal-weather-service"
	routeName   = "internal-weather-route-POST"
)

func gatewayName(kongPath string) string {
	if kongPath != "" {
		return " (Kong: " + kongPath + ")"
	}
	return " (a stand-in for Kong, running the real plugin server)"
}

// application is the application: the one at the given address, or one of our own.
func application(url string) (addr string, stop func(), err error) {
	if url != "" {
		return url, func() {}, nil
	}
	return startWeather()
}

// startGateway starts the gateway with this very program as its plugin server.
func startGateway(ctx context.Context, o options, log io.Writer) (gateway.Gateway, func(), error) {
	exe, remove, err := pluginBinary()
	if err != nil {
		return nil, nil, err
	}
	start := standin.Start
	if o.kong != "" {
		start = realkong.Command(o.kong).Start
	}
	gw, err := start(ctx, gateway.Options{Plugins: []string{exe}, ErrorLog: log, Costly: o.cost != ""})
	if err != nil {
		remove()
		return nil, nil, err
	}
	return gw, func() { _ = gw.Close(); remove() }, nil
}

// pluginBinary is this program under the name of its plugin: a plugin server is
// called what its file is called. A binary of another name is copied.
func pluginBinary() (path string, remove func(), err error) {
	exe, err := os.Executable()
	if err != nil {
		return "", nil, fmt.Errorf("finding this program's own file: %w", err)
	}
	if filepath.Base(exe) == "diag405" {
		return exe, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "diag405-")
	if err != nil {
		return "", nil, fmt.Errorf("making a folder for the plugin server: %w", err)
	}
	remove = func() { _ = os.RemoveAll(dir) }
	path = filepath.Join(dir, "diag405")
	if err := copyFile(path, exe); err != nil {
		remove()
		return "", nil, err
	}
	return path, remove, nil
}

func copyFile(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("reading this program's own file: %w", err)
	}
	if err := os.WriteFile(to, data, 0o755); err != nil {
		return fmt.Errorf("writing the plugin server: %w", err)
	}
	return nil
}

// logLines shows what diag405 wrote to the error log, and returns the diagnosis
// and the change of the configuration that it suggests.
func (s stage) logLines(ctx context.Context, log *gateway.Lines) (logread.Entry, map[string]any, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var last logread.Entry
	for _, event := range []string{"access", "diagnosis"} {
		line, err := log.Find(ctx, func(line string) bool {
			entry, ok := logread.Parse(line)
			last = entry
			return ok && entry.Event == event
		})
		if err != nil {
			return last, nil, &unexpectedError{"the gateway's error log has no " + event + " line"}
		}
		s.logLine(line)
	}
	set, err := suggested(last)
	return last, set, err
}

// suggested is the change of the configuration in a diagnosis.
func suggested(diagnosis logread.Entry) (map[string]any, error) {
	change, err := diagnosis.Change()
	if err != nil {
		return nil, err
	}
	set, ok := change["set"].(map[string]any)
	if !ok {
		return nil, &unexpectedError{fmt.Sprintf("the diagnosis suggests no change of the configuration, but %s", cli.Compact(change))}
	}
	return set, nil
}
