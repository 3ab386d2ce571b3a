//go:build unix

package serve_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/kong/gateway"
	"diag405/kong/gateway/standin"
	"diag405/kong/gateway/standin/pluginserver"
)

// underRace tells whether the tests run with -race; then the plugin server does too.
func underRace() bool {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-race" {
			return s.Value == "true"
		}
	}
	return false
}

// buildServers returns the binary under both its plugins' names. With -race a data
// race in it ends it, which a test sees as a second start.
func buildServers(t *testing.T) (diag405, diag405Log string) {
	t.Helper()
	if underRace() {
		t.Setenv("GORACE", "halt_on_error=1")
	}
	built.Store(true)
	dir, err := servers()
	require.NoError(t, err)
	return filepath.Join(dir, "diag405"), filepath.Join(dir, "diag405-log")
}

// servers builds the binary once for all tests; TestMain removes it.
var servers = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "diag405-")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "diag405")
	args := []string{"build", "-o", binary}
	if underRace() {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "diag405/cmd/diag405")...).CombinedOutput(); err != nil {
		return dir, fmt.Errorf("building diag405: %w: %s", err, out)
	}
	return dir, os.Link(binary, binary+"-log")
})

// built tells that there is something to remove.
var built atomic.Bool

func TestMain(m *testing.M) {
	code := m.Run()
	if built.Load() {
		dir, _ := servers()
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// rig is a stand-in with the real plugin server, in front of an application that
// takes only GET.
type rig struct {
	gateway.Gateway
	app    *httptest.Server
	log    *gateway.Lines
	client *http.Client
	serial atomic.Int64 // of requests: each has a path of its own
}

// startRig starts a rig, with the plugins of these executables in force.
func startRig(t *testing.T, faults standin.Faults, executables ...string) *rig {
	t.Helper()
	r := &rig{log: &gateway.Lines{}, client: &http.Client{
		Timeout:       20 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	r.app = httptest.NewServer(http.HandlerFunc(onlyGet))
	t.Cleanup(r.app.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var err error
	r.Gateway, err = faults.Start(ctx, gateway.Options{Plugins: executables, ErrorLog: r.log})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	t.Cleanup(r.client.CloseIdleConnections)
	var plugins []string
	for _, e := range executables {
		plugins = append(plugins, fmt.Sprintf(`{"name": %q}`, filepath.Base(e)))
	}
	r.load(t, strings.Join(plugins, ","))
	return r
}

// load puts the application behind /p, with plugins.
func (r *rig) load(t *testing.T, plugins string) {
	t.Helper()
	require.NoError(t, r.Load(t.Context(), []byte(fmt.Sprintf(`{"_format_version": "3.0", "services": [{"name": "s", "url": %q,
		"routes": [{"name": "r", "paths": ["/p"], "plugins": [%s]}]}]}`, r.app.URL, plugins))))
}

// textPlain has a charset, since nginx adds its own to one that has none.
const textPlain = "text/plain; charset=utf-8"

// onlyGet answers with the path that it got, which is the request's own.
func onlyGet(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.Contains(r.Header.Get("Accept"), "text/event-stream"):
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "data: %s\n\n", r.URL.Path)
		w.(http.Flusher).Flush()
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		w.Header().Set("Content-Type", textPlain)
		fmt.Fprintf(w, "hello %s", r.URL.Path)
	default:
		w.Header().Set("Content-Type", textPlain)
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		fmt.Fprintf(w, "no %s on %s", r.Method, r.URL.Path)
	}
}

// heard is an answer.
type heard struct {
	status int
	header http.Header
	body   string
}

// path is a path that no other request has.
func (r *rig) path() string { return fmt.Sprintf("/p/request-%d", r.serial.Add(1)) }

// wordPath is such a path in letters. To the plugin a number is an id, and of diagnoses
// that differ in ids alone one a second is logged.
func (r *rig) wordPath() string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return c - '0' + 'a'
		}
		return c
	}, r.path())
}

