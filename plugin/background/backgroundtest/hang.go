//go:build linux

// Package backgroundtest makes files hang, for tests.
package backgroundtest

import (
	"os"
	"sync"
	"syscall"
	"testing"
)

// Hang has every opening of a file wait until release is called, as on a disk that
// hangs: with a lease, which a process is asked to give up before another one opens
// the file (fcntl(2)). Where files have none the test is skipped.
func Hang(t testing.TB, path string) (release func()) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	lease := func(kind uintptr) error {
		if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, file.Fd(), syscall.F_SETLEASE, kind); errno != 0 {
			return errno
		}
		return nil
	}
	if err := lease(syscall.F_WRLCK); err != nil {
		file.Close()
		t.Skipf("taking a lease on a file: %v", err)
	}
	release = sync.OnceFunc(func() {
		_ = lease(syscall.F_UNLCK)
		file.Close()
	})
	t.Cleanup(release)
	return release
}
