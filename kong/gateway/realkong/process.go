package realkong

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a running kong command and all that it started, which is one
// process group: the command, the interpreter that it runs in, nginx's master and
// worker, and the plugin servers.
type process struct {
	group int
	ended chan struct{} // closed when the command has ended, and err is set
	err   error
}

// poll tries until a try was the last, until the command ends, or until the
// context does. An error says what the last try lacked.
func (p *process) poll(ctx context.Context, try func(context.Context) (final bool, err error)) error {
	var last error
	for {
		final, err := try(ctx)
		if final && ctx.Err() == nil {
			return err
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-p.ended:
			return p.end()
		case <-ctx.Done():
			return fmt.Errorf("%w: %v", ctx.Err(), last)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (p *process) end() error {
	if p.err != nil {
		return fmt.Errorf("it ended: %w", p.err)
	}
	return errors.New("it ended")
}

// stop ends the process group. Asking nginx's master first, as "kong stop" does
// (kong/cmd/utils/nginx_signals.lua), lets the worker stop its plugin servers.
func (p *process) stop(pidFile string) error {
	if pid, err := readPID(pidFile); err == nil {
		_ = kill(pid, syscall.SIGTERM) // already gone is what we want
		select {
		case <-p.ended:
		case <-time.After(stopBound):
		}
	}
	if !p.signal(syscall.SIGTERM, min(stopBound, 2*time.Second)) && !p.signal(syscall.SIGKILL, 5*time.Second) {
		return fmt.Errorf("stopping kong: process group %d does not end", p.group)
	}
	<-p.ended
	return nil
}

func readPID(file string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err == nil && pid <= 1 {
		err = fmt.Errorf("%d is no process of ours", pid)
	}
	return pid, err
}

// signal sends sig to the group if it still runs, and tells whether it ended
// within the bound.
func (p *process) signal(sig syscall.Signal, bound time.Duration) bool {
	if !groupRuns(p.group) {
		return true
	}
	_ = kill(-p.group, sig) // ended meanwhile: seen below
	for end := time.Now().Add(bound); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if !groupRuns(p.group) {
			return true
		}
	}
	return false
}

// groupRuns tells whether a process of the group runs. A zombie does not:
// where nobody collects orphans, as in many containers, it stays for good.
func groupRuns(group int) bool {
	if errors.Is(kill(-group, 0), syscall.ESRCH) {
		return false
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		text, _ := os.ReadFile(stat) // ended since the listing: empty
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest) // state, parent, group, ...
		if len(fields) > 2 && fields[2] == strconv.Itoa(group) && fields[0] != "Z" {
			return true
		}
	}
	return len(stats) == 0 // without /proc, kill's word counts
}
