package ui

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/diag405test"
)

// The command prints the address, opens a browser when that is asked for, and ends on
// SIGINT and SIGTERM at once, also while pages look at the log.
func TestRun(t *testing.T) {
	bin, dir := diag405test.Build(t), t.TempDir()
	log := filepath.Join(dir, "error.log")
	require.NoError(t, os.WriteFile(log, []byte(logged("strip-path", "/a")), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "xdg-open"), []byte("#!/bin/sh\necho \"$1\" >"+dir+"/opening && mv "+dir+"/opening "+dir+"/opened\n"), 0o755))
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, bin, "ui", "-config", founding(t), "-log", log, "-open")
		cmd.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewReader(out)
		address, err := lines.ReadString('\n')
		require.NoError(t, err, &stderr)
		c := open(t, strings.TrimSpace(address))
		res, err := c.http.Get(c.origin + "/log")
		require.NoError(t, err)
		defer res.Body.Close()
		until(t, bufio.NewReader(res.Body), func(c counted) bool { return c.Diagnoses == 1 })

		var opened []byte
		require.Eventually(t, func() bool { opened, err = os.ReadFile(filepath.Join(dir, "opened")); return err == nil }, 10*time.Second, 10*time.Millisecond)
		assert.NotContains(t, string(opened), strings.TrimSpace(address), "what others can read of a process holds once")
		open(t, strings.TrimSpace(string(opened)))
		again, err := http.Get(strings.TrimSpace(string(opened)))
		require.NoError(t, err)
		again.Body.Close()
		assert.Equal(t, http.StatusForbidden, again.StatusCode)
		require.NoError(t, os.Remove(filepath.Join(dir, "opened")))

		require.NoError(t, cmd.Process.Signal(signal))
		begun := time.Now()
		rest, err := io.ReadAll(lines)
		require.NoError(t, err)
		require.NoError(t, cmd.Wait())
		assert.Less(t, time.Since(begun), endTime, "the page that looks at the log does not hold it up")
		assert.Equal(t, "Ctrl-C ends it.\n", string(rest))
		assert.Empty(t, stderr.String())
	}
}
