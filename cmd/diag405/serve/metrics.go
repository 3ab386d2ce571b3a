package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"diag405/plugin"
	"diag405/plugin/metrics"
	"diag405/plugin/server"
)

const (
	// metricsVariable is where an address stands that no flag gives.
	metricsVariable = "DIAG405_METRICS"
	// metricsPatience is between two tries to listen on an address that is in use. The
	// process before this one may have it until its last event has ended.
	metricsPatience = time.Second
)

// observer shows metrics of what is served. The plugins never wait for it: whatever is
// wrong with its address is said, and they are served without.
type observer struct {
	address string
	metrics *metrics.Metrics // nil where nobody asked for them
	err     io.Writer
}

// newObserver shows metrics at an address, nothing where it is "".
func newObserver(address string, err io.Writer) *observer {
	o := &observer{address: address, err: err}
	if address != "" {
		o.metrics = metrics.New(plugin.Version)
	}
	return o
}

// watch has a plugin counted under a name.
func (o *observer) watch(p server.Plugin, name string) server.Plugin {
	if o.metrics == nil {
		return p
	}
	w := o.metrics.Plugin(name)
	p.New, p.Watch = plugin.Watched(p.New, w), w
	return p
}

// start shows the metrics until ctx ends, and returns at once.
func (o *observer) start(ctx context.Context) {
	if o.metrics != nil {
		go o.run(ctx)
	}
}

func (o *observer) run(ctx context.Context) {
	l, err := o.listen(ctx)
	if err != nil {
		o.say("no metrics: %v", err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", o.metrics.Handler())
	s := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          log.New(o.err, "diag405: metrics: ", 0),
	}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	o.say("metrics on http://%s/metrics", l.Addr())
	if err := s.Serve(l); err != nil && ctx.Err() == nil {
		o.say("no more metrics: %v", err)
	}
}

// listen waits for an address that is in use.
func (o *observer) listen(ctx context.Context) (net.Listener, error) {
	said := false
	for {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", o.address)
		if !errors.Is(err, syscall.EADDRINUSE) {
			return l, err
		}
		if !said {
			said = true
			o.say("no metrics while somebody else has the address: %v", err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(metricsPatience):
		}
	}
}

func (o *observer) say(format string, values ...any) {
	fmt.Fprintf(o.err, "diag405: "+format+"\n", values...)
}

// metricsAddress is what holds without a flag.
func metricsAddress() string { return os.Getenv(metricsVariable) }
