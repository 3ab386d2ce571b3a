package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"strconv"
	"strings"
)

// maxHead bounds a message's first line and header lines. nginx takes four
// buffers of 8 KiB by default.
const maxHead = 64 << 10

// ErrMalformed is wrapped by the errors about what a peer sent, as opposed to
// errors of the connection.
var ErrMalformed = errors.New("malformed message")

// Head is the part of a message before its body.
type Head struct {
	Line   string // the first line, without its line end
	Fields Fields
}

// ReadHead reads a message's first line and header lines. An orderly end
// before the first byte is io.EOF.
func ReadHead(r *bufio.Reader) (Head, error) {
	left := maxHead
	line, err := readLine(r, &left)
	for err == nil && line == "" { // RFC 9112 2.2: empty lines before a request are skipped
		line, err = readLine(r, &left)
	}
	if err != nil {
		return Head{}, err
	}
	h := Head{Line: line}
	for {
		line, err := readLine(r, &left)
		if err != nil {
			return h, noEOF(err)
		}
		if line == "" {
			return h, nil
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isToken(name) {
			return h, fmt.Errorf("%w: header line %q", ErrMalformed, line)
		}
		h.Fields.Add(name, strings.Trim(value, " \t"))
	}
}

func readLine(r *bufio.Reader, left *int) (string, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if *left -= len(part); *left < 0 {
			return "", fmt.Errorf("%w: head of more than %d bytes", ErrMalformed, maxHead)
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err == io.EOF && len(line) > 0 {
			err = io.ErrUnexpectedEOF
		}
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		return string(line), err
	}
}

// noEOF says that an end came too early.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func isToken(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// Request is a request line.
type Request struct {
	Method, Target, Proto string
}

// ParseRequestLine splits a request line.
func ParseRequestLine(line string) (Request, error) {
	method, rest, _ := strings.Cut(line, " ")
	at := strings.LastIndexByte(rest, ' ')
	if at < 0 || !isToken(method) {
		return Request{}, fmt.Errorf("%w: request line %q", ErrMalformed, line)
	}
	r := Request{Method: method, Target: rest[:at], Proto: rest[at+1:]}
	if r.Target == "" || strings.ContainsAny(r.Target, " \t") || (r.Proto != "HTTP/1.1" && r.Proto != "HTTP/1.0") {
		return Request{}, fmt.Errorf("%w: request line %q", ErrMalformed, line)
	}
	return r, nil
}

// ParseStatusLine returns the status code of a status line.
func ParseStatusLine(line string) (int, error) {
	proto, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	if !strings.HasPrefix(proto, "HTTP/1.") || err != nil || len(code) != 3 || status < 100 {
		return 0, fmt.Errorf("%w: status line %q", ErrMalformed, line)
	}
	return status, nil
}

// RequestBody returns the body that follows a request head; never nil.
func RequestBody(r *bufio.Reader, f Fields) (io.Reader, error) {
	body, framed, err := framedBody(r, f)
	if !framed {
		return strings.NewReader(""), err
	}
	return body, err
}

// ResponseBody returns the body that follows a response head: by its framing,
// else until the connection ends (RFC 9112 6.3).
func ResponseBody(r *bufio.Reader, method string, status int, f Fields) (io.Reader, error) {
	if !HasBody(method, status) {
		return strings.NewReader(""), nil
	}
	body, framed, err := framedBody(r, f)
	if !framed {
		return r, err
	}
	return body, err
}

// HasBody tells whether a response to method with status has a body at all.
func HasBody(method string, status int) bool {
	return method != "HEAD" && status >= 200 && status != 204 && status != 304
}

func framedBody(r *bufio.Reader, f Fields) (body io.Reader, framed bool, err error) {
	if te := f.Tokens("Transfer-Encoding"); len(te) > 0 {
		if len(te) != 1 || te[0] != "chunked" {
			return nil, false, fmt.Errorf("%w: transfer encoding %q", ErrMalformed, te)
		}
		return &chunked{r: httputil.NewChunkedReader(r), under: r}, true, nil
	}
	if !f.Has("Content-Length") {
		return nil, false, nil
	}
	n, err := strconv.ParseUint(f.Get("Content-Length"), 10, 63)
	if err != nil || len(f.Values("Content-Length")) > 1 {
		return nil, false, fmt.Errorf("%w: Content-Length %q", ErrMalformed, f.Values("Content-Length"))
	}
	return &sized{r: r, left: int64(n)}, true, nil
}

// sized reads exactly left bytes; fewer are an error.
type sized struct {
	r    io.Reader
	left int64
}

func (s *sized) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > s.left {
		p = p[:s.left]
	}
	n, err := s.r.Read(p)
	s.left -= int64(n)
	if err == io.EOF && s.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// chunked reads a chunked body and the trailer behind it, which it drops.
type chunked struct {
	r     io.Reader
	under *bufio.Reader
	done  bool
}

func (c *chunked) Read(p []byte) (int, error) {
	if c.done {
		return 0, io.EOF
	}
	n, err := c.r.Read(p)
	if err != io.EOF {
		return n, err
	}
	c.done = true
	left := maxHead
	for {
		line, err := readLine(c.under, &left)
		if err != nil {
			return n, noEOF(err)
		}
		if line == "" {
			return n, io.EOF
		}
	}
}

// WriteHead writes a first line and header lines.
func WriteHead(w *bufio.Writer, line string, f Fields) {
	w.WriteString(line)
	w.WriteString("\r\n")
	for _, x := range f {
		w.WriteString(x.Name)
		w.WriteString(": ")
		w.WriteString(x.Value)
		w.WriteString("\r\n")
	}
	w.WriteString("\r\n")
}
