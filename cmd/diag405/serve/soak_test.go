//go:build unix

package serve_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/Kong/go-pdk/server/kong_plugin_protocol"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// long reports whether the long forms of the tests below were asked for.
func long() bool { return os.Getenv("DIAG405_LONG") != "" }

// clients is how many clients send at the same time.
const clients = 8

// tally counts outcomes.
type tally struct {
	mu sync.Mutex
	by map[string]int
}

func (c *tally) add(outcome string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[string]int{}
	}
	c.by[outcome]++
}

func (c *tally) counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.by)
}

// load is what clients do at the same time until they are stopped, or limit is
// reached.
type load struct {
	tally
	stopped atomic.Bool
	sent    atomic.Int64
	clients sync.WaitGroup
}

// startLoad sends requests from several clients; once tells how one ended.
func startLoad(t *testing.T, limit int64, once func() string) *load {
	l := &load{}
	for range clients {
		l.clients.Go(func() {
			for !l.stopped.Load() && l.sent.Add(1) <= limit {
				l.add(once())
			}
		})
	}
	t.Cleanup(l.stop)
	return l
}

func (l *load) stop() {
	l.stopped.Store(true)
	l.clients.Wait()
}

// await waits until there are so many more of an outcome than now.
func (l *load) await(t *testing.T, outcome string, more int) {
	t.Helper()
	want := l.counts()[outcome] + more
	require.Eventually(t, func() bool { return l.counts()[outcome] >= want }, 20*time.Second, time.Millisecond,
		"waiting for %d times %q: %v", want, outcome, l.counts())
}

// TestKill kills the plugin server under load. While it is down Kong answers with
// 500; nothing else happens to a client, and then everything is explained again.
func TestKill(t *testing.T) {
	diag405, _ := buildServers(t)
	r := startRig(t, nil, diag405)
	require.Empty(t, r.checkClean())
	l := startLoad(t, 200_000, r.explainedOr500)
	l.await(t, "explained", 200)
	require.NoError(t, syscall.Kill(r.pids()[0], syscall.SIGKILL))
	killed := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := r.log.Find(ctx, func(string) bool { return len(r.pids()) == 2 })
	require.NoError(t, err, "the plugin server was not started again")
	down := time.Since(killed)
	l.await(t, "explained", 200)
	l.stop()
	got := l.counts()
	t.Logf("started again after %v; answers: %v", down.Round(time.Millisecond), got)
	assert.Subset(t, []string{"explained", "500"}, names(got))
	for range 20 {
		assert.Empty(t, r.checkClean())
	}
	r.checkGone(t)
}

// checkGone tells that the server that was killed is, and the one after it is not.
func (r *rig) checkGone(t *testing.T) {
	t.Helper()
	pids := r.pids()
	require.Len(t, pids, 2)
	assert.ErrorIs(t, syscall.Kill(pids[0], 0), syscall.ESRCH)
	assert.NoError(t, syscall.Kill(pids[1], 0))
}

func names(counts map[string]int) []string {
	out := []string{}
	for name := range counts {
		out = append(out, name)
	}
	return out
}

// explainedOr500 sends a request, and tells how it ended.
func (r *rig) explainedOr500() string {
	path := r.path()
	got, err := r.ask(http.MethodPost, path)
	switch {
	case err != nil:
		return err.Error()
	case got.status == 500:
		return "500"
	}
	if wrong := got.explained(path); wrong != "" {
		return wrong
	}
	return "explained"
}

// TestReload loads one configuration after the other under load. No request fails,
// each is answered under one of the two, and instances do not pile up in the plugin
// server.
func TestReload(t *testing.T) {
	reloads := 50
	if long() {
		reloads = 1000
	}
	diag405, _ := buildServers(t)
	r := startRig(t, nil, diag405)
	require.Empty(t, r.checkClean())
	l := startLoad(t, 1<<40, r.underEither)
	for n := range reloads {
		r.load(t, fmt.Sprintf(`{"name": "diag405", "config": {"header_prefix": %q}}`, prefixes[n%2]))
		l.await(t, "explained", 2) // so that an instance of this one was used
	}
	l.stop()
	got := l.counts()
	assert.Equal(t, []string{"explained"}, names(got))
	r.checkAlive(t, 1)
	instances := r.instances(t, reloads+10)
	t.Logf("%d reloads, answers: %v; instances in the plugin server: %v", reloads, got, instances)
	assert.LessOrEqual(t, len(instances), 2)
	assert.NotEmpty(t, instances)
}

