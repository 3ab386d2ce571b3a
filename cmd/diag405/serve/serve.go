// Package serve are the two ways to serve Kong: the command, which something beside
// Kong runs, and diag405 without a command, which Kong starts.
package serve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/plugins"
	"diag405/plugin/server"
)

const usage = `Usage: diag405 serve -socket PATH [flags]

Serves Kong, run by something else than Kong: a sidecar container, systemd, an
entrypoint. One process serves both plugins. It ends on SIGTERM, after the events
that are under way; whoever runs it starts it again.

  -socket PATH   a folder: each plugin gets its socket there, PATH/NAME.socket;
                 or a socket: of diag405-log, when both are served, it is the one
                 beside it, with -log before the extension
  -socket-group GROUP
                 who may connect beside the user that it runs as; by default nobody
  -name NAME     diag405, diag405-log or both (default both)
  -prefix DIR    Kong's prefix, where it can be read: a probe then finds hosts as
                 Kong's own hosts file has them
  -metrics ADDR  show metrics for Prometheus at http://ADDR/metrics, 127.0.0.1:9405
                 say; none without it, or without DIAG405_METRICS

Kong has to know of it, and needs the file that diag405 dump writes:
  KONG_PLUGINS=bundled,diag405
  KONG_PLUGINSERVER_NAMES=diag405
  KONG_PLUGINSERVER_DIAG405_QUERY_CMD="cat /opt/diag405/diag405.json"
  KONG_PLUGINSERVER_DIAG405_SOCKET=/run/diag405/diag405.socket

Examples:
  diag405 serve -socket /run/diag405
  diag405 serve -socket /run/diag405/diag405.socket -name diag405
  diag405 serve -socket /run/diag405 -metrics 127.0.0.1:9405
`

// options are the flags.
type options struct{ socket, group, name, prefix, metrics string }

// Run serves the plugins until it is asked to end, and returns the exit code.
func Run(args []string, std cli.Streams) int {
	o, err := parse(args)
	if err != nil {
		return std.BadArguments("serve", usage, err)
	}
	ctx, stop := cli.Interruptible()
	defer stop()
	observed := newObserver(o.metrics, std.Err)
	listeners, err := o.listen(observed)
	if err != nil {
		return std.Cannot("serve: %v", err)
	}
	for _, l := range listeners {
		fmt.Fprintf(std.Err, "diag405: serving %s %s on %s\n", l.Plugin.Name, l.Plugin.Version, l.Path)
	}
	server.Tune()
	observed.start(ctx)
	if err := serveAll(ctx, listeners); err != nil {
		return std.Cannot("serve: %v", err)
	}
	fmt.Fprintln(std.Err, "diag405: ended, as it was asked to")
	return cli.OK
}

func parse(args []string) (options, error) {
	var o options
	flags := cli.NewFlags("serve")
	flags.StringVar(&o.socket, "socket", "", "")
	flags.StringVar(&o.group, "socket-group", "", "")
	flags.StringVar(&o.name, "name", plugins.Both, "")
	flags.StringVar(&o.prefix, "prefix", "", "")
	flags.StringVar(&o.metrics, "metrics", metricsAddress(), "")
	if err := cli.ParseFlags(flags, args); err != nil {
		return o, err
	}
	if o.socket == "" {
		return o, errors.New("want -socket, the path at which Kong is told to find it")
	}
	_, err := plugins.Chosen(o.name)
	return o, err
}

// listen opens the sockets, all of them or none.
func (o options) listen(observed *observer) ([]*server.Listener, error) {
	names, err := plugins.Chosen(o.name)
	if err != nil {
		return nil, err
	}
	var out []*server.Listener
	for _, name := range names {
		p := observed.watch(plugins.Named(name, o.prefix), name)
		p.SocketGroup = o.group
		l, err := p.Listen(socketOf(o.socket, name, len(names) > 1))
		if err != nil {
			for _, opened := range out {
				opened.Close()
			}
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, l)
	}
	return out, nil
}

// socketOf is where a plugin listens: in a folder, on the socket that is named, or
// beside that where several are served.
func socketOf(path, name string, several bool) string {
	if info, err := os.Stat(path); strings.HasSuffix(path, "/") || err == nil && info.IsDir() {
		return filepath.Join(path, name+".socket")
	}
	suffix, isLater := strings.CutPrefix(name, plugins.Names[0])
	if !several || !isLater {
		return path
	}
	extension := filepath.Ext(path)
	return strings.TrimSuffix(path, extension) + suffix + extension
}

// serveAll serves until ctx ends, or one of them fails.
func serveAll(ctx context.Context, listeners []*server.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, len(listeners))
	var all sync.WaitGroup
	for i, l := range listeners {
		all.Go(func() {
			defer stop()
			errs[i] = l.Serve(ctx)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
