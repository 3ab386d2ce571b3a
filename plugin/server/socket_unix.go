//go:build unix

package server

import (
	"io/fs"
	"syscall"
)

// Supported says why Kong cannot be served on this system; nil is that it can.
func Supported() error { return nil }

// narrow gives a socket that is not bound yet the mode that its file is to have.
// Linux makes the file with the mode of the descriptor, less the umask (unix_bind_bsd in
// net/unix/af_unix.c): there is no moment at which it is wider. Other systems do
// without.
func narrow(fd uintptr, mode fs.FileMode) { _ = syscall.Fchmod(int(fd), uint32(mode)) }
