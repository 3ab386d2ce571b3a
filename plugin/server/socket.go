package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"strconv"
	"syscall"
	"time"
)

// socket is where a server listens.
type socket struct {
	path string
	// group may connect beside the user, by name or number; "" is no group.
	group string
	// succeeds reports whether this server takes the place of one that listens: nil is
	// never.
	succeeds func(pid int) bool
}

// listen opens the socket. One that nobody listens on any more is replaced. What is
// no socket, or is another server's, stays, and is an error.
//
// Who may connect can have the server read files and send requests, so the socket is
// the user's alone, whatever the umask: a Kong in the background starts its plugin
// servers with none (measured).
func (s socket) listen() (net.Listener, error) {
	if err := Supported(); err != nil {
		return nil, err
	}
	if err := s.clear(); err != nil {
		return nil, err
	}
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { narrow(fd, s.mode()) })
	}}
	l, err := config.Listen(context.Background(), "unix", s.path)
	if err != nil {
		return nil, fmt.Errorf("opening the socket: %w", err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // by then another server may have put its own there
	if err := s.restrict(); err != nil {
		l.Close()
		os.Remove(s.path)
		return nil, err
	}
	return l, nil
}

func (s socket) mode() fs.FileMode {
	if s.group != "" {
		return 0o660
	}
	return 0o600
}

// restrict gives the socket its group and its mode.
func (s socket) restrict() error {
	if s.group != "" {
		id, err := groupID(s.group)
		if err != nil {
			return err
		}
		if err := os.Lchown(s.path, -1, id); err != nil {
			return fmt.Errorf("giving the socket to group %q: %w", s.group, err)
		}
	}
	if err := os.Chmod(s.path, s.mode()); err != nil {
		return fmt.Errorf("closing the socket to others: %w", err)
	}
	return nil
}

// groupID is the number of a group that is given by it or by name.
func groupID(group string) (int, error) {
	if id, err := strconv.ParseUint(group, 10, 31); err == nil {
		return int(id), nil
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return 0, fmt.Errorf("finding the group of the socket: %w", err)
	}
	return strconv.Atoi(g.Gid)
}

// clear removes a socket that is nobody's any more, or that is to be taken over.
func (s socket) clear() error {
	info, err := os.Lstat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking for an old socket: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%q is no socket, and is left alone", s.path)
	}
	switch pid, err := listener(s.path); {
	case err != nil:
		return fmt.Errorf("%q may be another server's, and is left alone: %w", s.path, err)
	case pid == nobody:
	case s.succeeds == nil || !s.succeeds(pid):
		return fmt.Errorf("another server%s listens on %q, and is left alone", withPID(pid), s.path)
	}
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the old socket: %w", err)
	}
	return nil
}

// withPID names a process, where it is known.
func withPID(pid int) string {
	if pid == unknown {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}

// Who listens on a socket, where it is no process that has a number here.
const (
	nobody  = -1
	unknown = 0
)

// listener is the process that listens on a socket.
func listener(path string) (pid int, err error) {
	conn, err := net.DialTimeout("unix", path, time.Second)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return nobody, nil
	case err != nil:
		return unknown, err
	}
	defer conn.Close()
	return peerOf(conn.(*net.UnixConn)), nil
}

// removeSocket removes the socket unless it is another server's by now: Kong
// starts the next one before it stops this one.
func removeSocket(path string, own fs.FileInfo) {
	if now, err := os.Lstat(path); err == nil && own != nil && os.SameFile(own, now) {
		os.Remove(path)
	}
}
