//go:build unix

package server

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// crowd is a Kong with many connections and instances.
type crowd struct {
	peers     []*peer
	instances []int32
}

// newCrowd connects so many times, and starts so many instances, each on a route.
func newCrowd(t testing.TB, socket string, connections, instances int) *crowd {
	c := &crowd{}
	for range connections {
		p := benchPeer(t, socket)
		typicalReplies(p)
		c.peers = append(c.peers, p)
	}
	for n := range instances {
		config := fmt.Sprintf(`{"__seq__":%d,"route_id":"6a1f2b1e-7c1d-4e7b-9a53-%012x"}`, n+1, n)
		c.instances = append(c.instances, started(t, c.peers[0], config))
	}
	return c
}

// burst is how many requests an instance gets in a row. One that comes more seldom than
// once a second has nothing remembered, and asks for route and service each time.
const burst = 16

// run sends so many requests, of two events each, on all connections at once and to one
// instance after the other.
func (c *crowd) run(t testing.TB, requests int) {
	var wg sync.WaitGroup
	for n, p := range c.peers {
		wg.Go(func() {
			for i := n; i < requests; i += len(c.peers) {
				id := c.instances[i/burst%len(c.instances)]
				for _, phase := range []string{"access", "response"} {
					if err := p.event(eventCall(id, phase)); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkLoad measures a request beside a Kong that takes no time, with more and more
// connections and instances: with neither is there more to do for each. The processor
// time (cpu-ns/op) has that of the peers in it, and little of what else the machine does.
func BenchmarkLoad(b *testing.B) {
	for _, connections := range []int{1, 8, 64} {
		for _, instances := range []int{1, 100, 10_000} {
			b.Run(fmt.Sprintf("connections=%d/instances=%d", connections, instances), func(b *testing.B) {
				c := newCrowd(b, serveOurs(b, annotating), connections, instances)
				c.run(b, max(instances, 1000))
				b.ReportAllocs()
				before := processorTime(b)
				b.ResetTimer()
				c.run(b, b.N)
				b.StopTimer()
				b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// processorTime is what this process has taken.
func processorTime(t testing.TB) time.Duration {
	var used syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkProcess measures the plugin server as a process of its own, with 32
// connections and 100 instances, under settings of Go's: the processor time that a
// request takes of it, and its memory.
func BenchmarkProcess(b *testing.B) {
	for _, env := range []string{"GOMAXPROCS=1", "GOMAXPROCS=2", "GOMAXPROCS=4", "GOGC=200", "GOGC=400"} {
		b.Run(strings.ReplaceAll(env, "=", "-"), func(b *testing.B) {
			p := startProcess(b, strings.Fields(env))
			c := newCrowd(b, p.socket, 32, 100)
			c.run(b, 2000)
			before := p.nanoseconds(b)
			b.ResetTimer()
			c.run(b, b.N)
			b.StopTimer()
			b.ReportMetric(float64(p.nanoseconds(b)-before)/float64(b.N), "cpu-ns/op")
			b.ReportMetric(float64(p.kilobytes(b))/1024, "MiB")
		})
	}
}

// process is a plugin server that runs by itself.
type process struct {
	*exec.Cmd
	socket string
}

func startProcess(t testing.TB, env []string) process {
	prefix := t.TempDir()
	cmd := exec.Command(executable(t, diag405Name), "-kong-prefix", prefix)
	cmd.Env = append(os.Environ(), env...)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	p := process{cmd, filepath.Join(prefix, diag405Name+".socket")}
	awaitSocket(t, p.socket)
	return p
}

// nanoseconds is the processor time that all its threads took.
func (p process) nanoseconds(t testing.TB) (all int64) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.Process.Pid))
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // the thread ended
		}
		text, _, _ := strings.Cut(string(data), " ")
		n, err := strconv.ParseInt(text, 10, 64)
		require.NoError(t, err)
		all += n
	}
	return all
}

// kilobytes is the memory that it holds.
func (p process) kilobytes(t testing.TB) (n int) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(data), "VmRSS:")
	_, err = fmt.Sscan(rest, &n)
	require.NoError(t, err)
	return n
}

// maxInstance is what an instance may hold that remembers where it is, in bytes.
const maxInstance = 4 << 10

// TestMemoryOfInstances: instances, each of which was used, hold little.
func TestMemoryOfInstances(t *testing.T) {
	const instances = 2000
	var before, after runtime.MemStats
	socket := serveOurs(t, annotating)
	runtime.GC()
	runtime.ReadMemStats(&before)
	c := newCrowd(t, socket, 1, instances)
	for _, id := range c.instances {
		require.NoError(t, c.peers[0].event(eventCall(id, "access")))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := int64(after.HeapAlloc-before.HeapAlloc) / instances
	t.Logf("%d bytes for each of %d instances", each, instances)
	if each > maxInstance {
		t.Errorf("an instance holds %d bytes, more than %d", each, maxInstance)
	}
}
