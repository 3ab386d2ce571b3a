package main

import (
	"bytes"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/serve"
)

// Every flag that a command takes is in its usage, which completion reads.
func TestUsagesHaveAllFlags(t *testing.T) {
	byKong := cli.Command{Name: "", Run: func(args []string, std cli.Streams) int { return serve.ByKong(args, std, help()) }}
	flags := 0
	for _, c := range append(all(), byKong) {
		d := cli.Describe(c.Run)
		for _, f := range d.Flags {
			assert.NotEqual(t, "VALUE", f.Value, "diag405 %s -h does not have -%s", c.Name, f.Name)
		}
		flags += len(d.Flags)
	}
	assert.Greater(t, flags, 40, "flags of all commands")
}

// docs/commands.md has the -h of every command, as it is. -update writes them there.
func TestCommandsPageHasAllUsages(t *testing.T) {
	const file = "../../docs/commands.md"
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	want := string(page)
	for _, c := range all() {
		if c.Name == "help" {
			continue
		}
		var usage bytes.Buffer
		assert.Equal(t, cli.OK, c.Run([]string{"-h"}, cli.Streams{In: &bytes.Buffer{}, Out: &usage, Err: &usage}), c.Name)
		screen := regexp.MustCompile("(?m)^\\$ diag405 " + c.Name + " -h\n(?:[^`].*\n|\n)*")
		if assert.Len(t, screen.FindAllString(want, -1), 1, c.Name) {
			want = screen.ReplaceAllLiteralString(want, "$ diag405 "+c.Name+" -h\n"+usage.String())
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
		return
	}
	assert.Equal(t, want, string(page))
}
