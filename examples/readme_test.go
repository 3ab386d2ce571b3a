//go:build unix

package examples

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/diag405test"
)

// What ../README.md shows of explain is what explain prints.
func TestReadmeShowsWhatExplainPrints(t *testing.T) {
	for _, page := range []string{"../README.md", "../README.zh-CN.md"} {
		screen, ok := strings.CutPrefix(block(t, read(t, page), "$ diag405 explain "), "$ ")
		require.True(t, ok)
		command, want, _ := strings.Cut(screen, "\n")
		words := strings.Fields(command)
		cmd := exec.Command(diag405test.Build(t), words[1:]...)
		cmd.Dir = ".."
		got, err := cmd.Output()
		require.NoError(t, err)
		assert.Equal(t, string(got), want, page)
	}
}

// What README shows of the log is what the demo's gateway has in it, but for the
// addresses and the application's name.
func TestReadmeShowsTheLog(t *testing.T) {
	demo := diag405test.Run(t, diag405test.Build(t), "demo")
	require.Equal(t, 0, demo.Code, demo.Stderr)
	shown := block(t, read(t, "../README.md"), "[notice] ")
	lines := regexp.MustCompile(`\[diag405\] (event=.*?)(?:, …| …)\n`).FindAllStringSubmatch(strings.ReplaceAll(shown, "\n  ", " ")+"\n", -1)
	require.Len(t, lines, 2, shown)
	got := regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(demo.Stdout, "ADDRESS")
	for _, line := range lines {
		want := strings.NewReplacer("localhost:8000", "ADDRESS", "weather:8900", "ADDRESS", "server=uvicorn", "server=weather").Replace(line[1])
		assert.Contains(t, got, want)
	}
}

// block is the fenced block of a page that begins with a text.
func block(t *testing.T, page, begin string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, "```\n"+begin)
	require.True(t, ok, "a block that begins with %s", begin)
	text, _, ok := strings.Cut(rest, "```\n")
	require.True(t, ok, "its end")
	return begin + text
}
