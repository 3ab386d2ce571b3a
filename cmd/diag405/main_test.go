package main_test

import (
	"encoding/json"
	"flag"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/diag405test"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestCommands runs the real binary.
func TestCommands(t *testing.T) {
	bin := diag405test.Build(t)
	t.Run("demo", func(t *testing.T) { testDemo(t, bin) })
	t.Run("demo under another name", func(t *testing.T) { testDemoRenamed(t, bin) })
	t.Run("help", func(t *testing.T) { testHelp(t, bin) })
	t.Run("bad input", func(t *testing.T) { testBadInput(t, bin) })
	t.Run("dump", func(t *testing.T) { testDump(t, bin) })
}

// changing is what differs from run to run on the demo's screen.
var changing = []struct {
	pattern *regexp.Regexp
	stable  string
}{
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:PORT"},
	{regexp.MustCompile(`\d{4}/\d\d/\d\d \d\d:\d\d:\d\d`), "TIME"},
	{regexp.MustCompile(`(\] )\d+#\d+: \*\d+`), "${1}PID#0: *N"},
	{regexp.MustCompile(`request_id: "[0-9a-f]{32}"`), `request_id: "ID"`},
}

func stable(screen string) string {
	for _, c := range changing {
		screen = c.pattern.ReplaceAllString(screen, c.stable)
	}
	return screen
}

func testDemo(t *testing.T, bin string) {
	got := diag405test.Run(t, bin, "demo")
	require.Equal(t, 0, got.Code, got.Stderr)
	assert.Empty(t, got.Stderr)
	assert.NotContains(t, got.Stdout, "\x1b", "no colour where there is no terminal")
	golden(t, "demo.txt", stable(got.Stdout))
}

// A plugin is called what its file is called, and the demo brings its own along.
func testDemoRenamed(t *testing.T, bin string) {
	other := filepath.Join(t.TempDir(), "other-name")
	require.NoError(t, os.Link(bin, other))
	got := diag405test.Run(t, other, "demo")
	require.Equal(t, 0, got.Code, got.Stderr)
	assert.Contains(t, got.Stdout, "X-Diag: strip-path;certainty=likely")
}

func testHelp(t *testing.T, bin string) {
	for _, args := range [][]string{{"help"}, {"-help"}, {"-h"}} {
		got := diag405test.Run(t, bin, args...)
		assert.Equal(t, 0, got.Code)
		golden(t, "help.txt", got.Stdout)
	}
	got := diag405test.Run(t, bin, "demo", "-h")
	assert.Equal(t, 0, got.Code)
	golden(t, "demo-help.txt", got.Stdout)
}

// Bad input gives one clear line and exit code 2.
func testBadInput(t *testing.T, bin string) {
	nobody := refusingAddress(t)
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"explode"}, `unknown command "explode"`},
		{[]string{"-explode"}, "flag provided but not defined: -explode"},
		{[]string{"-dump", "extra"}, `unexpected argument "extra"`},
		{[]string{"-kong-prefix", "/does/not/exist"}, `no folder "/does/not/exist" for the socket`},
		{[]string{"demo", "-explode"}, "flag provided but not defined: -explode"},
		{[]string{"demo", "extra"}, `unexpected argument "extra"`},
		{[]string{"demo", "-app", "localhost"}, `-app "localhost" is not an address`},
		{[]string{"demo", "-app", "http://" + nobody}, "nothing answers at http://" + nobody},
		{[]string{"demo", "-kong", "/does/not/exist"}, `"/does/not/exist"`},
	}
	for _, tt := range tests {
		got := diag405test.Run(t, bin, tt.args...)
		assert.Equal(t, 2, got.Code, "%q", tt.args)
		assert.Contains(t, got.Stderr, tt.want, "%q", tt.args)
		assert.Equal(t, 1, strings.Count(got.Stderr, "\n"), "%q: one line: %s", tt.args, got.Stderr)
	}
}

// refusingAddress is a loopback address at which nothing listens.
func refusingAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// testDump pins what Kong is told at its start. It is compared as decoded JSON:
// go-pdk writes the keys in another order each time.
func testDump(t *testing.T, bin string) {
	got := diag405test.Run(t, bin, "-kong-prefix", "/prefix", "-dump")
	require.Equal(t, 0, got.Code, got.Stderr)
	var dump any
	require.NoError(t, json.Unmarshal([]byte(got.Stdout), &dump), got.Stdout)
	pretty, err := json.MarshalIndent(dump, "", "  ")
	require.NoError(t, err)
	golden(t, "dump.json", string(pretty)+"\n")
}

// golden compares with a file, or rewrites it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}
