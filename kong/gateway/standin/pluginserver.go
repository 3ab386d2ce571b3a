package standin

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const (
	// respawn is the least time between two starts of a server
	// (kong/runloop/plugin_servers/process.lua).
	respawn = time.Second
	// startBound is how long a server may take to accept connections.
	startBound = 10 * time.Second
	// stopGrace is how long a server may take to end after SIGTERM.
	stopGrace = 2 * time.Second
)

// pluginInfo is what a plugin server says about its plugin when it is run with
// -dump.
type pluginInfo struct {
	Name     string
	Phases   []string
	Version  string
	Priority int
	Schema   schema
}

// pluginServer is one plugin server: its process, kept alive, and the
// connections to it.
type pluginServer struct {
	name   string // the executable's base name
	path   string
	prefix string // Kong's prefix directory: the socket is in there
	info   pluginInfo
	log    *errorLog

	mu        sync.Mutex
	idle      []*rpcConn
	instances map[*instance]int32 // ids of those that run in the server
	stopped   bool

	stop context.CancelFunc
	done chan struct{}
}

// newPluginServer asks an executable which plugin it serves and starts it. It
// returns when the server accepts connections.
func newPluginServer(ctx context.Context, path, prefix string, log *errorLog) (*pluginServer, error) {
	s := &pluginServer{
		name: filepath.Base(path), path: path, prefix: prefix, log: log,
		instances: map[*instance]int32{}, done: make(chan struct{}),
	}
	if err := s.query(ctx); err != nil {
		return nil, err
	}
	life, stop := context.WithCancel(context.Background())
	s.stop = stop
	go s.supervise(life)
	if err := s.await(ctx); err != nil {
		s.close()
		return nil, fmt.Errorf("waiting for plugin server %q: %w", s.name, err)
	}
	return s, nil
}

// query runs the server with -dump and keeps what it says
// (query_external_plugin_info in kong/runloop/plugin_servers/process.lua).
func (s *pluginServer) query(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, s.path, "-dump", "-kong-prefix", s.prefix)
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("asking plugin server %q for its plugins: %w%s", s.path, err, stderrOf(err))
	}
	var dump struct {
		Protocol, SocketPath string
		Plugins              []pluginInfo
	}
	if err := json.Unmarshal(out, &dump); err != nil {
		return fmt.Errorf("decoding what %q -dump printed, %.200q: %w", s.path, out, err)
	}
	if dump.Protocol != "ProtoBuf:1" {
		return fmt.Errorf("plugin server %q speaks %q; only ProtoBuf:1 is known here", s.path, dump.Protocol)
	}
	if len(dump.Plugins) == 0 || dump.Plugins[0].Name == "" {
		return fmt.Errorf("plugin server %q announces no plugin", s.path)
	}
	if dump.SocketPath != "" && dump.SocketPath != s.socket() {
		return fmt.Errorf("plugin server %q listens on %q; Kong would look for it at %q", s.path, dump.SocketPath, s.socket())
	}
	s.info = dump.Plugins[0] // Kong, too, takes the first and only
	return nil
}

func stderrOf(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return fmt.Sprintf(" (%.500s)", exit.Stderr)
	}
	return ""
}

func (s *pluginServer) socket() string { return filepath.Join(s.prefix, s.name+".socket") }

// await polls until the server accepts connections. Kong does not wait: it
// answers 500 meanwhile.
func (s *pluginServer) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startBound)
	defer cancel()
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		conn, err := net.Dial("unix", s.socket())
		if err == nil {
			s.release(newRPCConn(conn))
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", ctx.Err(), err)
		case <-s.done:
			return err
		case <-time.After(pause):
		}
	}
}

// supervise keeps the server running until ctx ends.
func (s *pluginServer) supervise(ctx context.Context) {
	defer close(s.done)
	for ctx.Err() == nil {
		next := time.Now().Add(respawn)
		s.log.event(levelNotice, "process.lua:240", "[pluginserver] starting pluginserver process for %s", s.name)
		err := s.run(ctx)
		if ctx.Err() != nil {
			return
		}
		s.log.event(levelNotice, "process.lua:263", "external pluginserver '%s' terminated: %v", s.name, err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Until(next)):
		}
	}
}

// run starts the server and returns when it has ended.
func (s *pluginServer) run(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, s.path, "-kong-prefix", s.prefix)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopGrace
	out := &lineLog{log: s.log, server: s.name}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return err
	}
	s.log.event(levelNotice, "process.lua:246", "[pluginserver] started, pid %d", cmd.Process.Pid)
	return cmd.Wait()
}

// lineLog writes a server's output to the error log at level info, as Kong's
// grab_logs does: at the default level nobody sees it.
type lineLog struct {
	log    *errorLog
	server string
}

func (l *lineLog) Write(p []byte) (int, error) {
	l.log.event(levelInfo, "process.lua:155", "[%s] %s", l.server, p)
	return len(p), nil
}

// close stops the server and drops the connections to it.
func (s *pluginServer) close() {
	s.stop()
	s.mu.Lock()
	s.stopped = true
	for _, c := range s.idle {
		c.Close()
	}
	s.idle = nil
	s.mu.Unlock()
	<-s.done
}

// acquire returns an idle connection or a new one.
func (s *pluginServer) acquire() (*rpcConn, error) {
	s.mu.Lock()
	if n := len(s.idle); n > 0 {
		c := s.idle[n-1]
		s.idle = s.idle[:n-1]
		s.mu.Unlock()
		return c, nil
	}
	s.mu.Unlock()
	conn, err := net.Dial("unix", s.socket())
	if err != nil {
		return nil, err
	}
	return newRPCConn(conn), nil
}

// release keeps a connection for reuse.
func (s *pluginServer) release(c *rpcConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		c.Close()
		return
	}
	s.idle = append(s.idle, c)
}

// rpcConn is a connection to a plugin server. Reads are buffered, so that asks
// which came in one write are answered one after the other.
type rpcConn struct {
	net.Conn
	r *bufio.Reader
	w *bufio.Writer
}

func newRPCConn(c net.Conn) *rpcConn {
	return &rpcConn{Conn: c, r: bufio.NewReader(c), w: bufio.NewWriter(c)}
}

var _ io.ReadWriteCloser = (*rpcConn)(nil)