// prefixes are those of the headers under the one and the other configuration.
var prefixes = [2]string{"X-Why", "X-Diag"}

// underEither sends a request, and tells how it ended: explained means with the
// headers of one configuration and none of the other.
func (r *rig) underEither() string {
	path := r.path()
	got, err := r.ask(http.MethodPost, path)
	if err != nil {
		return err.Error()
	}
	n := 0
	for name := range got.header {
		if strings.HasPrefix(name, "X-Why") {
			n++
		}
	}
	if n == 0 {
		if wrong := got.explained(path); wrong != "" {
			return wrong
		}
		return "explained"
	}
	if wrong := got.fromApp(http.MethodPost, path) + got.mixedUp(path); wrong != "" {
		return wrong
	}
	if n != 5 || got.header.Get("X-Why-Request") != "POST "+path || got.header.Get("X-Diag") != "" {
		return fmt.Sprintf("POST %s: %v", path, got.header)
	}
	return "explained"
}

// instances are the numbers below limit of the instances that run in the first
// plugin server, which is asked over its own socket. Those that it numbered itself
// are asked for, too.
func (r *rig) instances(t *testing.T, limit int) []int32 {
	t.Helper()
	socket := r.socket(t, "diag405")
	var out []int32
	for n := range int32(limit) {
		for _, id := range []int32{n, 1<<30 + n} {
			if runs(t, socket, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// socket is that of a plugin, in the prefix that the first plugin server was given.
func (r *rig) socket(t *testing.T, plugin string) string {
	t.Helper()
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", r.pids()[0]))
	require.NoError(t, err)
	args := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
	return filepath.Join(args[len(args)-1], plugin+".socket")
}

// runs asks a plugin server for an instance. It closes the connection when there is
// none of that number.
func runs(t *testing.T, socket string, id int32) bool {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	call, err := proto.Marshal(&kong_plugin_protocol.RpcCall{Sequence: 1, Call: &kong_plugin_protocol.RpcCall_CmdGetInstanceStatus{
		CmdGetInstanceStatus: &kong_plugin_protocol.CmdGetInstanceStatus{InstanceId: id},
	}})
	require.NoError(t, err)
	_, err = conn.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(call))), call...))
	require.NoError(t, err)
	var head [4]byte
	_, err = io.ReadFull(conn, head[:])
	require.False(t, os.IsTimeout(err))
	return err == nil
}

// TestSoak sends many requests of all sorts, through both plugins, and looks at
// what the plugin servers hold.
func TestSoak(t *testing.T) {
	requests, bound := int64(2000), 30*time.Second
	if long() {
		requests, bound = 200_000, 5*time.Minute
	}
	diag405, diag405Log := buildServers(t)
	r := startRig(t, nil, diag405, diag405Log)
	pipe := filepath.Join(t.TempDir(), "openapi.yaml") // of a document that does not come
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	r.load(t, fmt.Sprintf(`{"name": "diag405", "config": {"probe": "safe", "openapi": %[1]q}}, {"name": "diag405-log", "config": {"openapi": %[1]q}},
		{"name": "cors", "config": {"origins": ["*"]}}`, pipe))
	require.Empty(t, r.checkClean()) // so that both have a socket
	stop := r.harass(t)
	if limit, ok := t.Deadline(); ok { // go test's own -timeout
		bound = min(bound, time.Until(limit)-10*time.Second)
	}
	counts := map[string]int{}
	soak := func(tenths int64) usage {
		deadline := time.Now().Add(bound / 10 * time.Duration(tenths))
		l := startLoad(t, requests/10*tenths, func() string { return r.mixed(deadline) })
		l.clients.Wait()
		for outcome, n := range l.counts() {
			counts[outcome] += n
		}
		return r.usage(t)
	}
	warm, middle, end := soak(1), soak(4), soak(5)
	t.Logf("neighbours on the socket: %d connections", stop())
	t.Logf("answers: %v", counts)
	t.Logf("after a tenth: %v", warm)
	t.Logf("after a half:  %v", middle)
	t.Logf("at the end:    %v", end)
	for line := range strings.Lines(r.log.String()) {
		assert.NotContains(t, line, "not explained")
	}
	for outcome := range counts {
		assert.True(t, strings.HasPrefix(outcome, "as wanted: ") || outcome == outOfTime, outcome)
	}
	r.checkAlive(t, 2)
	end.checkNotAbove(t, warm, middle)
}

