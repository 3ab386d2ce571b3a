// Package schema is the command that prints a plugin's schema for those who are not
// the Kong that serves requests: a control plane, and Konnect.
package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/plugins"
	"diag405/plugin"
	"diag405/plugin/server"
)

const usage = `Usage: diag405 schema [-lua] [diag405|diag405-log]

Prints the schema of a plugin's settings (default diag405): as JSON, or with -lua as
the schema.lua that Konnect takes. It requires nothing, and is from the same table
as what diag405 dump writes, which is what a control plane of one's own needs.

Examples:
  diag405 schema -lua > schema.lua
  diag405 schema diag405-log
`

// Run prints a schema, and returns the exit code.
func Run(args []string, std cli.Streams) int {
	name, asLua, err := parse(args)
	if err != nil {
		return std.BadArguments("schema", usage, err)
	}
	schema, err := of(name)
	if err != nil {
		return std.Cannot("schema: %v", err)
	}
	if asLua {
		_, err = std.Out.Write(lua(name, schema))
	} else {
		err = cli.PrintJSON(std.Out, schema)
	}
	if err != nil {
		return std.Cannot("schema: printing: %v", err)
	}
	return cli.OK
}

func parse(args []string) (name string, asLua bool, err error) {
	flags := cli.NewFlags("schema")
	flags.BoolVar(&asLua, "lua", false, "")
	names, err := cli.Parse(flags, args)
	switch {
	case err != nil:
		return "", false, err
	case len(names) == 0:
		return plugin.Name, asLua, nil
	case len(names) > 1:
		return "", false, errors.New("want one plugin")
	case !slices.Contains(plugins.Names, names[0]):
		return "", false, fmt.Errorf("%q is not one of %q", names[0], plugins.Names)
	}
	return names[0], asLua, nil
}

// of is the schema that a plugin is described to Kong with, as JSON decodes it.
func of(name string) (any, error) {
	var dump bytes.Buffer
	if err := plugins.Named(name, "").Dump(&dump, server.DefaultPrefix); err != nil {
		return nil, fmt.Errorf("describing %s: %w", name, err)
	}
	var described struct {
		Plugins []struct{ Schema any }
	}
	decoder := json.NewDecoder(&dump)
	decoder.UseNumber() // as it is written
	if err := decoder.Decode(&described); err != nil {
		return nil, fmt.Errorf("reading the description of %s: %w", name, err)
	}
	return described.Plugins[0].Schema, nil
}
