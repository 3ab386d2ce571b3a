package server

import (
	"bytes"
	"fmt"
	"io"
	"net"

	"github.com/Kong/go-pdk"
)

// An event is one run of a handler, and the connection under its PDK.
//
// go-pdk writes a call in three or four pieces (the method's length, the method,
// the arguments' length, the arguments) and then reads the reply. When it cannot
// encode the arguments it has written the method already, gives up, and reads
// nothing. So what is written is only looked at when the handler reads: then the
// last two frames are the call, and frames before them are what it gave up.
//
// A call goes one of three ways:
//
//   - One that was asked ahead gets the reply that came, or is about to.
//   - One that returns nothing is kept for the next write and gets an empty reply.
//   - Any other goes out with all that was kept, and waits. Kong answers in order,
//     so the replies to all before it are read first.
type event struct {
	net.Conn // the session's, for the methods that go-pdk does not call
	s        *session
	asks     []Ask
	next     int    // the ask that the handler is likely to make
	stale    family // what has changed since the asks were answered
	read     bool   // what is in s.in has been answered
	reply    []byte // what of the answer is left
	err      error  // what every further call fails with
}

// handle runs the handler of a phase to its end. An error ends the connection.
func (s *session) handle(i *instance, p *phase, sequence uint64) error {
	e := &event{Conn: s.conn, s: s, asks: p.asks}
	s.begin(p)
	if err := s.flush(); err != nil {
		return err
	}
	e.run(i, p)
	err := e.err
	e.err = net.ErrClosed // for those who keep the PDK longer than the event
	if err != nil {
		return err
	}
	s.out = append(s.out, emptyFrame...)
	s.out = appendReturn(s.out, sequence, 0, nil)
	if err := s.flush(); err != nil {
		return err
	}
	return s.drain()
}

// run calls the handler. A panic in it ends the handler, not the event.
func (e *event) run(i *instance, p *phase) {
	kong := pdk.Init(e)
	running.add(kong, e)
	defer running.remove(kong)
	defer func() {
		if reason := recover(); reason != nil {
			e.s.in = e.s.in[:0]
			report(kong, fmt.Sprintf("panic in %s: %v; at %s", p.name, reason, stack()))
		}
	}()
	i.problem.tell(kong)
	p.handler(kong)
}

// Write implements [net.Conn] for the PDK.
func (e *event) Write(b []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	if e.read {
		e.s.in, e.read = e.s.in[:0], false
	}
	e.s.in = append(e.s.in, b...)
	return len(b), nil
}

// Read implements [net.Conn] for the PDK.
func (e *event) Read(b []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	if !e.read {
		e.read = true
		if e.reply, e.err = e.answer(); e.err != nil {
			return 0, e.err
		}
	}
	if len(e.reply) == 0 {
		return 0, io.ErrNoProgress // go-pdk reads what the length says and no more
	}
	n := copy(b, e.reply)
	e.reply = e.reply[n:]
	return n, nil
}

// Close implements [net.Conn] for the PDK, which closes after kong.Response.Exit.
func (e *event) Close() error {
	e.err = net.ErrClosed
	return e.s.conn.Close()
}

// answer makes the call that was written last, and returns the reply's frame.
func (e *event) answer() ([]byte, error) {
	method, args, frames, err := lastCall(e.s.in)
	if err != nil {
		return nil, err
	}
	if n, ok := e.prefetched(frames); ok {
		reply, err := e.s.ahead(n)
		return repairedFrame(e.asks[n].call.reply, reply), err
	}
	c := callOf(string(method))
	if c.clean != nil {
		_ = c.clean.texts(args, blank) // Kong refuses what does not parse
	}
	e.stale |= c.writes
	if c.void {
		return emptyFrame, e.s.keep(frames)
	}
	reply, err := e.s.ask(frames)
	return repairedFrame(c.reply, reply), err
}

// prefetched finds the ask that a call repeats, unless something was written since
// that its reply depends on. Handlers ask in the order in which they were
// announced, mostly.
func (e *event) prefetched(frames []byte) (int, bool) {
	for range e.asks {
		n := e.next % len(e.asks)
		e.next = n + 1
		if bytes.Equal(e.asks[n].frames, frames) {
			return n, e.asks[n].call.reads&e.stale == 0
		}
	}
	return 0, false
}

// lastCall splits what was written into frames, and returns the last two.
func lastCall(in []byte) (method, args, frames []byte, err error) {
	rest := in
	var this int // where the latest frame begins
	var last int // and the one before
	for count := 0; len(rest) > 0 || count < 2; count++ {
		last, this = this, len(in)-len(rest)
		method = args
		if args, rest, err = splitFrame(rest); err != nil {
			return nil, nil, nil, fmt.Errorf("reading a call of the handler: %w", err)
		}
	}
	return method, args, in[last:], nil
}

// repairedFrame is the frame of a reply that go-pdk can decode.
func repairedFrame(s *shape, frame []byte) []byte {
	if s == nil || len(frame) <= frameHead {
		return frame
	}
	payload := frame[frameHead:]
	repaired := s.repaired(payload)
	if len(repaired) == len(payload) {
		return frame // percent-encoding makes longer what it changes
	}
	return appendFrame(nil, repaired)
}
