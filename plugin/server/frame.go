package server

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync/atomic"
	"time"
)

// A frame is a length, four bytes little endian, and that many bytes.
const (
	frameHead = 4
	// maxFrame bounds what a peer can make the server allocate, in bytes. The
	// largest thing that Kong sends is a body.
	maxFrame = 64 << 20
	// maxHeld bounds what all connections together hold in frames, in bytes, beside the
	// first free of each: what Kong says between plugins is far shorter than that.
	maxHeld = 2 * maxFrame
	free    = 64 << 10
	// frameTimeout is how long the rest of a frame may take that is longer than free.
	frameTimeout = 30 * time.Second
)

// errFrame is wrapped by the errors about what a peer sent, as opposed to errors
// of the connection.
var errFrame = errors.New("broken frame")

// errHeld is the end of a connection that would hold too much.
var errHeld = fmt.Errorf("too much is held in frames: more than %d bytes on one connection or %d on all", maxFrame, maxHeld)

// held is what the connections of the process hold in frames.
var held atomic.Int64

// holding is what one of them does.
type holding struct{ bytes int64 }

// take takes so many bytes more, if there are.
func (h *holding) take(n int) error {
	if h.bytes+int64(n) > maxFrame {
		return errHeld
	}
	if held.Add(int64(n)) > maxHeld {
		held.Add(-int64(n))
		return errHeld
	}
	h.bytes += int64(n)
	return nil
}

// give gives back so many bytes.
func (h *holding) give(n int64) {
	held.Add(-n)
	h.bytes -= n
}

// emptyFrame is the reply of a call that returns nothing, and what tells Kong that
// the plugin will ask no more.
var emptyFrame = make([]byte, frameHead)

func appendFrame(b, payload []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	return append(b, payload...)
}

// readFrame reads a frame and appends it to b with its length. An end before the
// first byte is io.EOF.
func readFrame(r *bufio.Reader, b []byte) ([]byte, error) {
	size, err := readSize(r, maxFrame)
	if err != nil {
		return b, err
	}
	return readPayload(r, b, size, func(int) error { return nil })
}

// readPayload reads what follows a frame's length. A length is not believed before the
// bytes come: b grows with them, to twice what there is, and more is asked of take.
func readPayload(r *bufio.Reader, b []byte, size int, take func(n int) error) ([]byte, error) {
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	for begin := len(b); size > 0; {
		n := min(size, max(len(b)-begin, r.Size()))
		if err := take(n); err != nil {
			return b, err
		}
		at := len(b)
		b = append(b, make([]byte, n)...)
		if _, err := io.ReadFull(r, b[at:]); err != nil {
			return b[:at], noEOF(err)
		}
		size -= n
	}
	return b, nil
}

// frame reads a frame as readFrame does, within what the connection may hold, and in
// the time that it may take.
func (s *session) frame(b []byte) ([]byte, error) {
	size, err := readSize(s.r, maxFrame)
	if err != nil {
		return b, err
	}
	if len(b)+size <= free {
		return readPayload(s.r, b, size, func(int) error { return nil })
	}
	if err := s.conn.SetReadDeadline(time.Now().Add(frameTimeout)); err != nil {
		return b, err
	}
	b, err = readPayload(s.r, b, size, s.take)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return b, fmt.Errorf("%w: the rest of %d bytes did not come within %v", errFrame, size, frameTimeout)
	case err != nil:
		return b, err
	}
	return b, s.conn.SetReadDeadline(time.Time{})
}

// maxSkipped is how long a frame may be that is not kept, in bytes: Kong has none longer,
// since LuaJIT has no longer string.
const maxSkipped = math.MaxInt32

// skipFrame reads a frame that nobody needs.
func skipFrame(r *bufio.Reader) error {
	size, err := readSize(r, maxSkipped)
	if err != nil {
		return err
	}
	_, err = r.Discard(size)
	return noEOF(err)
}

func readSize(r *bufio.Reader, most uint32) (int, error) {
	head, err := r.Peek(frameHead)
	if err != nil {
		if len(head) > 0 {
			err = noEOF(err)
		}
		return 0, err
	}
	size := binary.LittleEndian.Uint32(head)
	if size > most {
		return 0, fmt.Errorf("%w: %d bytes, more than %d", errFrame, size, most)
	}
	_, err = r.Discard(frameHead)
	return int(size), err
}

// noEOF says that an end came too early.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// splitFrame takes the first frame off b.
func splitFrame(b []byte) (payload, rest []byte, err error) {
	if len(b) < frameHead {
		return nil, nil, fmt.Errorf("%w: %d bytes instead of a length", errFrame, len(b))
	}
	size, rest := binary.LittleEndian.Uint32(b), b[frameHead:]
	if uint64(size) > uint64(len(rest)) {
		return nil, nil, fmt.Errorf("%w: %d bytes instead of %d", errFrame, len(rest), size)
	}
	return rest[:size], rest[size:], nil
}
