// Package pluginserver is Kong's side of an external plugin server: it starts the
// process and keeps it running (kong/runloop/plugin_servers), and has it handle
// events over its socket, in the protocol ProtoBuf:1.
package pluginserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"diag405/kong/gateway/standin/nginxlog"
	"diag405/kong/gateway/standin/schema"
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

// Info is what a plugin server says about its plugin when it is run with -dump.
type Info struct {
	Name     string
	Phases   []string
	Version  string
	Priority int
	Schema   schema.Schema
}

// Server is one plugin server: its process, kept alive, and the connections to it.
type Server struct {
	Info Info // set by Start

	name   string // Kong's for it; the executable's base name, where it is started
	path   string
	prefix string // Kong's prefix directory
	socket string
	log    *nginxlog.Log

	mu        sync.Mutex
	idle      []*rpcConn
	instances map[*Instance]int32 // ids of those that run in the server
	stopped   bool

	stop context.CancelFunc
	done chan struct{}
}

// Start asks an executable which plugin it serves and starts it, with its socket in
// the prefix directory. It returns when the server accepts connections.
func Start(ctx context.Context, path, prefix string, log *nginxlog.Log) (*Server, error) {
	name := filepath.Base(path)
	s := newServer(name, filepath.Join(prefix, name+".socket"), log)
	s.path, s.prefix = path, prefix
	socket, err := s.query(exec.CommandContext(ctx, path, "-dump", "-kong-prefix", prefix))
	if err != nil {
		return nil, err
	}
	if socket != "" && socket != s.socket {
		return nil, fmt.Errorf("plugin server %q listens on %q; Kong would look for it at %q", path, socket, s.socket)
	}
	life, stop := context.WithCancel(context.Background())
	s.stop = stop
	go s.supervise(life)
	if err := s.await(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("waiting for plugin server %q: %w", s.name, err)
	}
	return s, nil
}

// Attach learns from a shell command which plugin a server has that something else
// runs, and is going to find it at a socket. Whether it is there shows only when
// there is something to ask it, as with Kong.
func Attach(ctx context.Context, name, queryCmd, socket string, log *nginxlog.Log) (*Server, error) {
	s := newServer(name, socket, log)
	s.stop = func() {}
	close(s.done)
	log.Event(nginxlog.Warn, "init.lua:1072", "start_command undefined for pluginserver %s; assuming external process management", name)
	if _, err := s.query(exec.CommandContext(ctx, "sh", "-c", queryCmd)); err != nil {
		return nil, err
	}
	return s, nil
}

func newServer(name, socket string, log *nginxlog.Log) *Server {
	return &Server{name: name, socket: socket, log: log, instances: map[*Instance]int32{}, done: make(chan struct{})}
}

// Started tells whether it is Kong that runs the server.
func (s *Server) Started() bool { return s.path != "" }

// query runs the command that describes the server and keeps what it says, but for
// the socket, which it returns (query_external_plugin_info in
// kong/runloop/plugin_servers/process.lua).
func (s *Server) query(cmd *exec.Cmd) (socket string, err error) {
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("asking plugin server %q for its plugins: %w%s", cmd, err, stderrOf(err))
	}
	var dump struct {
		Protocol, SocketPath string
		Plugins              []Info
	}
	if err := json.Unmarshal(out, &dump); err != nil {
		return "", fmt.Errorf("decoding what %q printed, %.200q: %w", cmd, out, err)
	}
	if dump.Protocol != "ProtoBuf:1" {
		return "", fmt.Errorf("plugin server %q speaks %q; only ProtoBuf:1 is known here", s.name, dump.Protocol)
	}
	if len(dump.Plugins) == 0 || dump.Plugins[0].Name == "" {
		return "", fmt.Errorf("plugin server %q announces no plugin", s.name)
	}
	s.Info = dump.Plugins[0] // Kong, too, takes the first and only
	return dump.SocketPath, nil
}

func stderrOf(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return fmt.Sprintf(" (%.500s)", exit.Stderr)
	}
	return ""
}

// await polls until the server accepts connections. Kong does not wait: it
// answers 500 meanwhile.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startBound)
	defer cancel()
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		conn, err := net.Dial("unix", s.socket)
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
func (s *Server) supervise(ctx context.Context) {
	defer close(s.done)
	for ctx.Err() == nil {
		next := time.Now().Add(respawn)
		s.log.Event(nginxlog.Notice, "process.lua:240", "[pluginserver] starting pluginserver process for %s", s.name)
		err := s.run(ctx)
		if ctx.Err() != nil {
			return
		}
		s.log.Event(nginxlog.Notice, "process.lua:263", "external pluginserver '%s' terminated: %v", s.name, err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Until(next)):
		}
	}
}

// run starts the server and returns when it has ended.
func (s *Server) run(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, s.path, "-kong-prefix", s.prefix)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopGrace
	out := &lineLog{log: s.log, server: s.name}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return err
	}
	s.log.Event(nginxlog.Notice, "process.lua:246", "[pluginserver] started, pid %d", cmd.Process.Pid)
	return cmd.Wait()
}

// lineLog writes a server's output to the error log at level info, as Kong's
// grab_logs does: at the default level nobody sees it.
type lineLog struct {
	log    *nginxlog.Log
	server string
}

func (l *lineLog) Write(p []byte) (int, error) {
	l.log.Event(nginxlog.Info, "process.lua:155", "[%s] %s", l.server, p)
	return len(p), nil
}

// Close stops the server and drops the connections to it.
func (s *Server) Close() {
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
