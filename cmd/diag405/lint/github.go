package lint

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"diag405/cmd/diag405/cli"
	"diag405/kong/lint"
)

// gitHubCommands are the workflow commands by which a run shows findings at their lines.
var gitHubCommands = map[lint.Severity]string{lint.Error: "error", lint.Warning: "warning", lint.Info: "notice"}

// printGitHub prints workflow commands, which GitHub shows as annotations.
func printGitHub(r *result, s *cli.Screen) error {
	for _, f := range r.findings {
		at := r.place(f.Object)
		properties := "title=" + gitHubProperty.Replace("diag405 "+f.ID)
		if at.Line > 0 {
			properties = fmt.Sprintf("file=%s,line=%d,", gitHubProperty.Replace(fromRoot(at.File)), at.Line) + properties
		}
		message := f.Object.String() + ": " + f.Sentence + ".\nFix: " + f.Fix.Words
		s.Println("::" + gitHubCommands[f.Severity] + " " + properties + "::" + gitHubData.Replace(message))
	}
	return nil
}

// What ends a command, or a property of it, is encoded (command.ts of the runner's
// toolkit, in GitHub's actions/toolkit).
var (
	gitHubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	gitHubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// fromRoot is a file's name from the root of the repository that it is in, with slashes;
// as it is where it is in none.
func fromRoot(name string) string {
	whole, err := filepath.Abs(name)
	if err != nil {
		return filepath.ToSlash(name)
	}
	for folder := filepath.Dir(whole); ; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, ".git")); err == nil {
			if short, err := filepath.Rel(folder, whole); err == nil {
				return filepath.ToSlash(short)
			}
		}
		if folder == filepath.Dir(folder) {
			return filepath.ToSlash(name)
		}
	}
}