// harass is what two neighbours do on the plugins' sockets until they are stopped, which
// tells on how many connections: they leave half of a long frame, and send garbage.
func (r *rig) harass(t *testing.T) (stop func() int64) {
	t.Helper()
	half := append(binary.LittleEndian.AppendUint32(nil, 32<<20), make([]byte, 100<<10)...)
	send := func(socket string, data []byte) func() bool {
		return func() bool {
			time.Sleep(5 * time.Millisecond) // so that the machine is not theirs alone
			conn, err := net.Dial("unix", socket)
			if !assert.NoError(t, err) {
				return false
			}
			_, _ = conn.Write(data) // garbage ends the connection, maybe before all is sent
			return conn.Close() == nil
		}
	}
	return repeat(t, send(r.socket(t, "diag405"), half), send(r.socket(t, "diag405-log"), []byte("\x07\x00\x00\x00garbage")))
}

// outOfTime is the outcome of a request that was not sent.
const outOfTime = "not sent: out of time"

// sorts are the requests of the soak, each with the status that it gets.
var sorts = []struct {
	name, method string
	header       []string
	status       int
	explained    bool
}{
	{"200", "GET", nil, 200, false},
	{"405", "POST", nil, 405, true},
	{"another 405", "DELETE", []string{"Accept: application/json"}, 405, true},
	{"pretended probe", "POST", []string{"X-Diag-Probe: 1"}, 405, true},
	{"HEAD", "HEAD", nil, 200, false},
	{"event stream", "GET", []string{"Accept: text/event-stream"}, 200, false},
	{"PURGE", "PURGE", nil, 405, false},
	{"preflight", "OPTIONS", []string{"Origin: http://a", "Access-Control-Request-Method: POST"}, 200, false},
	{"OPTIONS", "OPTIONS", nil, 405, true},
	{"404", "GET", nil, 404, false},
}

// mixed sends the next request of the soak, and tells how it ended.
func (r *rig) mixed(deadline time.Time) string {
	if time.Now().After(deadline) {
		return outOfTime
	}
	path := r.path()
	sort := sorts[r.serial.Load()%int64(len(sorts))]
	if sort.status == 404 {
		path = strings.Replace(path, "/p/", "/nowhere/", 1)
	}
	got, err := r.ask(sort.method, path, sort.header...)
	if err != nil {
		return sort.name + ": " + err.Error()
	}
	if got.status != sort.status || (got.header.Get("X-Diag") != "") != sort.explained {
		return fmt.Sprintf("%s: got %d %v", sort.name, got.status, got.header)
	}
	if wrong := got.mixedUp(path); wrong != "" {
		return wrong
	}
	return "as wanted: " + sort.name
}

// usage is what the two plugin servers hold, and the stand-in beside the tests.
type usage struct {
	Files, KB  [2]int // of each plugin server: open files, resident memory
	Goroutines int
}

func (r *rig) usage(t *testing.T) usage {
	t.Helper()
	r.client.CloseIdleConnections()
	pids := r.pids()
	require.Len(t, pids, 2)
	var u usage
	for i, pid := range pids {
		files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		require.NoError(t, err)
		u.Files[i] = len(files)
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		require.NoError(t, err)
		_, rss, _ := strings.Cut(string(status), "VmRSS:")
		_, err = fmt.Sscan(rss, &u.KB[i])
		require.NoError(t, err)
	}
	u.Goroutines = settled()
	return u
}

// settled is the number of goroutines when those of closed connections have ended:
// when it has not fallen for a while.
func settled() int {
	least := runtime.NumGoroutine()
	for quiet := 0; quiet < 20; quiet++ {
		time.Sleep(2 * time.Millisecond)
		if n := runtime.NumGoroutine(); n < least {
			least, quiet = n, 0
		}
	}
	return least
}

// What may be held more than before: the log phase runs behind the answers, so a
// moment may need more connections than any before it; and Go's heap breathes.
const (
	slackFiles      = 2 * clients
	slackGoroutines = 4 * clients
	slackKB         = 12 << 10
)

// checkNotAbove compares with what was held before.
func (u usage) checkNotAbove(t *testing.T, warm, middle usage) {
	t.Helper()
	slack := slackKB
	if underRace() {
		slack *= 8 // its shadow memory comes with what was ever touched
	}
	for i := range u.Files {
		assert.LessOrEqual(t, u.Files[i], warm.Files[i]+slackFiles, "open files of plugin server %d", i)
		assert.LessOrEqual(t, u.KB[i], middle.KB[i]+slack, "resident memory of plugin server %d, KB", i)
	}
	assert.LessOrEqual(t, u.Goroutines, warm.Goroutines+slackGoroutines, "goroutines of the stand-in and the tests")
}