// ask sends a request.
func (r *rig) ask(method, path string, header ...string) (heard, error) {
	req, err := http.NewRequest(method, r.URL()+path, nil)
	if err != nil {
		return heard{}, err
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := r.client.Do(req)
	if err != nil {
		return heard{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return heard{res.StatusCode, res.Header, string(body)}, err
}

// fromApp says how an answer differs from what the application sent, "" if it does
// not.
func (h heard) fromApp(method, path string) string {
	status, allow, body := 200, "", "hello "+strings.TrimPrefix(path, "/p")
	if method != http.MethodGet {
		status, allow, body = 405, "GET, HEAD", "no "+method+" on "+strings.TrimPrefix(path, "/p")
	}
	if h.status != status || h.header.Get("Allow") != allow || h.body != body || h.header.Get("Content-Type") != textPlain {
		return fmt.Sprintf("got %d, Allow %q, %q, %v; want %d, Allow %q, %q",
			h.status, h.header.Get("Allow"), h.body, h.header, status, allow, body)
	}
	return ""
}

var requestNumber = regexp.MustCompile(`request-\d+`)

// mixedUp finds the path of another request in the headers.
func (h heard) mixedUp(path string) string {
	own := strings.TrimPrefix(path, "/p/")
	for name, values := range h.header {
		for _, found := range requestNumber.FindAllString(strings.Join(values, " "), -1) {
			if found != own {
				return fmt.Sprintf("%s of %s: %q", name, own, values)
			}
		}
	}
	return ""
}

// explained says what is wrong with an answer to a request with POST that should
// be explained in full.
func (h heard) explained(path string) string {
	if wrong := h.fromApp(http.MethodPost, path); wrong != "" {
		return wrong
	}
	if got := h.header.Get("X-Diag-Request"); got != "POST "+path {
		return fmt.Sprintf("X-Diag-Request of POST %s: %q", path, got)
	}
	if h.header.Get("X-Diag") == "" || h.header.Get("X-Diag-Reason") == "" {
		return fmt.Sprintf("POST %s is not explained: %v", path, h.header)
	}
	return h.mixedUp(path)
}

// checkClean sends a request that nothing happens to.
func (r *rig) checkClean() string {
	path := r.path()
	got, err := r.ask(http.MethodPost, path)
	if err != nil {
		return err.Error()
	}
	return got.explained(path)
}

var startedLine = regexp.MustCompile(`\[pluginserver\] started, pid (\d+)`)

// pids are the processes of plugin servers that were started so far.
func (r *rig) pids() []int {
	var out []int
	for _, m := range startedLine.FindAllStringSubmatch(r.log.String(), -1) {
		pid, _ := strconv.Atoi(m[1])
		out = append(out, pid)
	}
	return out
}

// checkAlive tells that no plugin server ended since the start.
func (r *rig) checkAlive(t *testing.T, want int) {
	t.Helper()
	pids := r.pids()
	assert.Len(t, pids, want, "starts of plugin servers")
	for _, pid := range pids {
		assert.NoError(t, syscall.Kill(pid, 0))
	}
}

// plan is the one fault that comes next, and what was called.
type plan struct {
	mu    sync.Mutex
	at    pluginserver.Call
	fault pluginserver.Fault
	armed bool
	seen  []pluginserver.Call
}

func (p *plan) answer(c pluginserver.Call) pluginserver.Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.Target == p.at.Target {
		p.seen = append(p.seen, c)
	}
	if !p.armed || c != p.at {
		return pluginserver.Fault{}
	}
	p.armed = false
	return p.fault
}

// arm makes a fault happen at a call; its Target is the request's path.
func (p *plan) arm(at pluginserver.Call, f pluginserver.Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at, p.fault, p.armed, p.seen = at, f, true, nil
}

// done tells whether the fault happened, and which calls there were.
func (p *plan) done() (bool, []pluginserver.Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.armed, p.seen
}

// faultDelay is long beside what a call takes, and short beside a test.
const faultDelay = 3 * time.Millisecond

// everyFault are all kinds, and a delay.
func everyFault() []pluginserver.Fault {
	out := []pluginserver.Fault{{Delay: faultDelay}}
	for _, kind := range pluginserver.FaultKinds {
		out = append(out, pluginserver.Fault{Kind: kind})
	}
	return out
}

// TestFaults breaks the reply to each call of each phase in each way, for an
// answer that is left alone and for a 405, while other requests run that nothing
// happens to.
func TestFaults(t *testing.T) {
	diag405, _ := buildServers(t)
	p := &plan{}
	r := startRig(t, p.answer, diag405)
	require.Empty(t, r.checkClean())
	stop := r.bystand(t)
	cells := 0
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		calls := callsOf(t, r, p, method)
		for _, c := range calls {
			for _, f := range everyFault() {
				cell(t, r, p, method, c, f)
				cells++
			}
		}
		t.Logf("%s: %d calls", method, len(calls))
	}
	bystanders := stop()
	r.checkAlive(t, 1)
	t.Logf("%d cells, each with a clean request after it; %d requests beside them", cells, bystanders)
}

// callsOf are the calls that every request without a fault makes. Of a few answers in a
// second more is asked, and of diagnoses alike one is logged; what happens when that
// fails is tested with a gateway of the plugin's own.
func callsOf(t *testing.T, r *rig, p *plan, method string) []pluginserver.Call {
	t.Helper()
	var calls []pluginserver.Call
	for i := range 30 {
		path := r.path()
		p.arm(pluginserver.Call{Target: path}, pluginserver.Fault{})
		got, err := r.ask(method, path)
		require.NoError(t, err)
		require.Empty(t, got.fromApp(method, path))
		if _, made := p.done(); i == 0 || len(made) < len(calls) {
			calls = made
		}
	}
	phases := map[string]int{}
	for _, c := range calls {
		phases[c.Phase]++
	}
	require.NotZero(t, phases["access"])
	require.NotZero(t, phases["response"])
	t.Logf("%s: %v", method, phases)
	return calls
}

// cell has one fault happen, and looks at the answer and at the next one. Once a second
// a request asks for more, and then the call has another number.
func cell(t *testing.T, r *rig, p *plan, method string, c pluginserver.Call, f pluginserver.Fault) {
	t.Helper()
	name := fmt.Sprintf("%s, %s call %d (%s): %+v", method, c.Phase, c.Number, c.Function, f)
	happened := false
	for tries := 0; !happened && tries < 3; tries++ {
		path := r.path()
		c.Target = path
		p.arm(c, f)
		got, err := r.ask(method, path)
		require.NoError(t, err, name)
		if happened, _ = p.done(); happened {
			assert.Empty(t, wrong(got, method, path, f), name)
		} else {
			assert.Empty(t, got.fromApp(method, path), name)
		}
	}
	assert.True(t, happened, "%s: never made", name)
	assert.Empty(t, r.checkClean(), "after %s", name)
}

// wrong says what is wrong with the answer to a request that a fault happened to.
func wrong(got heard, method, path string, f pluginserver.Fault) string {
	switch {
	case f.Kind.Raises():
		return notKongs500(got, path)
	case f.Kind == "" && method == http.MethodPost: // late, and whole
		return got.explained(path)
	}
	if wrong := got.fromApp(method, path); wrong != "" {
		return wrong
	}
	return got.mixedUp(path)
}

// notKongs500 says how an answer differs from that of a Kong in which a call
// raised. Headers that were set before stay on it.
func notKongs500(got heard, path string) string {
	if got.status != 500 || !strings.Contains(got.body, "An unexpected error occurred") {
		return fmt.Sprintf("got %d %q %v; want Kong's 500", got.status, got.body, got.header)
	}
	return got.mixedUp(path)
}

// bystand sends requests that no fault happens to until the returned function is
// called, which tells how many. Each has to be explained.
func (r *rig) bystand(t *testing.T) (stop func() int64) {
	clean := func() bool { return assert.Empty(t, r.checkClean(), "a request beside the faults") }
	return repeat(t, clean, clean)
}

// repeat does things at the same time, each again and again until it fails or all are
// stopped, which tells how often.
func repeat(t *testing.T, things ...func() bool) (stop func() int64) {
	var stopped atomic.Bool
	var count atomic.Int64
	var wg sync.WaitGroup
	for _, do := range things {
		wg.Go(func() {
			for !stopped.Load() && do() {
				count.Add(1)
			}
		})
	}
	stop = sync.OnceValue(func() int64 {
		stopped.Store(true)
		wg.Wait()
		return count.Load()
	})
	t.Cleanup(func() { stop() })
	return stop
}

// TestFaultsInLogPhase does the same to diag405-log, which works when the client
// has its answer: nothing changes it any more, and the next request is logged.
func TestFaultsInLogPhase(t *testing.T) {
	_, diag405Log := buildServers(t)
	p := &plan{}
	r := startRig(t, p.answer, diag405Log)
	r.checkLogged(t)
	path := r.wordPath()
	p.arm(pluginserver.Call{Target: path}, pluginserver.Fault{})
	r.postUnexplained(t, path)
	r.awaitDiagnosis(t, path)
	_, calls := p.done()
	cells := 0
	for _, c := range calls {
		if c.Phase != "log" {
			continue
		}
		for _, f := range everyFault() {
			path := r.wordPath()
			c.Target = path
			p.arm(c, f)
			r.postUnexplained(t, path)
			require.Eventually(t, func() bool { done, _ := p.done(); return done }, 10*time.Second, time.Millisecond,
				"log call %d (%s): never made", c.Number, c.Function)
			r.checkLogged(t)
			cells++
		}
	}
	require.NotZero(t, cells)
	r.checkAlive(t, 1)
	t.Logf("%d cells, each with a logged request after it", cells)
}

// postUnexplained sends a request that gets the application's answer.
func (r *rig) postUnexplained(t *testing.T, path string) {
	t.Helper()
	got, err := r.ask(http.MethodPost, path)
	require.NoError(t, err)
	assert.Empty(t, got.fromApp(http.MethodPost, path))
}

// checkLogged sends a request and waits for its diagnosis in the log.
func (r *rig) checkLogged(t *testing.T) {
	t.Helper()
	path := r.wordPath()
	r.postUnexplained(t, path)
	r.awaitDiagnosis(t, path)
}

// awaitDiagnosis waits for the line that explains a request.
func (r *rig) awaitDiagnosis(t *testing.T, path string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	own := regexp.MustCompile(`\[warn\].*event=diagnosis.*` + path + `\b`)
	_, err := r.log.Find(ctx, own.MatchString)
	require.NoError(t, err, "no diagnosis of POST %s", path)
}
