package server

import (
	"bufio"
	"errors"
	"fmt"
	"net"

	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

const (
	// maxKept bounds what is kept for a later write, in bytes, and maxOwed the
	// replies that are left unread, so that neither side ever waits for the other
	// to read: a unix socket takes some 200 KB, or 270 writes, and Kong makes two
	// for each reply.
	maxKept = 32 << 10
	maxOwed = 64
)

// session is one connection from Kong, which makes one call at a time on it.
// Its buffers serve one event after the other.
type session struct {
	server *server
	conn   net.Conn
	r      *bufio.Reader
	busy   bool // a call is under way; guarded by server.mu
	holding

	call  []byte // the frame of the call
	in    []byte // what the handler's PDK wrote
	out   []byte // what waits for the next write to Kong
	reply []byte // the frame of a reply that was waited for

	replyHeld int64 // for reply

	asked   int      // replies that were asked ahead
	replies []byte   // those of them that were read
	spans   [][2]int // where in replies each one is
	owed    int      // empty replies that follow them, and are of no interest
}

func newSession(s *server, c net.Conn) *session {
	return &session{server: s, conn: c, r: bufio.NewReaderSize(c, 16<<10)}
}

// serve answers calls until the connection ends.
func (s *session) serve() error {
	for {
		var err error
		if s.call, err = s.frame(s.call[:0]); err != nil {
			return err
		}
		if !s.server.busy(s) {
			return nil // the server is stopping; Kong asks the next one
		}
		if err := s.dispatch(s.call[frameHead:]); err != nil {
			return err
		}
		s.trim()
		if !s.server.idle(s) {
			return nil
		}
	}
}

// trim lets go of memory that a large body took.
func (s *session) trim() {
	for _, b := range []*[]byte{&s.call, &s.in, &s.out, &s.reply, &s.replies} {
		if cap(*b) > free {
			*b = nil
		}
	}
	s.give(s.bytes)
	s.replyHeld = 0
}

// Field numbers of RpcCall and RpcReturn (kong/pluginsocket.proto). Events are
// decoded by hand, since each request has two or three.
const (
	fieldSequence       = 1
	fieldPluginNames    = 31
	fieldPluginInfo     = 32
	fieldStartInstance  = 33
	fieldInstanceStatus = 34
	fieldCloseInstance  = 35
	fieldHandleEvent    = 36

	fieldReturnedInfo   = 32
	fieldReturnedStatus = 33
)

// dispatch makes the call that Kong sent.
func (s *session) dispatch(data []byte) error {
	var sequence uint64
	var command protowire.Number
	var body []byte
	err := fields(data, func(number protowire.Number, kind protowire.Type, raw, value []byte) error {
		switch {
		case number == fieldSequence && kind == protowire.VarintType:
			sequence = varint(raw)
		case number >= fieldPluginNames && number <= fieldHandleEvent && kind == protowire.BytesType:
			command, body = number, value
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("decoding a call: %w", err)
	}
	if command == fieldHandleEvent {
		return s.handleEvent(body, sequence)
	}
	field, message, err := s.manage(command, body)
	if err != nil {
		return err
	}
	s.out = appendReturn(s.out, sequence, field, message)
	return s.flush()
}

// varint is the value of a field that is known to hold one.
func varint(raw []byte) uint64 {
	_, _, n := protowire.ConsumeTag(raw)
	v, _ := protowire.ConsumeVarint(raw[n:])
	return v
}

// handleEvent runs a phase. An instance that is not known ends the connection,
// which makes Kong start it again and repeat the event (handle_event in
// kong/runloop/plugin_servers/rpc/pb_rpc.lua).
func (s *session) handleEvent(body []byte, sequence uint64) error {
	var id int32
	var name []byte
	err := fields(body, func(number protowire.Number, kind protowire.Type, raw, value []byte) error {
		switch {
		case number == 1 && kind == protowire.VarintType:
			id = int32(varint(raw))
		case number == 2 && kind == protowire.BytesType:
			name = value
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("decoding an event: %w", err)
	}
	i := s.server.instances.use(id)
	if i == nil {
		return fmt.Errorf("no plugin instance %d", id)
	}
	p, ok := i.phases[string(name)]
	if !ok {
		return fmt.Errorf("the plugin has no phase %q", name)
	}
	return s.watched(i, p, sequence)
}

// manage makes the calls about instances and about the plugin, and returns the field
// of RpcReturn that answers; 0 is none.
func (s *session) manage(command protowire.Number, body []byte) (protowire.Number, proto.Message, error) {
	switch command {
	case fieldPluginNames: // Kong runs -dump instead
		return 0, nil, nil
	case fieldPluginInfo: // so it does here: this is for [Identify]
		return fieldReturnedInfo, s.server.plugin.info(), nil
	}
	status, err := s.manageInstance(command, body)
	return fieldReturnedStatus, status, err
}

func (s *session) manageInstance(command protowire.Number, body []byte) (*kong_plugin_protocol.InstanceStatus, error) {
	all := s.server.instances
	switch command {
	case fieldStartInstance:
		var m kong_plugin_protocol.CmdStartInstance
		if err := proto.Unmarshal(body, &m); err != nil {
			return nil, fmt.Errorf("decoding the start of an instance: %w", err)
		}
		return all.start(s.server.plugin, m.Name, m.Config), nil
	case fieldInstanceStatus:
		var m kong_plugin_protocol.CmdGetInstanceStatus
		if err := proto.Unmarshal(body, &m); err != nil {
			return nil, fmt.Errorf("decoding the question for an instance: %w", err)
		}
		return all.status(m.InstanceId)
	case fieldCloseInstance:
		var m kong_plugin_protocol.CmdCloseInstance
		if err := proto.Unmarshal(body, &m); err != nil {
			return nil, fmt.Errorf("decoding the end of an instance: %w", err)
		}
		return all.close(m.InstanceId)
	}
	return nil, errors.New("a call of no known kind")
}

// appendReturn appends the frame of an RpcReturn, with a message in one of its fields;
// field 0 is none. What is in it is never bad UTF-8: it came out of a message that was
// decoded, or from the plugin's own code.
func appendReturn(b []byte, sequence uint64, field protowire.Number, message proto.Message) []byte {
	var data []byte
	if sequence != 0 {
		data = protowire.AppendTag(data, fieldSequence, protowire.VarintType)
		data = protowire.AppendVarint(data, sequence)
	}
	if field != 0 {
		encoded, _ := proto.Marshal(message)
		data = protowire.AppendTag(data, field, protowire.BytesType)
		data = protowire.AppendBytes(data, encoded)
	}
	return appendFrame(b, data)
}

// begin makes the asks of an event, to go out with the next write.
func (s *session) begin(b *Batch) {
	s.in = s.in[:0]
	s.expect(b)
	if b != nil {
		s.out = append(s.out, b.frames...)
	}
}

// expect makes the replies to a batch those that are asked ahead.
func (s *session) expect(b *Batch) {
	s.replies, s.spans, s.asked = s.replies[:0], s.spans[:0], len(b.of())
}

// more makes the asks of a batch at once, with what waits. The replies to those
// before are forgotten.
func (s *session) more(b *Batch, sequence uint64) error {
	if len(s.out)+len(b.frames) > maxKept {
		if err := s.drain(); err != nil {
			return err
		}
	}
	s.out = append(s.out, b.frames...)
	if b.last {
		s.end(sequence)
	}
	if err := s.drain(); err != nil {
		return err
	}
	s.expect(b)
	return nil
}

// end ends an event, with the next write.
func (s *session) end(sequence uint64) {
	s.out = append(s.out, emptyFrame...)
	s.out = appendReturn(s.out, sequence, 0, nil)
}

// keep puts a call that returns nothing behind what waits to be written.
func (s *session) keep(frames []byte) error {
	if s.owed >= maxOwed || len(s.out)+len(frames) > maxKept {
		if err := s.settle(); err != nil {
			return err
		}
	}
	s.out = append(s.out, frames...)
	s.owed++
	if len(s.out) > maxKept {
		return s.settle()
	}
	return nil
}

// ask makes a call and waits for its reply.
func (s *session) ask(frames []byte) ([]byte, error) {
	if len(s.out)+len(frames) > maxKept {
		if err := s.settle(); err != nil {
			return nil, err
		}
	}
	s.out = append(s.out, frames...)
	if err := s.settle(); err != nil {
		return nil, err
	}
	s.give(s.replyHeld)
	before := s.bytes
	var err error
	s.reply, err = s.frame(s.reply[:0])
	s.replyHeld = s.bytes - before
	return s.reply, err
}

// ahead returns the n-th of the replies that were asked ahead.
func (s *session) ahead(n int) ([]byte, error) {
	for len(s.spans) <= n {
		at := len(s.replies)
		var err error
		if s.replies, err = s.frame(s.replies); err != nil {
			return nil, err
		}
		s.spans = append(s.spans, [2]int{at, len(s.replies)})
	}
	return s.replies[s.spans[n][0]:s.spans[n][1]], nil
}

// settle writes what waits, and reads all replies to what was called before.
func (s *session) settle() error {
	if err := s.flush(); err != nil {
		return err
	}
	if s.asked > 0 {
		if _, err := s.ahead(s.asked - 1); err != nil {
			return err
		}
	}
	for ; s.owed > 0; s.owed-- {
		if err := skipFrame(s.r); err != nil {
			return fmt.Errorf("reading the reply to a call that returns nothing: %w", err)
		}
	}
	return nil
}

// drain writes what waits, and passes over the replies to what was called before, which
// nobody needs any more. What comes after the last ones of an event is Kong's next call.
func (s *session) drain() error {
	if err := s.flush(); err != nil {
		return err
	}
	for n := s.asked - len(s.spans) + s.owed; n > 0; n-- {
		if err := skipFrame(s.r); err != nil {
			return fmt.Errorf("reading the replies that an event left: %w", err)
		}
	}
	s.expect(nil)
	s.owed = 0
	return nil
}

// flush writes what waits.
func (s *session) flush() error {
	if len(s.out) == 0 {
		return nil
	}
	_, err := s.conn.Write(s.out)
	s.out = s.out[:0]
	return err
}
