// Package version is the command that says which diag405 this is.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"diag405/cmd/diag405/cli"
	"diag405/plugin"
)

const usage = `Usage: diag405 version [-o text|json]

Prints the version, the commit that it was built from, and with what.
`

// commit is stamped by the linker: -X diag405/cmd/diag405/version.commit=...
var commit string

// info is what is known of this binary.
type info struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"` // "" where nobody knows
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// Run prints the version, and returns the exit code.
func Run(args []string, std cli.Streams) int {
	form := "text"
	flags := cli.NewFlags("version")
	flags.StringVar(&form, "o", form, "")
	err := cli.ParseFlags(flags, args)
	if err == nil {
		err = cli.TextOrJSON(form)
	}
	if err != nil {
		return std.BadArguments("version", usage, err)
	}
	i := read()
	if form == "json" {
		err = cli.PrintJSON(std.Out, i)
	} else {
		_, err = fmt.Fprintln(std.Out, i)
	}
	if err != nil {
		return std.Cannot("version: printing: %v", err)
	}
	return cli.OK
}

func (i info) String() string {
	from := ""
	if i.Commit != "" {
		from = "commit " + i.Commit + ", "
	}
	return fmt.Sprintf("diag405 %s (%s%s, %s)", i.Version, from, i.Go, i.Platform)
}

// read prefers the stamp to what the go command knows: an image is built without the
// repository.
func read() info {
	i := info{Version: plugin.Version, Commit: commit, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if build, ok := debug.ReadBuildInfo(); ok && i.Commit == "" {
		i.Commit = revision(build.Settings)
	}
	return i
}

// revision is the commit that the go command built from, with a mark if something was
// changed since.
func revision(settings []debug.BuildSetting) string {
	var commit, mark string
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			mark = "+changes"
		}
	}
	if commit == "" {
		return ""
	}
	return commit + mark
}
