package main_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
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

	"diag405/cmd/diag405/diag405test"
)

// casesLog is what the runner of examples/cases left in its gateway's error log,
// with a line that a client forged, one that is cut short, and the founding case
// once more before and after.
const casesLog = "testdata/report-cases.log"

// TestReport runs the real binary on golden files: testdata/report-NAME.txt.
func TestReport(t *testing.T) {
	bin := diag405test.Build(t)
	log, err := os.ReadFile(casesLog)
	require.NoError(t, err)
	zipped := filepath.Join(t.TempDir(), "error.log.1") // known by its bytes, not by its name
	require.NoError(t, os.WriteFile(zipped, gzipped(t, log), 0o644))

	for name, args := range map[string][]string{
		"cases":      {"-n", "0", casesLog},
		"cases-json": {casesLog, "-o", "json"},
		"few":        {"-n", "2", casesLog},
		"none":       {founding},
		"help":       {"-h"},
	} {
		t.Run(name, func(t *testing.T) {
			got := diag405test.Run(t, bin, append([]string{"report"}, args...)...)
			require.Equal(t, 0, got.Code, got.Stderr)
			assert.Empty(t, got.Stderr, "no progress bar where there is no terminal")
			golden(t, "report-"+name+".txt", got.Stdout)
		})
	}
	t.Run("every cause", func(t *testing.T) { testReportEveryCause(t, bin, log) })
	t.Run("sources", func(t *testing.T) {
		want := diag405test.Run(t, bin, "report", casesLog).Stdout
		assert.Equal(t, want, diag405test.Run(t, bin, "report", zipped).Stdout)
		assert.Equal(t, want, runWith(t, bin, log, "report").Stdout)
		assert.Equal(t, want, runWith(t, bin, gzipped(t, log), "report", "-").Stdout)
		twice := diag405test.Run(t, bin, "report", "-o", "json", casesLog, zipped).Stdout
		assert.Contains(t, twice, fmt.Sprintf(`"lines": %d,`, 2*bytes.Count(log, []byte("\n"))))
	})
	t.Run("bad input", func(t *testing.T) { testReportBadInput(t, bin, zipped) })
	t.Run("follow", func(t *testing.T) { testReportFollow(t, bin) })
	t.Run("follow stdin", func(t *testing.T) {
		got := runWith(t, bin, log, "report", "-f")
		assert.Equal(t, 0, got.Code, got.Stderr)
		assert.Contains(t, got.Stdout, "count  cause")
	})
	t.Run("many lines", func(t *testing.T) { testReportManyLines(t, bin, log) })
}

func gzipped(t *testing.T, data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// testReportEveryCause counts the causes by another way than the command does.
func testReportEveryCause(t *testing.T, bin string, log []byte) {
	want := map[string]int{}
	for line := range strings.Lines(string(log)) {
		_, after, ok := strings.Cut(line, ".lua:233 [diag405] event=diagnosis cause=")
		if cause, _, _ := strings.Cut(after, " "); ok {
			want[cause]++
		}
	}
	var got struct {
		Causes []struct {
			Cause string
			Count int
		}
	}
	require.NoError(t, json.Unmarshal([]byte(diag405test.Run(t, bin, "report", "-o", "json", casesLog).Stdout), &got))
	counted := map[string]int{}
	for _, c := range got.Causes {
		counted[c.Cause] = c.Count
	}
	assert.Equal(t, want, counted)
	assert.NotContains(t, counted, "forged")
	assert.Greater(t, len(counted), 10)
}

func testReportBadInput(t *testing.T, bin, zipped string) {
	data, err := os.ReadFile(zipped)
	require.NoError(t, err)
	broken := filepath.Join(t.TempDir(), "broken.gz")
	require.NoError(t, os.WriteFile(broken, data[:len(data)/2], 0o644))
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-explode"}, "flag provided but not defined: -explode"},
		{[]string{"-o", "xml"}, `-o "xml" is not text or json`},
		{[]string{"-n", "-1"}, "-n -1 is negative"},
		{[]string{casesLog, "/does/not/exist"}, "open /does/not/exist: no such file or directory"},
		{[]string{"testdata"}, `"testdata" is a folder`},
		{[]string{"-", "-"}, "stdin is named twice"},
		{[]string{broken}, "unexpected EOF"},
	} {
		cannotRun(t, runWith(t, bin, nil, append([]string{"report"}, tt.args...)...), tt.want)
	}
}

// logged is a diagnosis as it stands in an error log.
func logged(second int, cause string) string {
	return fmt.Sprintf("2026/11/23 08:06:%02d [warn] 1443#0: *656 [kong] pb_rpc.lua:233 [diag405] event=diagnosis cause=%s certainty=likely "+
		"reason=r fix=f client=\"POST http://localhost:8000/a\" upstream=\"POST http://app/a\" route=r while sending to client, client: 127.0.0.1\n", second, cause)
}

// A log is followed through being appended to, rotated and cut down, and the table
// comes with SIGINT.
func testReportFollow(t *testing.T, bin string) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	name := filepath.Join(t.TempDir(), "error.log")
	appendTo := func(text string) {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		require.NoError(t, err)
		_, err = f.WriteString(text)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	appendTo(logged(1, "was-there"))
	cmd := exec.CommandContext(ctx, bin, "report", "-f", name)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	next := func() string {
		require.True(t, lines.Scan())
		return lines.Text()
	}

	time.Sleep(300 * time.Millisecond) // until what was there has been read
	line := logged(2, "appended")
	appendTo(line[:50]) // a line may be written in two parts
	time.Sleep(300 * time.Millisecond)
	appendTo(line[50:])
	assert.Equal(t, "2026/11/23 08:06:02  appended  POST http://localhost:8000/a  ->  POST http://app/a", next())
	require.NoError(t, os.Rename(name, name+".1"))
	appendTo(logged(3, "rotated"))
	assert.Contains(t, next(), "rotated")
	require.NoError(t, os.Truncate(name, 0))
	time.Sleep(300 * time.Millisecond)
	appendTo(logged(4, "cut-down"))
	assert.Contains(t, next(), "cut-down")
	appendTo(strings.TrimSuffix(logged(5, "unfinished"), "\n"))
	time.Sleep(300 * time.Millisecond)

	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	rest, err := io.ReadAll(out)
	require.NoError(t, err)
	require.NoError(t, cmd.Wait())
	table := string(rest)
	for lines.Scan() { // what the scanner had read ahead
		table = lines.Text() + "\n" + table
	}
	assert.Contains(t, table, "5 diagnoses in 5 lines: appended 1, cut-down 1, rotated 1, unfinished 1, was-there 1")
}

// testReportManyLines reads a long log within its time: DIAG405_LINES=1000000 asks
// for a million.
func testReportManyLines(t *testing.T, bin string, log []byte) {
	n := 50_000
	if s := os.Getenv("DIAG405_LINES"); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
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
		_, err := w.Write(own[i%len(own)])
		require.NoError(t, err)
	}
	require.NoError(t, w.Flush())
	require.NoError(t, f.Close())
	begun := time.Now()
	cmd := exec.Command(bin, "report", "-n", "1", name)
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
