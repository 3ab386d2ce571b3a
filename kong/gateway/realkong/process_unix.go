//go:build unix

package realkong

import (
	"os/exec"
	"syscall"
)

// ownGroup has a command start as the first of a process group of its own.
func ownGroup(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return nil
}

func kill(pid int, sig syscall.Signal) error { return syscall.Kill(pid, sig) }
