package report

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/diag405test"
)

// logged is a diagnosis as it stands in an error log.
func logged(second int, cause string) string {
	return fmt.Sprintf("2026/11/23 08:06:%02d [warn] 1443#0: *656 [kong] pb_rpc.lua:233 [diag405] event=diagnosis cause=%s certainty=likely "+
		"reason=r fix=f client=\"POST http://localhost:8000/a\" upstream=\"POST http://app/a\" route=r while sending to client, client: 127.0.0.1\n", second, cause)
}

func appendTo(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// A log is followed through being appended to, rotated and cut down.
func TestFollow(t *testing.T) {
	name := filepath.Join(t.TempDir(), "error.log")
	o, err := parse([]string{"-f", name}, time.Now())
	require.NoError(t, err)
	var out bytes.Buffer
	judge, err := o.judge(cli.Streams{})
	require.NoError(t, err)
	r := newReader(o, judge, cli.Streams{Out: &out, Err: io.Discard})
	f := &followed{name: name}
	news := func() string {
		out.Reset()
		require.NoError(t, r.look([]*followed{f}))
		return out.String()
	}

	assert.Empty(t, news(), "a file that is not there yet is waited for")
	r.live = false
	appendTo(t, name, logged(1, "was-there"))
	assert.Empty(t, news())
	line := logged(2, "appended")
	appendTo(t, name, line[:50]) // a line may be written in two parts
	assert.Empty(t, news())
	appendTo(t, name, line[50:])
	assert.Equal(t, "2026/11/23 08:06:02  appended  POST http://localhost:8000/a  ->  POST http://app/a\n", news())
	require.NoError(t, os.Rename(name, name+".1"))
	assert.Empty(t, news())
	appendTo(t, name+".1", logged(3, "moved-away")) // nginx writes there until it is told to reopen
	assert.Contains(t, news(), "moved-away")
	appendTo(t, name, logged(4, "rotated"))
	assert.Contains(t, news(), "rotated")
	require.NoError(t, os.Truncate(name, 0))
	assert.Empty(t, news())
	appendTo(t, name, logged(5, "cut-down"))
	assert.Contains(t, news(), "cut-down")
	appendTo(t, name, strings.TrimSuffix(logged(6, "unfinished"), "\n"))
	assert.Empty(t, news())

	f.close(r.add)
	require.NoError(t, o.print(r.table.Summary(), &out))
	assert.Contains(t, out.String(), "6 diagnoses in 6 lines: appended 1, cut-down 1, moved-away 1, rotated 1, unfinished 1, was-there 1")
}

// The table comes with SIGINT.
func TestFollowUntilInterrupted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	name := filepath.Join(t.TempDir(), "error.log")
	appendTo(t, name, logged(1, "was-there"))
	cmd := exec.CommandContext(ctx, diag405test.Build(t), "report", "-f", name)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := make(chan string)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			lines <- in.Text()
		}
	}()
	assert.Contains(t, firstNews(t, name, lines), "  appended  POST http://localhost:8000/a  ->  POST http://app/a")
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	var rest []string
	for line := range lines {
		rest = append(rest, line)
	}
	require.NoError(t, cmd.Wait())
	assert.Regexp(t, `\d+ diagnoses in \d+ lines: appended \d+, was-there 1\n`, strings.Join(rest, "\n"))
}

// firstNews appends to a log until the command has seen what was there and says what
// is new.
func firstNews(t *testing.T, name string, lines <-chan string) string {
	t.Helper()
	for {
		appendTo(t, name, logged(2, "appended"))
		select {
		case line, ok := <-lines:
			require.True(t, ok, "it ended")
			return line
		case <-time.After(pollEvery):
		}
	}
}
