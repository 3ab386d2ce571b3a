// Package plugins are the two plugins of diag405 by their names, as the commands
// serve and describe them.
package plugins

import (
	"fmt"
	"slices"
	"strings"

	"diag405/plugin"
	"diag405/plugin/server"
)

// Names are the plugins' names.
var Names = []string{plugin.Name, plugin.LogName}

// Both is what stands for all of them in a flag.
const Both = "both"

// Chosen are the plugins that a -name flag chooses.
func Chosen(name string) ([]string, error) {
	switch {
	case name == Both:
		return Names, nil
	case slices.Contains(Names, name):
		return []string{name}, nil
	}
	return nil, fmt.Errorf("-name %q is not %s or %s", name, strings.Join(Names, ", "), Both)
}

// Named is the plugin of a name, any other name being diag405's: that is what Kong
// calls a binary that goes by another one. Prefix is Kong's prefix directory, where
// the plugin finds out how Kong looks up host names; "" is none.
func Named(name, prefix string) server.Plugin {
	p := server.Plugin{
		Name:     name,
		New:      plugin.Constructor(prefix),
		Version:  plugin.Version,
		Priority: plugin.Priority,
	}
	if name == plugin.LogName {
		p.New = plugin.LogConstructor()
	}
	return p
}
