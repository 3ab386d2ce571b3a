package server

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A frame is a length, four bytes little endian, and that many bytes.
const (
	frameHead = 4
	// maxFrame bounds what a peer can make the server allocate, in bytes. The
	// largest thing that Kong sends is a body.
	maxFrame = 64 << 20
	// growth is how much memory a length is believed before its bytes come.
	growth = 1 << 20
)

// errFrame is wrapped by the errors about what a peer sent, as opposed to errors
// of the connection.
var errFrame = errors.New("broken frame")

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
	size, err := readSize(r)
	if err != nil {
		return b, err
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	for size > 0 {
		n := min(size, growth)
		at := len(b)
		b = append(b, make([]byte, n)...)
		if _, err := io.ReadFull(r, b[at:]); err != nil {
			return b[:at], noEOF(err)
		}
		size -= n
	}
	return b, nil
}

// skipFrame reads a frame that nobody needs.
func skipFrame(r *bufio.Reader) error {
	size, err := readSize(r)
	if err != nil {
		return err
	}
	_, err = r.Discard(size)
	return noEOF(err)
}

func readSize(r *bufio.Reader) (int, error) {
	head, err := r.Peek(frameHead)
	if err != nil {
		if len(head) > 0 {
			err = noEOF(err)
		}
		return 0, err
	}
	size := binary.LittleEndian.Uint32(head)
	if size > maxFrame {
		return 0, fmt.Errorf("%w: %d bytes, more than %d", errFrame, size, maxFrame)
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
