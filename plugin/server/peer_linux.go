package server

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
)

// peerOf is the process that opened the other end of a connection: of one to a
// socket, the one that listens there. It is unknown when that runs where its number is
// none of ours, as in another container.
func peerOf(conn *net.UnixConn) (pid int) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return unknown
	}
	_ = raw.Control(func(fd uintptr) {
		if peer, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED); err == nil {
			pid = int(peer.Pid)
		}
	})
	return pid
}

// startedBefore reports whether a process is a plugin server that Kong started before
// this one in the same way. Kong starts the next one before it stops the last: a new
// worker does when the configuration is loaded again, while the old worker still has
// answers to send (pluginserver_timer in kong/runloop/plugin_servers/process.lua). And
// one that Kong left behind when it was killed goes on. Of the same parent there is
// never more than one.
func startedBefore(pid int) bool {
	own, err := os.ReadFile("/proc/self/cmdline")
	if err != nil || pid == unknown || pid == os.Getpid() {
		return false
	}
	other, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && bytes.Equal(own, other) && parentOf(pid) != os.Getppid()
}

// parentOf is the parent of a process, unknown when it has ended. The name, which is in
// brackets before the parent, may have brackets itself (proc_pid_stat(5)).
func parentOf(pid int) int {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return unknown
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return unknown
	}
	parent, _ := strconv.Atoi(string(fields[1]))
	return parent
}
