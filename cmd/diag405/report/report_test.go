package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
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

// A long log is read within its time: DIAG405_LINES=1000000 asks for a million.
func TestManyLines(t *testing.T) {
	n := 50_000
	if s := os.Getenv("DIAG405_LINES"); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	name := writeLog(t, n)
	cmd := exec.Command(diag405test.Build(t), "report", "-n", "1", name)
	begun := time.Now()
	out, err := cmd.Output()
	require.NoError(t, err)
	took := time.Since(begun)
	assert.Contains(t, string(out), fmt.Sprintf("%d diagnoses in %d lines", n, n))
	assert.Less(t, took, 3*time.Second)
	t.Logf("report: %d lines in %v, %d MiB at most", n, took.Round(time.Millisecond), maxMemory(cmd)>>20)
	// A command's figure begins with that of the process that started it, which the
	// race detector makes large.
	var self syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &self))
	if self.Maxrss<<10 < mostMemory {
		assert.Less(t, maxMemory(cmd), int64(mostMemory))
	}
}

// writeLog writes a log of n diagnoses.
func writeLog(t *testing.T, n int) string {
	t.Helper()
	log, err := os.ReadFile(casesLog)
	require.NoError(t, err)
	var own [][]byte
	for line := range bytes.Lines(log) {
		if bytes.Contains(line, []byte("event=diagnosis")) && !bytes.Contains(line, []byte("forged")) && bytes.HasSuffix(line, []byte("\"\n")) {
			own = append(own, line)
		}
	}
	name := filepath.Join(t.TempDir(), "error.log")
	f, err := os.Create(name)
	require.NoError(t, err)
	w := bufio.NewWriter(f)
	for i := range n {
		line := own[i%len(own)]
		id := line[len(line)-len(`0123456789abcdef0123456789abcdef"`)-1:]
		copy(id, fmt.Sprintf("%032x", uint64(i+1)*0x9e3779b97f4a7c15)) // no request is logged twice
		_, err := w.Write(line)
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
