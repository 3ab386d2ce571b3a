//go:build unix

package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/diag405test"
	founding "diag405/kong"
)

// casesLog is what the runner of examples/cases left in its gateway's error log,
// with a line that a client forged, one that is cut short, and the founding case
// once more before and after.
const casesLog = "testdata/cases.log"

// The causes are counted by another way than the command does it.
func TestEveryCause(t *testing.T) {
	log, err := os.ReadFile(casesLog)
	require.NoError(t, err)
	want := map[string]int{}
	for line := range strings.Lines(string(log)) {
		_, after, ok := strings.Cut(line, ".lua:233 [diag405] event=diagnosis cause=")
		if cause, _, _ := strings.Cut(after, " "); ok {
			want[cause]++
		}
	}
	var out, errs bytes.Buffer
	require.Equal(t, cli.OK, Run([]string{"-o", "json", casesLog}, cli.Streams{Out: &out, Err: &errs}), errs.String())
	var got struct {
		Causes []struct {
			Cause string
			Count int
		}
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	counted := map[string]int{}
	for _, c := range got.Causes {
		counted[c.Cause] = c.Count
	}
	assert.Equal(t, want, counted)
	assert.NotContains(t, counted, "forged")
	assert.Greater(t, len(counted), 10)
}

// A long log is read within its time, whatever it is: DIAG405_LINES=1000000 asks for a
// million lines, and DIAG405_EVERY=1 for a 405 in each of them instead of in one of twenty.
func TestManyLines(t *testing.T) {
	n, every := number(t, "DIAG405_LINES", 20_000), number(t, "DIAG405_EVERY", 20)
	command := diag405test.Build(t)
	for _, format := range formats(t) {
		every := every
		if format.all {
			every = 1
		}
		name := writeLog(t, n, every, format.line)
		size, err := os.Stat(name)
		require.NoError(t, err)
		cmd := exec.Command(command, append([]string{"report", "-n", "1", name}, format.args...)...)
		begun := time.Now()
		out, err := cmd.Output()
		require.NoError(t, err)
		took := time.Since(begun)
		assert.Contains(t, string(out), fmt.Sprintf("%d diagnoses in %d lines", n/every, n), format.name)
		assert.Less(t, took, 3*time.Second, format.name)
		used := (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Round(time.Millisecond)
		t.Logf("%s: %d lines, %d MiB, 405 in one of %d: %v, %v of all processors, %d MiB at most",
			format.name, n, size.Size()>>20, every, took.Round(time.Millisecond), used, maxMemory(cmd)>>20)
		require.NoError(t, os.Remove(name))
		// A command's figure begins with that of the process that started it, which the
		// race detector makes large.
		var self syscall.Rusage
		require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &self))
		if self.Maxrss<<10 < mostMemory {
			assert.Less(t, maxMemory(cmd), int64(mostMemory), format.name)
		}
	}
}

func number(t *testing.T, variable string, unset int) int {
	t.Helper()
	s := os.Getenv(variable)
	if s == "" {
		return unset
	}
	n, err := strconv.Atoi(s)
	require.NoError(t, err)
	return n
}

// format is a log that people have.
type format struct {
	name string
	all  bool // nothing but 405s
	args []string
	line func(i, status int) []byte
}

func formats(t *testing.T) []format {
	t.Helper()
	diagnoses := ownLines(t)
	kong := func(i, status int) []byte { return fmt.Appendf(combined(i, status), " kong_request_id: %q", id(i)) }
	docker := func(i, status int) []byte {
		line := record(i, status)
		if i%2 == 0 {
			line = kong(i, status)
		}
		inner, err := json.Marshal(string(line) + "\n")
		require.NoError(t, err)
		return fmt.Appendf(nil, `{"log":%s,"stream":"stdout","time":"2026-11-23T08:06:03.123456789Z"}`, inner)
	}
	config := filepath.Join(t.TempDir(), "kong.yml")
	require.NoError(t, os.WriteFile(config, founding.Founding, 0o644))
	return []format{
		{name: "records", line: record},
		{name: "access log", line: kong},
		{name: "access log with a configuration", line: kong, args: []string{"-config", config}},
		{name: "combined", line: combined},
		{name: "docker's json-file", line: docker},
		{name: "diagnoses", all: true, line: func(i, _ int) []byte {
			line := bytes.Clone(diagnoses[i%len(diagnoses)])
			copy(line[len(line)-len(`0123456789abcdef0123456789abcdef"`):], id(i)) // no request is logged twice
			return line
		}},
	}
}

func id(i int) string { return fmt.Sprintf("%032x", uint64(i+1)*0x9e3779b97f4a7c15) }

// request is what a client asks: a few methods and paths, some of them with ids.
func request(i, status int) (method, path string) {
	switch {
	case status != http.StatusMethodNotAllowed:
		return "GET", fmt.Sprintf("/api/users/%d/orders", i%5000)
	case i%3 == 0:
		return "POST", "/api/sendWeather"
	}
	return "DELETE", fmt.Sprintf("/api/users/%d/orders", i%5000)
}

func combined(i, status int) []byte {
	method, path := request(i, status)
	at := time.Unix(1795400000+int64(i/20), 0).UTC().Format("02/Jan/2006:15:04:05 -0700")
	return fmt.Appendf(nil, `10.0.%d.%d - - [%s] "%s %s?page=%d HTTP/1.1" %d 31 "-" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"`,
		i%250, i%199, at, method, path, i%9, status)
}

