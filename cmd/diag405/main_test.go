package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

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
