package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/cmd/diag405/diag405test"
)

// lintRuns are whole runs on files of testdata/lint; the golden file has the
// arguments, the exit code and all output.
var lintRuns = []struct {
	golden string
	args   string
}{
	{"help", "-h"},
	{"founding", "founding.yml"},
	{"founding-json", "-o json founding.yml"},
	{"founding-sarif", "founding.yml -o sarif"},
	{"founding-errors", "-fail-on error -ignore literal-star founding.yml"},
	{"founding-ignored", "founding.yml -ignore literal-star:internal-weather-route-GET -ignore consumed-path"},
	{"operations", "founding.yml -openapi weather.yaml"},
	{"operations-json", "founding.yml -openapi weather.yaml -service internal-weather-service -o json -fail-on error"},
	{"operations-reached", "clean.yml -openapi weather.yaml"},
	{"clean", "clean.yml"},
	{"clean-sarif", "-o sarif clean.yml"},
	{"many", "many.yml"},
	{"deck", "deck.yaml"},
	{"json-file", "config.json"},
}

func TestLint(t *testing.T) {
	bin := diag405test.Build(t)
	t.Chdir("testdata/lint")
	t.Run("golden", func(t *testing.T) { testLintGolden(t, bin) })
	t.Run("same twice", func(t *testing.T) { testLintStable(t, bin) })
	t.Run("stdin", func(t *testing.T) { testLintStdin(t, bin) })
	t.Run("bad input", func(t *testing.T) { testLintBadInput(t, bin) })
	t.Run("sarif", func(t *testing.T) { testLintSARIF(t, bin) })
}

func testLintGolden(t *testing.T, bin string) {
	for _, tt := range lintRuns {
		got := diag405test.Run(t, bin, append([]string{"lint"}, strings.Fields(tt.args)...)...)
		assert.Empty(t, got.Stderr, tt.args)
		assert.NotContains(t, got.Stdout, "\x1b", "no colour where there is no terminal")
		lintGolden(t, tt.golden, fmt.Sprintf("$ diag405 lint %s\nexit code %d\n\n%s", tt.args, got.Code, got.Stdout))
	}
}

func lintGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(name + ".golden")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

// The founding file is the project's own, byte for byte.
func TestLintFoundingIsCurrent(t *testing.T) {
	want, err := os.ReadFile("../../kong/kong.yml")
	require.NoError(t, err)
	got, err := os.ReadFile("testdata/lint/founding.yml")
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}

func testLintStable(t *testing.T, bin string) {
	first := diag405test.Run(t, bin, "lint", "many.yml")
	for range 5 {
		assert.Equal(t, first, diag405test.Run(t, bin, "lint", "many.yml"))
	}
}

func testLintStdin(t *testing.T, bin string) {
	cmd := exec.Command(bin, "lint", "-")
	cmd.Stdin = strings.NewReader("_format_version: '3.0'\nservices:\n- {name: s, url: 'http://a', routes: [{name: r, paths: [/x/*]}]}\n")
	out, err := cmd.Output()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 1, exit.ExitCode())
	assert.True(t, bytes.HasPrefix(out, []byte("stdin:3: error: literal-star: route r: ")), "%s", out)
}

// Bad input gives one clear line and exit code 2.
func testLintBadInput(t *testing.T, bin string) {
	tests := []struct {
		args []string
		want string
	}{
		{[]string{}, "lint: which file?"},
		{[]string{"-explode"}, "flag provided but not defined: -explode"},
		{[]string{"founding.yml", "-explode"}, "flag provided but not defined: -explode"},
		{[]string{"founding.yml", "extra"}, `unexpected argument "extra"`},
		{[]string{"none.yml"}, `reading "none.yml": no such file or directory`},
		{[]string{"."}, `reading ".": is a directory`},
		{[]string{"notyaml.yml"}, `"notyaml.yml": reading declarative configuration: yaml: `},
		{[]string{"broken.yml"}, `"broken.yml": _format_version: is required, as in _format_version: "3.0" (and 2 more)`},
		{[]string{"variable.yml"}, `"variable.yml": decK variable "DECK_NOT_SET" is not set in the environment`},
		{[]string{"founding.yml", "-o", "xml"}, `-o "xml" should be text, json or sarif`},
		{[]string{"founding.yml", "-fail-on", "note"}, `-fail-on "note" should be error, warning or info`},
		{[]string{"founding.yml", "-ignore", "nothing"}, `"nothing" is not the id of a finding`},
		{[]string{"founding.yml", "-service", "s"}, "-service needs -openapi"},
		{[]string{"-", "-openapi", "-"}, "only one of the two files can be stdin"},
		{[]string{"founding.yml", "-openapi", "none.yaml"}, `reading "none.yaml": no such file or directory`},
		{[]string{"founding.yml", "-openapi", "clean.yml"}, `"clean.yml": the document has neither swagger nor openapi`},
		{[]string{"many.yml", "-openapi", "weather.yaml"}, "which -service does the document describe?"},
		{[]string{"many.yml", "-openapi", "weather.yaml", "-service", "x"}, `-service: no service "x" in the configuration`},
	}
	for _, tt := range tests {
		got := diag405test.Run(t, bin, append([]string{"lint"}, tt.args...)...)
		assert.Equal(t, 2, got.Code, "%q", tt.args)
		assert.Empty(t, got.Stdout, "%q", tt.args)
		assert.Contains(t, got.Stderr, tt.want, "%q", tt.args)
		assert.True(t, strings.HasPrefix(got.Stderr, "diag405: lint: "), "%q: %s", tt.args, got.Stderr)
		assert.Equal(t, 1, strings.Count(got.Stderr, "\n"), "%q: one line: %s", tt.args, got.Stderr)
	}
}

// What SARIF 2.1.0 requires of a log, and what must agree within it.
func testLintSARIF(t *testing.T, bin string) {
	got := diag405test.Run(t, bin, "lint", "many.yml", "-o", "sarif")
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct{ ID, HelpURI string }
				}
			}
			Results []struct {
				RuleID, Level string
				RuleIndex     int
				Message       struct{ Text string }
				Locations     []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(got.Stdout), &log))
	assert.Equal(t, "2.1.0", log.Version)
	require.Len(t, log.Runs, 1)
	rules := log.Runs[0].Tool.Driver.Rules
	require.NotEmpty(t, log.Runs[0].Results)
	for _, r := range log.Runs[0].Results {
		assert.Equal(t, r.RuleID, rules[r.RuleIndex].ID)
		assert.Equal(t, "docs/lint.md#"+r.RuleID, rules[r.RuleIndex].HelpURI)
		assert.Contains(t, []string{"error", "warning", "note"}, r.Level)
		assert.NotEmpty(t, r.Message.Text)
		require.Len(t, r.Locations, 1)
		assert.Equal(t, "many.yml", r.Locations[0].PhysicalLocation.ArtifactLocation.URI)
		assert.Positive(t, r.Locations[0].PhysicalLocation.Region.StartLine)
	}
}
