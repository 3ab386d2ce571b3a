//go:build unix

package server

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/Kong/go-pdk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The socket is the user's alone under every umask; Kong in the background has none.
func TestSocketMode(t *testing.T) {
	ours := strconv.Itoa(os.Getgid())
	for _, umask := range []int{0, 0o022, 0o777} {
		for group, want := range map[string]os.FileMode{"": 0o600, ours: 0o660} {
			s := socket{path: filepath.Join(t.TempDir(), "s"), group: group}
			before := syscall.Umask(umask)
			l, err := s.listen()
			syscall.Umask(before)
			require.NoError(t, err)
			info, err := os.Lstat(s.path)
			require.NoError(t, err)
			assert.Equal(t, os.ModeSocket|want, info.Mode(), "umask %o, group %q", umask, group)
			assert.Equal(t, ours, fmt.Sprint(info.Sys().(*syscall.Stat_t).Gid))
			l.Close()
		}
	}
	s := socket{path: filepath.Join(t.TempDir(), "s"), group: "no-such-group"}
	_, err := s.listen()
	assert.ErrorContains(t, err, "no-such-group")
	assert.NoFileExists(t, s.path)
}

// What is no socket stays, whatever it is.
func TestLeavesWhatIsNoSocket(t *testing.T) {
	dir := t.TempDir()
	file, socketFile := filepath.Join(dir, "file"), filepath.Join(dir, "live")
	require.NoError(t, os.WriteFile(file, []byte("kept"), 0o600))
	l, err := net.Listen("unix", socketFile)
	require.NoError(t, err)
	defer l.Close()
	require.NoError(t, os.Symlink(socketFile, filepath.Join(dir, "link")))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "broken")))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	for _, name := range []string{"file", "link", "broken", "folder", "pipe"} {
		path := filepath.Join(dir, name)
		before, err := os.Lstat(path)
		require.NoError(t, err)
		_, err = socket{path: path, succeeds: func(int) bool { return true }}.listen()
		assert.EqualError(t, err, fmt.Sprintf("%q is no socket, and is left alone", path))
		after, err := os.Lstat(path)
		require.NoError(t, err)
		assert.True(t, os.SameFile(before, after), name)
	}
}

// A socket that somebody listens on stays, and goes on; one that is left over goes.
func TestLeavesAnotherServersSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scripted.socket")
	first, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	first.SetUnlinkOnClose(false)
	err = script(func(*pdk.PDK) {}).Serve(t.Context(), filepath.Dir(path))
	assert.EqualError(t, err, fmt.Sprintf("another server (process %d) listens on %q, and is left alone", os.Getpid(), path))
	conn, err := net.Dial("unix", path)
	require.NoError(t, err)
	conn.Close()

	require.NoError(t, first.Close())
	require.FileExists(t, path)
	l, err := socket{path: path}.listen()
	require.NoError(t, err, "nobody's any more")
	l.Close()
}

// A datagram socket is not to be connected to, so nobody knows whether it is in use.
func TestLeavesAnotherKindOfSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	defer conn.Close()
	_, err = socket{path: path}.listen()
	assert.ErrorContains(t, err, "may be another server's, and is left alone")
	_, err = os.Lstat(path)
	assert.NoError(t, err)
}

// worker starts a plugin server as a worker of Kong does, from a process that waits for
// it, and returns the server's number.
func worker(t *testing.T, binary, prefix string) (pid int) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", `"$0" -kong-prefix "$1" & echo $!; wait`, binary, prefix)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	_, err = fmt.Fscan(out, &pid)
	require.NoError(t, err)
	t.Cleanup(func() {
		syscall.Kill(pid, syscall.SIGKILL)
		cmd.Wait()
	})
	return pid
}

// Kong starts the next server before it stops the last, which then leaves the socket of
// the next alone.
func TestTakesOverFromTheServerBefore(t *testing.T) {
	binary, prefix := executable(t, oursName), t.TempDir()
	path := filepath.Join(prefix, oursName+".socket")
	serves := func(pid int) {
		t.Helper()
		require.Eventually(t, func() bool {
			got, err := listener(path)
			return err == nil && got == pid
		}, 10*time.Second, time.Millisecond)
	}
	first := worker(t, binary, prefix)
	serves(first)
	busy := dial(t, path)
	id := started(t, busy, `{"__seq__":4,"report":"127.0.0.1:1"}`)
	second := worker(t, binary, prefix)
	serves(second)
	require.NoError(t, busy.event(eventCall(id, "log")), "the first one serves who is connected")
	require.NoError(t, syscall.Kill(first, syscall.SIGTERM))
	_, err := busy.r.Peek(1)
	require.Error(t, err)
	require.Eventually(t, func() bool { return syscall.Kill(first, 0) != nil }, 10*time.Second, time.Millisecond)
	serves(second)
}

// Another plugin server that the same process starts is no successor.
func TestLeavesAServerOfTheSameParent(t *testing.T) {
	binary, prefix := executable(t, oursName), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	first := exec.CommandContext(ctx, binary, "-kong-prefix", prefix)
	require.NoError(t, first.Start())
	defer func() { cancel(); first.Wait() }()
	dial(t, filepath.Join(prefix, oursName+".socket"))
	out, err := exec.Command(binary, "-kong-prefix", prefix).CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), fmt.Sprintf("another server (process %d) listens on", first.Process.Pid))
	pid, err := listener(filepath.Join(prefix, oursName+".socket"))
	require.NoError(t, err)
	assert.Equal(t, first.Process.Pid, pid)
}
