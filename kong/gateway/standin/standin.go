// Package standin is a [gateway.Gateway] that stands in for Kong.
//
// It is not Kong. It routes with kong/router, rewrites, proxies and talks to
// plugin servers as Kong 3.9.1 was measured to do, and refuses what it does not
// model.
package standin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"diag405/kong/config"
	"diag405/kong/gateway"
	"diag405/kong/gateway/cost"
	"diag405/kong/gateway/standin/nginxlog"
	"diag405/kong/gateway/standin/pluginserver"
	"diag405/kong/router"
)

// standIn is a gateway that behaves as Kong was measured to.
type standIn struct {
	options      gateway.Options
	faults       Faults
	log          *nginxlog.Log
	prefix       string // what Kong's prefix directory is: the sockets are in there
	nodeID       string
	started      time.Time
	servers      map[string]*pluginserver.Server // by plugin name
	listener     net.Listener
	admin        *http.Server
	adminAddress string
	life         context.Context
	end          context.CancelFunc
	sequence     atomic.Int32        // __seq__ of plugin instances
	numbers      atomic.Int64        // of connections
	spend        func(time.Duration) // takes time that Kong takes

	mu     sync.Mutex
	state  *state
	conns  map[net.Conn]bool
	closed bool
	wg     sync.WaitGroup
}

// state is a configuration in force. Requests hold on to the one they started
// with; the last to leave a replaced one closes its plugin instances.
type state struct {
	router  *router.Router
	plugins []*boundPlugin // in force
	all     []*boundPlugin // and those that are switched off
	config  *config.Config
	rings   map[string]*ring
	loaded  time.Time

	users   int // guarded by standIn.mu, as is retired
	retired bool
}

// Start starts a stand-in with an empty configuration. The context bounds the
// start only.
func Start(ctx context.Context, o gateway.Options) (gateway.Gateway, error) {
	return Faults(nil).Start(ctx, o)
}

// Start starts a stand-in as [Start] does, whose replies to plugin servers go
// wrong as f says.
func (f Faults) Start(ctx context.Context, o gateway.Options) (gateway.Gateway, error) {
	prefix, err := os.MkdirTemp("", "gateway-")
	if err != nil {
		return nil, fmt.Errorf("making a prefix directory: %w", err)
	}
	g := &standIn{
		options: o, faults: f, log: nginxlog.New(o.ErrorLog), prefix: prefix, nodeID: uuid.NewString(), started: time.Now(),
		servers: map[string]*pluginserver.Server{}, conns: map[net.Conn]bool{}, spend: func(time.Duration) {},
	}
	if o.Costly {
		g.spend = cost.Spend
	}
	g.life, g.end = context.WithCancel(context.Background())
	if err := g.start(ctx); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

// start starts the plugin servers, all at once, then listens.
func (g *standIn) start(ctx context.Context) error {
	if err := g.writeEnvironment(); err != nil {
		return err
	}
	if err := g.startServers(ctx); err != nil {
		return err
	}
	if err := g.Load(ctx, []byte(`{"_format_version":"3.0"}`)); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening for clients: %w", err)
	}
	g.listener = l
	g.wg.Go(g.accept)
	if err := g.serveAdmin(); err != nil {
		return fmt.Errorf("listening for the Admin API: %w", err)
	}
	return nil
}

// writeEnvironment puts what a plugin server may look up of the gateway into the
// prefix: the hosts file, and the settings that name it, in the form in which Kong
// keeps its own (write_env_file in kong/cmd/utils/prefix_handler.lua).
func (g *standIn) writeEnvironment() error {
	hosts, err := gateway.HostsFile(g.options.Hosts)
	if err != nil {
		return err
	}
	file := filepath.Join(g.prefix, "hosts")
	err = errors.Join(
		os.WriteFile(file, hosts, 0o644),
		os.WriteFile(filepath.Join(g.prefix, ".kong_env"), []byte("dns_hostsfile = "+file+"\n"), 0o644),
	)
	if err != nil {
		return fmt.Errorf("writing the prefix directory: %w", err)
	}
	return nil
}

