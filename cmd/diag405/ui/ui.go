// Package ui is the command that shows a configuration and a log in a browser: what
// explain, lint and report say, for looking.
//
// It serves one page to this machine alone. What the page shows comes from the same
// code as the commands' screens. A change is made to a copy in memory, for the page
// that asked for it: neither files nor Kong are written to.
package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/source"
)

var usage = `Usage: diag405 ui [-config FILE | -admin ADDRESS] [-log FILE] [flags]

Shows in a browser what explain, lint and report say: a request, and how its path comes
about; what lint finds, beside the lines of the file; the 405s of the log as they come.
A fix can be tried in the page. Neither the files nor Kong are changed, and nothing is
sent to the upstream. The page is for this machine alone, and for who has the address
that is printed.

Where the configuration comes from:
  -config FILE            Kong's own, decK's, or an ingress controller's dump, YAML or
                          JSON; a folder, a URL, or - for stdin (repeatable)
` + source.Usage + `
What else is shown, and where:
  -log FILE               Kong's error log, followed through rotation; - is stdin
                          (repeatable)
  -listen 127.0.0.1:PORT  where to serve the page (default a free port)
  -open                   open the page in a browser

Examples:
  diag405 ui -config kong.yml
  diag405 ui -admin localhost:8001 -log /usr/local/kong/logs/error.log -open
`

// options are the flags.
type options struct {
	config cli.Texts
	source source.Flags
	logs   cli.Texts
	listen string
	open   bool
}

// Run serves the page until it is interrupted, and returns the exit code.
func Run(args []string, std cli.Streams) int {
	o, err := parse(args)
	if err != nil {
		return std.BadArguments("ui", usage, err)
	}
	ctx, stop := cli.Interruptible()
	defer stop()
	if err := o.run(ctx, std); err != nil {
		return std.Fail("ui", err)
	}
	return cli.OK
}

func parse(args []string) (*options, error) {
	o := &options{}
	flags := cli.NewFlags("ui")
	flags.Var(&o.config, "config", "")
	o.source.Add(flags)
	flags.Var(&o.logs, "log", "")
	flags.StringVar(&o.listen, "listen", "127.0.0.1:0", "")
	flags.BoolVar(&o.open, "open", false, "")
	if err := cli.ParseFlags(flags, args); err != nil {
		return nil, err
	}
	switch {
	case len(o.config) > 0 && o.source.Admin != "":
		return nil, errors.New("-config and -admin are two configurations; want one")
	case !o.isConfigured() && len(o.logs) == 0:
		return nil, errors.New("want something to show: -config FILE, -admin URL or -log FILE")
	}
	if slices.Contains(o.config, "-") && slices.Contains(o.logs, "-") {
		return nil, errors.New("only one of -config and -log can be stdin")
	}
	if err := checkListen(o.listen); err != nil {
		return nil, err
	}
	return o, o.source.Check()
}

func (o *options) isConfigured() bool { return len(o.config) > 0 || o.source.Admin != "" }

// checkListen refuses what others could reach.
func checkListen(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("-listen %q is not an address and a port, such as 127.0.0.1:8405", address)
	}
	if !at.Addr().IsLoopback() {
		return fmt.Errorf("-listen %q: the page shows a whole configuration, so it is only for this machine: want 127.0.0.1", address)
	}
	return nil
}

// run reads what is to be shown, and serves it.
func (o *options) run(ctx context.Context, std cli.Streams) error {
	p := &page{}
	if o.isConfigured() {
		p.configuration = newConfiguration(func(ctx context.Context, consumer string) (*source.Source, error) {
			return o.source.Load(ctx, o.config, std.In, consumer)
		})
		if err := p.configuration.read(ctx); err != nil {
			return err
		}
	}
	follow, err := p.watch(o.logs, std)
	if err != nil {
		return err
	}
	socket, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	g := newGuard(socket.Addr().String(), p.handler())
	go follow(ctx)
	fmt.Fprintf(std.Out, "%s\nCtrl-C ends it.\n", g.address())
	if o.open {
		if err := openBrowser(ctx, g.addressOnce()); err != nil {
			fmt.Fprintf(std.Err, "diag405: ui: -open: %v; open the address by hand\n", err)
		}
	}
	return serve(ctx, socket, g)
}

// Bounds in time: of a request's head and its whole, of an answer, and of the end.
const (
	headTime   = 5 * time.Second
	readTime   = 10 * time.Second
	answerTime = 60 * time.Second
	idleTime   = 2 * time.Minute
	endTime    = 5 * time.Second
)

// serve serves until ctx ends, and then lets what is under way come to its end.
func serve(ctx context.Context, socket net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headTime,
		ReadTimeout:       readTime,
		WriteTimeout:      answerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx }, // which ends those that follow the log
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		left, cancel := context.WithTimeout(context.Background(), endTime)
		defer cancel()
		ended <- server.Shutdown(left)
	}()
	if err := server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	if err := <-ended; err != nil {
		return server.Close()
	}
	return nil
}
