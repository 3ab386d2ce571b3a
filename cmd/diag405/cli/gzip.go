package cli

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
)

// Unzipped reads through gzip where the first bytes are gzip's, and else as it is.
func Unzipped(from io.Reader) (io.Reader, error) {
	in := bufio.NewReader(from)
	magic, err := in.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !IsGzip(magic) {
		return in, nil
	}
	return gzip.NewReader(in)
}

// IsGzip looks at the first two bytes (RFC 1952 section 2.3.1).
func IsGzip(magic []byte) bool { return bytes.Equal(magic, []byte{0x1f, 0x8b}) }
