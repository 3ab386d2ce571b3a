package pluginserver

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"syscall"
	"time"
)

// acquire returns an idle connection or a new one.
func (s *Server) acquire() (*rpcConn, error) {
	s.mu.Lock()
	if n := len(s.idle); n > 0 {
		c := s.idle[n-1]
		s.idle = s.idle[:n-1]
		s.mu.Unlock()
		return c, nil
	}
	s.mu.Unlock()
	conn, err := net.Dial("unix", s.socket)
	if err != nil {
		return nil, err
	}
	return newRPCConn(conn), nil
}

// release keeps a connection for reuse.
func (s *Server) release(c *rpcConn) {
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

func (c *rpcConn) readFrame() ([]byte, error) {
	c.SetDeadline(time.Now().Add(rpcTimeout))
	var size [4]byte
	if _, err := io.ReadFull(c.r, size[:]); err != nil {
		return nil, ioError(err)
	}
	n := binary.LittleEndian.Uint32(size[:])
	if n > maxFrame {
		return nil, Raise("a frame of %d bytes", n)
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(c.r, data); err != nil {
		return nil, ioError(err)
	}
	return data, nil
}

func (c *rpcConn) writeFrame(data []byte) error {
	c.SetDeadline(time.Now().Add(rpcTimeout))
	var size [4]byte
	binary.LittleEndian.PutUint32(size[:], uint32(len(data)))
	c.w.Write(size[:])
	c.w.Write(data)
	return ioError(c.w.Flush())
}

// ioError calls a connection that the other side ended errClosed.
func ioError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return errClosed
	}
	return err
}

// connectError says what Kong's log says about a server that is not there.
func connectError(err error) error {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return errors.New("connection refused")
	}
	if errors.Is(err, syscall.ENOENT) {
		return errors.New("no such file or directory")
	}
	return err
}
