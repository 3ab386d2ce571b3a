package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// stopGrace is how long running events may take after the server was told to stop.
const stopGrace = 5 * time.Second

// server is a running plugin server.
type server struct {
	plugin    Plugin
	instances *instances

	mu       sync.Mutex
	sessions map[*session]bool
	stopping bool
	wg       sync.WaitGroup
}

func newServer(p Plugin) *server {
	s := &server{
		plugin:    p,
		instances: &instances{byID: map[int32]*instance{}},
		sessions:  map[*session]bool{},
	}
	if p.Watch != nil {
		p.Watch.Serving(phaseNames(p.New()), s.instances.count)
	}
	return s
}

// run serves connections until ctx ends, then waits for the events that are under
// way.
func (s *server) run(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	err := s.accept(l)
	if ctx.Err() != nil {
		err = nil
	}
	l.Close()
	s.stop()
	return err
}

func (s *server) accept(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
			log.Printf("accepting a connection: %v", err)
			time.Sleep(10 * time.Millisecond) // until some are closed
			continue
		}
		if err != nil {
			return fmt.Errorf("accepting a connection: %w", err)
		}
		s.start(conn)
	}
}

// start serves a connection.
func (s *server) start(conn net.Conn) {
	sess := newSession(s, conn)
	s.mu.Lock()
	s.sessions[sess] = true
	s.mu.Unlock()
	s.wg.Go(func() {
		defer s.end(sess)
		defer func() { // of a constructor, say: handlers have their own guard
			if reason := recover(); reason != nil {
				log.Print(printable(fmt.Sprintf("connection closed: panic: %v; at %s", reason, stack())))
			}
		}()
		err := sess.serve()
		if err != nil && err != io.EOF && !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrDeadlineExceeded) {
			log.Printf("connection closed: %v", err)
		}
	})
}

func (s *server) end(sess *session) {
	sess.conn.Close()
	sess.give(sess.bytes)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, sess)
}

// busy tells that a call came in; false when it has to be left to the next server.
func (s *server) busy(sess *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	sess.busy = !s.stopping
	return sess.busy
}

// idle tells that a call was answered; false when there will be no other.
func (s *server) idle(sess *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	sess.busy = false
	return !s.stopping
}

// stop ends the connections that wait for a call at once, the others with their
// call.
func (s *server) stop() {
	s.mu.Lock()
	s.stopping = true
	for sess := range s.sessions {
		if !sess.busy {
			sess.conn.SetReadDeadline(time.Now())
		}
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() { s.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(stopGrace):
		log.Printf("events that run for more than %v are cut off", stopGrace)
		s.mu.Lock()
		defer s.mu.Unlock()
		for sess := range s.sessions {
			sess.conn.Close()
		}
	}
}