func (g *standIn) startServers(ctx context.Context) error {
	own := len(g.options.Plugins)
	servers := make([]*pluginserver.Server, own+len(g.options.Servers))
	errs := make([]error, len(servers))
	var wg sync.WaitGroup
	for i, path := range g.options.Plugins {
		wg.Go(func() { servers[i], errs[i] = pluginserver.Start(ctx, path, g.prefix, g.log) })
	}
	for i, s := range g.options.Servers {
		wg.Go(func() { servers[own+i], errs[own+i] = pluginserver.Attach(ctx, s.Name, s.QueryCmd, s.Socket, g.log) })
	}
	wg.Wait()
	for _, s := range servers {
		if s != nil {
			g.servers[s.Info.Name] = s
		}
	}
	return errors.Join(errs...)
}

// URL implements [gateway.Gateway].
func (g *standIn) URL() string { return "http://" + g.listener.Addr().String() }

// Load implements [gateway.Gateway]. Requests that are under way end with the
// configuration they began with.
func (g *standIn) Load(_ context.Context, declarative []byte) error {
	cfg, err := config.Parse(declarative, config.For(g.options.RouterFlavor()))
	if err != nil {
		return fmt.Errorf("declarative config is invalid: %w", err)
	}
	st, err := g.compile(cfg)
	if err != nil {
		return fmt.Errorf("declarative config is invalid: %w", err)
	}
	g.mu.Lock()
	old := g.state
	g.state = st
	if old != nil {
		old.retired = true
	}
	idle := old != nil && old.users == 0
	g.mu.Unlock()
	if idle {
		old.close()
	}
	return nil
}

func (g *standIn) compile(cfg *config.Config) (*state, error) {
	for _, s := range cfg.Services {
		if s.Protocol != "http" && s.Protocol != "https" {
			return nil, fmt.Errorf("service %q: the stand-in has no protocol %q", s.Name, s.Protocol)
		}
	}
	r, err := router.New(cfg)
	if err != nil {
		return nil, err
	}
	all, plugins, err := g.bindPlugins(cfg)
	if err != nil {
		return nil, err
	}
	st := &state{router: r, plugins: plugins, all: all, config: cfg, rings: map[string]*ring{}, loaded: time.Now()}
	for _, u := range cfg.Upstreams {
		st.rings[u.Name] = newRing(u)
	}
	return st, nil
}

// close ends the plugin instances of a configuration that nobody uses any more.
func (s *state) close() {
	for _, p := range s.plugins {
		if p.external != nil {
			p.external.Close()
		}
	}
}

// acquire returns the configuration in force; release gives it back.
func (g *standIn) acquire() *state {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.state.users++
	return g.state
}

// retain holds on to a configuration that is held already.
func (g *standIn) retain(s *state) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s.users++
}

func (g *standIn) release(s *state) {
	g.mu.Lock()
	s.users--
	last := s.users == 0 && s.retired
	g.mu.Unlock()
	if last {
		s.close()
	}
}

// background runs f, and Close waits for it.
func (g *standIn) background(f func()) { g.wg.Go(f) }

func (g *standIn) accept() {
	for {
		conn, err := g.listener.Accept()
		if err != nil {
			return // closed
		}
		if !g.track(conn) {
			conn.Close()
			return
		}
		g.wg.Go(func() {
			defer g.untrack(conn)
			g.serveClient(g.life, &clientConn{Conn: conn, number: g.numbers.Add(1)})
		})
	}
}

func (g *standIn) track(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.conns[c] = true
	return true
}

func (g *standIn) untrack(c net.Conn) {
	c.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, c)
}

// Close implements [gateway.Gateway]. It cuts off requests that are under way.
func (g *standIn) Close() error {
	g.end()
	if g.listener != nil {
		g.listener.Close()
	}
	if g.admin != nil {
		g.admin.Close()
	}
	g.mu.Lock()
	g.closed = true
	for c := range g.conns {
		c.Close()
	}
	g.mu.Unlock()
	var servers sync.WaitGroup
	for _, s := range g.servers {
		servers.Go(s.Close)
	}
	servers.Wait()
	g.wg.Wait()
	if err := os.RemoveAll(g.prefix); err != nil {
		return fmt.Errorf("removing the prefix directory: %w", err)
	}
	return nil
}
