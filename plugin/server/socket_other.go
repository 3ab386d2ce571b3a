//go:build !unix

package server

import (
	"fmt"
	"io/fs"
	"runtime"
)

// Supported says why Kong cannot be served on this system; nil is that it can.
func Supported() error {
	return fmt.Errorf("this needs a socket that is one user's alone, which %s does not have; it runs on Linux and macOS", runtime.GOOS)
}

func narrow(uintptr, fs.FileMode) {}
