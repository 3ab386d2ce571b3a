// Package completion is the command that teaches a shell to complete what people type
// behind diag405. The scripts know nothing: they ask diag405 itself, which has its
// commands in one table and asks each for its flags.
package completion

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"diag405/cmd/diag405/cli"
)

const usage = `Usage: diag405 completion bash|zsh|fish

Prints a script for a shell, which then completes commands, flags and what they take
behind diag405. The script asks diag405 each time, so it stays right when that changes.

Examples:
  source <(diag405 completion bash)    # in ~/.bashrc
  source <(diag405 completion zsh)     # in ~/.zshrc, behind compinit
  diag405 completion fish > ~/.config/fish/completions/diag405.fish
`

//go:embed scripts
var scripts embed.FS

var shells = []string{"bash", "zsh", "fish"}

// asking is what the scripts say instead of a shell's name, before the words typed.
const asking = "words"

// Run prints the script for a shell, or completes words for it, and returns the exit
// code. Root is what diag405 takes without a command.
func Run(commands []cli.Command, root cli.Command, args []string, std cli.Streams) int {
	if len(args) > 1 && args[0] == asking && args[1] == "--" {
		for _, c := range Complete(commands, root, args[2:]) {
			fmt.Fprintln(std.Out, c)
		}
		return cli.OK
	}
	flags := cli.NewFlags("completion")
	words, err := cli.Parse(flags, args)
	if err == nil && (len(words) != 1 || !slices.Contains(shells, words[0])) {
		err = fmt.Errorf("want one of %s, got %q", strings.Join(shells, ", "), words)
	}
	if err != nil {
		return std.BadArguments("completion", usage, err)
	}
	script, err := scripts.ReadFile("scripts/diag405." + words[0])
	if err != nil {
		return std.Cannot("completion: %v", err)
	}
	if _, err := std.Out.Write(script); err != nil {
		return std.Cannot("completion: printing: %v", err)
	}
	return cli.OK
}
