//go:build !unix

package realkong

import (
	"errors"
	"os/exec"
	"runtime"
	"syscall"
)

var errNoKong = errors.New("Kong does not run on " + runtime.GOOS)

func ownGroup(*exec.Cmd) error { return errNoKong }

func kill(int, syscall.Signal) error { return errNoKong }