// record is one as Kong writes it, with all that it has.
func record(i, status int) []byte {
	method, path := request(i, status)
	route, strip, upstream := "users", false, path
	if path == "/api/sendWeather" {
		route, strip, upstream = "internal-weather-route-POST", true, "/"
	}
	return fmt.Appendf(nil, `{"request":{"id":%q,"method":%q,"uri":"%s?page=%d","url":"http:\/\/localhost:8000%s","size":120,"querystring":{"page":"%d"},`+
		`"headers":{"host":"localhost:8000","user-agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","accept":"*/*","content-type":"application/json","x-forwarded-for":"10.0.%d.%d"}},`+
		`"upstream_uri":"%s?page=%d","upstream_status":"%d","source":"upstream","client_ip":"10.0.%d.%d","latencies":{"request":3,"kong":1,"proxy":2,"receive":0},`+
		`"response":{"status":%d,"size":212,"headers":{"content-type":"application/json","connection":"close","server":"uvicorn","allow":"GET","date":"Mon, 23 Nov 2026 08:06:03 GMT","content-length":"31","via":"1.1 kong/3.9.1","x-kong-upstream-latency":"2","x-kong-proxy-latency":"1","x-kong-request-id":%q}},`+
		`"route":{"id":"7f1e1b4e-1111-4c3d-8e9f-0123456789ab","name":%q,"paths":[%q],"methods":["POST","DELETE","GET"],"protocols":["http","https"],"strip_path":%t,"preserve_host":false,"regex_priority":0,"path_handling":"v0","request_buffering":true,"response_buffering":true,"https_redirect_status_code":426,"created_at":1700000000,"updated_at":1700000000,"ws_id":"0dc6f45b-8f8d-40d2-a504-473544ee190b","service":{"id":"8f1e1b4e-1111-4c3d-8e9f-0123456789ab"}},`+
		`"service":{"id":"8f1e1b4e-1111-4c3d-8e9f-0123456789ab","name":"internal-weather-service","protocol":"http","host":"app.test","port":8900,"connect_timeout":60000,"read_timeout":60000,"write_timeout":60000,"retries":5,"enabled":true,"created_at":1700000000,"updated_at":1700000000,"ws_id":"0dc6f45b-8f8d-40d2-a504-473544ee190b"},`+
		`"tries":[{"balancer_start":1700000000000,"balancer_start_ns":1.7e18,"balancer_latency":0,"balancer_latency_ns":21760,"ip":"127.0.0.1","port":8900}],"workspace":"0dc6f45b-8f8d-40d2-a504-473544ee190b","workspace_name":"default","started_at":%d}`,
		id(i), method, path, i%9, path, i%9, i%250, i%199, upstream, i%9, status, i%250, i%199, status, id(i), route, strings.TrimSuffix(path, fmt.Sprintf("/%d/orders", i%5000)), strip, 1795400000000+int64(i)*50)
}

// ownLines are whole lines of diag405's with an id.
func ownLines(t *testing.T) [][]byte {
	t.Helper()
	log, err := os.ReadFile(casesLog)
	require.NoError(t, err)
	var own [][]byte
	for line := range bytes.Lines(log) {
		if bytes.Contains(line, []byte("event=diagnosis")) && !bytes.Contains(line, []byte("forged")) && bytes.HasSuffix(line, []byte("\"\n")) {
			own = append(own, bytes.TrimSpace(line))
		}
	}
	return own
}

// writeLog writes a log of n lines, of which one in so many is of a 405.
func writeLog(t *testing.T, n, every int, line func(i, status int) []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "log")
	f, err := os.Create(name)
	require.NoError(t, err)
	w := bufio.NewWriterSize(f, 1<<20)
	for i := range n {
		status := http.StatusOK
		if (i+1)%every == 0 {
			status = http.StatusMethodNotAllowed
		}
		_, err := w.Write(append(line(i, status), '\n'))
		require.NoError(t, err)
	}
	require.NoError(t, w.Flush())
	require.NoError(t, f.Close())
	return name
}

// mostMemory is how much memory the report may take, in bytes, whatever the log.
const mostMemory = 64 << 20

// maxMemory is the most memory that a command took, in bytes.
func maxMemory(cmd *exec.Cmd) int64 {
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss << 10 // Linux counts KiB
}

// On a terminal there is a bar, from the first second on.
func TestProgress(t *testing.T) {
	var out bytes.Buffer
	p := &progress{out: &out, on: true, begun: time.Now(), total: 200}
	p.lines.Store(3)
	in := p.count(strings.NewReader(strings.Repeat("x", 200)))
	half := make([]byte, 100)
	read := func() string {
		out.Reset()
		_, err := in.Read(half)
		require.NoError(t, err)
		return out.String()
	}
	assert.Empty(t, read())
	p.end()
	assert.Empty(t, out.String(), "nothing to take away")
	p.begun, p.read = p.begun.Add(-quietFor), 0
	assert.Equal(t, "\r\x1b[K[===============               ]  50% 3 lines", read())
	out.Reset()
	p.end()
	assert.Equal(t, "\r\x1b[K", out.String())
}
