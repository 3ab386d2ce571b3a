package server

import (
	"bytes"
	"errors"
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
	sequence uint64 // Kong's number for the call
	asks     []Ask
	ended    bool   // for Kong: it hears no call any more
	next     int    // the ask that the handler is likely to make
	stale    family // what has changed since the asks were answered
	read     bool   // what is in s.in has been answered
	reply    []byte // what of the answer is left
	err      error  // what every further call fails with
}

// handle runs the handler of a phase to its end. An error ends the connection.
func (s *session) handle(i *instance, p *phase, sequence uint64) error {
	b := p.batch(i)
	e := &event{Conn: s.conn, s: s, sequence: sequence, asks: b.of(), ended: b != nil && b.last}
	s.begin(b)
	if e.ended {
		s.end(sequence)
	}
	if err := s.flush(); err != nil {
		return err
	}
	e.run(i, p)
	err := e.err
	e.err = net.ErrClosed // for those who keep the PDK longer than the event
	if err != nil {
		return err
	}
	if !e.ended {
		s.end(sequence)
	}
	return s.drain()
}

// batch is what the phase asks ahead. A panic costs it that, and no more.
func (p *phase) batch(i *instance) (b *Batch) {
	if p.ahead == nil {
		return nil
	}
	defer func() {
		if reason := recover(); reason != nil {
			i.problem.set(fmt.Sprintf("panic before %s: %v; at %s", p.name, reason, stack()))
		}
	}()
	return p.ahead.Prefetch(p.name)
}

// run calls the handler. A panic in it ends the handler, not the event.
func (e *event) run(i *instance, p *phase) {
	kong := pdk.Init(e)
	running.add(kong, e)
	defer running.remove(kong)
	defer func() {
		if reason := recover(); reason != nil {
			e.s.in = e.s.in[:0]
			e.s.server.panicked(p)
			i.problem.set(fmt.Sprintf("panic in %s: %v; at %s", p.name, reason, stack()))
			e.tell(i, kong)
		}
	}()
	e.tell(i, kong)
	p.handler(kong)
}

// tell tells of an instance's problem, if Kong hears it. Otherwise a later event does.
func (e *event) tell(i *instance, kong *pdk.PDK) {
	if !e.ended {
		i.problem.tell(kong)
	}
}

// errEnded is what a call fails with that comes after the last ones.
var errEnded = errors.New("the event ended with the calls that were asked ahead")

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
		reply, err := e.answer()
		if err != nil {
			return 0, e.fail(err)
		}
		e.reply = reply
	}
	if len(e.reply) == 0 {
		return 0, io.ErrNoProgress // go-pdk reads what the length says and no more
	}
	n := copy(b, e.reply)
	e.reply = e.reply[n:]
	return n, nil
}

// fail has every further call fail, unless it is this one alone that cannot be made.
func (e *event) fail(err error) error {
	if err != errEnded {
		e.err = err
	}
	return err
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
		return readableFrame(e.asks[n].call.reply, reply), err
	}
	if e.ended {
		return nil, errEnded
	}
	c := callOf(string(method))
	if c.clean != nil {
		if err := c.clean.texts(args, blank); errors.Is(err, errDeep) || errors.Is(err, errMany) {
			return emptyFrame, nil // not all of it is clean, so nothing of it is sent
		} // and Kong refuses what does not parse
	}
	e.stale |= c.writes
	if c.void {
		return emptyFrame, e.s.keep(frames)
	}
	reply, err := e.s.ask(frames)
	return readableFrame(c.reply, reply), err
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

// readableFrame is the frame of a reply that go-pdk can decode: see [shape.readable].
func readableFrame(s *shape, frame []byte) []byte {
	if s == nil || len(frame) <= frameHead {
		return frame
	}
	payload := frame[frameHead:]
	readable := s.readable(payload)
	if &readable[0] == &payload[0] {
		return frame
	}
	return appendFrame(nil, readable)
}
